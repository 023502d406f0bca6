//! Cells and their percentiles as rows: RFC 4180, for spreadsheets and data frames.

use std::io;

use lockproof_model::{CellReport, PercentilesUs, RunReport, Status};

use super::RenderingEntry;
use crate::{Rendering, words};

pub(super) const ENTRY: RenderingEntry = RenderingEntry {
    name: "csv",
    summary: "a row per cell, with its counts and percentiles",
    build: |_| Box::new(Csv),
};

#[derive(Debug)]
struct Csv;

impl Rendering for Csv {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn render(&self, report: &RunReport, out: &mut dyn io::Write) -> io::Result<()> {
        let header = COLUMNS.iter().map(|(name, _)| (*name).to_owned());
        write(header.collect(), out)?;
        report
            .cells
            .iter()
            .try_for_each(|cell| write(COLUMNS.iter().map(|(_, value)| value(cell)).collect(), out))
    }
}

type Column = (&'static str, fn(&CellReport) -> String);

/// In this order. New ones come last, so that what reads them by number goes on.
const COLUMNS: &[Column] = &[
    ("scenario", |cell| guarded(&cell.scenario)),
    ("strategy", |cell| guarded(&cell.strategy)),
    ("expectation", |cell| guarded(&words::expectation(cell))),
    ("status", |cell| status(cell.judgement.status).to_owned()),
    ("attempts", |cell| cell.attempts.to_string()),
    ("bookings", |cell| cell.bookings.to_string()),
    ("duplicates", |cell| cell.duplicates.to_string()),
    ("refused_by_lock", |cell| cell.refused_by_lock.to_string()),
    ("refused_by_check", |cell| cell.refused_by_check.to_string()),
    ("refused_by_guard", |cell| cell.refused_by_guard.to_string()),
    ("failed", |cell| cell.failed.to_string()),
    ("unknown", |cell| cell.unknown.to_string()),
    ("faults_injected", |cell| {
        cell.faults.iter().map(|fault| fault.injected).sum::<u32>().to_string()
    }),
    ("faults_bit", |cell| cell.faults.iter().map(|fault| fault.bit).sum::<u32>().to_string()),
    ("took_ns", |cell| cell.took.as_nanos().to_string()),
    ("longest_gap_ns", |cell| cell.longest_gap.as_nanos().to_string()),
    ("backlog", |cell| cell.backlog.to_string()),
    ("offered_per_s", |cell| cell.offered_per_s.map(|rate| rate.to_string()).unwrap_or_default()),
    ("acquire_count", |cell| count(cell.acquire)),
    ("acquire_p50_us", |cell| figure(cell.acquire, |of| of.p50_us)),
    ("acquire_p99_us", |cell| figure(cell.acquire, |of| of.p99_us)),
    ("acquire_p999_us", |cell| figure(cell.acquire, |of| of.p999_us)),
    ("acquire_max_us", |cell| figure(cell.acquire, |of| of.max_us)),
    ("response_count", |cell| count(cell.response)),
    ("response_p50_us", |cell| figure(cell.response, |of| of.p50_us)),
    ("response_p99_us", |cell| figure(cell.response, |of| of.p99_us)),
    ("response_p999_us", |cell| figure(cell.response, |of| of.p999_us)),
    ("response_max_us", |cell| figure(cell.response, |of| of.max_us)),
    ("service_count", |cell| count(cell.service)),
    ("service_p50_us", |cell| figure(cell.service, |of| of.p50_us)),
    ("service_p99_us", |cell| figure(cell.service, |of| of.p99_us)),
    ("service_p999_us", |cell| figure(cell.service, |of| of.p999_us)),
    ("service_max_us", |cell| figure(cell.service, |of| of.max_us)),
    ("schedules", |cell| {
        cell.exploration.as_ref().map(|found| found.schedules.to_string()).unwrap_or_default()
    }),
    ("reasons", |cell| guarded(&words::reasons(cell).join("; "))),
];

const fn status(status: Status) -> &'static str {
    match status {
        Status::Met => "met",
        Status::Regressed => "regressed",
        Status::Inconclusive => "inconclusive",
        Status::Infrastructure => "infrastructure",
        Status::Failed => "failed",
    }
}

fn count(percentiles: Option<PercentilesUs>) -> String {
    percentiles.map(|of| of.count.to_string()).unwrap_or_default()
}

fn figure(percentiles: Option<PercentilesUs>, of: fn(PercentilesUs) -> f64) -> String {
    percentiles.map(|percentiles| of(percentiles).to_string()).unwrap_or_default()
}

/// Text that a spreadsheet would carry out as a formula is made text: names and errors come from elsewhere.
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn write(fields: Vec<String>, out: &mut dyn io::Write) -> io::Result<()> {
    let fields: Vec<_> = fields.iter().map(|field| quoted(field)).collect();
    write!(out, "{}\r\n", fields.join(","))
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_a_formula_is_text() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert_eq!(guarded(formula), format!("'{formula}"));
        }
        assert_eq!(guarded("none+row-lock"), "none+row-lock");
    }

    #[test]
    fn what_divides_fields_is_quoted() {
        assert_eq!(quoted("a, \"b\"\nc"), "\"a, \"\"b\"\"\nc\"");
        assert_eq!(quoted("plain text"), "plain text");
    }
}
