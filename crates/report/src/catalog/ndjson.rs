//! The run as a stream of events, one JSON object a line: what a program reads that does not want the whole report.
//!
//! ```text
//!   {"event":"run-started","schema_version":1,…}
//!   {"event":"cell","scenario":"…","strategy":"…","status":"met",…}      each cell,
//!   {"event":"violation","scenario":"…","strategy":"…","layer":"effect",…}   followed by what was broken in it
//!   {"event":"run-finished","status":"met","cells":239,…}
//! ```

use std::io;

use lockproof_model::{
    CellReport, Expectation, FaultSummary, Layer, Manifest, PercentilesUs, RunReport, Status,
    Verdict,
};
use serde::Serialize;

use super::RenderingEntry;
use crate::{Rendering, verdict, words};

/// The version of the lines; raised by every change that a reader could notice.
pub const EVENTS_SCHEMA_VERSION: u32 = 1;

pub(super) const ENTRY: RenderingEntry = RenderingEntry {
    name: "ndjson",
    summary: "a stream of events, one JSON object a line",
    build: |_| Box::new(NdJson),
};

#[derive(Debug)]
struct NdJson;

impl Rendering for NdJson {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn render(&self, report: &RunReport, out: &mut dyn io::Write) -> io::Result<()> {
        let manifest = &report.manifest;
        write(&Event::RunStarted { schema_version: EVENTS_SCHEMA_VERSION, manifest }, out)?;
        for cell in &report.cells {
            write(&Event::Cell(Box::new(CellEvent::of(report, cell))), out)?;
            for violation in violations(cell) {
                write(&violation, out)?;
            }
        }
        let count =
            |status| report.cells.iter().filter(|cell| cell.judgement.status == status).count();
        let finished = Event::RunFinished {
            status: report.status(),
            interrupted: manifest.interrupted,
            cells: report.cells.len(),
            met: count(Status::Met),
            failed: count(Status::Failed),
            regressed: count(Status::Regressed),
            inconclusive: count(Status::Inconclusive),
            infrastructure: count(Status::Infrastructure),
        };
        write(&finished, out)
    }
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'a> {
    RunStarted {
        schema_version: u32,
        manifest: &'a Manifest,
    },
    Cell(Box<CellEvent<'a>>),
    Violation {
        scenario: &'a str,
        strategy: &'a str,
        layer: Layer,
        kind: &'a str,
        slot: Option<u32>,
        count: u32,
        sentence: &'a str,
    },
    RunFinished {
        status: Status,
        interrupted: bool,
        cells: usize,
        met: usize,
        failed: usize,
        regressed: usize,
        inconclusive: usize,
        infrastructure: usize,
    },
}

#[derive(Serialize)]
struct CellEvent<'a> {
    scenario: &'a str,
    strategy: &'a str,
    source: Option<&'a str>,
    expectation: Option<Expectation>,
    status: Status,
    verdict: String,
    reasons: Vec<String>,
    attempts: u32,
    bookings: u32,
    duplicates: u32,
    refused_by_lock: u32,
    refused_by_check: u32,
    refused_by_guard: u32,
    failed: u32,
    unknown: u32,
    acquire: Option<PercentilesUs>,
    response: Option<PercentilesUs>,
    service: Option<PercentilesUs>,
    faults: &'a [FaultSummary],
    schedules: Option<u64>,
    took_ns: u128,
    again: String,
}

impl<'a> CellEvent<'a> {
    fn of(report: &RunReport, cell: &'a CellReport) -> Self {
        Self {
            scenario: &cell.scenario,
            strategy: &cell.strategy,
            source: cell.source.as_deref(),
            expectation: cell.expectation,
            status: cell.judgement.status,
            verdict: verdict::of(cell).words,
            reasons: words::reasons(cell),
            attempts: cell.attempts,
            bookings: cell.bookings,
            duplicates: cell.duplicates,
            refused_by_lock: cell.refused_by_lock,
            refused_by_check: cell.refused_by_check,
            refused_by_guard: cell.refused_by_guard,
            failed: cell.failed,
            unknown: cell.unknown,
            acquire: cell.acquire,
            response: cell.response,
            service: cell.service,
            faults: &cell.faults,
            schedules: cell.exploration.as_ref().map(|found| found.schedules),
            took_ns: cell.took.as_nanos(),
            again: words::again(report, cell),
        }
    }
}

/// What a search found, and else every anomaly of every checker that calls it a violation.
fn violations(cell: &CellReport) -> Vec<Event<'_>> {
    let (scenario, strategy) = (cell.scenario.as_str(), cell.strategy.as_str());
    let found = cell.exploration.as_ref().and_then(|found| found.violation.as_ref());
    if let Some(found) = found {
        let (layer, kind, sentence) = (found.layer, &found.anomaly, &found.sentence);
        let slot = None;
        return vec![Event::Violation {
            scenario,
            strategy,
            layer,
            kind,
            slot,
            count: 1,
            sentence,
        }];
    }
    let violated = cell.findings.iter().filter(|finding| finding.verdict == Verdict::Violated);
    violated
        .flat_map(|finding| finding.anomalies.iter().map(move |anomaly| (finding.layer, anomaly)))
        .map(|(layer, anomaly)| Event::Violation {
            scenario,
            strategy,
            layer,
            kind: &anomaly.kind,
            slot: Some(anomaly.slot.0),
            count: anomaly.count,
            sentence: &anomaly.sentence,
        })
        .collect()
}

fn write(event: &Event<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, event)?;
    out.write_all(b"\n")
}
