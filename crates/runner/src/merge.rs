//! One cell of several: slices of a search, or a load that ran more than once, on one machine or many.
//!
//! Counts and histograms add, verdicts are the worst, and what was found is found. Percentiles are read from the sum of
//! the histograms, so that they are those of one run over all the samples: an average of percentiles is the percentile of
//! nothing.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use lockproof_checkers::layers_of;
use lockproof_model::{
    AnswerCount, CellReport, FaultSummary, Finding, Judgement, PercentilesUs, SearchLog, Status,
};
use lockproof_workload::percentiles;

use crate::cell::STORIES;
use crate::explored::merge_searches;

/// Names of the histograms whose percentiles a report shows.
const ENTRY: &str = "entry";
const RESPONSE: &str = "response";
const SERVICE: &str = "service";

/// A cell as one of several directories has it.
#[derive(Clone, Debug)]
pub struct Share {
    /// What it came to.
    pub report: CellReport,
    /// Its latencies in nanoseconds, by what was measured.
    pub latencies: BTreeMap<String, Histogram<u64>>,
    /// Of a slice of a search: its schedules.
    pub log: Option<SearchLog>,
}

/// Whether the slices of a search are all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slices {
    /// They are, to their end: what was not found is not there.
    All,
    /// Some are missing, or were interrupted.
    Some,
}

/// Makes one of several shares of one cell. The error is a sentence: they do not add up.
///
/// # Errors
/// There is none, or one is a search that does not say which schedules it looked at, or percentiles whose samples are gone.
pub fn merge_cells(mut shares: Vec<Share>, slices: Slices) -> Result<Share, String> {
    if shares.iter().any(|share| share.log.is_some()) {
        return merge_slices(shares, slices);
    }
    if shares.len() == 1 {
        return Ok(shares.remove(0));
    }
    if shares.iter().any(|share| share.report.exploration.is_some()) {
        return Err(NO_LOG.to_owned());
    }
    let mut shares = shares.into_iter();
    let mut sum = shares.next().ok_or("there is nothing to merge")?;
    for share in shares {
        add_samples(&mut sum.latencies, &share.latencies)?;
        sum.report = added(sum.report, share.report);
    }
    let Share { report, latencies, .. } = &mut sum;
    for (shown, name) in [
        (&mut report.acquire, ENTRY),
        (&mut report.response, RESPONSE),
        (&mut report.service, SERVICE),
    ] {
        *shown = of_samples(*shown, latencies.get(name))
            .ok_or_else(|| format!("the samples of {name} are gone: a file of hist/ is missing"))?;
    }
    Ok(sum)
}

const NO_LOG: &str =
    "searches add up only where each is a slice, made with --partition; give one of them";

fn merge_slices(shares: Vec<Share>, slices: Slices) -> Result<Share, String> {
    // A slice that was killed before it came to this cell has looked at nothing.
    let (looked, idle): (Vec<_>, Vec<_>) = shares.into_iter().partition(|it| it.log.is_some());
    if idle.iter().any(|share| share.report.exploration.is_some()) {
        return Err(NO_LOG.to_owned());
    }
    let slices = if idle.is_empty() { slices } else { Slices::Some };
    let with_log = |share: &Share| Some((share.report.clone(), share.log.clone()?));
    let logs: Vec<_> = looked.iter().filter_map(with_log).collect();
    let mut report = merge_searches(logs, slices).ok_or("there is nothing to merge")?;
    for share in idle {
        report.judgement = worst(report.judgement, share.report.judgement);
    }
    // Its latencies are of the schedule that it shows.
    let schedule = |report: &CellReport| {
        report.exploration.as_ref().and_then(|it| it.violation.as_ref()).map(|it| it.schedule)
    };
    let shown = looked.into_iter().find(|share| schedule(&share.report) == schedule(&report));
    let latencies = shown.map(|share| share.latencies).unwrap_or_default();
    Ok(Share { report, latencies, log: None })
}

fn add_samples(
    sum: &mut BTreeMap<String, Histogram<u64>>,
    more: &BTreeMap<String, Histogram<u64>>,
) -> Result<(), String> {
    for (name, samples) in more {
        match sum.get_mut(name) {
            Some(sum) => sum
                .add(samples)
                .map_err(|error| format!("the histograms of {name} do not fit: {error:?}"))?,
            None => drop(sum.insert(name.clone(), samples.clone())),
        }
    }
    Ok(())
}

