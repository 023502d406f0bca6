//! A gate held against a baseline: what is worse than it was.
//!
//! *Safety*, always. What held and does not hold any more fails, whatever `[expect]` says: an expectation that was
//! loosened is how a violation comes to be tolerated. So does a kind of anomaly that the baseline did not show. Where a
//! strategy was broken before, only new kinds that make the table wrong count: what else a broken one shows is chance.
//!
//! *Cost*, where a limit is asked for. Attempts are paired by their number. A cell has regressed when the mean of its
//! ratios is beyond the limit, and their confidence interval does not include "the same", and what it is beyond is worth
//! speaking of.

use std::collections::BTreeMap;

use lockproof_model::{AttemptCost, Baseline, BaselineCell, CellReport, Seen, Status};

use super::interval::{CONFIDENCE, Interval, interval};
use super::{live, searched};

/// Of fewer pairs nothing can be told.
pub const MIN_PAIRS: usize = 5;
/// A change of the 99th percentile that is smaller is nobody's concern, however many per cent it comes to.
const MIN_CHANGE_US: f64 = 100.0;

/// What each cell cost, attempt by attempt.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    by_cell: BTreeMap<(String, String), Vec<AttemptCost>>,
}

impl Costs {
    /// Adds what an attempt at a cell cost.
    pub fn add(&mut self, cell: &CellReport, cost: AttemptCost) {
        let name = (cell.scenario.clone(), cell.strategy.clone());
        self.by_cell.entry(name).or_default().push(cost);
    }

    pub(super) fn of(&self, scenario: &str, strategy: &str) -> &[AttemptCost] {
        let name = (scenario.to_owned(), strategy.to_owned());
        self.by_cell.get(&name).map_or(&[], Vec::as_slice)
    }
}

/// How much more a cell may cost than in the baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regression {
    /// As a share: 0.2 allows a fifth more.
    pub most: f64,
}

/// Judges `cells` anew, each against its cell of `baseline`, and gives what is worth saying of the whole.
pub fn hold_against(
    baseline: &Baseline,
    cells: &mut [CellReport],
    costs: &Costs,
    allowed: Option<Regression>,
) -> Vec<String> {
    let mut notes = Vec::new();
    let (mut new, mut compared, mut too_few) = (0_u32, 0_u32, 0_u32);
    for cell in cells.iter_mut() {
        let is_it =
            |old: &&BaselineCell| old.scenario == cell.scenario && old.strategy == cell.strategy;
        let Some(old) = baseline.cells.iter().find(is_it) else {
            new += 1;
            continue;
        };
        for why in new_violations(old, cell, baseline) {
            worsen(cell, Status::Failed, why);
        }
        let Some(allowed) = allowed.filter(|_| cell.has_run()) else { continue };
        match slower(&old.costs, costs.of(&cell.scenario, &cell.strategy), allowed) {
            Change::Unknown => too_few += 1,
            Change::Within => compared += 1,
            Change::Regressed(why) => {
                compared += 1;
                worsen(cell, Status::Regressed, why);
            }
        }
    }
    if new > 0 {
        notes.push(format!("{new} cells are not in the baseline and were held against nothing"));
    }
    let is_gone = |old: &&BaselineCell| {
        let same =
            |cell: &CellReport| old.scenario == cell.scenario && old.strategy == cell.strategy;
        !cells.iter().any(same)
    };
    let gone = baseline.cells.iter().filter(is_gone).count();
    if gone > 0 {
        notes.push(format!("{gone} cells of the baseline were not tried"));
    }
    if allowed.is_some() {
        notes.push(format!("the cost of {compared} cells was held against the baseline's"));
    }
    if too_few > 0 {
        notes.push(format!(
            "of {too_few} cells it cannot be told whether they cost more: it takes at least {MIN_PAIRS} attempts here and in the baseline that were as expected; --attempts {MIN_PAIRS}"
        ));
    }
    notes
}

fn worsen(cell: &mut CellReport, status: Status, why: String) {
    cell.judgement.status = cell.judgement.status.max(status);
    cell.judgement.reasons.push(why);
}

/// What is violated now and was not.
fn new_violations(old: &BaselineCell, cell: &CellReport, baseline: &Baseline) -> Vec<String> {
    let ran = cell.has_run().then(|| live(cell));
    let places =
        [("searched", old.searched.as_ref(), searched(cell)), ("live", old.live.as_ref(), ran)];
    let mut whys = Vec::new();
    for (place, old, now) in places {
        let (Some(old), Some(now)) = (old, now) else { continue };
        let kinds = new_kinds(old, &now);
        if !kinds.is_empty() {
            let what = if old.held { "it held" } else { "it did not show that" };
            whys.push(format!(
                "{place}: {} is new: in the baseline of {} {what}; what [expect] says does not excuse it",
                kinds.join(" and "),
                baseline.started
            ));
        }
    }
    whys
}

fn new_kinds(old: &Seen, now: &Seen) -> Vec<String> {
    let effect = now.effect.difference(&old.effect);
    let others = now.others.difference(&old.others).filter(|_| old.held);
    effect.chain(others).cloned().collect()
}

enum Change {
    /// There are too few pairs.
    Unknown,
    Within,
    /// Why, as a sentence.
    Regressed(String),
}

fn slower(old: &[AttemptCost], now: &[AttemptCost], allowed: Regression) -> Change {
    let pairs: Vec<_> = now
        .iter()
        .filter_map(|now| Some((old.iter().find(|old| old.attempt == now.attempt)?, now)))
        .collect();
    if pairs.len() < MIN_PAIRS {
        return Change::Unknown;
    }
    let ratios = |of: fn(&AttemptCost, &AttemptCost) -> f64| -> Vec<f64> {
        pairs.iter().map(|(old, now)| of(old, now)).collect()
    };
    let latency = interval(&ratios(|old, now| now.acquire_p99_us / old.acquire_p99_us));
    let pace = interval(&ratios(|old, now| old.bookings_per_s / now.bookings_per_s));
    let logarithms: f64 = pairs.iter().map(|(old, _)| old.acquire_p99_us.ln()).sum();
    let count = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
    let before_us = (logarithms / f64::from(count)).exp();
    let beyond = |of: &Interval| of.ratio > 1.0 + allowed.most && of.low > 1.0;
    let matters = |of: &Interval| before_us * (of.ratio - 1.0) >= MIN_CHANGE_US;
    let said = |what: &str, of: Interval| {
        let Interval { ratio, low, high } = of;
        Change::Regressed(format!(
            "{what} {ratio:.2} times the baseline's ({CONFIDENCE} interval {low:.2} to {high:.2} of {count} pairs), and {:.2} times are allowed",
            1.0 + allowed.most
        ))
    };
    if let Some(latency) = latency.filter(|of| beyond(of) && matters(of)) {
        return said("the 99th percentile of being alone is", latency);
    }
    match pace.filter(beyond) {
        Some(pace) => said("the time for a booking is", pace),
        None => Change::Within,
    }
}
