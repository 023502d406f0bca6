//! No slot is sold above its capacity, and the table holds what the customers were told.
//!
//! The database is the judge: rows are counted in the bookings table, whatever anyone believed. The history
//! only says why. An attempt of which nobody knew is settled by the table: its row is there, or it is not,
//! and either is fine.

use std::collections::BTreeSet;

use lockproof_model::{
    Anomaly, Attempt, AttemptId, AttemptResult, BookingRow, Evidence, Finding, Layer, SlotId,
};

use super::CheckerEntry;
use crate::cause::Cause;
use crate::passage::Passages;
use crate::sale::Oversold;
use crate::{Checker, kinds, words};

pub(super) const ENTRY: CheckerEntry = CheckerEntry {
    name: "duplicate-bookings",
    summary: "no slot is sold above its capacity, and the table holds what was acknowledged",
    layer: Layer::Effect,
    checker: &DuplicateBookings,
};

/// Confirmed bookings above capacity, over all slots, in a finding of `duplicate-bookings`.
#[must_use]
pub fn duplicates(finding: &Finding) -> u32 {
    let excess = finding.anomalies.iter().filter(|a| a.kind == kinds::DUPLICATE_BOOKING);
    excess.map(|anomaly| anomaly.count).fold(0, u32::saturating_add)
}

#[derive(Debug)]
struct DuplicateBookings;

impl Checker for DuplicateBookings {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn layer(&self) -> Layer {
        ENTRY.layer
    }

    fn check(&self, evidence: &Evidence<'_>) -> Finding {
        let passages = Passages::new(evidence.history);
        let rows = rows_by_attempt(&evidence.table.bookings);

        let oversold = Oversold::all_of(evidence.table, &passages);
        let mut anomalies: Vec<_> = oversold.map(|oversold| duplicate_booking(&oversold)).collect();
        for attempt in &evidence.history.attempts {
            let own = rows_of(attempt.id, &rows);
            let count = own.len();
            let found = match &attempt.result {
                AttemptResult::Booked { .. } if count == 0 => Some(lost(attempt, &passages)),
                AttemptResult::Refused { refusal, .. } if count > 0 => {
                    Some(phantom(attempt, &format!("refused ({})", refusal.word()), &passages))
                }
                AttemptResult::Failed { error } if count > 0 => {
                    Some(phantom(attempt, &format!("told that it failed ({error})"), &passages))
                }
                _ => None,
            };
            anomalies.extend(found);
            let doubled = own.chunk_by(|a, b| a.1 == b.1).filter(|rows| rows.len() > 1);
            anomalies.extend(doubled.map(|rows| double_write(attempt, rows, &passages)));
            if count > 0 {
                anomalies.extend(partial(attempt, own, &passages));
            }
        }
        anomalies.sort_by_key(|anomaly| (anomaly.witness.last().copied(), anomaly.slot));
        Finding::from_anomalies(ENTRY.name, ENTRY.layer, anomalies)
    }
}

/// Whose each row is, and of which slot, in order.
fn rows_by_attempt(bookings: &[BookingRow]) -> Vec<(AttemptId, SlotId)> {
    let mut rows: Vec<_> = bookings.iter().map(|row| (row.attempt, row.slot)).collect();
    rows.sort_unstable();
    rows
}

fn rows_of(attempt: AttemptId, rows: &[(AttemptId, SlotId)]) -> &[(AttemptId, SlotId)] {
    let start = rows.partition_point(|(of, _)| *of < attempt);
    let rest = &rows[start..];
    &rest[..rest.partition_point(|(of, _)| *of == attempt)]
}

fn duplicate_booking(oversold: &Oversold<'_>) -> Anomaly {
    let sold = words::times(oversold.sales.len());
    let of = match oversold.capacity {
        1 => String::new(),
        capacity => format!(" with a capacity of {capacity}"),
    };
    anomaly(
        kinds::DUPLICATE_BOOKING,
        oversold.slot,
        oversold.excess(),
        format!("{} sold {sold}{of}: {}", oversold.slot, Cause::of(oversold)),
        words::witness(oversold.sales.iter().flat_map(|sale| sale.witness())),
    )
}

fn lost(attempt: &Attempt, passages: &Passages<'_>) -> Anomaly {
    let Attempt { id, holder, slot, .. } = attempt;
    let sentence = format!("{id} of {holder} was told that {slot} is booked, and no row says so");
    of_attempt(kinds::LOST_BOOKING, attempt, 1, sentence, passages)
}

fn phantom(attempt: &Attempt, told: &str, passages: &Passages<'_>) -> Anomaly {
    let Attempt { id, holder, slot, .. } = attempt;
    let sentence = format!("{id} of {holder} was {told}, yet its booking of {slot} stands");
    of_attempt(kinds::PHANTOM_BOOKING, attempt, 1, sentence, passages)
}

/// An attempt that wrote several slots and has rows for some of them.
fn partial(
    attempt: &Attempt,
    own: &[(AttemptId, SlotId)],
    passages: &Passages<'_>,
) -> Option<Anomaly> {
    let written = passages.of(attempt.id).operations.iter().filter(|operation| {
        operation.step == lockproof_model::Step::Insert && operation.outcome.is_ok()
    });
    let is_missing = |slot: &SlotId| own.iter().all(|(_, booked)| booked != slot);
    let missing: BTreeSet<SlotId> = written.map(|insert| insert.slot).filter(is_missing).collect();
    let first = missing.first()?;
    let Attempt { id, holder, .. } = attempt;
    let sentence = format!(
        "{id} of {holder} booked {} and not {first}, of which it wrote both in one transaction",
        own.first()?.1
    );
    let count = u32::try_from(missing.len()).unwrap_or(u32::MAX);
    Some(of_attempt(kinds::PARTIAL_BOOKING, attempt, count, sentence, passages))
}

/// An attempt with several rows of one slot.
fn double_write(
    attempt: &Attempt,
    rows: &[(AttemptId, SlotId)],
    passages: &Passages<'_>,
) -> Anomaly {
    let Attempt { id, holder, .. } = attempt;
    let slot = rows.first().map_or(attempt.slot, |(_, slot)| *slot);
    let rows = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let sentence = format!("{id} of {holder} stands in {rows} rows of {slot}");
    of_attempt(kinds::DOUBLE_WRITE, attempt, rows - 1, sentence, passages)
}

/// An anomaly that one attempt shows by itself. Its witness is what the holder did from insert to commit.
fn of_attempt(
    kind: &str,
    attempt: &Attempt,
    count: u32,
    sentence: String,
    passages: &Passages<'_>,
) -> Anomaly {
    use lockproof_model::Step::{Commit, Insert};
    let operations = passages.of(attempt.id).operations;
    let writes = operations.iter().filter(|op| matches!(op.step, Insert | Commit));
    anomaly(kind, attempt.slot, count, sentence, words::witness(writes.map(|op| op.id)))
}

fn anomaly(
    kind: &str,
    slot: SlotId,
    count: u32,
    sentence: String,
    witness: Vec<lockproof_model::OperationId>,
) -> Anomaly {
    Anomaly { kind: kind.to_owned(), slot, count, sentence, witness }
}
