//! Whoever asks as often as the others is granted the lock as often, within what luck explains.
//!
//! Each grant ends a round, in which everybody took part who was asking for that lock since the one before. By chance
//! alone, each of *c* that asked would be granted it in one round of *c*. For each holder that makes a sum *E* of what it
//! could expect, against the *k* rounds that it won. That it wins so few by bad luck is at most as probable as
//! `exp(k − E − k ln(k / E))` (Chernoff's bound for independent trials); below one in a thousand million it is no luck.
//!
//! ```text
//!   A  |granted|     |granted|     |granted|          k = 3
//!   B |------ asking ----- refused ----------|        took part in three rounds, E = 1.5, k = 0
//! ```
//!
//! Most locks promise no order, and a holder that waits longer between its tries loses more rounds. This tells of it;
//! whether it matters is not for a checker to say.

use std::collections::BTreeMap;

use lockproof_model::{
    Anomaly, Evidence, Finding, HolderId, Layer, Operation, OperationId, Outcome, Reason, Refusal,
    SlotId, Step,
};

use super::CheckerEntry;
use crate::{Checker, kinds, words};

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "fairness",
    summary: "no holder is granted locks far more rarely than those that ask together with it",
    layer: Layer::Liveness,
    checker: &Fairness,
};

/// The natural logarithm of the probability below which nobody speaks of luck.
const LUCK: f64 = -20.7;

#[derive(Debug)]
struct Fairness;

impl Checker for Fairness {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn layer(&self) -> Layer {
        ENTRY.layer
    }

    fn check(&self, evidence: &Evidence<'_>) -> Finding {
        let operations = &evidence.history.operations;
        let mut asked: Vec<_> = operations.iter().filter(|it| is_answered(it)).collect();
        asked.sort_unstable_by_key(|it| (it.slot, it.completed, it.id));
        let mut shares: BTreeMap<HolderId, Share> = BTreeMap::new();
        for asked in asked.chunk_by(|a, b| a.slot == b.slot) {
            count(asked, &mut shares);
        }
        let unlucky: Vec<_> = shares.iter().filter(|(_, share)| share.is_unlucky()).collect();
        Finding::from_anomalies(ENTRY.name, ENTRY.layer, words::listed(&unlucky, describe))
    }
}

/// Whether it was granted the lock or told that somebody else holds it. Errors are nobody's unfairness.
fn is_answered(operation: &Operation) -> bool {
    let is_clear = match &operation.outcome {
        Outcome::Ok(_) => true,
        Outcome::Fail(reason) => *reason == Reason::Refused(Refusal::Held),
        Outcome::Info(_) => false,
    };
    operation.step == Step::Acquire && operation.completed.is_some() && is_clear
}

/// What a holder could expect and what it got.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    /// Rounds that it took part in.
    rounds: u32,
    expected: f64,
    won: u32,
    /// The last acquire that lost a round.
    lost: Option<(OperationId, SlotId)>,
    /// The grant that it lost the last of them to.
    to: Option<OperationId>,
}

impl Share {
    fn is_unlucky(&self) -> bool {
        let won = f64::from(self.won);
        if won >= self.expected {
            return false;
        }
        let by_luck = if self.won == 0 { 0.0 } else { won * (won / self.expected).ln() };
        won - self.expected - by_luck < LUCK
    }
}

/// Adds the rounds of one lock, whose acquires are in the order of their answers.
fn count(asked: &[&Operation], shares: &mut BTreeMap<HolderId, Share>) {
    let grants: Vec<_> = asked.iter().filter(|it| it.outcome.is_ok()).copied().collect();
    // An acquire that is refused takes part in every round that ends while it is asking, one that is granted in that
    // which it wins: it has lost none, having been willing to wait.
    let rounds = |it: &Operation| {
        let first = grants.partition_point(|grant| grant.completed < Some(it.invoked));
        let end = grants.partition_point(|g| (g.completed, g.id) <= (it.completed, it.id));
        if it.outcome.is_ok() { end - 1..end } else { first.min(end)..end }
    };
    let mut joined = vec![0_i32; grants.len() + 1];
    for it in asked {
        let rounds = rounds(it);
        joined[rounds.start] += 1;
        joined[rounds.end] -= 1;
    }
    // The sum of the shares of all rounds before each.
    let mut sums = Vec::with_capacity(grants.len() + 1);
    let (mut contenders, mut sum) = (0, 0.0);
    sums.push(sum);
    for change in &joined[..grants.len()] {
        contenders += change;
        sum += 1.0 / f64::from(contenders.max(1));
        sums.push(sum);
    }
    for it in asked {
        let rounds = rounds(it);
        if rounds.is_empty() {
            continue;
        }
        let share = shares.entry(it.holder).or_default();
        share.rounds += u32::try_from(rounds.len()).unwrap_or(u32::MAX);
        share.expected += sums[rounds.end] - sums[rounds.start];
        if it.outcome.is_ok() {
            share.won += 1;
        } else {
            share.lost = Some((it.id, it.slot));
            share.to = grants.get(rounds.end - 1).map(|grant| grant.id);
        }
    }
}

fn describe(&(holder, share): &(&HolderId, &Share)) -> Anomaly {
    let Share { rounds, expected, won, lost, to } = share;
    let (kind, got) = match won {
        0 => (kinds::STARVED, "never".to_owned()),
        _ => (kinds::UNFAIR, words::times(usize::try_from(*won).unwrap_or(usize::MAX))),
    };
    let slot = lost.map_or(SlotId(0), |(_, slot)| slot);
    Anomaly {
        kind: kind.to_owned(),
        slot,
        count: 1,
        sentence: format!(
            "{holder} was granted a lock {got} in {rounds} rounds in which it asked together with others, where {expected:.0} would have been its share"
        ),
        witness: words::witness(lost.map(|(id, _)| id).into_iter().chain(*to)),
    }
}
