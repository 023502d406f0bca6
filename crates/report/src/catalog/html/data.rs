//! What the page knows: the report without what is only for programs, lists cut where nobody would read on.

use std::time::Duration;

use lockproof_model::{
    CellReport, CurvePoint, DriverSetting, Exploration, FaultRecord, FaultSummary, Finding,
    Instant, Layers, Manifest, PercentilesUs, RunReport, ServerInfo, Size, Status, Timeline,
};
use serde::Serialize;

use super::limits::{self, Limit};
use super::tone;
use crate::{verdict, words};

/// Injections of a cell that the log shows; the rest are counted.
const INJECTIONS_MAX: usize = 12;
/// Sentences of a finding; one is enough where it was expected.
const SENTENCES_MAX: usize = 3;

/// Everything that the scripts are told.
#[derive(Debug, Serialize)]
pub(super) struct Known<'a> {
    manifest: &'a Manifest,
    extent: String,
    endings: Vec<Ending>,
    pub(super) cells: Vec<Cell<'a>>,
    /// Each setting once; cells have its place in here.
    drivers: Vec<&'a DriverSetting>,
    servers: Vec<&'a ServerInfo>,
    limits: Vec<Limit>,
    pub(super) drawings_left_out: usize,
}

#[derive(Debug, Serialize)]
struct Ending {
    count: usize,
    words: &'static str,
    tone: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Cell<'a> {
    scenario: &'a str,
    title: &'a str,
    catalog: &'a [String],
    strategy: &'a str,
    expectation: String,
    status: Status,
    sign: char,
    words: String,
    tone: &'static str,
    reasons: Vec<String>,
    again: String,
    layers: Layers,
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
    longest_gap_ms: f64,
    backlog: u32,
    offered_per_s: Option<f64>,
    took_ms: f64,
    response_curve: Vec<(f64, f64)>,
    service_curve: Vec<(f64, f64)>,
    timeline: Option<Line>,
    faults: &'a [FaultSummary],
    injections: Vec<Injection<'a>>,
    injections_left_out: usize,
    findings: Vec<Found<'a>>,
    exploration: Option<Searched<'a>>,
    pub(super) drawings: Vec<Drawn>,
    drivers: Vec<usize>,
    servers: Vec<usize>,
}

/// Columns, since their names would be longer than what is in them.
#[derive(Debug, Serialize)]
struct Line {
    from_ms: f64,
    width_ms: f64,
    finished: Vec<u32>,
    booked: Vec<u32>,
    p50_us: Vec<Option<f64>>,
    p99_us: Vec<Option<f64>>,
}

#[derive(Debug, Serialize)]
struct Injection<'a> {
    fault: u32,
    kind: &'a str,
    from_ms: f64,
    until_ms: Option<f64>,
    whom: Option<String>,
    bit: bool,
    observed: &'a str,
}

#[derive(Debug, Serialize)]
struct Found<'a> {
    checker: &'a str,
    layer: lockproof_model::Layer,
    count: usize,
    sentences: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct Searched<'a> {
    schedules: u64,
    distinct: u64,
    bit: u64,
    bit_held: u64,
    virtual_ms: f64,
    took_ms: f64,
    buggify: Option<&'a str>,
    found: Option<Smallest>,
}

#[derive(Debug, Serialize)]
struct Smallest {
    schedule: u64,
    seed: String,
    before: Size,
    after: Size,
}

/// A violation as a drawing, and in words for whoever cannot see it.
#[derive(Debug, Serialize)]
pub(super) struct Drawn {
    pub(super) title: String,
    /// The template with its drawing.
    pub(super) template: String,
    /// When, who, what.
    pub(super) steps: Vec<(String, String, String)>,
}

impl<'a> Known<'a> {
    /// All but the drawings.
    pub(super) fn of(report: &'a RunReport) -> Self {
        let (mut drivers, mut servers) = (Vec::new(), Vec::new());
        let cells = report.cells.iter().map(|cell| {
            let own = cell.drivers.iter().map(|setting| place(&mut drivers, setting)).collect();
            let with = cell.servers.iter().map(|server| place(&mut servers, server)).collect();
            Cell { drivers: own, servers: with, ..Cell::of(report, cell) }
        });
        let cells = cells.collect();
        let endings = words::endings(report).into_iter().map(|(status, count, words)| Ending {
            count,
            words,
            tone: match status {
                Status::Met => "good",
                Status::Failed | Status::Regressed => "bad",
                Status::Inconclusive | Status::Infrastructure => "doubt",
            },
        });
        Self {
            manifest: &report.manifest,
            extent: words::extent(report),
            endings: endings.collect(),
            cells,
            drivers,
            servers,
            limits: limits::of(report),
            drawings_left_out: 0,
        }
    }
}

