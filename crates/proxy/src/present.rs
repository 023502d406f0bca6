//! The toxics and rules as one connection meets them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::board::{Board, List};
use crate::effect::Installed;
use crate::follow::{Act, Conversation, Judge, Mark, Protocol, Request, Verdict};
use crate::kept::{Kept, Obstacle};
use crate::rule::{Deed, Rule};
use crate::seed;
use crate::spec::{Reach, ToxicId, What};
use crate::toxic::{Chunk, Cut, Direction, Ending, Passage, Toxic};

/// What both directions of a connection share.
#[derive(Debug)]
pub(crate) struct Meeting<'a> {
    board: &'a Board,
    connection: u64,
    /// What it says, where somebody wants to know.
    conversation: Option<Mutex<Conversation>>,
    protocol: Option<Protocol>,
    /// Toxics that did anything to this connection.
    bitten: Mutex<BTreeSet<ToxicId>>,
    broken: AtomicBool,
}

impl<'a> Meeting<'a> {
    pub(crate) fn new(board: &'a Board, connection: u64) -> Self {
        let protocol = board.protocol();
        let conversation = protocol.map(Conversation::new).map(Mutex::new);
        let (bitten, broken) = (Mutex::default(), AtomicBool::new(false));
        Self { board, connection, conversation, protocol, bitten, broken }
    }

    /// Whether a peer went away without waiting for all that was sent to it.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    pub(crate) fn set_broken(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    fn conversation(&self) -> Option<MutexGuard<'_, Conversation>> {
        let conversation = self.conversation.as_ref()?;
        Some(conversation.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count_connection(&self, toxic: &Installed, now: Instant) {
        let new = self.bitten.lock().unwrap_or_else(PoisonError::into_inner).insert(toxic.id);
        if new {
            toxic.count_connection(self.board.at(now));
        }
    }
}

/// The toxics and rules that are present in one direction of a connection.
#[derive(Debug)]
pub(crate) struct Present<'a> {
    meeting: &'a Meeting<'a>,
    direction: Direction,
    news: watch::Receiver<List>,
    /// The youngest toxic seen so far; those after it are new.
    seen: ToxicId,
    toxics: Vec<PresentToxic>,
    rules: PresentRules,
}

#[derive(Debug)]
struct PresentToxic {
    installed: Arc<Installed>,
    toxic: Box<dyn Toxic>,
    /// When it wants the connection to end.
    ending: Option<(Instant, Cut)>,
}

#[derive(Debug, Default)]
struct PresentRules(Vec<PresentRule>);

#[derive(Debug)]
struct PresentRule {
    installed: Arc<Installed>,
    rule: Arc<Rule>,
    rng: ChaCha8Rng,
}

impl<'a> Present<'a> {
    pub(crate) fn new(meeting: &'a Meeting<'a>, direction: Direction) -> Self {
        let news = meeting.board.subscribe();
        let rules = PresentRules::default();
        Self { meeting, direction, news, seen: ToxicId::NOBODY, toxics: Vec::new(), rules }
    }

    pub(crate) const fn meeting(&self) -> &'a Meeting<'a> {
        self.meeting
    }

    /// Whether bytes need nobody's answer, unless a rule marks them.
    pub(crate) fn has_no_toxic(&self) -> bool {
        self.toxics.is_empty()
    }

    /// Whether toxics were added or removed since the last [`Self::refresh`]: one atomic load.
    pub(crate) fn is_stale(&self) -> bool {
        self.news.has_changed().unwrap_or(false)
    }

    /// A future of this ends when [`Self::is_stale`] becomes true.
    pub(crate) fn news(&self) -> watch::Receiver<List> {
        self.news.clone()
    }

    /// Meets the toxics that were added, shows them what is kept, and forgets those that were removed.
    pub(crate) fn refresh(&mut self, kept: &mut Kept) {
        if !self.is_stale() {
            return;
        }
        let list = List::clone(&self.news.borrow_and_update());
        let is_there = |id| list.iter().any(|installed| installed.id == id);
        self.toxics.retain(|present| is_there(present.installed.id));
        self.rules.0.retain(|present| is_there(present.installed.id));
        for chunk in kept.iter_mut() {
            chunk.keep_obstacles_of(is_there);
        }
        for installed in list.iter() {
            if installed.id > self.seen {
                self.seen = installed.id;
                self.meet(installed, kept);
            }
        }
    }

