//! What a gate makes of a search and of runs: one cell per strategy of a scenario, held against a baseline.
//!
//! Nothing here excuses anything. Of several attempts the worst counts, of search and run the worse; a baseline can
//! only make a judgement worse.

mod against;
mod interval;

use lockproof_env::Random;
use lockproof_model::{
    AttemptCost, Baseline, BaselineCell, CellReport, Finding, Judgement, Layer, Manifest, Seen,
    Status, Verdict, kinds,
};

use crate::cell::CellPlan;

pub use against::{Costs, MIN_PAIRS, Regression, hold_against};

/// So many attempts at each of `plans`, one round after the other, each with a seed of its own; the first of them is the
/// plan as it was.
#[must_use]
pub fn attempts_of(plans: &[CellPlan], attempts: u32) -> Vec<CellPlan> {
    let rounds = (1..=attempts).flat_map(|attempt| {
        plans.iter().map(move |plan| match attempt {
            1 => plan.clone(),
            _ => {
                let seed = Random::new(plan.seed).fork(&format!("attempt {attempt}")).bits();
                CellPlan { seed, ..plan.clone() }
            }
        })
    });
    rounds.enumerate().map(|(index, plan)| CellPlan { index, ..plan }).collect()
}

/// The worst attempt at each cell; the first of those that are as bad.
#[must_use]
pub fn worst_of_each(attempts: Vec<CellReport>) -> Vec<CellReport> {
    let mut worst: Vec<CellReport> = Vec::new();
    for next in attempts {
        let same = |kept: &&mut CellReport| {
            kept.scenario == next.scenario && kept.strategy == next.strategy
        };
        match worst.iter_mut().find(same) {
            Some(kept) if next.judgement.status > kept.judgement.status => *kept = next,
            Some(_) => {}
            None => worst.push(next),
        }
    }
    worst
}

/// The cells of `names` (scenario and strategy), each with what the search through its schedules came to and what it did
/// on real sockets, as far as there is either.
#[must_use]
pub fn joined(
    names: &[(String, String)],
    searched: Vec<CellReport>,
    ran: Vec<CellReport>,
) -> Vec<CellReport> {
    let mut rest = [searched, ran];
    let mut cells = Vec::with_capacity(names.len());
    for (scenario, strategy) in names {
        let mut take = |from: usize| {
            let is_it =
                |cell: &CellReport| cell.scenario == *scenario && cell.strategy == *strategy;
            let at = rest[from].iter().position(is_it)?;
            Some(rest[from].remove(at))
        };
        match (take(0), take(1)) {
            (Some(searched), Some(ran)) => cells.push(join(searched, ran)),
            (one, other) => cells.extend(one.or(other)),
        }
    }
    cells
}

/// One cell of both: the figures are of the run.
fn join(searched: CellReport, ran: CellReport) -> CellReport {
    let told = |place: &str, judgement: &Judgement| -> Vec<String> {
        judgement.reasons.iter().map(|reason| format!("{place}: {reason}")).collect()
    };
    let mut reasons = told("searched", &searched.judgement);
    reasons.extend(told("live", &ran.judgement));
    let status = searched.judgement.status.max(ran.judgement.status);
    let mut exploration = searched.exploration;
    exploration.iter_mut().for_each(|search| search.beside_live = true);
    CellReport { judgement: Judgement { status, reasons }, exploration, ..ran }
}

/// What one attempt cost, where it tells of cost: it ran to its end and sold something.
#[must_use]
pub fn cost_of_attempt(attempt: u32, cell: &CellReport) -> Option<AttemptCost> {
    let acquire = cell.acquire.filter(|_| cell.judgement.status == Status::Met)?;
    let seconds = cell.took.as_secs_f64();
    let is_measured = cell.bookings > 0 && seconds > 0.0 && acquire.p99_us > 0.0;
    is_measured.then(|| AttemptCost {
        attempt,
        acquire_p99_us: acquire.p99_us,
        bookings_per_s: f64::from(cell.bookings) / seconds,
    })
}

/// What was found, as far as a later gate is held against it.
#[must_use]
pub fn baseline(manifest: &Manifest, cells: &[CellReport], costs: &Costs) -> Baseline {
    let of = |cell: &CellReport| BaselineCell {
        scenario: cell.scenario.clone(),
        strategy: cell.strategy.clone(),
        searched: searched(cell),
        live: cell.has_run().then(|| live(cell)),
        costs: costs.of(&cell.scenario, &cell.strategy).to_vec(),
    };
    Baseline {
        schema_version: lockproof_model::BASELINE_SCHEMA_VERSION,
        version: manifest.version.clone(),
        revision: manifest.revision.clone(),
        command: manifest.command.clone(),
        seed: manifest.seed,
        started: manifest.started.clone(),
        provider: manifest.provider.clone(),
        machine: manifest.machine.clone(),
        cells: cells.iter().map(of).collect(),
    }
}

/// What the search saw. It ends at its first violation, so that is all it knows of kinds.
fn searched(cell: &CellReport) -> Option<Seen> {
    let search = cell.exploration.as_ref()?;
    let mut seen = Seen { held: is_conclusive(cell), ..Seen::default() };
    if let Some(violation) = &search.violation {
        seen.held = false;
        add(&mut seen, violation.layer, &violation.anomaly);
    }
    Some(seen)
}

/// What was seen on real sockets.
fn live(cell: &CellReport) -> Seen {
    let mut seen = Seen { held: is_conclusive(cell), ..Seen::default() };
    let violated = |finding: &&Finding| finding.verdict == Verdict::Violated;
    for finding in cell.findings.iter().filter(violated) {
        for anomaly in &finding.anomalies {
            add(&mut seen, finding.layer, &anomaly.kind);
        }
    }
    if cell.duplicates > 0 {
        add(&mut seen, Layer::Effect, kinds::DUPLICATE_BOOKING);
    }
    seen.held &= seen.effect.is_empty();
    seen
}

fn is_conclusive(cell: &CellReport) -> bool {
    !matches!(cell.judgement.status, Status::Inconclusive | Status::Infrastructure)
}

/// A holder that outlives its lease proves nothing about its lock and comes and goes with luck; the two others are no
/// kinds of what went wrong.
const OF_NO_ACCOUNT: [&str; 3] = [kinds::OVERRUN, kinds::FURTHER, kinds::CHECKER_PANICKED];

fn add(seen: &mut Seen, layer: Layer, kind: &str) {
    if OF_NO_ACCOUNT.contains(&kind) {
        return;
    }
    let set = if layer == Layer::Effect { &mut seen.effect } else { &mut seen.others };
    set.insert(kind.to_owned());
}

#[cfg(test)]
mod tests;
