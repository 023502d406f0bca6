//! The requests and replies of one connection, and what rules do to them.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::dialect::{Replies, Requests};
use super::postgres_requests::Said;
use super::{Protocol, Request, Unreadable};
use crate::effect::Installed;
use crate::rule::Deed;
use crate::spec::ToxicId;
use crate::toxic::Cut;

/// A request that came in several chunks can be sent twice up to this length, in bytes.
const COPIED_MOST: usize = 64 * 1024;

/// Followed from its first byte on. Both directions share it.
#[derive(Debug)]
pub(crate) struct Conversation {
    requests: Requests,
    replies: Replies,
    /// Requests that the server was or will be sent, copies among them.
    asked: u64,
    /// The last request that only set the connection up.
    set_up: u64,
    /// The first of the requests that will be answered together with the next.
    batch: u64,
    /// Replies that something happens to, in their order.
    awaited: VecDeque<Awaited>,
    /// Whose reply the message of the server is that is under way.
    speaks_to: Option<u64>,
    /// What was passed on of a request that is not whole, while a rule may want it twice.
    begun: Vec<u8>,
    is_lost: bool,
}

#[derive(Debug)]
struct Awaited {
    /// The first of the requests whose replies they are, mostly the same …
    from: u64,
    /// … as the last.
    number: u64,
    rule: Arc<Installed>,
    fate: Fate,
    /// Whether bytes of it were taken from the stream already.
    is_begun: bool,
}

/// What happens to a reply.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Delayed(Duration),
    Held,
    /// The connection ends with it.
    Lost,
    /// Nobody asked for it: it answers a copy.
    Swallowed,
}

/// The rules, as a conversation asks them.
pub(crate) trait Judge {
    /// What is to be done about a request that is whole.
    fn judge(&mut self, request: &Request<'_>) -> Option<Verdict>;

    /// Whether a rule was not removed.
    fn is_in_force(&self, rule: ToxicId) -> bool;

    /// Whether any rule may want a request twice.
    fn may_duplicate(&self) -> bool;
}

/// That a rule wants something done.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) rule: Arc<Installed>,
    pub(crate) deed: Deed,
    /// Whether it means all that is answered together, not the one request.
    pub(crate) whole: bool,
}

/// What is done to bytes of a chunk.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) range: Range<usize>,
    pub(crate) rule: Arc<Installed>,
    pub(crate) act: Act,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Delay(Duration),
    Hold,
    /// The connection ends in their place.
    Cut(Cut),
    /// The same, whatever becomes of the rule: bytes before them were swallowed.
    CutForGood,
    /// They are passed on, and then this.
    Repeat(Vec<u8>),
    Swallow,
}

impl Conversation {
    pub(crate) fn new(protocol: Protocol) -> Self {
        let (requests, replies) = (Requests::new(protocol), Replies::new(protocol));
        let (awaited, begun) = (VecDeque::new(), Vec::new());
        let (asked, set_up, batch, speaks_to, is_lost) = (0, 0, 1, None, false);
        Self { requests, replies, asked, set_up, batch, awaited, speaks_to, begun, is_lost }
    }

    /// Reads what goes to the server. `marks` gets what is to be done; whether the conversation was lost just now.
    pub(crate) fn upstream(
        &mut self,
        bytes: &[u8],
        rules: &mut dyn Judge,
        marks: &mut Vec<Mark>,
    ) -> bool {
        if self.is_lost {
            return false;
        }
        let read = self.read_requests(bytes, rules, marks);
        self.is_lost = read.is_err();
        self.is_lost
    }

    /// Reads what comes from the server; as [`upstream`](Self::upstream).
    pub(crate) fn downstream(
        &mut self,
        bytes: &[u8],
        rules: &dyn Judge,
        marks: &mut Vec<Mark>,
    ) -> bool {
        if self.is_lost {
            return false;
        }
        let mut at = 0;
        let read = self.read_replies(bytes, &mut at, rules, marks);
        self.is_lost = read.is_err();
        // A stream that was robbed does not live on, not even one that nobody understands any more.
        if let (Err(Unreadable), Some(first)) = (read, self.awaited.front())
            && first.is_begun
        {
            let rule = Arc::clone(&first.rule);
            marks.push(Mark { range: at..bytes.len(), rule, act: Act::CutForGood });
        }
        self.is_lost
    }

    /// What the next reply is that comes, if one is to come which is not about the set-up: `rule` loses it.
    pub(crate) fn lose_next_reply(&mut self, rule: &Arc<Installed>) -> bool {
        let Some((from, number)) = self.replies.next_batch(self.asked) else { return false };
        if self.is_lost || self.replies.is_inside() || from <= self.set_up {
            return false;
        }
        let is_free = self.awaited.front().is_none_or(|first| first.from > number);
        if is_free {
            let (rule, fate) = (Arc::clone(rule), Fate::Lost);
            self.awaited.push_front(Awaited { from, number, rule, fate, is_begun: false });
        }
        is_free
    }

