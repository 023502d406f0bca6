//! Messages as Postgres sends them, and what each says of the requests before it.

use std::collections::VecDeque;

use super::Unreadable;

/// No message is longer.
const LONGEST: u32 = 0x3fff_ffff;
/// So many requests may wait for their replies before the connection is followed no further.
const WAITING_MOST: usize = 64 * 1024;

/// Reads one message after the other, and keeps account of what they answer.
#[derive(Debug, Default)]
pub(super) struct Replies {
    state: State,
    /// The questions about encryption that were not answered.
    asked_to_encrypt: u32,
    /// Whether logging in is over.
    is_ready: bool,
    waiting: VecDeque<Waiting>,
    /// A request failed, and what follows is not looked at by the server up to the next Sync.
    skips: bool,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Between,
    /// In the type and length of a message.
    Header([u8; 5], usize),
    /// In a message of this type, so many bytes of which are to come.
    Body(u8, u32),
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    number: u64,
    until: Until,
}

/// The message that ends the reply to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    ParseComplete,
    BindComplete,
    CloseComplete,
    Described,
    Executed,
    Ready,
}

impl Replies {
    /// A request leaves.
    pub(super) fn asked(&mut self, number: u64, name: &str) -> Result<(), Unreadable> {
        let until = match name {
            "Parse" => Until::ParseComplete,
            "Bind" => Until::BindComplete,
            "Close" => Until::CloseComplete,
            "Describe" => Until::Described,
            "Execute" => Until::Executed,
            _ => Until::Ready,
        };
        if self.skips && until != Until::Ready {
            return Ok(());
        }
        self.skips = false;
        if self.waiting.len() == WAITING_MOST {
            return Err(Unreadable);
        }
        self.waiting.push_back(Waiting { number, until });
        Ok(())
    }

    /// The question whether to encrypt leaves.
    pub(super) const fn asked_to_encrypt(&mut self) {
        self.asked_to_encrypt = self.asked_to_encrypt.saturating_add(1);
    }

    /// The replies that come next together: the numbers of the first and the last of their requests, where both left.
    pub(super) fn batch(&self) -> Option<(u64, u64)> {
        let last = self.waiting.iter().find(|waiting| waiting.until == Until::Ready)?;
        self.is_ready.then_some((self.waiting.front()?.number, last.number))
    }

    /// Whether a message has begun that is not whole.
    pub(super) const fn is_inside(&self) -> bool {
        !matches!(self.state, State::Between)
    }

    /// Whose reply a message is that begins with this byte.
    pub(super) fn owner(&self, first: u8) -> Option<u64> {
        match first {
            b'S' | b'N' | b'A' => None, // news that nobody asked for
            _ if self.asked_to_encrypt > 0 || !self.is_ready => None,
            _ => self.waiting.front().map(|waiting| waiting.number),
        }
    }

    /// Reads to the end of the message, if that is here, and says how many bytes that was.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.state {
                State::Between if self.asked_to_encrypt > 0 => {
                    self.asked_to_encrypt -= 1;
                    // Once it said yes, nobody can read on.
                    return if bytes[at] == b'N' { Ok(Some(at + 1)) } else { Err(Unreadable) };
                }
                State::Between => self.state = State::Header([0; 5], 0),
                State::Header(header, read) => {
                    header[*read] = bytes[at];
                    *read += 1;
                    at += 1;
                    if *read == header.len() {
                        let [kind, length @ ..] = *header;
                        self.header(kind, u32::from_be_bytes(length))?;
                    }
                }
                State::Body(_, left) => {
                    let here = (bytes.len() - at).min(*left as usize);
                    at += here;
                    *left -= u32::try_from(here).unwrap_or(*left);
                }
            }
            if let State::Body(_, 0) = self.state {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn header(&mut self, kind: u8, length: u32) -> Result<(), Unreadable> {
        // CopyBothResponse: from here on it is a stream of changes.
        if !(4..=LONGEST).contains(&length) || !is_type(kind) || kind == b'W' {
            return Err(Unreadable);
        }
        self.state = State::Body(kind, length - 4);
        Ok(())
    }

    /// Up to which request replies are over with the message read last, where one is. To be asked once for each.
    pub(super) fn ends(&mut self) -> Option<u64> {
        let State::Body(kind, _) = std::mem::take(&mut self.state) else { return None };
        if !self.is_ready {
            self.is_ready = kind == b'Z';
            return None;
        }
        let Waiting { number, until } = *self.waiting.front()?;
        let ends = match kind {
            b'1' => until == Until::ParseComplete,
            b'2' => until == Until::BindComplete,
            b'3' => until == Until::CloseComplete,
            b'T' | b'n' => until == Until::Described,
            b'C' | b'I' | b's' => until == Until::Executed,
            b'Z' => until == Until::Ready,
            b'E' if until != Until::Ready => return self.fail(),
            _ => false,
        };
        if !ends {
            return None;
        }
        self.waiting.pop_front();
        Some(number)
    }

    /// What waits up to the next Sync gets no reply any more.
    fn fail(&mut self) -> Option<u64> {
        let sync = self.waiting.iter().position(|waiting| waiting.until == Until::Ready);
        self.skips = sync.is_none();
        self.waiting.drain(..sync.unwrap_or(self.waiting.len())).next_back().map(|last| last.number)
    }
}

/// What Postgres' messages begin with.
const fn is_type(kind: u8) -> bool {
    kind.is_ascii_alphabetic() || matches!(kind, b'1' | b'2' | b'3')
}
