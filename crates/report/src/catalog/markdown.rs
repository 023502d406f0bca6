//! `summary.md`: what a pull request or the summary of a job shows.

use std::io::{self, Write};

use lockproof_model::{CellReport, RunReport, Status};

use super::RenderingEntry;
use crate::{Rendering, text, verdict, words};

pub(super) const ENTRY: RenderingEntry = RenderingEntry {
    name: "markdown",
    summary: "a page for a pull request or a job's summary",
    build: |_| Box::new(Markdown),
};

/// Details are left out beyond this: a job's summary may have 1 MiB, and other steps have theirs.
const DETAILS_MAX: usize = 256 * 1024;

#[derive(Debug)]
struct Markdown;

impl Rendering for Markdown {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn render(&self, report: &RunReport, out: &mut dyn Write) -> io::Result<()> {
        let sign = if report.status() == Status::Met { "✅" } else { "❌" };
        writeln!(out, "## {sign} Lockproof: {}\n", words::headline(report))?;
        let endings = words::endings(report).into_iter();
        let endings: Vec<_> = endings.map(|(_, count, words)| format!("{count} {words}")).collect();
        writeln!(out, "{}: {}.\n", words::extent(report), endings.join(", "))?;
        if report.manifest.interrupted {
            writeln!(out, "**Interrupted**: the cells after these were not run.\n")?;
        }
        writeln!(out, "Again: {}\n", code(&report.manifest.command))?;
        let unmet: Vec<_> =
            report.cells.iter().filter(|cell| cell.judgement.status != Status::Met).collect();
        if !unmet.is_empty() {
            writeln!(out, "### Not as expected\n")?;
            table(&unmet, true, out)?;
            unmet.iter().try_for_each(|cell| reasons(report, cell, out))?;
            writeln!(out)?;
        }
        details(report, out)
    }
}

/// Every scenario, folded.
fn details(report: &RunReport, out: &mut dyn Write) -> io::Result<()> {
    let mut details = Vec::new();
    let mut left_out = 0_usize;
    for cells in report.cells.chunk_by(|a, b| a.scenario == b.scenario) {
        if details.len() > DETAILS_MAX {
            left_out += 1;
            continue;
        }
        scenario(report, cells, &mut details)?;
    }
    out.write_all(&details)?;
    if left_out > 0 {
        let scenarios = text::counted(left_out, "scenario");
        writeln!(out, "{scenarios} more in the report's directory.")?;
    }
    Ok(())
}

fn scenario(report: &RunReport, cells: &[CellReport], out: &mut dyn Write) -> io::Result<()> {
    let first = &cells[0];
    let unmet = cells.iter().filter(|cell| cell.judgement.status != Status::Met).count();
    let sign = if unmet == 0 { "✅" } else { "❌" };
    let (name, title) = (html(&first.scenario), html(&first.title));
    writeln!(
        out,
        "<details><summary>{sign} <b>{name}</b> · {title} · {} of {} as expected</summary>\n",
        cells.len() - unmet,
        cells.len()
    )?;
    table(&cells.iter().collect::<Vec<_>>(), false, out)?;
    writeln!(out)?;
    for cell in cells.iter().filter(|cell| !cell.stories.is_empty()) {
        let title = &cell.stories[0].title;
        writeln!(out, "{} under {}:\n", markup(title), code(&cell.strategy))?;
        writeln!(out, "```text\n{}\n```\n", words::told(cell).join("\n").replace("```", "'''"))?;
        writeln!(out, "{}\n", code(&words::again(report, cell)))?;
    }
    writeln!(out, "</details>\n")
}

fn table(cells: &[&CellReport], names_scenario: bool, out: &mut dyn Write) -> io::Result<()> {
    let (head, rule) = if names_scenario { ("| scenario ", "|---") } else { ("", "") };
    writeln!(
        out,
        "{head}| strategy | verdict | expected | bookings | duplicates | acquire p50 | p99 | faults bit |"
    )?;
    writeln!(out, "{rule}|---|---|---|--:|--:|--:|--:|--:|")?;
    for cell in cells {
        let scenario =
            if names_scenario { format!("| {} ", code(&cell.scenario)) } else { String::new() };
        let latency = |of: fn(&lockproof_model::PercentilesUs) -> f64| {
            cell.acquire.as_ref().map_or_else(|| "–".to_owned(), |acquire| text::time(of(acquire)))
        };
        let bit: u32 = cell.faults.iter().map(|fault| fault.bit).sum();
        let injected: u32 = cell.faults.iter().map(|fault| fault.injected).sum();
        writeln!(
            out,
            "{scenario}| {} | {} | {} | {} | {} | {} | {} | {bit}/{injected} |",
            code(&cell.strategy),
            markup(&verdict::of(cell).text),
            markup(&words::expectation(cell)),
            cell.bookings,
            cell.duplicates,
            latency(|of| of.p50_us),
            latency(|of| of.p99_us)
        )?;
    }
    Ok(())
}

fn reasons(report: &RunReport, cell: &CellReport, out: &mut dyn Write) -> io::Result<()> {
    let (strategy, scenario) = (code(&cell.strategy), code(&cell.scenario));
    let reasons: Vec<_> = words::reasons(cell).iter().map(|reason| markup(reason)).collect();
    writeln!(out, "\n- {strategy} under {scenario}: {}", reasons.join("; "))?;
    writeln!(out, "  {}", code(&words::again(report, cell)))
}

/// As code, whatever it holds; a row of a table ends at a bar even there.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|").replace(['\r', '\n'], " "))
}

/// What a page would take for markup.
fn markup(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' | '@' => plain.extend(['\\', sign]),
            '<' => plain.push_str("&lt;"),
            '&' => plain.push_str("&amp;"),
            '\r' | '\n' => plain.push(' '),
            sign => plain.push(sign),
        }
    }
    plain
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_written_is_no_markup() {
        assert_eq!(markup("a|b <img> [x](y)\n# @all"), "a\\|b &lt;img> \\[x\\](y) \\# \\@all");
        assert_eq!(code("a`b|c\nd"), "`a'b\\|c d`");
    }
}
