//! Percentiles of merged cells are those of one cell that had all the samples.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use lockproof_model::{
    AnswerCount, Attempt, AttemptId, AttemptResult, CellReport, History, HolderId, Instant, SlotId,
};
use lockproof_runner::{Remains, Share, Slices, cells_of, merge_cells, unfinished};
use lockproof_scenario::parse;
use proptest::prelude::*;

/// A share of a cell whose attempts took so many nanoseconds, the wait before each, and the work.
fn share(taken: &[(u64, u64)]) -> Share {
    let scenario = parse(
        Path::new("s.toml"),
        "schema_version = 1\nstrategies = [\"none\"]\n[workload]\nholders = 1\nslots = 1\nbookings = 1\n",
    );
    let plans = cells_of(&[Arc::new(scenario.unwrap_or_else(|error| panic!("{error}")))], 1);
    let attempt = |(number, &(wait, work)): (u32, &(u64, u64))| Attempt {
        id: AttemptId(number),
        holder: HolderId(1),
        slot: SlotId(1),
        intended: Instant::ZERO,
        started: Instant::from_nanos(wait),
        finished: Instant::from_nanos(wait + work),
        result: AttemptResult::Failed { error: String::new() },
    };
    let history = History::assemble(Vec::new(), (1..).zip(taken).map(attempt).collect());
    let remains = Remains { history, ..Remains::default() };
    let finished = unfinished(&plans[0], &[], Some(remains), "it is a test");
    let latencies = finished.artifacts.expect("something was left").latencies;
    let latencies = latencies.named().map(|(name, it)| (name.to_owned(), it.clone())).collect();
    Share { report: finished.report, latencies, log: None }
}

fn shown(report: &CellReport) -> impl PartialEq + std::fmt::Debug {
    (report.response, report.service, report.attempts, report.failed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn percentiles_do_not_depend_on_how_many_machines_took_the_samples(
        taken in proptest::collection::vec((0..2_000_000_000_u64, 1..5_000_000_000_u64), 1..400),
        slices in 1..7_usize,
    ) {
        let mut parts = vec![Vec::new(); slices];
        taken.iter().enumerate().for_each(|(place, it)| parts[place % slices].push(*it));
        let merged = merge_cells(parts.iter().map(|part| share(part)).collect(), Slices::All).expect("they add up");
        let whole = share(&taken);
        prop_assert_eq!(shown(&merged.report), shown(&whole.report));
        prop_assert_eq!(merged.latencies, whole.latencies);
    }
}

#[test]
fn a_report_whose_samples_are_gone_is_not_merged() {
    let gone = Share { latencies: BTreeMap::new(), ..share(&[(1, 2)]) };
    let error =
        merge_cells(vec![share(&[(1, 2)]), gone], Slices::All).expect_err("half of the samples");
    assert!(error.contains("the samples of response are gone"), "{error}");
}

#[test]
fn answers_of_a_service_add_up_by_request_and_status() {
    let answered = |answers: &[(&str, u16, u32)]| {
        let mut share = share(&[(1, 2)]);
        let counts = answers.iter().map(|&(request, status, count)| AnswerCount {
            request: request.to_owned(),
            status: Some(status),
            count,
        });
        share.report.answers = counts.collect();
        share
    };
    let one = answered(&[("acquire", 200, 3), ("book", 201, 1)]);
    let other = answered(&[("acquire", 200, 2), ("acquire", 409, 4)]);
    let sum = answered(&[("acquire", 200, 5), ("acquire", 409, 4), ("book", 201, 1)]);
    let merged = merge_cells(vec![one, other], Slices::All).expect("they add up");
    assert_eq!(merged.report.answers, sum.report.answers);
}