/// The percentiles of all samples; none where a report had some and there are no samples any more. `had` counts those of
/// all reports.
fn of_samples(
    had: Option<PercentilesUs>,
    samples: Option<&Histogram<u64>>,
) -> Option<Option<PercentilesUs>> {
    let now = samples.and_then(percentiles);
    let count = |shown: Option<PercentilesUs>| shown.map_or(0, |shown| shown.count);
    (count(now) == count(had)).then_some(now)
}

/// All but percentiles, of which only the counts are right.
fn added(a: CellReport, b: CellReport) -> CellReport {
    let findings = findings(a.findings, b.findings);
    let (offered, others) = (a.offered_per_s, b.offered_per_s);
    CellReport {
        judgement: worst(a.judgement, b.judgement),
        layers: layers_of(&findings),
        findings,
        attempts: a.attempts.saturating_add(b.attempts),
        bookings: a.bookings.saturating_add(b.bookings),
        duplicates: a.duplicates.saturating_add(b.duplicates),
        refused_by_lock: a.refused_by_lock.saturating_add(b.refused_by_lock),
        refused_by_check: a.refused_by_check.saturating_add(b.refused_by_check),
        refused_by_guard: a.refused_by_guard.saturating_add(b.refused_by_guard),
        failed: a.failed.saturating_add(b.failed),
        unknown: a.unknown.saturating_add(b.unknown),
        first_error: a.first_error.or(b.first_error),
        acquire: counted(a.acquire, b.acquire),
        response: counted(a.response, b.response),
        service: counted(a.service, b.service),
        longest_gap: a.longest_gap.max(b.longest_gap),
        backlog: a.backlog.max(b.backlog),
        // Each offered so much to servers of its own.
        offered_per_s: offered.zip(others).map(|(a, b)| a.max(b)).or(offered).or(others),
        faults: summaries(a.faults, b.faults),
        injections: [a.injections, b.injections].concat(),
        stories: a.stories.into_iter().chain(b.stories).take(STORIES).collect(),
        servers: union(a.servers, b.servers),
        drivers: union(a.drivers, b.drivers),
        exploration: None,
        answers: answers(a.answers, b.answers),
        took: a.took.max(b.took),
        // A curve of several runs is made of their samples, not of their curves; until then there is the first run's.
        pictures: a.pictures,
        // Both are of one cell of one scenario.
        scenario: a.scenario,
        source: a.source,
        title: a.title,
        catalog: a.catalog,
        strategy: a.strategy,
        expectation: a.expectation,
    }
}

fn counted(a: Option<PercentilesUs>, b: Option<PercentilesUs>) -> Option<PercentilesUs> {
    match (a, b) {
        (Some(a), Some(b)) => Some(PercentilesUs { count: a.count + b.count, ..a }),
        (a, b) => a.or(b),
    }
}

fn worst(a: Judgement, b: Judgement) -> Judgement {
    let status: Status = a.status.max(b.status);
    let mut reasons = Vec::new();
    for Judgement { reasons: more, .. } in [a, b].into_iter().filter(|it| it.status == status) {
        more.into_iter().for_each(|reason| {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        });
    }
    Judgement { status, reasons }
}

/// By checker, the worst verdict and every anomaly.
fn findings(a: Vec<Finding>, b: Vec<Finding>) -> Vec<Finding> {
    let mut all = a;
    for finding in b {
        match all.iter_mut().find(|known| known.checker == finding.checker) {
            Some(known) => {
                known.verdict = known.verdict.max(finding.verdict);
                known.anomalies.extend(finding.anomalies);
            }
            None => all.push(finding),
        }
    }
    all
}

fn summaries(a: Vec<FaultSummary>, b: Vec<FaultSummary>) -> Vec<FaultSummary> {
    let mut all = a;
    for summary in b {
        match all.iter_mut().find(|known| known.fault == summary.fault) {
            Some(known) => {
                known.injected += summary.injected;
                known.bit += summary.bit;
            }
            None => all.push(summary),
        }
    }
    all
}

/// By request and status.
fn answers(a: Vec<AnswerCount>, b: Vec<AnswerCount>) -> Vec<AnswerCount> {
    let mut all = a;
    for answer in b {
        let is_beside = |known: &AnswerCount| known.request == answer.request;
        let is_same = |known: &AnswerCount| is_beside(known) && known.status == answer.status;
        match all.iter_mut().find(|known| is_same(known)) {
            Some(known) => known.count = known.count.saturating_add(answer.count),
            // Beside those of its request, which are told together.
            None => match all.iter().rposition(is_beside) {
                Some(last) => all.insert(last + 1, answer),
                None => all.push(answer),
            },
        }
    }
    all
}

fn union<T: PartialEq>(a: Vec<T>, b: Vec<T>) -> Vec<T> {
    let mut all = a;
    for one in b {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}
