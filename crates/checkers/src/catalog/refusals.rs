//! Nobody is told that a lock is held when nothing holds it.
//!
//! A refusal is evidence, too. Whoever is told *held* was told so at some moment of the acquire, and at that moment
//! there must have been a hold, a lease that had not ended, or another request under way: two contenders for a quorum
//! may each take a minority, and both be refused.
//!
//! ```text
//!   A  |request|==== hold ====|release|
//!   B              |held|                        explained
//!   C                                  |held|    not: the lock lies about availability
//! ```
//!
//! What keeps the lock then is an orphan that a lost answer left behind, a lease that the server lets live for too
//! long, or a lock of another name that falls together with this one; or the answer was stale.
//!
//! Everything that may explain a refusal does, as late as it may: a lease counts from when it was seen, with a tenth
//! for clocks that differ; a release that nobody answered has not happened; an acquire of which nobody knows was
//! granted, and stands as long as the longest lease.

use std::time::Duration;

use lockproof_model::{
    Anomaly, Effect, Evidence, Finding, Instant, Layer, Operation, OperationId, Outcome, Reason,
    Refusal, SlotId, Step,
};

use super::CheckerEntry;
use crate::ending_last::EndingLast;
use crate::hold::Hold;
use crate::passage::{Passage, Passages};
use crate::{Checker, kinds, words};

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "refusals",
    summary: "whoever is told that a lock is held is told so while something may hold it",
    layer: Layer::Service,
    checker: &Refusals,
};

#[derive(Debug)]
struct Refusals;

impl Checker for Refusals {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn layer(&self) -> Layer {
        ENTRY.layer
    }

    fn check(&self, evidence: &Evidence<'_>) -> Finding {
        let operations = &evidence.history.operations;
        let mut refused: Vec<_> = operations.iter().filter(|it| is_refused(it)).collect();
        if refused.is_empty() {
            return Finding::from_anomalies(ENTRY.name, ENTRY.layer, Vec::new());
        }
        refused.sort_unstable_by_key(|it| (it.slot, it.completed, it.id));
        let passages = Passages::new(evidence.history);
        let longest = passages.iter().flat_map(Hold::all_of).filter_map(|hold| term(&hold)).max();
        let longest = longest.unwrap_or(Duration::MAX);
        let mut claims: Vec<_> =
            passages.iter().flat_map(|passage| claims_of(passage, longest)).collect();
        claims.sort_unstable_by_key(|claim| (claim.acquire.slot, claim.from, claim.acquire.id));

        let mut lies: Vec<_> = refused
            .chunk_by(|a, b| a.slot == b.slot)
            .flat_map(|refused| unexplained(refused, of_slot(&claims, refused[0].slot)))
            .collect();
        lies.sort_unstable_by_key(|lie| lie.refused.id);
        Finding::from_anomalies(ENTRY.name, ENTRY.layer, words::listed(&lies, Lie::describe))
    }
}

fn is_refused(operation: &Operation) -> bool {
    operation.step == Step::Acquire
        && operation.outcome == Outcome::Fail(Reason::Refused(Refusal::Held))
}

/// From when to when an acquire and what came of it may have kept the lock.
#[derive(Clone, Copy, Debug)]
struct Claim<'a> {
    acquire: &'a Operation,
    /// Its release, where one was answered.
    release: Option<&'a Operation>,
    from: Instant,
    until: Instant,
}

fn claims_of<'a>(
    passage: Passage<'a>,
    longest: Duration,
) -> impl Iterator<Item = Claim<'a>> + use<'a> {
    let acquires = passage.operations.iter().filter(|operation| operation.step == Step::Acquire);
    acquires.map(move |&acquire| {
        let from = acquire.invoked;
        let answered = acquire.completed.unwrap_or(Instant::FAR_FUTURE);
        let (release, until) = match acquire.outcome {
            Outcome::Ok(_) => granted(passage, acquire),
            Outcome::Fail(_) => (None, answered),
            Outcome::Info(_) => (None, answered + longest),
        };
        Claim { acquire, release, from, until }
    })
}

