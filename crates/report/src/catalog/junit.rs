//! `JUnit`'s XML, which every CI server reads: a scenario is a test suite, a strategy under it is a test case.
//!
//! | a cell | its test case |
//! |---|---|
//! | as expected | passes, a control that sells twice included: that is what was expected of it |
//! | not as expected | `<failure>` |
//! | without a server | `<error>` of the type `infrastructure` |
//! | inconclusive | `<error>` of the type `inconclusive` |
//!
//! Inconclusive is no `<skipped>`, which servers show as green: what could have shown nothing has not passed. It is no
//! failure either, since no expectation was broken.

use std::io::{self, Write};

use lockproof_model::{CellReport, RunReport, Status};

use super::RenderingEntry;
use crate::{Rendering, verdict, words};

pub(super) const ENTRY: RenderingEntry = RenderingEntry {
    name: "junit",
    summary: "JUnit's XML: a suite per scenario, a case per strategy",
    build: |_| Box::new(JUnit),
};

#[derive(Debug)]
struct JUnit;

impl Rendering for JUnit {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn render(&self, report: &RunReport, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(
            out,
            "<testsuites name=\"lockproof\" {} time=\"{}\">",
            counts(&report.cells),
            report.manifest.took.as_secs_f64()
        )?;
        for cells in report.cells.chunk_by(|a, b| a.scenario == b.scenario) {
            suite(report, cells, out)?;
        }
        writeln!(out, "</testsuites>")
    }
}

fn counts(cells: &[CellReport]) -> String {
    let count = |statuses: &[Status]| {
        cells.iter().filter(|cell| statuses.contains(&cell.judgement.status)).count()
    };
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\"",
        cells.len(),
        count(&[Status::Failed]),
        count(&[Status::Infrastructure, Status::Inconclusive])
    )
}

fn suite(report: &RunReport, cells: &[CellReport], out: &mut dyn Write) -> io::Result<()> {
    let time: f64 = cells.iter().map(|cell| cell.took.as_secs_f64()).sum();
    // JUnit's instants have no zone.
    let timestamp = report.manifest.started.trim_end_matches('Z');
    writeln!(
        out,
        "  <testsuite name=\"{}\" {} skipped=\"0\" time=\"{time:.3}\" timestamp=\"{}\">",
        escaped(&cells[0].scenario),
        counts(cells),
        escaped(timestamp)
    )?;
    writeln!(out, "    <properties>")?;
    let seed = format!("{:#x}", report.manifest.seed);
    for (name, value) in [
        ("title", &cells[0].title),
        ("catalog", &cells[0].catalog.join(", ")),
        ("seed", &seed),
        ("command", &report.manifest.command),
    ] {
        writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", escaped(value))?;
    }
    writeln!(out, "    </properties>")?;
    cells.iter().try_for_each(|cell| case(report, cell, out))?;
    writeln!(out, "  </testsuite>")
}

fn case(report: &RunReport, cell: &CellReport, out: &mut dyn Write) -> io::Result<()> {
    let file = cell.source.iter().map(|path| format!(" file=\"{}\"", escaped(path)));
    writeln!(
        out,
        "    <testcase name=\"{}\" classname=\"{}\"{} time=\"{:.3}\">",
        escaped(&cell.strategy),
        escaped(&cell.scenario),
        file.collect::<String>(),
        cell.took.as_secs_f64()
    )?;
    let (element, kind) = match cell.judgement.status {
        Status::Met => ("system-out", None),
        Status::Failed => ("failure", Some("not-as-expected")),
        Status::Regressed => ("failure", Some("regressed")),
        Status::Infrastructure => ("error", Some("infrastructure")),
        Status::Inconclusive => ("error", Some("inconclusive")),
    };
    let verdict = verdict::of(cell).text;
    let mut said = words::reasons(cell);
    let attributes = match kind {
        Some(kind) => {
            let message = [vec![verdict], said.clone()].concat().join("; ");
            said.extend(words::told(cell));
            said.push(format!("again: {}", words::again(report, cell)));
            format!(" type=\"{kind}\" message=\"{}\"", escaped(&message))
        }
        None => {
            said.insert(0, verdict);
            String::new()
        }
    };
    writeln!(out, "      <{element}{attributes}>{}</{element}>", escaped(&said.join("\n")))?;
    writeln!(out, "    </testcase>")
}

/// As text and as the value of an attribute, where a line break would be read as a space. What XML 1.0 has no way to
/// write becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            '\u{0}'..'\u{20}' | '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            sign => escaped.push(sign),
        }
    }
    escaped
}