/// Where `value` is among `known`, which it is added to when it is new.
fn place<'a, T: PartialEq>(known: &mut Vec<&'a T>, value: &'a T) -> usize {
    known.iter().position(|other| *other == value).unwrap_or_else(|| {
        known.push(value);
        known.len() - 1
    })
}

impl<'a> Cell<'a> {
    fn of(report: &RunReport, cell: &'a CellReport) -> Self {
        let verdict = verdict::of(cell);
        // Those of a search would be of one schedule, and a small one.
        let measured = (cell.exploration.is_none()).then_some(&cell.pictures);
        let timeline = measured.and_then(|pictures| pictures.timeline.as_ref());
        Self {
            scenario: &cell.scenario,
            title: &cell.title,
            catalog: &cell.catalog,
            strategy: &cell.strategy,
            expectation: words::expectation(cell),
            status: cell.judgement.status,
            sign: verdict.sign,
            words: verdict.words,
            tone: tone(verdict.ink),
            reasons: words::reasons(cell),
            again: words::again(report, cell),
            layers: cell.layers,
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
            longest_gap_ms: millis(cell.longest_gap),
            backlog: cell.backlog,
            offered_per_s: cell.offered_per_s,
            took_ms: millis(cell.took),
            response_curve: measured.map(|of| curve(&of.response)).unwrap_or_default(),
            // In a closed loop it is the same, and left out.
            service_curve: measured
                .filter(|of| of.service != of.response)
                .map(|of| curve(&of.service))
                .unwrap_or_default(),
            timeline: timeline.map(Line::of),
            faults: &cell.faults,
            injections: cell.injections.iter().take(INJECTIONS_MAX).map(Injection::of).collect(),
            injections_left_out: cell.injections.len().saturating_sub(INJECTIONS_MAX),
            findings: cell
                .findings
                .iter()
                .filter(|finding| !finding.anomalies.is_empty())
                .map(|finding| Found::of(finding, cell.judgement.status))
                .collect(),
            exploration: cell.exploration.as_ref().map(Searched::of),
            drawings: Vec::new(),
            drivers: Vec::new(),
            servers: Vec::new(),
        }
    }
}

impl Line {
    fn of(timeline: &Timeline) -> Self {
        let stretches = &timeline.stretches;
        Self {
            from_ms: at(timeline.from),
            width_ms: millis(timeline.width),
            finished: stretches.iter().map(|stretch| stretch.finished).collect(),
            booked: stretches.iter().map(|stretch| stretch.booked).collect(),
            p50_us: stretches.iter().map(|stretch| stretch.p50_us.map(rounded)).collect(),
            p99_us: stretches.iter().map(|stretch| stretch.p99_us.map(rounded)).collect(),
        }
    }
}

impl<'a> Injection<'a> {
    fn of(record: &'a FaultRecord) -> Self {
        let holder = record.holder.map(|holder| holder.to_string());
        let slot = record.slot.map(|slot| slot.to_string());
        let whom: Vec<_> = holder.into_iter().chain(slot).collect();
        Self {
            fault: record.fault,
            kind: &record.kind,
            from_ms: at(record.injected),
            until_ms: record.healed.map(at),
            whom: (!whom.is_empty()).then(|| whom.join(", ")),
            bit: record.bit,
            observed: &record.observed,
        }
    }
}

impl<'a> Found<'a> {
    fn of(finding: &'a Finding, status: Status) -> Self {
        let most = if status == Status::Met { 1 } else { SENTENCES_MAX };
        let sentences = finding.anomalies.iter().map(|anomaly| anomaly.sentence.as_str());
        Self {
            checker: &finding.checker,
            layer: finding.layer,
            count: finding.anomalies.len(),
            sentences: sentences.take(most).collect(),
        }
    }
}

impl<'a> Searched<'a> {
    fn of(exploration: &'a Exploration) -> Self {
        Self {
            schedules: exploration.schedules,
            distinct: exploration.distinct,
            bit: exploration.bit,
            bit_held: exploration.bit_held,
            virtual_ms: millis(exploration.virtual_time),
            took_ms: millis(exploration.took),
            buggify: exploration.buggify.as_deref(),
            found: exploration.violation.as_ref().map(|violation| Smallest {
                schedule: violation.schedule,
                seed: format!("{:#x}", violation.seed),
                before: violation.before,
                after: violation.after,
            }),
        }
    }
}

fn curve(points: &[CurvePoint]) -> Vec<(f64, f64)> {
    points.iter().map(|point| (point.quantile, rounded(point.value_us))).collect()
}

fn at(instant: Instant) -> f64 {
    millis(instant.since_start())
}

/// Microseconds are finer than any axis.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Three or four digits are finer than any axis.
fn rounded(micros: f64) -> f64 {
    if micros < 1000.0 { (micros * 10.0).round() / 10.0 } else { micros.round() }
}
