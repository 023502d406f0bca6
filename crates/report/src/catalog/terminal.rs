//! The report as a person reads it: per scenario a table, the reasons, and how it happened.

use std::io;
use std::path::PathBuf;

use lockproof_model::{CellReport, RunReport};

use super::{RenderingEntry, Settings};
use crate::style::{Ink, Style};
use crate::{Rendering, text};

mod answered;
mod explored;
mod head;
mod modes;
mod open_loop;
mod reasons;
mod schedules;
mod stories;
mod summary;
mod table;

pub(super) use crate::verdict::safety;

pub(super) const ENTRY: RenderingEntry = RenderingEntry {
    name: "text",
    summary: "a table per scenario, why, and how it happened",
    build: |settings| Box::new(Terminal::new(settings)),
};

#[derive(Debug)]
struct Terminal {
    style: Style,
    directory: Option<PathBuf>,
}

impl Terminal {
    fn new(settings: &Settings) -> Self {
        let Settings { style, directory } = settings.clone();
        Self { style, directory }
    }

    fn lines(&self, report: &RunReport) -> Vec<String> {
        let style = self.style;
        let mut lines = Vec::new();
        for cells in report.cells.chunk_by(|a, b| a.scenario == b.scenario) {
            lines.extend(scenario(cells, report.manifest.seed, style));
            // Parts of a scenario have one blank line between them, scenarios two.
            lines.extend([String::new(), String::new()]);
        }
        lines.extend(modes::lines(report, style));
        lines.extend(summary::lines(report, self.directory.as_deref(), style));
        lines
    }
}

impl Rendering for Terminal {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn render(&self, report: &RunReport, out: &mut dyn io::Write) -> io::Result<()> {
        for line in self.lines(report) {
            let line = line.trim_end();
            if self.style.unicode {
                writeln!(out, "{line}")?;
            } else {
                writeln!(out, "{}", text::ascii(line))?;
            }
        }
        Ok(())
    }
}

/// The cells of one scenario.
fn scenario(cells: &[CellReport], seed: u64, style: Style) -> Vec<String> {
    let mut lines = head::lines(cells, seed, style);
    lines.push(String::new());
    // A cell that was searched and ran live as well has its row in both tables.
    let ran: Vec<_> = cells.iter().filter(|cell| cell.has_run()).cloned().collect();
    let table = if ran.is_empty() { Vec::new() } else { table::lines(&ran, style) };
    let parts = [
        explored::lines(cells, style),
        table,
        open_loop::lines(&ran, style),
        answered::lines(&ran, style),
        reasons::lines(cells, style),
        stories::lines(&ran, style),
        schedules::lines(cells, style),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    lines.extend(parts.join(&String::new()));
    lines
}

/// Text under a sign: `sign` once, then the text, broken and indented to stand beneath itself.
fn hanging(sign: &str, ink: Ink, text: &str, style: Style) -> Vec<String> {
    let indent = sign.chars().count() + 1;
    let broken = text::wrap(text, style.columns().saturating_sub(indent));
    let lines = broken.into_iter().enumerate();
    lines
        .map(|(index, line)| match index {
            0 => format!("{} {line}", style.paint(ink, sign)),
            _ => format!("{:indent$}{line}", ""),
        })
        .collect()
}
