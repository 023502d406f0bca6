//! A violation told step by step, by time.
//!
//! ```text
//!    4.012  holder 3  acquire ok, lease to 4.312
//!    4.020  holder 3  check: free      ░░ paused 500 ms (fault 1)
//!    4.315  holder 8  acquire ok    4.318 check: free    4.341 insert, commit
//!    4.520  holder 3  insert, commit   ← duplicate: its lease ended 208 ms before
//! ```
//!
//! Only the attempts that prove the violation appear, and the faults that hit them.

use std::collections::{BTreeMap, BTreeSet};

use lockproof_model::{
    Anomaly, AttemptId, Effect, Evidence, OperationId, SlotId, Step, Story, StoryLine,
};

use crate::cause::Cause;
use crate::hold::Hold;
use crate::passage::{Passage, Passages};
use crate::sale::{Oversold, Sale};
use crate::{kinds, words};

mod event;
mod lines;

/// A story of more attempts than this is a crowd.
const ATTEMPTS_MAX: usize = 3;

/// Tells how `anomaly` came about.
#[must_use]
pub fn tell(evidence: &Evidence<'_>, anomaly: &Anomaly) -> Story {
    let passages = Passages::new(evidence.history);
    let oversold = (anomaly.kind == kinds::DUPLICATE_BOOKING)
        .then(|| Oversold::find(anomaly.slot, evidence.table, &passages))
        .flatten();
    let plot = match &oversold {
        Some(oversold) => Plot::of_sales(oversold),
        None => Plot::of_witness(evidence, anomaly, &passages),
    };

    let events = event::all_of(&plot, evidence.faults, anomaly.slot);
    let mut lines = lines::merge(events);
    if plot.left_out > 0 {
        let what = format!("… and {} more like these", plot.left_out);
        let at = lines.last().map(|line| line.at).unwrap_or_default();
        lines.push(StoryLine { at, who: String::new(), what });
    }
    Story { slot: anomaly.slot, title: title_of(anomaly, oversold.as_ref()), lines }
}

/// What a story is made of.
struct Plot<'a> {
    passages: Vec<Passage<'a>>,
    /// What is to be said beside an operation.
    notes: BTreeMap<OperationId, String>,
    /// Nothing after this operation matters.
    last: Option<OperationId>,
    /// Attempts that prove the same and are not told.
    left_out: usize,
}

impl<'a> Plot<'a> {
    fn of_sales(oversold: &Oversold<'a>) -> Self {
        let cause = Cause::of(oversold);
        let duplicate = oversold.duplicates().first();
        let explain = |sale: &&Sale<'_>| cause.attempts.contains(&sale.row.attempt);
        // Those that the cause names, the row too many, and those that had filled the slot before it.
        let mut told: Vec<_> = oversold.sales.iter().filter(explain).collect();
        told.extend(duplicate);
        told.extend(oversold.within_capacity());
        let mut seen = BTreeSet::new();
        told.retain(|sale| seen.insert(sale.row.attempt));
        told.truncate(ATTEMPTS_MAX);
        let attempts: BTreeSet<_> = oversold.sales.iter().map(|sale| sale.row.attempt).collect();
        let left_out = attempts.len().saturating_sub(told.len());

        let mut notes = BTreeMap::new();
        if let Some(write) = duplicate.and_then(|sale| sale.commit.or(sale.insert)) {
            notes.insert(write.id, event::DUPLICATE.to_owned());
        }
        if let Some(at) = cause.at {
            let note = notes.entry(at).or_default();
            *note = event::joined(note, &cause.note());
        }
        let last = told.iter().filter_map(|sale| sale.commit.or(sale.insert)).map(|op| op.id).max();
        Self { passages: told.iter().map(|sale| sale.passage).collect(), notes, last, left_out }
    }

    fn of_witness(evidence: &Evidence<'_>, anomaly: &Anomaly, passages: &'a Passages<'a>) -> Self {
        let operations = anomaly.witness.iter().filter_map(|id| evidence.history.operation(*id));
        let mut attempts: Vec<AttemptId> = operations.map(|operation| operation.attempt).collect();
        attempts.sort_unstable();
        attempts.dedup();
        let left_out = attempts.len().saturating_sub(ATTEMPTS_MAX);
        attempts.truncate(ATTEMPTS_MAX);
        let passages: Vec<_> = attempts.into_iter().map(|attempt| passages.of(attempt)).collect();
        let notes = passages.iter().flat_map(|passage| notes_on(*passage, anomaly)).collect();
        Self { passages, notes, last: None, left_out }
    }
}

/// What explains an anomaly of the lock, beside the operation where it shows.
fn notes_on(passage: Passage<'_>, anomaly: &Anomaly) -> Vec<(OperationId, String)> {
    let mut notes = Vec::new();
    let Some(hold) = Hold::last_of(passage) else { return notes };
    let shown = |step| matches!(step, Step::Insert | Step::Commit | Step::Notify | Step::Release);
    let late = passage.operations.iter().find(|op| shown(op.step) && op.invoked > hold.valid_until);
    if let Some(late) = late {
        let by = words::duration(late.invoked.saturating_since(hold.valid_until));
        notes.push((late.id, format!("its lease ended {by} before")));
    }
    let is_later_grant = anomaly.witness.iter().max() == Some(&hold.acquire.id);
    match (hold.acquire.outcome.effect(), anomaly.kind.as_str()) {
        (Some(Effect::Granted { .. }), kinds::INSIDE_VALIDITY) if is_later_grant => {
            notes.push((hold.acquire.id, "granted twice".to_owned()));
        }
        (_, kinds::TOKEN_WENT_BACK | kinds::TOKEN_REPEATED) if is_later_grant => {
            notes.push((hold.acquire.id, "not above the one before".to_owned()));
        }
        _ => {}
    }
    notes
}

fn title_of(anomaly: &Anomaly, oversold: Option<&Oversold<'_>>) -> String {
    let slot: SlotId = anomaly.slot;
    match (anomaly.kind.as_str(), oversold) {
        (_, Some(oversold)) => format!("{slot} sold {}", words::times(oversold.sales.len())),
        (kinds::INSIDE_VALIDITY, _) => format!("{slot} held by two at once"),
        (kinds::OVERRUN, _) => format!("{slot} still held after the lease had ended"),
        (kinds::TOKEN_WENT_BACK, _) => format!("fencing token of {slot} went back"),
        (kinds::TOKEN_REPEATED, _) => format!("fencing token of {slot} drawn twice"),
        (kinds::LOST_BOOKING, _) => format!("booking of {slot} lost"),
        (kinds::PHANTOM_BOOKING, _) => format!("{slot} booked by a refused attempt"),
        (kinds::PARTIAL_BOOKING, _) => format!("{slot} booked in part"),
        (kinds::DUPLICATE_EFFECT, _) => {
            format!("customers told more than once that {slot} is theirs")
        }
        (kinds::DOUBLE_WRITE, _) => format!("{slot} written twice by one attempt"),
        _ => anomaly.sentence.clone(),
    }
}
