//! What every injection did.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lockproof_model::{FaultRecord, Instant};
use lockproof_rig::RigError;
use lockproof_workload::Occurrence;

use crate::Healed;
use crate::trigger::FaultPlan;

/// Records in the order of injection, for those who write them and for whoever looks while the load goes on.
#[derive(Clone, Debug, Default)]
pub struct FaultLog(Arc<Mutex<Vec<FaultRecord>>>);

/// How far a reader has read.
#[derive(Clone, Debug, Default)]
pub struct FaultBookmark {
    /// Injections that were told.
    told: usize,
    /// Those among them that stood when they were told.
    standing: BTreeSet<usize>,
}

impl FaultLog {
    /// What was injected or healed since `bookmark` was moved last, each with its place in the log. One that stands is
    /// told as it stands, and once more when it is healed.
    #[must_use]
    pub fn since(&self, bookmark: &mut FaultBookmark) -> Vec<(usize, FaultRecord)> {
        let records = self.records();
        let stands = |place: &usize| records.get(*place).is_some_and(|it| it.healed.is_none());
        let (standing, healed): (BTreeSet<_>, BTreeSet<_>) =
            std::mem::take(&mut bookmark.standing).into_iter().partition(stands);
        bookmark.standing = standing;
        let new = bookmark.told.min(records.len())..records.len();
        let places = healed.into_iter().chain(new.clone());
        let news: Vec<_> =
            places.filter_map(|place| Some((place, records.get(place)?.clone()))).collect();
        bookmark.told = records.len();
        bookmark.standing.extend(new.filter(|&place| records[place].healed.is_none()));
        news
    }

    /// Notes an injection and gives its place.
    pub(crate) fn injected(
        &self,
        plan: &FaultPlan,
        at: Instant,
        occurrence: Option<&Occurrence>,
    ) -> usize {
        let mut records = self.records();
        records.push(FaultRecord {
            fault: plan.number,
            kind: plan.kind.to_owned(),
            injected: at,
            healed: None,
            holder: occurrence.map(|occurrence| occurrence.holder),
            slot: occurrence.map(|occurrence| occurrence.slot),
            bit: false,
            observed: "not healed".to_owned(),
        });
        records.len() - 1
    }

    pub(crate) fn healed(&self, place: usize, at: Instant, healed: Healed) {
        if let Some(record) = self.records().get_mut(place) {
            record.healed = Some(at);
            record.bit = healed.bit;
            record.observed = healed.observed;
        }
    }

    pub(crate) fn failed(&self, place: usize, at: Instant, error: &RigError) {
        let observed = format!("not injected: {}", lockproof_model::in_full(error));
        self.healed(place, at, Healed { bit: false, observed });
    }

    pub(crate) fn take(&self) -> Vec<FaultRecord> {
        std::mem::take(&mut *self.records())
    }

    fn records(&self) -> MutexGuard<'_, Vec<FaultRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(injected: u64) -> FaultRecord {
        FaultRecord {
            fault: 1,
            kind: "pause-holder".to_owned(),
            injected: Instant::from_nanos(injected),
            healed: None,
            holder: None,
            slot: None,
            bit: false,
            observed: String::new(),
        }
    }

    #[test]
    fn an_injection_is_told_as_it_stands_and_when_it_is_healed() {
        let (log, mut bookmark) = (FaultLog::default(), FaultBookmark::default());
        let mut places = || {
            let news = log.since(&mut bookmark);
            news.iter().map(|(place, it)| (*place, it.healed.is_some())).collect::<Vec<_>>()
        };
        log.records().extend([record(1), record(2)]);
        assert_eq!(places(), [(0, false), (1, false)]);
        assert_eq!(places(), []);
        let healed = || Healed { bit: true, observed: String::new() };
        log.healed(1, Instant::from_nanos(3), healed());
        log.records().push(record(4));
        log.healed(2, Instant::from_nanos(5), healed());
        assert_eq!(places(), [(1, true), (2, true)]);
        assert_eq!(log.take().len(), 3);
        assert_eq!(places(), []);
    }
}
