//! A cell's verdict in two or three words.

use std::time::Duration;

use lockproof_model::{CellReport, Expectation, FaultRecord, Layer, Status, Verdict};

use crate::style::Ink;

/// The words and what their colour says.
pub(crate) struct Words {
    pub(crate) sign: char,
    pub(crate) words: String,
    /// Both.
    pub(crate) text: String,
    pub(crate) ink: Ink,
}

/// The verdict on `cell`.
pub(crate) fn of(cell: &CellReport) -> Words {
    let (sign, ink, words) = match cell.judgement.status {
        Status::Infrastructure => ('!', Ink::Doubt, "no server".to_owned()),
        Status::Inconclusive => ('?', Ink::Doubt, "inconclusive".to_owned()),
        Status::Regressed => ('?', Ink::Doubt, "slower".to_owned()),
        Status::Failed => ('✘', Ink::Bad, failure(cell).to_owned()),
        Status::Met => match cell.expectation {
            Some(Expectation::Shows(kind)) => ('✘', Ink::Faint, kind.replace('-', " ")),
            _ if cell.duplicates == 0 => ('✔', Ink::Good, safety(cell)),
            Some(Expectation::Duplicates) => ('✘', Ink::Faint, "as expected".to_owned()),
            _ => ('✘', Ink::Doubt, "sold twice".to_owned()),
        },
    };
    Words { sign, text: format!("{sign} {words}"), words, ink }
}

fn failure(cell: &CellReport) -> &'static str {
    if cell.duplicates > 0 {
        return "sold twice";
    }
    match cell.expectation {
        Some(Expectation::Duplicates) => return "not sold twice",
        Some(Expectation::Blocked(_)) if !violates_effect(cell) => return "not blocked",
        Some(Expectation::Shows(_)) if !violates_effect(cell) => return "not shown",
        _ => {}
    }
    let broken = cell
        .findings
        .iter()
        .filter(|finding| finding.layer == Layer::Effect && finding.verdict == Verdict::Violated);
    let kind = broken.flat_map(|finding| &finding.anomalies).map(|a| a.kind.as_str()).next();
    match kind {
        Some("lost-booking") => "booking lost",
        Some("phantom-booking") => "phantom booking",
        Some("double-write") => "written twice",
        _ => "not as expected",
    }
}

fn violates_effect(cell: &CellReport) -> bool {
    cell.layers.effect == Verdict::Violated
}

/// What kept the table right, as far as the figures show it.
pub(crate) fn safety(cell: &CellReport) -> String {
    let refused = cell.refused_by_guard;
    if cell.expectation == Some(Expectation::NoBookings) {
        "no bookings".to_owned()
    } else if refused > 0 && cell.strategy.contains("fencing") {
        format!("fenced {refused}")
    } else if refused > 0 {
        format!("guard refused {refused}")
    } else if matches!(cell.expectation, Some(Expectation::Blocked(_))) || is_blocked(cell) {
        "blocked".to_owned()
    } else {
        "no duplicate".to_owned()
    }
}

/// Whether the others waited for a holder that a fault had stopped: nothing was committed for about as long
/// as the longest such fault lasted.
fn is_blocked(cell: &CellReport) -> bool {
    let stopped = |fault: &FaultRecord| {
        let healed = fault.healed.filter(|_| fault.bit && fault.holder.is_some());
        healed.map(|healed| healed.saturating_since(fault.injected))
    };
    let longest = cell.injections.iter().filter_map(stopped).max().unwrap_or_default();
    longest > Duration::ZERO && cell.longest_gap >= longest.mul_f64(0.8)
}
