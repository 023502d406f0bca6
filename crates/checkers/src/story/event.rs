//! What happened to whom, as single events.

use lockproof_model::{
    Effect, FaultRecord, HolderId, Instant, Operation, Outcome, Reason, SlotId, Step,
};

use super::Plot;
use crate::hold::Hold;
use crate::passage::{Passage, end_of};
use crate::words;

/// The note beside a row that should not have been.
pub(super) const DUPLICATE: &str = "duplicate";

/// Link-wide faults can be many; so many are named.
const LINK_FAULTS_MAX: usize = 3;

/// An error of a driver can be a paragraph.
const ERROR_CHARS_MAX: usize = 40;

/// Something that happened to one party at one time.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: Instant,
    pub(super) who: String,
    pub(super) what: String,
    pub(super) kind: Kind,
    pub(super) note: Option<String>,
}

/// How an event joins the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Step(Step),
    /// A grant whose end matters: it deserves a line of its own.
    BoundedGrant,
    Fault,
}

/// The events of a plot in the order of time.
pub(super) fn all_of(plot: &Plot<'_>, faults: &[FaultRecord], slot: SlotId) -> Vec<Event> {
    let mut operations: Vec<_> = plot.passages.iter().flat_map(|p| p.operations).copied().collect();
    operations.sort_by_key(|operation| operation.id);
    if let Some(last) = plot.last {
        operations.retain(|operation| operation.id <= last);
    }
    let mut events: Vec<_> = plot.passages.iter().flat_map(|p| steps_of(*p, plot)).collect();
    if let (Some(first), Some(last)) = (operations.first(), operations.last()) {
        let window = first.invoked..=end_of(last);
        let mut links = 0;
        events.extend(faults.iter().filter(|fault| hits(fault, plot, slot, &window)).filter_map(
            |fault| {
                links += usize::from(fault.holder.is_none());
                (fault.holder.is_some() || links <= LINK_FAULTS_MAX).then(|| of_fault(fault))
            },
        ));
    }
    // Stable, and a fault after the step at which it fired.
    events.sort_by_key(|event| (event.at, event.kind == Kind::Fault));
    events
}

/// Two notes on one step.
pub(super) fn joined(first: &str, second: &str) -> String {
    match (first, second) {
        ("", only) | (only, "") => only.to_owned(),
        _ => format!("{first}: {second}"),
    }
}

fn steps_of(passage: Passage<'_>, plot: &Plot<'_>) -> Vec<Event> {
    let holds: Vec<_> = Hold::all_of(passage).collect();
    let told = passage.operations.iter().filter(|op| plot.last.is_none_or(|last| op.id <= last));
    told.filter_map(|operation| {
        let hold = holds.iter().find(|hold| hold.acquire.id == operation.id);
        let bounded = hold.filter(|hold| hold.valid_until < end_of(hold.last));
        let mut what = describe(operation)?;
        if let Some(hold) = bounded {
            what = format!("{what}, lease to {}", hold.valid_until);
        }
        let kind = if bounded.is_some() { Kind::BoundedGrant } else { Kind::Step(operation.step) };
        // What a holder learns counts from the answer; what it does, from the request.
        let is_learned =
            matches!(operation.step, Step::Acquire | Step::Renew | Step::Verify | Step::Check);
        let at = if is_learned { end_of(operation) } else { operation.invoked };
        let note = plot.notes.get(&operation.id).cloned();
        Some(Event { at, who: operation.holder.to_string(), what, kind, note })
    })
    .collect()
}

/// What a step came to; nothing for those that say nothing.
fn describe(operation: &Operation) -> Option<String> {
    let step = operation.step;
    let effect = match &operation.outcome {
        Outcome::Ok(effect) => effect,
        Outcome::Fail(reason) => return Some(format!("{step}: {}", say(reason))),
        Outcome::Info(reason) => return Some(format!("{step}: nobody knows ({})", say(reason))),
    };
    match effect {
        Effect::Granted { fencing_token: Some(token), .. } => Some(format!("acquire ok, {token}")),
        Effect::Granted { .. } => Some("acquire ok".to_owned()),
        Effect::Renewed { valid_until } => Some(format!("renew: to {valid_until}")),
        Effect::Verified { remaining } => {
            Some(format!("verify: {} left", words::duration(*remaining)))
        }
        Effect::Checked { free: true, confirmed: 0 } => Some("check: free".to_owned()),
        Effect::Checked { free: true, confirmed } => Some(format!("check: free, {confirmed} sold")),
        Effect::Checked { free: false, .. } => Some("check: taken".to_owned()),
        Effect::Repeated { .. } => Some("check: booked before".to_owned()),
        Effect::Inserted { .. } | Effect::Committed { .. } => Some(step.to_string()),
        Effect::Released { owned: true } => Some("release".to_owned()),
        Effect::Released { owned: false } => Some("release: no longer its own".to_owned()),
        Effect::Done => {
            matches!(step, Step::Insert | Step::Commit | Step::Notify).then(|| step.to_string())
        }
    }
}

fn say(reason: &Reason) -> String {
    match reason {
        Reason::Refused(refusal) => refusal.word().to_owned(),
        Reason::Unanswered => "no answer".to_owned(),
        Reason::Error(error) if error.chars().count() <= ERROR_CHARS_MAX => error.clone(),
        Reason::Error(error) => {
            let start: String = error.chars().take(ERROR_CHARS_MAX).collect();
            format!("{start}…")
        }
    }
}

/// Whether a fault belongs to the story: it took effect, in its time, on one of its holders or on a link.
fn hits(
    fault: &FaultRecord,
    plot: &Plot<'_>,
    slot: SlotId,
    window: &std::ops::RangeInclusive<Instant>,
) -> bool {
    let is_party = |holder: HolderId| {
        let operations = plot.passages.iter().flat_map(|p| p.operations);
        operations.into_iter().any(|operation| operation.holder == holder)
    };
    let overlaps = fault.injected <= *window.end()
        && fault.healed.is_none_or(|healed| healed >= *window.start());
    fault.bit
        && overlaps
        && fault.holder.is_none_or(is_party)
        && fault.slot.is_none_or(|hit| hit == slot)
}

fn of_fault(fault: &FaultRecord) -> Event {
    let FaultRecord { fault: number, kind, injected, healed, holder, .. } = fault;
    let did = match kind.split_once('-').map_or(kind.as_str(), |(verb, _)| verb) {
        "pause" => "paused",
        "kill" => "killed",
        "restart" => "restarted",
        _ => kind,
    };
    let took = healed.map_or(String::new(), |healed| {
        format!(" {}", words::duration(healed.saturating_since(*injected)))
    });
    // A fault on a link or a server names its kind in full, since nobody else says what was hit.
    let what = match holder {
        Some(_) => format!("░░ {did}{took} (fault {number})"),
        None => format!("░░ {kind}{took} (fault {number})"),
    };
    let who = holder.map_or_else(|| "–".to_owned(), |holder| holder.to_string());
    Event { at: *injected, who, what, kind: Kind::Fault, note: None }
}
