//! No write is accepted under a fencing token smaller than one that was accepted before.
//!
//! Only slots are judged whose fence somebody raised: elsewhere tokens are drawn, and nobody has promised to look at
//! them. Two writes are in order when one was acknowledged before the other was sent:
//!
//! ```text
//!   B, token 42   |insert--commit|
//!   A, token 41                      |insert--commit|     stale: the guard should have refused it
//! ```

use lockproof_model::{
    Anomaly, Evidence, FencingToken, Finding, Instant, Layer, Operation, SlotId, Step,
};

use super::CheckerEntry;
use crate::passage::{Passage, Passages};
use crate::{Checker, kinds, words};

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "stale-writes",
    summary: "no write is accepted under a smaller fencing token than one before it",
    layer: Layer::Effect,
    checker: &StaleWrites,
};

#[derive(Debug)]
struct StaleWrites;

impl Checker for StaleWrites {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn layer(&self) -> Layer {
        ENTRY.layer
    }

    fn check(&self, evidence: &Evidence<'_>) -> Finding {
        let slots = evidence.table.slots.iter();
        let fenced = slots.filter(|row| row.fence > FencingToken(0)).map(|row| row.slot);
        let mut fenced: Vec<SlotId> = fenced.collect();
        fenced.sort_unstable();
        if fenced.is_empty() {
            return Finding::from_anomalies(ENTRY.name, ENTRY.layer, Vec::new());
        }
        let passages = Passages::new(evidence.history);
        let rows = evidence.table.bookings.iter();
        let rows = rows.filter(|row| fenced.binary_search(&row.slot).is_ok());
        let mut writes: Vec<_> = rows
            .filter_map(|row| Write::of(row.slot, row.fencing_token?, passages.of(row.attempt)))
            .collect();
        writes.sort_unstable_by_key(|write| (write.slot, write.sent, write.insert.id));

        let slots = writes.chunk_by(|a, b| a.slot == b.slot);
        let mut pairs: Vec<_> = slots.flat_map(stale_among).collect();
        pairs.sort_unstable_by_key(|(_, stale)| (stale.sent, stale.insert.id));
        Finding::from_anomalies(ENTRY.name, ENTRY.layer, words::listed(&pairs, describe))
    }
}

/// A booking that stands, and the token under which it was written.
#[derive(Clone, Copy, Debug)]
struct Write<'a> {
    slot: SlotId,
    token: FencingToken,
    insert: &'a Operation,
    commit: Option<&'a Operation>,
    sent: Instant,
    /// When it was acknowledged; never, where nobody saw that.
    acknowledged: Instant,
}

impl<'a> Write<'a> {
    fn of(slot: SlotId, token: FencingToken, passage: Passage<'a>) -> Option<Self> {
        let insert = passage.last_on(slot, Step::Insert)?;
        let commit = passage.last(Step::Commit);
        let seen = commit.filter(|commit| commit.outcome.is_ok());
        let acknowledged = seen.and_then(|commit| commit.completed);
        Some(Self {
            slot,
            token,
            insert,
            commit,
            sent: insert.invoked,
            acknowledged: acknowledged.unwrap_or(Instant::FAR_FUTURE),
        })
    }
}

/// Writes of one slot that were sent after one under a larger token had been acknowledged, each with the largest such.
fn stale_among<'a>(by_sending: &[Write<'a>]) -> Vec<(Write<'a>, Write<'a>)> {
    let mut by_answer = by_sending.to_vec();
    by_answer.sort_unstable_by_key(|write| (write.acknowledged, write.insert.id));
    let mut accepted = by_answer.into_iter().peekable();
    let mut largest: Option<Write<'a>> = None;
    let mut pairs = Vec::new();
    for write in by_sending {
        while let Some(before) = accepted.next_if(|before| before.acknowledged < write.sent) {
            if largest.is_none_or(|known| before.token > known.token) {
                largest = Some(before);
            }
        }
        if let Some(before) = largest.filter(|known| known.token > write.token) {
            pairs.push((before, *write));
        }
    }
    pairs
}

fn describe((before, stale): &(Write<'_>, Write<'_>)) -> Anomaly {
    let writes = [before, stale];
    let operations = writes.into_iter().flat_map(|it| [Some(it.insert), it.commit]).flatten();
    Anomaly {
        kind: kinds::STALE_WRITE.to_owned(),
        slot: stale.slot,
        count: 1,
        sentence: format!(
            "the guard accepted a write of {} under {} by {} although {}'s under {} stood already",
            stale.slot, stale.token, stale.insert.holder, before.insert.holder, before.token.0
        ),
        witness: words::witness(operations.map(|operation| operation.id)),
    }
}