/// Until when a grant may have stood, and the release that ended it.
fn granted<'a>(passage: Passage<'a>, acquire: &'a Operation) -> (Option<&'a Operation>, Instant) {
    let hold = Hold::all_of(passage).find(|hold| hold.acquire.id == acquire.id);
    let Some(hold) = hold else { return (None, Instant::FAR_FUTURE) };
    let is_released = hold.last.step == Step::Release
        && matches!(hold.last.outcome.effect(), Some(Effect::Released { .. }));
    if is_released && let Some(end) = hold.last.completed {
        return (Some(hold.last), end);
    }
    let Some(term) = term(&hold) else { return (None, Instant::FAR_FUTURE) };
    // A renewal counts as late as it may have, whether or not its answer was seen.
    let renewals = passage.operations.iter().filter(|it| it.step == Step::Renew);
    let renewed = renewals.map(|it| it.completed.unwrap_or(hold.valid_until)).max();
    let latest = renewed.unwrap_or(hold.granted).max(hold.granted);
    (None, (latest + term).max(hold.valid_until + term / 10))
}

/// How long a lease lasts at most, as far as its holder was told; nothing where nothing bounds it.
fn term(hold: &Hold<'_>) -> Option<Duration> {
    let Effect::Granted { requested, valid_until, .. } = hold.acquire.outcome.effect()? else {
        return None;
    };
    (*valid_until != Instant::FAR_FUTURE).then(|| {
        let told = valid_until.saturating_since(*requested);
        // What was told is less the drift allowance, and clocks differ.
        told + told / 10 + Duration::from_millis(10)
    })
}

fn of_slot<'c, 'a>(claims: &'c [Claim<'a>], slot: SlotId) -> &'c [Claim<'a>] {
    let start = claims.partition_point(|claim| claim.acquire.slot < slot);
    let rest = &claims[start..];
    &rest[..rest.partition_point(|claim| claim.acquire.slot == slot)]
}

/// A refusal that nothing explains.
#[derive(Clone, Copy, Debug)]
struct Lie<'c, 'a> {
    refused: &'a Operation,
    /// Of what may have kept the lock, that which ended last.
    last: Option<(Instant, &'c Claim<'a>)>,
}

/// The lies among the refusals of one lock, which are in the order of their answers, beside its claims by their start.
fn unexplained<'c, 'a>(refused: &[&'a Operation], claims: &'c [Claim<'a>]) -> Vec<Lie<'c, 'a>> {
    let mut begun = claims.iter().peekable();
    let mut standing: EndingLast<OperationId, &Claim<'_>> = EndingLast::default();
    let mut lies = Vec::new();
    for &refused in refused {
        let answered = refused.completed.unwrap_or(refused.invoked);
        while let Some(claim) = begun.next_if(|claim| claim.from <= answered) {
            standing.add(claim.until, claim.acquire.id, claim);
        }
        let last = standing.not_of(refused.id);
        if last.is_none_or(|(until, _)| until < refused.invoked) {
            lies.push(Lie { refused, last });
        }
    }
    lies
}

impl Lie<'_, '_> {
    fn describe(&self) -> Anomaly {
        let Self { refused, last } = self;
        let Operation { holder, slot, .. } = refused;
        let told = refused.completed.unwrap_or(refused.invoked);
        let why = match last {
            Some((until, claim)) => format!(
                "what {} had asked for was over {} before it asked",
                claim.acquire.holder,
                words::duration(refused.invoked.saturating_since(*until))
            ),
            None => "nobody had asked for it before".to_owned(),
        };
        let known = last.iter().flat_map(|(_, claim)| [Some(claim.acquire), claim.release]);
        let operations = known.flatten().map(|it| it.id).chain([refused.id]);
        Anomaly {
            kind: kinds::UNEXPLAINED_REFUSAL.to_owned(),
            slot: *slot,
            count: 1,
            sentence: format!(
                "{holder} was told at {told} that the lock of {slot} is held, and nobody held it: {why}"
            ),
            witness: words::witness(operations),
        }
    }
}
