//! The last lines: how many, how they ended, where the rest is, and how to run it again.

use std::path::Path;

use lockproof_model::{RunReport, Status};

use crate::style::{Ink, Style};
use crate::text::{self, Part, Separator};

/// The end of the page.
pub(super) fn lines(report: &RunReport, directory: Option<&Path>, style: Style) -> Vec<String> {
    let mut lines = counts(report, style);
    if report.manifest.interrupted {
        lines.push(style.paint(Ink::Doubt, "interrupted: the cells after these were not run"));
    }
    if let Some(directory) = directory {
        lines.push(format!("report: {}", directory.display()));
    }
    lines.push(format!("again:  {}", report.manifest.command));
    lines
}

/// `12 scenarios, 48 cells: 45 as expected, 1 failed, 2 inconclusive`
fn counts(report: &RunReport, style: Style) -> Vec<String> {
    let cells = &report.cells;
    let scenarios = cells.chunk_by(|a, b| a.scenario == b.scenario).count();
    let scenarios = text::counted(scenarios, "scenario");
    let count = |status| cells.iter().filter(|cell| cell.judgement.status == status).count();
    let mut parts: Vec<_> = [
        (Status::Met, Ink::Good, "as expected"),
        (Status::Failed, Ink::Bad, "failed"),
        (Status::Inconclusive, Ink::Doubt, "inconclusive"),
        (Status::Regressed, Ink::Doubt, "slower than the baseline"),
        (Status::Infrastructure, Ink::Doubt, "without a server"),
    ]
    .into_iter()
    .map(|(status, ink, words)| (count(status), ink, words))
    .filter(|(count, _, _)| *count > 0)
    .map(|(count, ink, words)| Part::new(style, ink, &format!("{count} {words}")))
    .collect();

    let run = format!("{scenarios}, {}", text::counted(cells.len(), "cell"));
    let Some(first) = parts.first_mut() else { return vec![run] };
    // The first part stands after a colon, the others after commas.
    first.columns += run.chars().count() + 2;
    first.shown = format!("{run}: {}", first.shown);
    text::flow(&parts, Separator::COMMA, style.columns())
}
