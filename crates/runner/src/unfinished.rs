//! What can be said of a cell whose run ended in the middle of it: killed, or its disk was full.
//!
//! The table went with its server. What holders saw is on disk, all but the last moments; it says what they believed and
//! what the lock did, and how often the database said that a booking stands. What the table held nobody knows, and so the
//! cell is inconclusive, unless what is there shows a failure by itself.

use lockproof_checkers::{Checker, duplicates, judge_all, layers_of};
use lockproof_model::{
    BookingTable, CellReport, Effect, Evidence, FaultRecord, Finding, History, Instant, Layer,
};
use lockproof_workload::{Latencies, largest_backlog, longest_gap};

use crate::cell::{Artifacts, CellPlan, Finished, blank, count, counted, stories};
use crate::judge::{Facts, contended_slots, judge};

/// What a cell has left on disk.
#[derive(Clone, Debug, Default)]
pub struct Remains {
    /// What its holders did, as far as it was written.
    pub history: History,
    /// What the database held; none where the run ended before it was read.
    pub table: Option<BookingTable>,
    /// What its faults did.
    pub injections: Vec<FaultRecord>,
}

/// A report of what `remains` of the cell of `plan`; of one that had not begun where nothing does. `why` is a sentence.
#[must_use]
pub fn unfinished(
    plan: &CellPlan,
    checkers: &[&'static dyn Checker],
    remains: Option<Remains>,
    why: &str,
) -> Finished {
    let Some(Remains { history, table, injections }) = remains else {
        let mut report = blank(plan);
        report.judgement.reasons.push(format!("{why}; it had not begun"));
        return Finished { report, artifacts: None };
    };
    let (is_read, table) = (table.is_some(), table.unwrap_or_default());
    let evidence = Evidence { history: &history, table: &table, faults: &injections, left: &[] };
    let said = |finding: &Finding| match finding.layer {
        Layer::Effect => is_read,
        Layer::Belief | Layer::Service => true,
        // The end of the run is not the end of the load: nothing follows from what did not come any more.
        Layer::Liveness => false,
    };
    let mut findings = judge_all(&evidence, checkers.iter().copied());
    findings.retain(said);
    let bookings = if is_read { count(table.bookings.len()) } else { acknowledged(&history) };
    let doubles = findings.iter().map(duplicates).sum();
    let faults: Vec<_> = plan.scenario.faults.iter().map(|it| it.summary(&injections)).collect();
    let lost = if is_read {
        ""
    } else {
        ", and the table is lost: bookings are those that holders know of"
    };
    let why = format!("{why}, {} operations into it{lost}", history.operations.len());
    let longest_gap = longest_gap(&history);
    let judgement = judge(&Facts {
        expect: plan.cell.expect,
        require: plan.scenario.require,
        findings: &findings,
        bookings,
        duplicates: doubles,
        contended: contended_slots(&history.attempts),
        faults: &faults,
        longest_gap,
        shown: &plan.scenario.shown(),
        cut_short: Some(&why),
    });
    let latencies = Latencies::of(&history);
    let (first, last) = span(&history);
    let report = CellReport {
        judgement,
        layers: layers_of(&findings),
        stories: stories(&evidence, &findings),
        findings,
        bookings,
        duplicates: doubles,
        longest_gap,
        backlog: largest_backlog(&history),
        faults,
        injections,
        took: last.saturating_since(first),
        ..counted(plan, &history, &latencies)
    };
    Finished { report, artifacts: Some(Artifacts { history, table, latencies }) }
}

/// Bookings that a holder was told stand.
fn acknowledged(history: &History) -> u32 {
    let stands = |effect: &Effect| matches!(effect, Effect::Committed { .. });
    let effects = history.operations.iter().filter_map(|operation| operation.outcome.effect());
    count(effects.filter(|effect| stands(effect)).count())
}

fn span(history: &History) -> (Instant, Instant) {
    let ends = |operation: &lockproof_model::Operation| {
        (operation.invoked, operation.completed.unwrap_or(operation.invoked))
    };
    let first = history.operations.iter().map(|it| ends(it).0).min().unwrap_or(Instant::ZERO);
    let last = history.operations.iter().map(|it| ends(it).1).max().unwrap_or(first);
    (first, last)
}