    fn meet(&mut self, installed: &Arc<Installed>, kept: &mut Kept) {
        if !self.is_exposed_to(installed) {
            return;
        }
        let (seed, connection) = (self.meeting.board.seed, self.meeting.connection);
        let rng = seed::rng(seed, connection, installed.id.get(), Some(self.direction));
        let installed = Arc::clone(installed);
        match &installed.spec.what {
            What::Rule(rule) => {
                let rule = Arc::clone(rule);
                self.offer_reply_under_way(&rule, &installed);
                self.rules.0.push(PresentRule { installed, rule, rng });
            }
            What::Toxic(recipe) => {
                let mut toxic = recipe.toxic(rng);
                let ending =
                    toxic.on_meeting().and_then(|ending| instant_of(ending, Instant::now()));
                let mut present = PresentToxic { installed, toxic, ending };
                present.judge(kept, 0, self.meeting, self.direction);
                self.toxics.push(present);
            }
        }
    }

    fn is_exposed_to(&self, installed: &Installed) -> bool {
        let spec = &installed.spec;
        let (seed, connection) = (self.meeting.board.seed, self.meeting.connection);
        let wrong_way = match spec.what {
            // It knows by itself; but it has to understand what is said.
            What::Rule(_) => spec.protocol() != self.meeting.protocol,
            What::Toxic(_) => spec.direction.is_some_and(|direction| direction != self.direction),
        };
        let too_young = spec.reach == Reach::Open && connection > installed.youngest;
        !wrong_way
            && !too_young
            && seed::rng(seed, connection, installed.id.get(), None).random_bool(spec.toxicity)
    }

    /// A rule that loses the next reply takes one that is on its way already.
    fn offer_reply_under_way(&self, rule: &Rule, installed: &Arc<Installed>) {
        if self.direction == Direction::Downstream
            && rule.wants_reply_under_way()
            && let Some(mut conversation) = self.meeting.conversation()
            && conversation.lose_next_reply(installed)
        {
            rule.took_reply_under_way();
            installed.count_match();
        }
    }

