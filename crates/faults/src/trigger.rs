//! When a fault is injected and when it ends.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use lockproof_model::{FaultRecord, FaultSummary, HolderId, Moment, Point, Step};
use lockproof_rig::{LinkSelector, ServerKind};
use lockproof_workload::{Occurrence, Seen};

use crate::{Fault, Reach};

/// A `[[fault]]` of a scenario.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// Its place among the scenario's faults, counted from 1.
    pub number: u32,
    /// Its kind, as the catalog names it.
    pub kind: &'static str,
    /// The fault with its settings.
    pub fault: Arc<dyn Fault>,
    /// When.
    pub trigger: Trigger,
    /// Whom alone; empty for all.
    pub holders: Vec<HolderId>,
}

impl FaultPlan {
    /// What `records` say of it: those of its number, counted.
    #[must_use]
    pub fn summary(&self, records: &[FaultRecord]) -> FaultSummary {
        let mine = || records.iter().filter(|record| record.fault == self.number);
        let count = |records: usize| u32::try_from(records).unwrap_or(u32::MAX);
        FaultSummary {
            fault: self.number,
            label: self.label(),
            injected: count(mine().count()),
            bit: count(mine().filter(|record| record.bit).count()),
        }
    }

    /// Why it has to be simulated, where it has: its kind, or the setting of it.
    #[must_use]
    pub fn needs_simulation(&self) -> Option<String> {
        let entry = crate::find(self.kind);
        if entry.is_some_and(|entry| entry.worlds == crate::Worlds::SimulatedOnly) {
            return Some(self.kind.to_owned());
        }
        self.fault.needs_simulation().map(|setting| format!("{} {setting}", self.kind))
    }

    /// Why it has to run live, where it has: its kind, what it is done to, or the setting that asks for it.
    #[must_use]
    pub fn needs_live(&self) -> Option<String> {
        let entry = crate::find(self.kind);
        if entry.is_some_and(|entry| entry.worlds == crate::Worlds::LiveOnly) {
            return Some(self.kind.to_owned());
        }
        let is_of_clocks = self.fault.server_effect().is_some_and(|effect| effect.needs().clock);
        let to_database = self.server_kinds().any(|kind| kind == ServerKind::Database);
        // The model database has no clock, since nothing that a booking says asks for the time.
        if is_of_clocks && to_database {
            return Some(format!("{} of the database", self.kind));
        }
        self.fault.needs_live().map(|setting| format!("{} {setting}", self.kind))
    }

    /// The kinds of servers that it is done to.
    pub fn server_kinds(&self) -> impl Iterator<Item = ServerKind> {
        let selectors = match self.fault.reach() {
            Reach::Servers(selectors) => selectors,
            _ => Vec::new(),
        };
        selectors.into_iter().map(LinkSelector::kind)
    }

    /// The fault with its main figures: `pause-holder 500ms`.
    #[must_use]
    pub fn label(&self) -> String {
        let label = self.fault.label();
        match &self.trigger {
            Trigger::AtStep { length: Some(length), .. } => {
                format!("{label} {}", humantime::format_duration(*length))
            }
            Trigger::AtStep { length: None, .. } => label,
            Trigger::Window { from, until } => {
                let from = humantime::format_duration(*from);
                match until {
                    Some(until) => format!("{label} {from}–{}", humantime::format_duration(*until)),
                    None => format!("{label} from {from}"),
                }
            }
        }
    }
}

/// When a fault is injected and when it ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// When a holder comes to a point of its flow.
    AtStep {
        /// Which point. After a check it counts only when the check found the slot free, after any step only when
        /// the booking goes on.
        point: Point,
        /// At which of the times that a holder comes there.
        choice: Choice,
        /// For so long at most.
        length: Option<Duration>,
        /// Or until this happens.
        until: Option<Event>,
    },
    /// By the time line of the load.
    Window {
        /// So long after its begin.
        from: Duration,
        /// Until so long after its begin; to its end when there is none.
        until: Option<Duration>,
    },
}

/// At which of several occurrences a fault fires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// At each `n`th.
    Every(u32),
    /// Once, at the `n`th, counted from 1.
    Nth(u32),
    /// At each with this probability.
    Probability(f64),
}

impl Choice {
    /// Whether to fire at occurrence number `count`, counted from 1; `draw` is uniform in 0..1.
    pub(crate) fn fires(self, count: u32, draw: impl FnOnce() -> f64) -> bool {
        match self {
            Self::Every(n) => count.is_multiple_of(n),
            Self::Nth(n) => count == n,
            Self::Probability(p) => draw() < p,
        }
    }
}

/// Something that another holder does on the same slot: `another-commit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// It got through this step.
    pub step: Step,
}

impl Event {
    /// Whether `occurrence` is this event, as seen by `holder` on its own slot.
    pub(crate) fn is(self, occurrence: &Occurrence, victim: &Occurrence) -> bool {
        occurrence.point == Point::after(self.step)
            && occurrence.seen == Seen::GoesOn
            && occurrence.holder != victim.holder
            && occurrence.slot == victim.slot
    }

    /// Every spelling, for help texts and did-you-mean.
    pub fn spellings() -> impl Iterator<Item = String> {
        Step::ALL.into_iter().map(|step| Self { step }.to_string())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another-{}", self.step)
    }
}

/// The text names no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no event; an event is another- and a step, as in another-commit")]
pub struct ParseEventError(String);

impl FromStr for Event {
    type Err = ParseEventError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = text.strip_prefix("another-");
        let step = word.and_then(|word| Step::ALL.into_iter().find(|step| step.word() == word));
        step.map(|step| Self { step }).ok_or_else(|| ParseEventError(text.to_owned()))
    }
}

/// Whether a fault at `point` fires for `occurrence`.
pub(crate) fn reaches(point: Point, occurrence: &Occurrence) -> bool {
    let answered = point.moment != Moment::Before;
    occurrence.point == point && (!answered || occurrence.seen == Seen::GoesOn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenth_fires_at_the_tenth_and_the_twentieth() {
        let fired: Vec<u32> = (1..=30).filter(|&n| Choice::Every(10).fires(n, || 0.0)).collect();
        assert_eq!(fired, [10, 20, 30]);
        let once: Vec<u32> = (1..=30).filter(|&n| Choice::Nth(3).fires(n, || 0.0)).collect();
        assert_eq!(once, [3]);
        assert!(Choice::Probability(0.5).fires(1, || 0.49));
        assert!(!Choice::Probability(0.5).fires(1, || 0.5));
    }

    #[test]
    fn every_event_survives_its_own_spelling() {
        for spelling in Event::spellings() {
            assert_eq!(spelling.parse::<Event>().unwrap().to_string(), spelling);
        }
        assert!("another-lunch".parse::<Event>().is_err());
    }
}
