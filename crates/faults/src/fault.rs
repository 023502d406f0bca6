//! The trait of a thing that can go wrong.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use lockproof_model::{HolderId, Instant, Point};
use lockproof_rig::{LinkSelector, Rig, RigError, ServerEffect};
use lockproof_workload::Occurrence;

/// A kind of fault with its settings.
pub trait Fault: Debug + Send + Sync + 'static {
    /// The kind with its main figure, as the table's head line shows it: `latency 20ms ±5ms`.
    fn label(&self) -> String;

    /// What it acts on.
    fn reach(&self) -> Reach;

    /// How long an injection lasts by nature.
    fn lasts(&self) -> Lasts;

    /// What it does to servers, where it does something to them: servers have to be able to suffer it, and to be ready
    /// for it from their start.
    fn server_effect(&self) -> Option<ServerEffect> {
        None
    }

    /// What it does to others who use the same servers, as the rest of a sentence that begins with its name; `None`
    /// when they notice nothing. On servers that are not the run's own such a fault is refused, unless it was asked
    /// for twice.
    fn harms_others(&self) -> Option<&'static str> {
        None
    }

    /// Which of its settings the live world cannot do, where one is: `in one direction alone`. For what the whole kind
    /// needs, its entry says so.
    fn needs_simulation(&self) -> Option<&'static str> {
        None
    }

    /// Which of its settings the simulated world cannot do, where one is.
    fn needs_live(&self) -> Option<&'static str> {
        None
    }

    /// Whether it is about what one holder says, so that links have to be each holder's own, and readable.
    fn tells_holders_apart(&self) -> bool {
        false
    }

    /// Whether it waits for messages by itself, and so may be in effect from the beginning.
    fn waits_for_messages(&self) -> bool {
        false
    }

    /// Where it is injected to happen at that point: what happens to an answer begins before it was asked for.
    fn injected_at(&self, point: Point) -> Point {
        point
    }

    /// Does it.
    ///
    /// # Errors
    /// The rig could not; nothing was injected.
    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>>;
}

/// What a fault acts on, by which a scenario is checked before anything starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A holder, at a step or in a time window.
    Holder,
    /// A holder, always at this point.
    HolderAt(Point),
    /// Links.
    Links(Vec<LinkSelector>),
    /// Servers, named by their links.
    Servers(Vec<LinkSelector>),
    /// A holder's session at the database, at a step or in a time window.
    DatabaseSession,
    /// The lock of the slot that a holder is working on.
    LockOfHolder,
}

/// How long an injection lasts by nature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// It is over at once.
    AnInstant,
    /// Until it is healed.
    UntilHealed,
}

/// When, and on whom, a fault is injected.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// Now.
    pub at: Instant,
    /// The holder that came to the fault's point; none for a fault by the time line.
    pub occurrence: Option<&'a Occurrence>,
    /// The holders that the scenario names; empty for all.
    pub holders: &'a [HolderId],
}

impl Occasion<'_> {
    /// Whom a fault of holders hits: the one at whose step it fires, else those who are named, else everyone.
    pub(crate) fn victims(&self, rig: &dyn Rig) -> Vec<HolderId> {
        match self.occurrence {
            Some(occurrence) => vec![occurrence.holder],
            None if self.holders.is_empty() => rig.holders(),
            None => self.holders.to_vec(),
        }
    }
}

/// A fault in effect. Dropping it heals it as well, without a report.
pub trait Injection: Debug + Send {
    /// Whether the holder whose step fired it waits there until it is healed.
    fn holds_step(&self) -> bool {
        false
    }

    /// Ends it and says what it did.
    fn heal(self: Box<Self>, now: Instant) -> BoxFuture<'static, Healed>;
}

/// What an injection did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healed {
    /// Whether it took effect.
    pub bit: bool,
    /// What was observed to prove it, or what was missing.
    pub observed: String,
}

impl Healed {
    /// One that did nothing, for this reason.
    pub(crate) fn toothless(why: impl Into<String>) -> Self {
        Self { bit: false, observed: why.into() }
    }
}

/// What happened, and what was seen of it.
pub(crate) fn with_evidence(what: String, seen: &[String]) -> String {
    if seen.is_empty() { what } else { format!("{what}; {}", seen.join("; ")) }
}
