//! What is said of an envelope.

use lockproof_model::{Amount, Dial, Envelope, LiveOutcome, LiveTry, Shape, Sweep, Tried};

use crate::text::counted;

/// `a pause-holder of`, before the value of a fault's length; else the field's address.
fn of(dial: &Dial) -> String {
    match &dial.fault {
        Some(fault) if dial.field.ends_with(".for") => format!("a {fault} of"),
        _ => format!("{} of", dial.field),
    }
}

/// What it was found under: `TTL 300 ms, 20 ms work`, the second field among it.
fn under(envelope: &Envelope, sweep: &Sweep) -> String {
    let mut under: Vec<String> = Vec::new();
    if let (Some(dial), Some(at)) = (&sweep.against, envelope.against) {
        under.push(format!("{} {at}", dial.field));
    }
    under.extend(sweep.under.iter().cloned());
    if under.is_empty() { String::new() } else { format!(" at {}", under.join(", ")) }
}

/// The envelope in plain words.
pub(super) fn sentence(envelope: &Envelope, sweep: &Sweep) -> String {
    let (what, under) = (of(&sweep.dial), under(envelope, sweep));
    let Dial { low, high, .. } = &sweep.dial;
    let found = match envelope.shape {
        Shape::Survives => format!("survives {what} {low} to {high}{under}: all that was tried"),
        Shape::Breaks => format!("does not survive {what} {low} to {high}{under}"),
        Shape::UpTo { survives, breaks } => {
            format!("survives {what} up to {survives}{under}, and breaks at {breaks}")
        }
        Shape::From { breaks, survives } => {
            format!("survives {what} {survives} and more{under}, and breaks at {breaks}")
        }
    };
    format!("{} {found}{}", envelope.strategy, because(envelope))
}

/// Why it breaks where it breaks first.
fn because(envelope: &Envelope) -> String {
    let at = match envelope.shape {
        Shape::Survives => None,
        Shape::Breaks => envelope.tried.first(),
        Shape::UpTo { breaks, .. } | Shape::From { breaks, .. } => point(envelope, breaks),
    };
    let why = at.and_then(|point| point.broken.as_deref());
    why.map_or_else(|| ".".to_owned(), |why| format!(": {}.", why.trim_end_matches('.')))
}

fn point(envelope: &Envelope, at: Amount) -> Option<&Tried> {
    envelope.tried.iter().find(|point| point.at == at)
}

/// What a reader should know besides: what does not fit in, what proves little, what came of it live.
pub(super) fn remarks(envelope: &Envelope) -> Vec<String> {
    let mut remarks = Vec::new();
    if !envelope.odd.is_empty() {
        let odd: Vec<_> = envelope.odd.iter().map(ToString::to_string).collect();
        let what = match envelope.shape {
            Shape::UpTo { .. } => "it survived again at",
            Shape::From { .. } | Shape::Survives | Shape::Breaks => "it broke again at",
        };
        remarks.push(format!(
            "not in one direction: {what} {}; beyond the boundary the outcome is a matter of chance",
            odd.join(", ")
        ));
    }
    let survived = match envelope.shape {
        Shape::Survives => envelope.tried.last(),
        Shape::UpTo { survives, .. } | Shape::From { survives, .. } => point(envelope, survives),
        Shape::Breaks => None,
    };
    if let Some(point) = survived.filter(|point| point.bit == 0) {
        let at = point.at;
        remarks.push(format!("no fault took effect at {at}, so surviving that proves nothing"));
    }
    remarks.extend(envelope.live.iter().map(live));
    remarks
}

fn live(LiveTry { at, outcome }: &LiveTry) -> String {
    match outcome {
        LiveOutcome::Held(bookings) => {
            let bookings = usize::try_from(*bookings).unwrap_or(usize::MAX);
            format!("live at {at}: held, {}", counted(bookings, "booking"))
        }
        LiveOutcome::Broke(0) => format!("live at {at}: broke"),
        LiveOutcome::Broke(duplicates) => {
            let duplicates = usize::try_from(*duplicates).unwrap_or(usize::MAX);
            format!("live at {at}: broke, {}", counted(duplicates, "duplicate"))
        }
        LiveOutcome::Undecided(why) => format!("live at {at}: undecided, {why}"),
    }
}

/// How fine it was looked, and how far what is said reaches.
pub(super) fn provenance(sweep: &Sweep) -> String {
    let Sweep { dial, schedules, .. } = sweep;
    let schedules = counted(usize::try_from(*schedules).unwrap_or(usize::MAX), "schedule");
    let from = |dial: &Dial| format!("{} from {} to {}", dial.field, dial.low, dial.high);
    let against = sweep.against.as_ref().map(|dial| format!(" for {}", from(dial)));
    format!(
        "{}, to {}{}; a value survives when none of {schedules} in the simulated world breaks the table.",
        from(dial),
        dial.step,
        against.unwrap_or_default()
    )
}