    /// Reads bytes that have come; `marks` gets what rules do to them.
    pub(crate) fn follow(&mut self, bytes: &[u8], marks: &mut Vec<Mark>) {
        let Some(mut conversation) = self.meeting.conversation() else { return };
        let is_lost = match self.direction {
            Direction::Upstream => conversation.upstream(bytes, &mut self.rules, marks),
            Direction::Downstream => conversation.downstream(bytes, &self.rules, marks),
        };
        if is_lost {
            self.meeting.board.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Does what a mark says to the bytes that it is about, which are kept already but for those to be swallowed.
    pub(crate) fn carry_out(&self, mark: Mark, bytes: &[u8], kept: &mut Kept, read_at: Instant) {
        let Mark { range, rule, act } = mark;
        let now = Instant::now();
        self.meeting.count_connection(&rule, now);
        rule.count_act(&act, range.len(), self.meeting.board.at(now));
        let obstacle = match act {
            Act::Swallow => return,
            Act::Delay(by) => Some(Obstacle::Delay(by)),
            Act::Hold => Some(Obstacle::Hold),
            Act::Cut(cut) => Some(Obstacle::Cut(cut)),
            Act::CutForGood => Some(Obstacle::CutForGood),
            Act::Repeat(_) => None,
        };
        let chunk = kept.keep_bytes(&bytes[range], read_at);
        if let Some(obstacle) = obstacle {
            chunk.obstruct(rule.id, obstacle);
        }
        if let Act::Repeat(copy) = act {
            kept.keep_bytes(&copy, read_at);
        }
    }

    /// Asks each toxic about the chunks that were just read: those from number `from` on.
    pub(crate) fn judge(&mut self, kept: &mut Kept, from: usize) {
        for present in &mut self.toxics {
            present.judge(kept, from, self.meeting, self.direction);
        }
    }

    /// When the first of the toxics wants the connection to end.
    pub(crate) fn ending(&self) -> Option<Instant> {
        self.first_ending().map(|(_, at, _)| at)
    }

    /// Performs the first ending: counts it, and says how.
    pub(crate) fn end(&self) -> Option<Cut> {
        let (installed, _, cut) = self.first_ending()?;
        self.count_cut(installed, cut);
        Some(cut)
    }

    /// Counts a cut that this toxic or rule wanted.
    pub(crate) fn cut(&self, id: ToxicId, cut: Cut) {
        let toxics = self.toxics.iter().map(|present| &present.installed);
        let mut all = toxics.chain(self.rules.0.iter().map(|present| &present.installed));
        if let Some(installed) = all.find(|installed| installed.id == id) {
            self.count_cut(installed, cut);
        }
    }

    fn count_cut(&self, installed: &Installed, cut: Cut) {
        let now = Instant::now();
        self.meeting.count_connection(installed, now);
        installed.count_cut(cut, self.meeting.board.at(now));
    }

    fn first_ending(&self) -> Option<(&Installed, Instant, Cut)> {
        let endings = self
            .toxics
            .iter()
            .filter_map(|present| present.ending.map(|(at, cut)| (&*present.installed, at, cut)));
        endings.min_by_key(|(_, at, _)| *at)
    }
}

impl PresentToxic {
    /// Answers for the chunks from number `from` on, piece by piece.
    fn judge(&mut self, kept: &mut Kept, from: usize, meeting: &Meeting<'_>, direction: Direction) {
        let mut place = from;
        while place < kept.len() {
            self.judge_one(kept, place, meeting, direction);
            place += 1;
        }
    }

    fn judge_one(
        &mut self,
        kept: &mut Kept,
        place: usize,
        meeting: &Meeting<'_>,
        direction: Direction,
    ) {
        let Some(chunk) = kept.chunk(place) else { return };
        let (connection, at) = (meeting.connection, meeting.board.at(chunk.read_at));
        let length = chunk.bytes().len();
        let whole = Chunk { bytes: chunk.bytes(), direction, connection, at };
        let piece = if whole.is_end() { 0 } else { self.toxic.piece(&whole).clamp(1, length) };
        let passage = self.toxic.on_chunk(&Chunk { bytes: &chunk.bytes()[..piece], ..whole });
        if piece < length {
            kept.split(place, piece);
        }
        let now = Instant::now();
        let obstacle = match passage {
            Passage::Pass => return,
            Passage::Delay(delay) if delay.is_zero() => return,
            Passage::Delay(delay) => Obstacle::Delay(delay),
            Passage::Hold => Obstacle::Hold,
            Passage::Cut(cut) | Passage::Last(cut) => Obstacle::Cut(cut),
            Passage::End(ending) => {
                let new = instant_of(ending, now);
                self.ending = [self.ending, new].into_iter().flatten().min_by_key(|(at, _)| *at);
                Obstacle::Hold
            }
        };
        let obstructed = match passage {
            Passage::Last(_) => Some(kept.mark_after(place)),
            _ => kept.chunk(place),
        };
        if let Some(chunk) = obstructed {
            chunk.obstruct(self.installed.id, obstacle);
        }
        meeting.count_connection(&self.installed, now);
        self.installed.count_passage(passage, piece, meeting.board.at(now));
    }
}

impl Judge for PresentRules {
    fn judge(&mut self, request: &Request<'_>) -> Option<Verdict> {
        let mut verdict = None;
        // Each counts for itself, also what another one does something to.
        for PresentRule { installed, rule, rng } in &mut self.0 {
            if rule.fires(request, rng) && verdict.is_none() {
                installed.count_match();
                let (rule, deed, whole) =
                    (Arc::clone(installed), rule.deed(), rule.means_any_request());
                verdict = Some(Verdict { rule, deed, whole });
            }
        }
        verdict
    }

    fn is_in_force(&self, rule: ToxicId) -> bool {
        self.0.iter().any(|present| present.installed.id == rule)
    }

    fn may_duplicate(&self) -> bool {
        self.0.iter().any(|present| present.rule.deed() == Deed::Duplicate)
    }
}

/// When that is; `None` beyond the end of time.
fn instant_of(ending: Ending, now: Instant) -> Option<(Instant, Cut)> {
    now.checked_add(ending.after).map(|at| (at, ending.cut))
}
