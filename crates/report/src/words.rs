//! Sentences that several renderings say.

use lockproof_model::{CellReport, RunReport, Status};

use crate::text;

/// How many cells ended how: those endings that there are, the worst first.
pub(crate) fn endings(report: &RunReport) -> Vec<(Status, usize, &'static str)> {
    let count = |status| report.cells.iter().filter(|cell| cell.judgement.status == status).count();
    [
        (Status::Failed, "failed"),
        (Status::Infrastructure, "without a server"),
        (Status::Inconclusive, "inconclusive"),
        (Status::Met, "as expected"),
    ]
    .into_iter()
    .map(|(status, words)| (status, count(status), words))
    .filter(|(_, count, _)| *count > 0)
    .collect()
}

/// The verdict on the whole run in one sentence.
pub(crate) fn headline(report: &RunReport) -> String {
    let cells = report.cells.len();
    let failed = endings(report).iter().find(|(status, ..)| *status == Status::Failed).copied();
    match (report.status(), failed) {
        (_, Some((_, count, _))) => {
            format!("{count} of {} not as expected", text::counted(cells, "cell"))
        }
        (Status::Met, _) if cells == 0 => "No cell was run".to_owned(),
        (Status::Met, _) => match cells {
            1 => "The one cell is as expected".to_owned(),
            2 => "Both cells are as expected".to_owned(),
            _ => format!("All {cells} cells are as expected"),
        },
        (Status::Infrastructure, _) => "Not every server could be reached".to_owned(),
        _ => "Not everything could be decided".to_owned(),
    }
}

/// `57 scenarios, 239 cells`.
pub(crate) fn extent(report: &RunReport) -> String {
    let scenarios = report.cells.chunk_by(|a, b| a.scenario == b.scenario).count();
    format!(
        "{}, {}",
        text::counted(scenarios, "scenario"),
        text::counted(report.cells.len(), "cell")
    )
}

/// The command that shows this cell again: its replay, where there is one, else the run of its strategy alone.
///
/// A cell's seed depends on the run's, its scenario and its strategy, so leaving the others out changes nothing.
pub(crate) fn again(report: &RunReport, cell: &CellReport) -> String {
    let violation = cell.exploration.as_ref().and_then(|found| found.violation.as_ref());
    let command = &report.manifest.command;
    match violation.and_then(|violation| violation.path.as_ref()) {
        Some(path) => format!("lockproof replay {path}"),
        None if command.contains(" --strategy ") => command.clone(),
        None => format!("{command} --strategy {}", cell.strategy),
    }
}

/// Why a cell ended as it did: its reasons, and its first error where that is news.
pub(crate) fn reasons(cell: &CellReport) -> Vec<String> {
    let mut reasons = cell.judgement.reasons.clone();
    let is_new = |error: &&String| reasons.iter().all(|reason| !reason.contains(error.as_str()));
    let error = cell.first_error.as_ref().filter(|_| cell.judgement.status != Status::Met);
    if let Some(error) = error.filter(is_new) {
        reasons.push(format!("the first error was: {error}"));
    }
    reasons
}

/// What `[expect]` says.
pub(crate) fn expectation(cell: &CellReport) -> String {
    cell.expectation.map_or_else(|| "nothing".to_owned(), |expected| expected.to_string())
}

/// A story's lines as plain text.
pub(crate) fn told(cell: &CellReport) -> Vec<String> {
    let lines = cell.stories.first().map(|story| story.lines.as_slice()).unwrap_or_default();
    lines.iter().map(|line| format!("{}  {}  {}", line.at, line.who, line.what)).collect()
}
