//! Why a cell ended as it did, a line each.

use lockproof_model::{CellReport, Status};

use super::hanging;
use crate::style::{Ink, Style};

/// The reasons of all cells that have any.
pub(super) fn lines(cells: &[CellReport], style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for cell in cells {
        let (sign, ink) = match cell.judgement.status {
            Status::Met => ("·", Ink::Faint),
            Status::Inconclusive | Status::Regressed => ("?", Ink::Doubt),
            Status::Infrastructure => ("!", Ink::Doubt),
            Status::Failed => ("✘", Ink::Bad),
        };
        for reason in reasons(cell) {
            lines.extend(hanging(sign, ink, &format!("{}: {reason}", cell.strategy), style));
        }
    }
    lines
}

/// Its reasons, and its first error where that is news.
fn reasons(cell: &CellReport) -> Vec<String> {
    let mut reasons = cell.judgement.reasons.clone();
    let is_new = |error: &&String| reasons.iter().all(|reason| !reason.contains(error.as_str()));
    let error = cell.first_error.as_ref().filter(|_| cell.judgement.status != Status::Met);
    if let Some(error) = error.filter(is_new) {
        reasons.push(format!("the first error was: {error}"));
    }
    reasons
}
