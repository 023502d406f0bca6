//! The smallest schedule that breaks a strategy: numbered, and as a picture.

use lockproof_model::{CellReport, Instant, Size, Status, Violation};

use crate::space_time::{self, Event, Kind};
use crate::style::{Ink, Style};
use crate::text;

/// Widest column of a holder in the picture.
const LANE: usize = 30;

/// The schedules that are worth showing of a scenario: every unexpected one, and the first of the expected.
pub(super) fn lines(cells: &[CellReport], style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    let mut is_example_shown = false;
    for cell in cells {
        let violation = cell.exploration.as_ref().and_then(|found| found.violation.as_ref());
        let Some(violation) = violation else { continue };
        let is_expected = cell.judgement.status == Status::Met;
        if is_expected && is_example_shown && !style.verbose {
            if let Some(path) = &violation.path {
                lines.push(String::new());
                lines.push(format!("{}: lockproof replay {path}", cell.strategy));
            }
            continue;
        }
        is_example_shown |= is_expected;
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(told(cell, violation, style));
    }
    lines
}

fn told(cell: &CellReport, violation: &Violation, style: Style) -> Vec<String> {
    let ink = if cell.judgement.status == Status::Failed { Ink::Bad } else { Ink::Doubt };
    let title = format!("{}: {}", cell.strategy, violation.sentence);
    let mut lines = super::hanging("✘", ink, &title, style);
    let found = format!(
        "found in schedule {}, seed {:#x}; from {} to {}",
        violation.schedule,
        violation.seed,
        sized(violation.before),
        sized(violation.after)
    );
    lines.extend(super::hanging(" ", Ink::Faint, &found, style));
    let events = space_time::events(violation.into());
    lines.push(String::new());
    lines.extend(numbered(&events, style));
    lines.push(String::new());
    lines.extend(picture(violation, &events, style));
    if let Some(path) = &violation.path {
        lines.push(format!("  replay: lockproof replay {path}"));
    }
    lines
}

fn sized(size: Size) -> String {
    let Size { holders, slots, bookings, faults } = size;
    let counted =
        |count: u32, noun| text::counted(usize::try_from(count).unwrap_or(usize::MAX), noun);
    format!(
        "{}, {}, {}, {}",
        counted(holders, "holder"),
        counted(slots, "slot"),
        counted(bookings, "booking"),
        counted(faults, "fault")
    )
}

/// Who did which step, when, under what lease.
fn numbered(events: &[Event], style: Style) -> Vec<String> {
    let times: Vec<_> = events.iter().map(|event| space_time::millis(event.at)).collect();
    let width = times.iter().map(String::len).max().unwrap_or(0);
    let digits = events.len().to_string().len();
    let mut lines = Vec::new();
    for (index, (event, time)) in events.iter().zip(&times).enumerate() {
        let who = event.holder.map_or_else(|| "–".to_owned(), |holder| holder.to_string());
        let lease = lease(event);
        let mark = if space_time::is_last_commit(event, events) { "  ←" } else { "" };
        let what = format!("{}{lease}{mark}", event.what);
        let indent = 2 + digits + 2 + width + 2 + 10 + 2;
        for (line, what) in
            text::wrap(&what, style.columns().saturating_sub(indent)).iter().enumerate()
        {
            let what = style.paint(ink(event.kind), what);
            lines.push(if line == 0 {
                format!("  {:>digits$}  {time:>width$}  {who:<10}  {what}", index + 1)
            } else {
                format!("{:indent$}{what}", "")
            });
        }
    }
    lines
}

/// What is left of the lease, or how long ago it ended.
fn lease(event: &Event) -> String {
    match event.lease {
        None | Some(Instant::FAR_FUTURE) => String::new(),
        Some(until) if until >= event.at => {
            format!(
                "   lease {} more",
                text::time(until.saturating_since(event.at).as_secs_f64() * 1e6)
            )
        }
        Some(until) => {
            format!(
                "   lease ended {} ago",
                text::time(event.at.saturating_since(until).as_secs_f64() * 1e6)
            )
        }
    }
}

/// Holders as columns, time downwards.
fn picture(violation: &Violation, events: &[Event], style: Style) -> Vec<String> {
    let holders = space_time::holders(violation.into());
    let room = style.columns().saturating_sub(14) / holders.len().max(1);
    let lane = LANE.min(room.max(12));
    let mut header = format!("{:12}", "");
    for holder in &holders {
        header.push_str(&padded(&holder.to_string(), lane));
    }
    let mut lines = vec![style.paint(Ink::Faint, header.trim_end())];
    for event in events.iter().filter(|event| event.kind != Kind::Invoked) {
        let time = space_time::millis(event.at);
        let mut line = format!("{time:>11} ");
        let place =
            event.holder.and_then(|holder| holders.iter().position(|&known| known == holder));
        for (index, holder) in holders.iter().enumerate() {
            let paused = is_faulty(violation, *holder, event.at);
            let rail = if paused { '░' } else { '│' };
            let cell = if place == Some(index) {
                let sign = sign(event.kind);
                short(&format!("{sign} {}", event.what), lane - 1)
            } else {
                rail.to_string()
            };
            line.push_str(&padded(&cell, lane));
        }
        if place.is_none() {
            line.push_str(&event.what);
        }
        lines.push(style.paint(ink(event.kind), line.trim_end()));
    }
    lines
}

/// Whether a fault of its own stops the holder now.
fn is_faulty(violation: &Violation, holder: lockproof_model::HolderId, at: Instant) -> bool {
    violation.injections.iter().any(|record| {
        record.holder == Some(holder)
            && record.injected <= at
            && record.healed.is_none_or(|healed| at < healed)
    })
}

const fn sign(kind: Kind) -> char {
    match kind {
        Kind::Invoked | Kind::Done => '├',
        Kind::Refused => '✘',
        Kind::Unknown => '?',
        Kind::Committed => '●',
        Kind::Fault | Kind::Healed => '░',
    }
}

const fn ink(kind: Kind) -> Ink {
    match kind {
        Kind::Invoked => Ink::Faint,
        Kind::Done | Kind::Refused => Ink::Plain,
        Kind::Committed => Ink::Heading,
        Kind::Unknown | Kind::Fault | Kind::Healed => Ink::Doubt,
    }
}

fn padded(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

fn short(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(std::iter::once('…')).collect()
}
