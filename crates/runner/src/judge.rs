//! From what a cell came to, whether its expectation held.

use std::collections::BTreeMap;
use std::time::Duration;

use humantime::format_duration;
use lockproof_model::{
    Anomaly, Attempt, Expectation, FaultSummary, Finding, Instant, Judgement, Layer, SlotId,
    Status, Verdict,
};
use lockproof_scenario::Require;

/// What a judgement is made of.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What was expected.
    pub expect: Expectation,
    /// What a run must have had.
    pub require: Require,
    /// What the checkers said.
    pub findings: &'a [Finding],
    /// Confirmed rows.
    pub bookings: u32,
    /// Confirmed rows above capacity.
    pub duplicates: u32,
    /// Slots that two holders wanted at one time.
    pub contended: u32,
    /// What each fault did.
    pub faults: &'a [FaultSummary],
    /// The longest stretch in which nothing was sold though somebody wanted to book.
    pub longest_gap: Duration,
    /// Kinds of anomaly that the scenario expects of some strategy, and of no other.
    pub shown: &'a [&'static str],
    /// Why the load was cut short, where it was.
    pub cut_short: Option<&'a str>,
}

/// The judgement: a safety failure stands whatever else was missing; a run that could not have shown one is never
/// green; a control that no longer fails is a failure of its own.
#[must_use]
pub fn judge(facts: &Facts<'_>) -> Judgement {
    let failed = failures(facts);
    if !failed.is_empty() {
        return Judgement { status: Status::Failed, reasons: failed };
    }
    let missing = missing(facts);
    if !missing.is_empty() {
        return Judgement { status: Status::Inconclusive, reasons: missing };
    }
    match control_that_holds(facts) {
        Some(reason) => Judgement { status: Status::Failed, reasons: vec![reason] },
        None => Judgement { status: Status::Met, reasons: Vec::new() },
    }
}

/// What no missing requirement can excuse.
fn failures(facts: &Facts<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    if facts.duplicates > 0 && facts.expect != Expectation::Duplicates {
        let times = if facts.duplicates == 1 { "booking" } else { "bookings" };
        reasons.push(format!("{} duplicate {times}, none expected", facts.duplicates));
    }
    for (layer, anomaly) in anomalies(facts) {
        // A stale write that was let through is how a control sells a slot twice.
        let is_how = anomaly.kind == STALE_WRITE && facts.expect.is_duplicates();
        let is_known = anomaly.kind == DUPLICATE || is_how || facts.expect.shows(&anomaly.kind);
        let is_others = facts.shown.contains(&anomaly.kind.as_str());
        if !is_known && (layer == Layer::Effect || is_others && !facts.expect.is_duplicates()) {
            reasons.push(anomaly.sentence.clone());
        }
    }
    let wanted = match facts.expect {
        Expectation::NoBookings => Some(0),
        Expectation::Bookings(count) => Some(count),
        Expectation::Duplicates
        | Expectation::NoDuplicates
        | Expectation::Shows(_)
        | Expectation::Blocked(_) => None,
    };
    // A load that was cut short is excused for what it did not come to, never for what it did.
    let excused = |wanted: u32| facts.cut_short.is_some() && facts.bookings < wanted;
    if let Some(wanted) = wanted.filter(|&wanted| wanted != facts.bookings && !excused(wanted)) {
        reasons.push(format!("{} bookings, {wanted} expected", facts.bookings));
    }
    reasons
}

const STALE_WRITE: &str = lockproof_checkers::kinds::STALE_WRITE;

/// The anomaly that expectations speak about; every other of the effect layer is never expected.
const DUPLICATE: &str = lockproof_checkers::kinds::DUPLICATE_BOOKING;

