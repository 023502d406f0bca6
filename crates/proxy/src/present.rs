//! The toxics as one connection meets them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rand::RngExt;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::board::{Board, List};
use crate::effect::Installed;
use crate::kept::{Kept, KeptChunk, Obstacle};
use crate::seed;
use crate::spec::ToxicId;
use crate::toxic::{Chunk, Cut, Direction, Ending, Passage, Toxic};

/// What both directions of a connection share.
#[derive(Debug)]
pub(crate) struct Meeting<'a> {
    board: &'a Board,
    connection: u64,
    /// Toxics that did anything to this connection.
    bitten: Mutex<BTreeSet<ToxicId>>,
    broken: AtomicBool,
}

impl<'a> Meeting<'a> {
    pub(crate) const fn new(board: &'a Board, connection: u64) -> Self {
        let bitten = Mutex::new(BTreeSet::new());
        Self { board, connection, bitten, broken: AtomicBool::new(false) }
    }

    /// Whether a peer went away without waiting for all that was sent to it.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    pub(crate) fn set_broken(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    fn count_connection(&self, toxic: &Installed, now: Instant) {
        let new = self.bitten.lock().unwrap_or_else(PoisonError::into_inner).insert(toxic.id);
        if new {
            toxic.count_connection(self.board.at(now));
        }
    }
}

/// The toxics that are present in one direction of a connection.
#[derive(Debug)]
pub(crate) struct Present<'a> {
    meeting: &'a Meeting<'a>,
    direction: Direction,
    news: watch::Receiver<List>,
    /// The youngest toxic seen so far; those after it are new.
    seen: ToxicId,
    toxics: Vec<PresentToxic>,
}

#[derive(Debug)]
struct PresentToxic {
    installed: Arc<Installed>,
    toxic: Box<dyn Toxic>,
    /// When it wants the connection to end.
    ending: Option<(Instant, Cut)>,
}

impl<'a> Present<'a> {
    pub(crate) fn new(meeting: &'a Meeting<'a>, direction: Direction) -> Self {
        let news = meeting.board.subscribe();
        Self { meeting, direction, news, seen: ToxicId(0), toxics: Vec::new() }
    }

    pub(crate) const fn meeting(&self) -> &'a Meeting<'a> {
        self.meeting
    }

    pub(crate) fn is_empty(&self) -> bool {
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
        let mut toxic = installed.spec.recipe.toxic(rng);
        let ending = toxic.on_meeting().and_then(|ending| instant_of(ending, Instant::now()));
        let mut present = PresentToxic { installed: Arc::clone(installed), toxic, ending };
        for chunk in kept.iter_mut() {
            present.judge(chunk, self.meeting, self.direction);
        }
        self.toxics.push(present);
    }

    fn is_exposed_to(&self, installed: &Installed) -> bool {
        let spec = &installed.spec;
        let wrong_way = spec.direction.is_some_and(|direction| direction != self.direction);
        let (seed, connection) = (self.meeting.board.seed, self.meeting.connection);
        !wrong_way
            && seed::rng(seed, connection, installed.id.get(), None).random_bool(spec.toxicity)
    }

    /// Asks each toxic about a chunk that was just read.
    pub(crate) fn judge(&mut self, chunk: &mut KeptChunk) {
        for present in &mut self.toxics {
            present.judge(chunk, self.meeting, self.direction);
        }
    }

    /// When the first of the toxics wants the connection to end.
    pub(crate) fn ending(&self) -> Option<Instant> {
        self.first_ending().map(|(_, at, _)| at)
    }

    /// Performs the first ending: counts it, and says how.
    pub(crate) fn end(&self) -> Option<Cut> {
        let (installed, _, cut) = self.first_ending()?;
        let now = Instant::now();
        self.meeting.count_connection(installed, now);
        installed.count_cut(cut, self.meeting.board.at(now));
        Some(cut)
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
    fn judge(&mut self, chunk: &mut KeptChunk, meeting: &Meeting<'_>, direction: Direction) {
        let at = meeting.board.at(chunk.read_at);
        let connection = meeting.connection;
        let bytes = chunk.bytes().len();
        let passage =
            self.toxic.on_chunk(&Chunk { bytes: chunk.bytes(), direction, connection, at });
        let now = Instant::now();
        let obstacle = match passage {
            Passage::Pass => return,
            Passage::Delay(delay) if delay.is_zero() => return,
            Passage::Delay(delay) => Obstacle::Delay(delay),
            Passage::Hold => Obstacle::Hold,
            Passage::End(ending) => {
                let new = instant_of(ending, now);
                self.ending = [self.ending, new].into_iter().flatten().min_by_key(|(at, _)| *at);
                Obstacle::Hold
            }
        };
        chunk.obstruct(self.installed.id, obstacle);
        meeting.count_connection(&self.installed, now);
        self.installed.count_passage(passage, bytes, meeting.board.at(now));
    }
}

/// When that is; `None` beyond the end of time.
fn instant_of(ending: Ending, now: Instant) -> Option<(Instant, Cut)> {
    now.checked_add(ending.after).map(|at| (at, ending.cut))
}
