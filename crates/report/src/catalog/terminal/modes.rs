//! Which failure modes of the catalogue the run has shown, by how many of their cells; of the others, why not.

use lockproof_model::{CellReport, FAILURE_MODES, FailureMode, Place, RunReport, Status};

use crate::style::{Ink, Style};
use crate::text::{self, Part, Separator};

/// With so many modes a run stands for the catalogue, and is asked for the rest of it.
const MANY: usize = 20;

/// Nothing, where no scenario names a failure mode, or there is but one scenario, whose head names them.
pub(super) fn lines(report: &RunReport, style: Style) -> Vec<String> {
    if report.cells.iter().all(|cell| cell.scenario == report.cells[0].scenario) {
        return Vec::new();
    }
    let counted: Vec<_> = FAILURE_MODES.iter().map(|mode| (mode, count(report, mode))).collect();
    let shown: Vec<_> = counted.iter().filter(|(_, count)| count.cells > 0).collect();
    if shown.is_empty() {
        return Vec::new();
    }
    let met = shown.iter().filter(|(_, count)| count.met == count.cells).count();
    let head = format!("failure modes: {met} of {} as expected", FAILURE_MODES.len());
    let parts: Vec<_> = shown.iter().map(|(mode, count)| part(mode, *count, style)).collect();
    let mut lines = vec![head];
    lines.extend(
        text::flow(&parts, Separator::COMMA, style.columns() - 2)
            .into_iter()
            .map(|line| format!("  {}", line.trim_start())),
    );
    if shown.len() >= MANY {
        let missing = counted.iter().filter(|(_, count)| count.cells == 0);
        for (mode, _) in missing {
            let why = match mode.place {
                Place::Simulated => "not among these scenarios".to_owned(),
                Place::Live(why) => format!("live alone: {why}"),
                Place::Nowhere(why) => why.to_owned(),
            };
            let text = format!("{} – {why}", mode.name);
            lines.extend(super::hanging(&format!("  {}", mode.id), Ink::Faint, &text, style));
        }
    }
    lines.push(String::new());
    lines
}

#[derive(Clone, Copy)]
struct Count {
    cells: usize,
    met: usize,
}

fn count(report: &RunReport, mode: &FailureMode) -> Count {
    let shows = |cell: &&CellReport| cell.catalog.iter().any(|id| id == mode.id);
    let cells = report.cells.iter().filter(shows);
    let met = cells.clone().filter(|cell| cell.judgement.status == Status::Met).count();
    Count { cells: cells.count(), met }
}

/// `F01 12`, or `F01 11/12` where one was not as expected.
fn part(mode: &FailureMode, Count { cells, met }: Count, style: Style) -> Part {
    if met == cells {
        Part::new(style, Ink::Good, &format!("{} {cells}", mode.id))
    } else {
        Part::new(style, Ink::Bad, &format!("{} {met}/{cells}", mode.id))
    }
}
