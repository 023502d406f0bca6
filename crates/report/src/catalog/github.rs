//! GitHub's annotations: a workflow command for each cell that is not as expected, which the job shows beside the
//! scenario's file.

use std::io;

use lockproof_model::{CellReport, RunReport, Status};

use super::RenderingEntry;
use crate::{Rendering, verdict, words};

/// GitHub shows ten of each level from a step, and drops the rest without a word.
const SHOWN: usize = 10;

pub(super) const ENTRY: RenderingEntry = RenderingEntry {
    name: "github",
    summary: "annotations of GitHub's workflows: what is not as expected, and how to see it again",
    build: |_| Box::new(GitHub),
};

#[derive(Debug)]
struct GitHub;

impl Rendering for GitHub {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn render(&self, report: &RunReport, out: &mut dyn io::Write) -> io::Result<()> {
        let of = |wanted: fn(Status) -> bool| {
            report.cells.iter().filter(move |cell| wanted(cell.judgement.status)).collect()
        };
        let failed: Vec<_> = of(|status| matches!(status, Status::Failed | Status::Regressed));
        let undecided: Vec<_> =
            of(|status| matches!(status, Status::Inconclusive | Status::Infrastructure));
        for (level, cells) in [("error", failed), ("warning", undecided)] {
            // The last place is for what says that there are more.
            let shown = if cells.len() > SHOWN { SHOWN - 1 } else { SHOWN };
            for cell in cells.iter().take(shown) {
                annotate(level, report, cell, out)?;
            }
            if let Some(more @ 1..) = cells.len().checked_sub(shown) {
                let command = data(&report.manifest.command);
                writeln!(
                    out,
                    "::{level} title=lockproof::and {more} more cells; again: {command}"
                )?;
            }
        }
        Ok(())
    }
}

fn annotate(
    level: &str,
    report: &RunReport,
    cell: &CellReport,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let verdict = verdict::of(cell).words;
    let title = format!("lockproof: {} under {}: {verdict}", cell.strategy, cell.scenario);
    let mut message = words::reasons(cell);
    message.push(format!("again: {}", words::again(report, cell)));
    let source = cell.source.as_deref().map(|path| format!("file={},line=1,", property(path)));
    writeln!(
        out,
        "::{level} {}title={}::{}",
        source.unwrap_or_default(),
        property(&title),
        data(&message.join("\n"))
    )
}

/// What a command's message may not hold: a line break would end it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What the value of a property may not hold besides: what ends it and what ends them all.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_before_its_end() {
        assert_eq!(data("100 %\r\n::error::no"), "100 %25%0D%0A::error::no");
        assert_eq!(property("a,b:c%\n"), "a%2Cb%3Ac%25%0A");
    }
}