fn anomalies<'a>(facts: &Facts<'a>) -> impl Iterator<Item = (Layer, &'a Anomaly)> + use<'a> {
    let violated = |finding: &&Finding| finding.verdict == Verdict::Violated;
    let of = |finding: &'a Finding| finding.anomalies.iter().map(|a| (finding.layer, a));
    facts.findings.iter().filter(violated).flat_map(of)
}

/// What the run would have needed to show anything.
fn missing(facts: &Facts<'_>) -> Vec<String> {
    let mut reasons: Vec<_> = facts.cut_short.map(ToOwned::to_owned).into_iter().collect();
    let Require { bookings, faults_bitten, contended } = facts.require;
    // Where nothing was sold at all, nothing could have been sold twice.
    let bookings = match facts.expect {
        Expectation::NoDuplicates | Expectation::Duplicates => bookings.max(1),
        Expectation::NoBookings
        | Expectation::Bookings(_)
        | Expectation::Shows(_)
        | Expectation::Blocked(_) => bookings,
    };
    if facts.bookings < bookings {
        reasons.push(format!("{} bookings, at least {bookings} required", facts.bookings));
    }
    for fault in facts.faults.iter().filter(|fault| fault.bit < faults_bitten) {
        reasons.push(format!(
            "fault {} ({}) bit {} of {} times, at least {faults_bitten} required",
            fault.fault, fault.label, fault.bit, fault.injected
        ));
    }
    if facts.contended < contended {
        reasons.push(format!(
            "holders contended for {} slots, at least {contended} required",
            facts.contended
        ));
    }
    let undecided = facts
        .findings
        .iter()
        .filter(|finding| finding.layer == Layer::Effect && finding.verdict == Verdict::Unknown);
    reasons.extend(undecided.map(|finding| format!("{} could not decide", finding.checker)));
    reasons
}

fn control_that_holds(facts: &Facts<'_>) -> Option<String> {
    let what = match facts.expect {
        Expectation::Duplicates if facts.duplicates == 0 => {
            "to sell a slot twice and did not".to_owned()
        }
        Expectation::Shows(kind) if !anomalies(facts).any(|(_, anomaly)| anomaly.kind == kind) => {
            format!("to show an anomaly of the kind {kind} and did not")
        }
        Expectation::Blocked(least) if facts.longest_gap < least => format!(
            "to sell nothing for at least {} and sold again after {}",
            format_duration(least),
            format_duration(Duration::from_millis(
                u64::try_from(facts.longest_gap.as_millis()).unwrap_or(u64::MAX)
            ))
        ),
        _ => return None,
    };
    Some(format!(
        "expected {what}, though nothing was missing: the detector or the scenario is broken"
    ))
}

/// Slots on which attempts of two holders overlapped in time.
#[must_use]
pub fn contended_slots(attempts: &[Attempt]) -> u32 {
    let mut by_start: Vec<&Attempt> = attempts.iter().collect();
    by_start.sort_by_key(|attempt| (attempt.slot, attempt.started));
    let mut latest: BTreeMap<SlotId, Instant> = BTreeMap::new();
    let mut contended = std::collections::BTreeSet::new();
    for attempt in by_start {
        // A holder has one attempt at a time, so an overlap is always with another's.
        let end = latest.entry(attempt.slot).or_insert(attempt.started);
        if attempt.started < *end {
            contended.insert(attempt.slot);
        }
        *end = (*end).max(attempt.finished);
    }
    u32::try_from(contended.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use lockproof_model::{AttemptId, AttemptResult, HolderId, kinds};

    use super::*;

    const REQUIRE: Require = Require { bookings: 1, faults_bitten: 1, contended: 1 };

    fn facts(expect: Expectation, duplicates: u32) -> Facts<'static> {
        Facts {
            expect,
            require: REQUIRE,
            findings: &[],
            bookings: 5,
            duplicates,
            contended: 3,
            faults: &[],
            longest_gap: Duration::from_millis(100),
            shown: &[],
            cut_short: None,
        }
    }

    fn status(facts: &Facts<'_>) -> Status {
        judge(facts).status
    }

    #[test]
    fn a_safe_strategy_that_sold_twice_has_failed_even_when_nothing_else_is_proven() {
        let unproven = Facts { contended: 0, ..facts(Expectation::NoDuplicates, 1) };
        assert_eq!(status(&unproven), Status::Failed);
        assert_eq!(status(&facts(Expectation::NoDuplicates, 0)), Status::Met);
    }

    #[test]
    fn a_control_that_no_longer_fails_has_failed() {
        assert_eq!(status(&facts(Expectation::Duplicates, 0)), Status::Failed);
        assert_eq!(status(&facts(Expectation::Duplicates, 2)), Status::Met);
    }

    #[test]
    fn a_run_in_which_nothing_bit_or_nothing_contended_is_inconclusive() {
        let fault = FaultSummary { fault: 1, label: "latency".to_owned(), injected: 1, bit: 0 };
        let faults = [fault];
        for expect in [Expectation::NoDuplicates, Expectation::Duplicates] {
            let blunt = Facts { faults: &faults, ..facts(expect, 0) };
            assert_eq!(status(&blunt), Status::Inconclusive);
            let lonely = Facts { contended: 0, ..facts(expect, 0) };
            assert_eq!(status(&lonely), Status::Inconclusive);
        }
        let lucky = Facts { faults: &faults, ..facts(Expectation::Duplicates, 1) };
        assert_eq!(status(&lucky), Status::Inconclusive, "a control must fail for its reason");
    }

    #[test]
    fn a_run_that_sold_nothing_has_shown_nothing() {
        let require = Require { bookings: 0, ..REQUIRE };
        let unsold = Facts { bookings: 0, require, ..facts(Expectation::NoDuplicates, 0) };
        assert_eq!(status(&unsold), Status::Inconclusive);
        let meant = Facts { expect: Expectation::NoBookings, ..unsold };
        assert_eq!(status(&meant), Status::Met);
    }

    #[test]
    fn a_load_that_was_cut_short_is_excused_for_too_few_and_not_for_too_many() {
        let cut = Facts { cut_short: Some("cut"), ..facts(Expectation::Bookings(6), 0) };
        assert_eq!(status(&cut), Status::Inconclusive);
        let many = Facts { expect: Expectation::NoBookings, ..cut };
        assert_eq!(status(&many), Status::Failed);
    }

    #[test]
    fn an_anomaly_is_expected_of_one_strategy_and_of_no_other() {
        let orphan = Anomaly {
            kind: kinds::ORPHANED_LOCK.to_owned(),
            sentence: "it stands".to_owned(),
            count: 1,
            slot: SlotId(1),
            witness: Vec::new(),
        };
        let found = [Finding::from_anomalies("orphaned-locks", Layer::Liveness, vec![orphan])];
        let shows = Expectation::Shows(kinds::ORPHANED_LOCK);
        let shown = [kinds::ORPHANED_LOCK];
        let expected = Facts { findings: &found, shown: &shown, ..facts(shows, 0) };
        assert_eq!(status(&expected), Status::Met);
        assert_eq!(status(&Facts { findings: &[], ..expected }), Status::Failed, "a control");
        assert_eq!(status(&Facts { duplicates: 1, ..expected }), Status::Failed);
        let cured = Facts { expect: Expectation::NoDuplicates, ..expected };
        assert_eq!(status(&cured), Status::Failed);
        assert_eq!(status(&Facts { shown: &[], ..cured }), Status::Met, "nobody asked");
    }

    #[test]
    fn what_shall_be_blocked_is_blocked_for_long_enough() {
        let blocked = |millis| Expectation::Blocked(Duration::from_millis(millis));
        assert_eq!(status(&facts(blocked(100), 0)), Status::Met);
        assert_eq!(status(&facts(blocked(101), 0)), Status::Failed);
    }

    #[test]
    fn an_exact_number_is_exact() {
        assert_eq!(status(&facts(Expectation::Bookings(5), 0)), Status::Met);
        assert_eq!(status(&facts(Expectation::Bookings(6), 0)), Status::Failed);
        assert_eq!(status(&facts(Expectation::NoBookings, 0)), Status::Failed);
    }

    #[test]
    fn a_slot_is_contended_when_attempts_overlap_and_not_when_they_follow() {
        let attempt = |id, slot, started, finished| Attempt {
            id: AttemptId(id),
            holder: HolderId(id),
            slot: SlotId(slot),
            intended: Instant::from_nanos(started),
            started: Instant::from_nanos(started),
            finished: Instant::from_nanos(finished),
            result: AttemptResult::Failed { error: String::new() },
        };
        let attempts =
            [attempt(1, 1, 0, 5), attempt(2, 1, 5, 9), attempt(3, 2, 0, 5), attempt(4, 2, 4, 9)];
        assert_eq!(contended_slots(&attempts), 1);
    }
}
