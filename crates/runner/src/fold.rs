//! Figures of a search, added up in the order of its schedules as they come in.
//!
//! What the threads have run ahead of the slowest waits here, and nothing else is kept: a search of a million schedules
//! needs no more memory than one of a thousand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lockproof_model::{Broken, Exploration, Glance};

/// Fingerprints that are kept: beyond it `distinct` is a lower bound, and memory stays flat.
const FINGERPRINTS: usize = 1 << 16;

/// Schedules up to the first that broke something.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    /// Chunks that came before their turn, by the place of their first schedule.
    early: BTreeMap<u64, Vec<Glance>>,
    /// The place whose turn it is.
    next: u64,
    sums: Sums,
    fingerprints: BTreeSet<u64>,
    broken: Option<(u64, Broken)>,
    /// What was counted, where somebody will count it again.
    log: Option<Vec<Glance>>,
}

#[derive(Debug, Default)]
struct Sums {
    schedules: u64,
    bit: u64,
    bit_held: u64,
    virtual_time: Duration,
}

impl Fold {
    /// One that keeps what it counts.
    pub(crate) fn logging() -> Self {
        Self { log: Some(Vec::new()), ..Self::default() }
    }

    /// What `glances`, in whatever order, come to.
    pub(crate) fn of(mut glances: Vec<Glance>) -> (Exploration, Option<(u64, Broken)>) {
        glances.sort_by_key(|glance| glance.number);
        let mut fold = Self::default();
        fold.count(glances);
        fold.end()
    }

    /// What was counted, in order; empty unless it was kept.
    pub(crate) fn log(&mut self) -> Vec<Glance> {
        self.log.take().unwrap_or_default()
    }

    /// Adds schedules that follow each other, the first of them at the place `first`.
    pub(crate) fn add(&mut self, first: u64, glances: Vec<Glance>) {
        self.early.insert(first, glances);
        while let Some(glances) = self.early.remove(&self.next) {
            // An empty one is where a thread had to stop: what comes after it is for the end.
            if glances.is_empty() {
                return;
            }
            self.next = self.next.saturating_add(u64::try_from(glances.len()).unwrap_or(u64::MAX));
            self.count(glances);
        }
    }

    /// Everything that came, with gaps where the search was ended early, and what broke first.
    pub(crate) fn end(&mut self) -> (Exploration, Option<(u64, Broken)>) {
        for (_, glances) in std::mem::take(&mut self.early) {
            self.count(glances);
        }
        let Sums { schedules, bit, bit_held, virtual_time } = self.sums;
        let figures = Exploration {
            schedules,
            distinct: u64::try_from(self.fingerprints.len()).unwrap_or(u64::MAX),
            bit_held,
            bit,
            virtual_time,
            took: Duration::ZERO,
            buggify: None,
            violation: None,
            beside_live: false,
        };
        (figures, self.broken.take())
    }

    /// What was looked at beyond the first violation does not count, or figures would depend on the threads.
    fn count(&mut self, glances: Vec<Glance>) {
        for glance in glances {
            if self.broken.is_some() {
                return;
            }
            self.sums.schedules += 1;
            self.sums.bit += u64::from(glance.bit);
            self.sums.bit_held += u64::from(glance.bit_held);
            self.sums.virtual_time += glance.took;
            if self.fingerprints.len() < FINGERPRINTS {
                self.fingerprints.insert(glance.fingerprint);
            }
            self.broken = glance.broken.clone().map(|broken| (glance.number, broken));
            self.log.iter_mut().for_each(|log| log.push(glance.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use lockproof_model::Layer;

    use super::*;

    fn glance(number: u64, is_broken: bool) -> Glance {
        let broken = Broken {
            layer: Layer::Effect,
            anomaly: "duplicate-booking".to_owned(),
            sentence: format!("schedule {number}"),
        };
        Glance {
            number,
            fingerprint: number % 3,
            bit: number.is_multiple_of(2),
            bit_held: false,
            took: Duration::from_millis(1),
            broken: is_broken.then_some(broken),
        }
    }

    #[test]
    fn the_order_in_which_chunks_come_changes_nothing() {
        let chunk = |first: u64| (first..first + 4).map(|n| glance(n, n == 6 || n == 9)).collect();
        let orders = [[0, 4, 8], [8, 4, 0], [4, 8, 0]];
        for order in orders {
            let mut fold = Fold::default();
            for first in order {
                fold.add(first, chunk(first));
            }
            let (figures, broken) = fold.end();
            assert_eq!((figures.schedules, figures.distinct, figures.bit), (7, 3, 4));
            assert_eq!(broken.map(|(number, _)| number), Some(6), "the smallest number");
        }
    }

    #[test]
    fn a_search_that_was_ended_counts_what_there_is() {
        let mut fold = Fold::default();
        fold.add(4, vec![glance(4, false), glance(5, false)]);
        fold.add(0, vec![glance(0, false)]);
        let (figures, broken) = fold.end();
        assert_eq!((figures.schedules, broken), (3, None));
    }
}
