//! What a toxic did: the proof that it bit.

use std::time::Duration;

use tokio::sync::watch;

use crate::follow::Act;
use crate::spec::{ToxicId, ToxicSpec};
use crate::toxic::{Cut, Direction, Passage};

/// What one toxic has done so far, on all connections together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Effect {
    /// Connections on which it did anything.
    pub connections: u64,
    /// Chunks it did not simply let pass; the end of a stream counts as one.
    pub chunks: u64,
    /// Bytes of chunks it delayed.
    pub delayed_bytes: u64,
    /// Bytes of chunks it held, also those that it has since given back or taken along in a reset.
    pub held_bytes: u64,
    /// Requests that a rule chose; what it does to their replies shows later, if ever, and elsewhere.
    pub matched: u64,
    /// Requests that it sent twice.
    pub duplicated: u64,
    /// Bytes that it kept from whom they were sent to for good, before a cut or of a copy's reply.
    pub swallowed_bytes: u64,
    /// Connections it closed.
    pub closed: u64,
    /// Connections it reset.
    pub reset: u64,
    /// When it first did something, since the proxy started.
    pub first: Option<Duration>,
    /// When it last did something, since the proxy started.
    pub last: Option<Duration>,
}

impl Effect {
    /// Whether it did anything at all.
    #[must_use]
    pub const fn bit(&self) -> bool {
        self.first.is_some()
    }
}

/// A toxic of a proxy, and what it did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToxicRecord {
    /// Which one.
    pub id: ToxicId,
    /// Its name.
    pub name: String,
    /// Which way the bytes go that it is shown; `None` is both.
    pub direction: Option<Direction>,
    /// Since when it is installed, since the proxy started.
    pub installed: Duration,
    /// What it did until this record was written.
    pub effect: Effect,
}

/// A toxic in force.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) id: ToxicId,
    pub(crate) spec: ToxicSpec,
    /// The last connection that was accepted before it came.
    pub(crate) youngest: u64,
    at: Duration,
    effect: watch::Sender<Effect>,
}

impl Installed {
    pub(crate) fn new(id: ToxicId, spec: ToxicSpec, youngest: u64, at: Duration) -> Self {
        Self { id, spec, youngest, at, effect: watch::Sender::default() }
    }

    pub(crate) fn record(&self) -> ToxicRecord {
        ToxicRecord {
            id: self.id,
            name: self.spec.name().to_owned(),
            direction: self.spec.direction,
            installed: self.at,
            effect: *self.effect.borrow(),
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Effect> {
        self.effect.subscribe()
    }

    /// Counts what was answered for a chunk of this many bytes.
    pub(crate) fn count_passage(&self, passage: Passage, bytes: usize, at: Duration) {
        let bytes = bytes as u64;
        self.count(at, |effect| {
            effect.chunks += 1;
            match passage {
                Passage::Pass | Passage::Last(_) => {}
                Passage::Delay(_) => effect.delayed_bytes += bytes,
                Passage::Hold | Passage::End(_) | Passage::Cut(_) => effect.held_bytes += bytes,
            }
        });
    }

    /// Counts a request that a rule chose: that is not an effect yet.
    pub(crate) fn count_match(&self) {
        self.effect.send_modify(|effect| effect.matched += 1);
    }

    /// Counts what a rule did to bytes of a message.
    pub(crate) fn count_act(&self, act: &Act, bytes: usize, at: Duration) {
        let bytes = bytes as u64;
        self.count(at, |effect| {
            effect.chunks += 1;
            match act {
                Act::Delay(_) => effect.delayed_bytes += bytes,
                Act::Hold | Act::Cut(_) | Act::CutForGood => effect.held_bytes += bytes,
                Act::Repeat(_) => effect.duplicated += 1,
                Act::Swallow => effect.swallowed_bytes += bytes,
            }
        });
    }

    /// Counts a connection that this toxic ended.
    pub(crate) fn count_cut(&self, cut: Cut, at: Duration) {
        self.count(at, |effect| match cut {
            Cut::Close => effect.closed += 1,
            Cut::Reset => effect.reset += 1,
        });
    }

    /// Counts a connection that this toxic had not touched before.
    pub(crate) fn count_connection(&self, at: Duration) {
        self.count(at, |effect| effect.connections += 1);
    }

    fn count(&self, at: Duration, add: impl FnOnce(&mut Effect)) {
        self.effect.send_modify(|effect| {
            add(effect);
            effect.first.get_or_insert(at);
            effect.last = effect.last.max(Some(at));
        });
    }
}
