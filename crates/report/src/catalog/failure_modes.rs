//! A page about the failure modes: which strategies each breaks, which it does not, and why.
//!
//! `docs/failure-modes.md` is this rendering of a search through the shipped scenarios.

use std::fmt::Write as _;
use std::io;

use lockproof_model::{FAILURE_MODES, FailureMode, Place, RunReport};

use super::RenderingEntry;
use crate::Rendering;

mod outcome;
mod words;

use outcome::Outcomes;

pub(super) const ENTRY: RenderingEntry = RenderingEntry {
    name: "failure-modes",
    summary: "a page in Markdown: each failure mode, the strategies that it breaks and those that it does not, and why",
    build: |_| Box::new(FailureModes),
};

#[derive(Debug)]
struct FailureModes;

impl Rendering for FailureModes {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn render(&self, report: &RunReport, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(page(report).as_bytes())
    }
}

fn page(report: &RunReport) -> String {
    let rows: Vec<_> = FAILURE_MODES.iter().map(|mode| (mode, rows(report, mode))).collect();
    let shown = rows.iter().filter(|(_, rows)| !rows.is_empty()).count();
    let mut page = format!(
        "# Failure modes\n\n\
         Made by `{command} --format failure-modes`; do not edit.\n\n\
         {shown} of {all} failure modes, each as a scenario under strategies that it breaks and strategies that it does not. \
         A strategy stands where this run has seen it. What a search found nothing in is no proof: a mode breaks more than \
         the strategies that its scenario names.\n\n\
         | mode | scenario | breaks | does not break |\n|---|---|---|---|\n",
        command = report.manifest.command,
        all = FAILURE_MODES.len(),
    );
    for (mode, rows) in &rows {
        for row in rows {
            let (id, name) = (mode.id, mode.name);
            let Row { scenario, outcomes } = row;
            let (broken, kept) = (outcomes.broken(), outcomes.kept());
            let _ = writeln!(page, "| **{id}** {name} | {scenario} | {broken} | {kept} |");
        }
    }
    let absent = rows.iter().filter(|(_, rows)| rows.is_empty());
    let mut absent = absent.map(|(mode, _)| elsewhere(mode)).peekable();
    if absent.peek().is_some() {
        page.push_str("\n## Not shown here\n\n| mode | why |\n|---|---|\n");
        page.extend(absent);
    }
    page
}

/// A scenario that shows a mode, and what it came to.
struct Row<'a> {
    scenario: &'a str,
    outcomes: Outcomes<'a>,
}

fn rows<'a>(report: &'a RunReport, mode: &FailureMode) -> Vec<Row<'a>> {
    let cells = report.cells.iter().filter(|cell| cell.catalog.iter().any(|id| id == mode.id));
    let mut rows: Vec<Row<'a>> = Vec::new();
    for cell in cells {
        match rows.last_mut().filter(|row| row.scenario == cell.scenario) {
            Some(row) => row.outcomes.add(cell),
            None => {
                let outcomes = Outcomes::of(cell);
                rows.push(Row { scenario: &cell.scenario, outcomes });
            }
        }
    }
    rows
}

fn elsewhere(mode: &FailureMode) -> String {
    let why = match mode.place {
        Place::Simulated => "no scenario of this run shows it".to_owned(),
        Place::Live(why) => format!("on real servers alone: {why}"),
        Place::Nowhere(why) => why.to_owned(),
    };
    format!("| **{}** {} | {why} |\n", mode.id, mode.name)
}