    fn read_requests(
        &mut self,
        bytes: &[u8],
        rules: &mut dyn Judge,
        marks: &mut Vec<Mark>,
    ) -> Result<(), Unreadable> {
        let mut at = 0;
        while let Some(length) = self.requests.next(&bytes[at..])? {
            let range = at..at + length;
            at += length;
            if let Some(verdict) = self.request(rules)? {
                let name = self.requests.request().map_or("", |request| request.name);
                let (verdict, from) = verdict;
                self.carry_out(verdict, from, name, &bytes[range.clone()], range, marks)?;
            }
            self.begun.clear();
            if matches!(&self.requests, Requests::Redis(requests) if requests.ends_pairing()) {
                return Err(Unreadable);
            }
        }
        if self.requests.is_inside() && rules.may_duplicate() {
            let room = (COPIED_MOST + 1).saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&bytes[at..][..room.min(bytes.len() - at)]);
        }
        Ok(())
    }

    /// Takes account of the request that was read last, and asks the rules about it.
    /// With a verdict comes the first of the requests that it is about.
    fn request(&mut self, rules: &mut dyn Judge) -> Result<Option<(Verdict, u64)>, Unreadable> {
        if let (Requests::Postgres(requests), Replies::Postgres(replies)) =
            (&self.requests, &mut self.replies)
            && requests.said() == Said::MayWeEncrypt
        {
            replies.asked_to_encrypt();
        }
        let Some(request) = self.requests.request() else { return Ok(None) };
        self.asked += 1;
        if let Replies::Postgres(replies) = &mut self.replies {
            replies.asked(self.asked, request.name)?;
        }
        if request.sets_up {
            self.set_up = self.asked;
        }
        let verdict = rules.judge(&request);
        let from = self.batch;
        if request.ends {
            self.batch = self.asked + 1;
        }
        Ok(verdict.map(|verdict| {
            let from = if verdict.whole { from } else { self.asked };
            (verdict, from)
        }))
    }

    fn carry_out(
        &mut self,
        verdict: Verdict,
        from: u64,
        name: &str,
        bytes: &[u8],
        range: Range<usize>,
        marks: &mut Vec<Mark>,
    ) -> Result<(), Unreadable> {
        let Verdict { rule, deed, .. } = verdict;
        let act = match deed {
            Deed::Delay(by) => Act::Delay(by),
            Deed::Hold => Act::Hold,
            Deed::DropRequest => Act::Cut(Cut::Close),
            Deed::Reset => Act::Cut(Cut::Reset),
            Deed::DelayReply(by) => return self.awaits(from, rule, Fate::Delayed(by)),
            Deed::HoldReply => return self.awaits(from, rule, Fate::Held),
            Deed::DropReply => return self.awaits(from, rule, Fate::Lost),
            Deed::Duplicate => {
                if self.begun.len() > COPIED_MOST {
                    return Ok(());
                }
                let copy = [&self.begun, bytes].concat();
                self.asked += 1;
                self.batch = self.asked + 1;
                if let Replies::Postgres(replies) = &mut self.replies {
                    replies.asked(self.asked, name)?;
                }
                self.awaits(self.asked, Arc::clone(&rule), Fate::Swallowed)?;
                Act::Repeat(copy)
            }
        };
        marks.push(Mark { range, rule, act });
        Ok(())
    }

    /// Something is to happen to the replies to the requests from this one up to the last.
    fn awaits(&mut self, from: u64, rule: Arc<Installed>, fate: Fate) -> Result<(), Unreadable> {
        const MOST: usize = 64 * 1024;
        if self.awaited.len() == MOST {
            return Err(Unreadable);
        }
        self.awaited.push_back(Awaited { from, number: self.asked, rule, fate, is_begun: false });
        Ok(())
    }

    fn read_replies(
        &mut self,
        bytes: &[u8],
        at: &mut usize,
        rules: &dyn Judge,
        marks: &mut Vec<Mark>,
    ) -> Result<(), Unreadable> {
        while let Some(&first) = bytes.get(*at) {
            if !self.replies.is_inside() {
                self.speaks_to = self.replies.owner(first, self.asked);
            }
            let length = self.replies.next(&bytes[*at..])?;
            let range = *at..*at + length.unwrap_or(bytes.len() - *at);
            *at = range.end;
            let over = length.and_then(|_| self.replies.ends(self.speaks_to));
            if !self.awaited.is_empty() {
                self.suffer(range, over, rules, marks);
            }
        }
        Ok(())
    }

    /// Does to a message of the server what is to happen to it. Replies are `over` up to a number.
    fn suffer(
        &mut self,
        range: Range<usize>,
        over: Option<u64>,
        rules: &dyn Judge,
        marks: &mut Vec<Mark>,
    ) {
        let speaks_to = self.speaks_to;
        let is_meant = |first: &&mut Awaited| {
            speaks_to.is_some_and(|number| (first.from..=first.number).contains(&number))
        };
        let first = self.awaited.front_mut().filter(is_meant);
        if let Some(first) = first {
            let is_over = over.is_some_and(|over| over >= first.number);
            let act = match first.fate {
                Fate::Swallowed => Some(Act::Swallow),
                _ if !first.is_begun && !rules.is_in_force(first.rule.id) => None,
                Fate::Delayed(by) => Some(Act::Delay(by)),
                Fate::Held => Some(Act::Hold),
                Fate::Lost => Some(match (&self.replies, is_over) {
                    // Redis begins to reply when it is done with the request; Postgres may be at it still.
                    (Replies::Postgres(_), false) => Act::Swallow,
                    (Replies::Postgres(_), true) if first.is_begun => Act::CutForGood,
                    (Replies::Redis(..), _) | (Replies::Postgres(_), true) => Act::Cut(Cut::Close),
                }),
            };
            let goes_on = act == Some(Act::Swallow) && !is_over;
            if let Some(act) = act {
                first.is_begun = true;
                marks.push(Mark { range, rule: Arc::clone(&first.rule), act });
            }
            if !goes_on {
                self.awaited.pop_front();
            }
        }
        if let Some(over) = over {
            while self.awaited.front().is_some_and(|first| first.number <= over) {
                self.awaited.pop_front();
            }
        }
    }
}
