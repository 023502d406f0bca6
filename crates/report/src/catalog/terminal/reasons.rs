//! Why a cell ended as it did, a line each.

use lockproof_model::{CellReport, Status};

use super::hanging;
use crate::style::{Ink, Style};
use crate::words;

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
        for reason in words::reasons(cell) {
            lines.extend(hanging(sign, ink, &format!("{}: {reason}", cell.strategy), style));
        }
    }
    lines
}
