//! A schedule as events in time: who did which step when, under what lease, and what went wrong meanwhile.
//!
//! Read from a history alone, so that text and drawing say the same.

use lockproof_model::{
    Effect, FaultRecord, History, HolderId, Instant, Operation, Outcome, Reason, Refusal, Scene,
    Step, Violation,
};

/// What broke something, wherever it comes from: a search through schedules, or a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule<'a> {
    /// Why, as a sentence.
    pub(crate) sentence: &'a str,
    pub(crate) history: &'a History,
    pub(crate) injections: &'a [FaultRecord],
}

impl<'a> From<&'a Violation> for Schedule<'a> {
    fn from(violation: &'a Violation) -> Self {
        let Violation { sentence, history, injections, .. } = violation;
        Self { sentence, history, injections }
    }
}

impl<'a> From<&'a Scene> for Schedule<'a> {
    fn from(scene: &'a Scene) -> Self {
        let Scene { sentence, history, injections, .. } = scene;
        Self { sentence, history, injections }
    }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) at: Instant,
    /// Nobody, for a fault on a server or a link.
    pub(crate) holder: Option<HolderId>,
    pub(crate) what: String,
    pub(crate) kind: Kind,
    pub(crate) subject: Subject,
    /// Until when the holder may trust its lease, while it holds one.
    pub(crate) lease: Option<Instant>,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Step(Step),
    /// The schedule's injection of that index.
    Fault(usize),
}

/// What an event is, for its sign and its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Invoked,
    Done,
    Refused,
    Unknown,
    Committed,
    Fault,
    Healed,
}

/// Everything that happened, in order.
pub(crate) fn events(schedule: Schedule<'_>) -> Vec<Event> {
    let Schedule { history, injections, .. } = schedule;
    let mut events: Vec<Event> =
        history.operations.iter().flat_map(|operation| of_operation(operation, history)).collect();
    events.extend(injections.iter().enumerate().flat_map(|(index, fault)| of_fault(index, fault)));
    // Stable, and a holder's own come in its order; faults come after the steps of their instant …
    events.sort_by_key(|event| event.at);
    // … but a holder that goes on was let go on before.
    for index in 0..events.len() {
        if events[index].kind == Kind::Healed {
            let (at, holder) = (events[index].at, events[index].holder);
            let goes_on = |event: &Event| {
                event.at == at && event.holder == holder && event.kind == Kind::Invoked
            };
            if let Some(place) = events[..index].iter().position(goes_on) {
                events[place..=index].rotate_right(1);
            }
        }
    }
    events
}

/// The holders that did anything, by number.
pub(crate) fn holders(schedule: Schedule<'_>) -> Vec<HolderId> {
    let mut holders: Vec<_> = schedule.history.operations.iter().map(|op| op.holder).collect();
    holders.sort_unstable();
    holders.dedup();
    holders
}

/// The lease that `operation`'s holder had at `at`, as far as it knew: from its grant to the end of its release.
fn lease_at(history: &History, operation: &Operation, at: Instant) -> Option<Instant> {
    // Not of what it did later, though at the same instant.
    let mine = history
        .operations
        .iter()
        .filter(|other| other.holder == operation.holder && other.id <= operation.id);
    let mut lease = None;
    for operation in mine {
        if operation.completed.is_none_or(|completed| completed > at) {
            break;
        }
        match (&operation.outcome, operation.step) {
            (Outcome::Ok(Effect::Granted { valid_until, .. }), _) => lease = Some(*valid_until),
            (_, Step::Release) => lease = None,
            _ => {}
        }
    }
    lease
}

fn of_operation(operation: &Operation, history: &History) -> Vec<Event> {
    let Operation { holder, step, slot, .. } = operation;
    let event = |at, what: String, kind| Event {
        at,
        holder: Some(*holder),
        what,
        kind,
        subject: Subject::Step(*step),
        lease: lease_at(history, operation, at),
    };
    let slot = if *step == Step::Acquire { format!(" for {slot}") } else { String::new() };
    let begun = event(operation.invoked, format!("{step}{slot} …"), Kind::Invoked);
    let ended = match operation.completed {
        Some(at) => {
            let (what, kind) = outcome(operation);
            event(at, format!("{step}: {what}"), kind)
        }
        None => event(operation.invoked, format!("{step}: never answered"), Kind::Unknown),
    };
    vec![begun, ended]
}

fn outcome(operation: &Operation) -> (String, Kind) {
    let done = |text: String| (text, Kind::Done);
    match &operation.outcome {
        Outcome::Ok(Effect::Granted { valid_until, fencing_token, .. }) => {
            let token = fencing_token.map(|token| format!(", {token}")).unwrap_or_default();
            match *valid_until {
                Instant::FAR_FUTURE => done(format!("granted{token}")),
                until => done(format!("granted, trusted until {}{token}", millis(until))),
            }
        }
        Outcome::Ok(Effect::Checked { free: true, .. }) => done("free".to_owned()),
        Outcome::Ok(Effect::Checked { .. }) => ("sold out".to_owned(), Kind::Refused),
        Outcome::Ok(Effect::Released { owned: false }) => {
            done("was not the holder's any more".to_owned())
        }
        Outcome::Ok(Effect::Repeated { booking }) => done(format!("{booking} stands already")),
        Outcome::Ok(Effect::Committed { booking }) => {
            (format!("{booking} stands"), Kind::Committed)
        }
        Outcome::Ok(_) => done("done".to_owned()),
        Outcome::Fail(Reason::Refused(refusal)) => (refused(*refusal), Kind::Refused),
        Outcome::Fail(Reason::Error(error)) => (error.clone(), Kind::Refused),
        Outcome::Fail(Reason::Unanswered) => ("did not happen".to_owned(), Kind::Refused),
        Outcome::Info(Reason::Error(error)) => (format!("nobody knows: {error}"), Kind::Unknown),
        Outcome::Info(_) => ("nobody knows".to_owned(), Kind::Unknown),
    }
}

fn refused(refusal: Refusal) -> String {
    match refusal {
        Refusal::Held => "held by another".to_owned(),
        other => format!("refused, {}", other.word()),
    }
}

fn of_fault(index: usize, record: &FaultRecord) -> Vec<Event> {
    let (holder, subject) = (record.holder, Subject::Fault(index));
    let event = |at, what, kind| Event { at, holder, what, kind, subject, lease: None };
    let begun = event(record.injected, format!("fault: {}", record.kind), Kind::Fault);
    let healed = record.healed.filter(|&healed| healed > record.injected);
    let observed = if record.observed.is_empty() { "over" } else { record.observed.as_str() };
    let over =
        healed.map(|at| event(at, format!("{} over: {observed}", record.kind), Kind::Healed));
    let at_once = healed.is_none() && !record.observed.is_empty();
    let begun = if at_once {
        Event { what: format!("{}: {observed}", begun.what), ..begun }
    } else {
        begun
    };
    std::iter::once(begun).chain(over).collect()
}

/// `12.345 ms`, the resolution at which locks race.
pub(crate) fn millis(at: Instant) -> String {
    let micros = at.since_start().as_micros();
    format!("{}.{:03} ms", micros / 1000, micros % 1000)
}

/// Whether an operation is part of the proof.
pub(crate) fn is_last_commit(event: &Event, events: &[Event]) -> bool {
    let last = events.iter().rfind(|other| other.kind == Kind::Committed);
    let is_it = |last: &Event| (last.at, last.holder) == (event.at, event.holder);
    event.kind == Kind::Committed && last.is_some_and(is_it)
}
