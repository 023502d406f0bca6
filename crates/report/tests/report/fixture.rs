//! A run in which everything happens once.

use std::time::Duration;

use lockproof_model::{
    Anomaly, CellReport, Expectation, FaultRecord, FaultSummary, Finding, HolderId, Instant,
    Judgement, Layer, Layers, Manifest, PercentilesUs, Pictures, RESULTS_SCHEMA_VERSION, RunReport,
    ServerInfo, SlotId, Status, Story, StoryLine, Verdict, World,
};

pub(crate) fn report(cells: Vec<CellReport>) -> RunReport {
    RunReport {
        schema_version: RESULTS_SCHEMA_VERSION,
        manifest: Manifest {
            version: "0.1.0".to_owned(),
            revision: Some("4637aa5".to_owned()),
            command: "lockproof run scenarios --seed 0x5eed".to_owned(),
            seed: 0x5eed,
            world: World::Live,
            provider: "embedded".to_owned(),
            started: "2026-11-21T14:03:11Z".to_owned(),
            took: Duration::from_secs(41),
            machine: "linux x86_64, 2 cores".to_owned(),
            interrupted: false,
            partition: None,
        },
        cells,
    }
}

/// Every status, every wording.
pub(crate) fn everything() -> RunReport {
    report([paused(), control_that_holds(), unreachable(), odds_and_ends()].concat())
}

/// The scenario of the specification.
pub(crate) fn paused() -> Vec<CellReport> {
    let scenario = Scenario {
        name: "holder-paused-past-ttl",
        title: "A holder sleeps past its lease and then writes",
        catalog: "F01",
        fault: "pause-holder 500ms",
    };
    let mut bare = scenario.cell("redis-set-nx", Expectation::Duplicates);
    bare.duplicates = 9;
    bare.bookings = 109;
    bare.stories = vec![pause_story(3), pause_story(41)];
    let mut fenced = scenario.cell("redis-set-nx+fencing", Expectation::NoDuplicates);
    fenced.refused_by_guard = 9;
    let mut version = scenario.cell("redlock+version", Expectation::NoDuplicates);
    version.refused_by_guard = 11;
    version.acquire = percentiles(900.0, 3_300.0, 60_000.0);
    version.servers = servers(&[("embedded redis model", "7.2", 5), ("sqlite", "3.50", 1)]);
    let mut blocked = scenario.cell("row-lock", Expectation::NoDuplicates);
    blocked.longest_gap = Duration::from_millis(503);
    blocked.acquire = percentiles(700.0, 4_100.0, 501_000.0);
    blocked.injections = vec![injection(500)];
    blocked.servers = servers(&[("sqlite", "3.50", 1)]);
    vec![bare, fenced, version, blocked]
}

/// Expectations that did not hold.
fn control_that_holds() -> Vec<CellReport> {
    let scenario = Scenario {
        name: "release-before-commit",
        title: "The lock is given back in `finally`, before the transaction commits",
        catalog: "F13",
        fault: "delay commit 80ms",
    };
    let mut sold = scenario.cell("redlock+fencing-write-only", Expectation::NoDuplicates);
    sold.judgement = failed("2 slots were sold twice, and none was to be");
    sold.duplicates = 2;
    sold.bookings = 102;
    sold.stories = vec![released_story(7), released_story(12)];
    let mut harmless = scenario.cell("redis-set-nx", Expectation::Duplicates);
    harmless.judgement =
        failed("no slot was sold twice, though the faults bit: the control no longer fails");
    let mut lost = scenario.cell("row-lock", Expectation::NoDuplicates);
    lost.judgement = failed("an acknowledged booking is missing from the table");
    lost.findings = vec![Finding::from_anomalies(
        "duplicate-bookings",
        Layer::Effect,
        vec![Anomaly {
            kind: "lost-booking".to_owned(),
            slot: SlotId(4),
            count: 1,
            sentence: "attempt 17 of holder 3 was told that slot 4 is booked, and no row says so"
                .to_owned(),
            witness: Vec::new(),
        }],
    )];
    lost.layers = Layers { effect: Verdict::Violated, ..Layers::default() };
    vec![sold, harmless, lost]
}

/// Cells that decide nothing.
fn unreachable() -> Vec<CellReport> {
    let scenario = Scenario {
        name: "redis-primary-lost",
        title: "The primary dies before it has told its replica",
        catalog: "F28",
        fault: "kill-server",
    };
    let mut quiet = scenario.cell("redis-set-nx", Expectation::Duplicates);
    quiet.judgement = Judgement {
        status: Status::Inconclusive,
        reasons: vec![
            "fault 1 (kill-server) took effect in 0 of 4 injections, and [require] asks for 2: \
             every injection found the server already gone"
                .to_owned(),
        ],
    };
    quiet.faults = vec![FaultSummary { bit: 0, injected: 4, ..quiet.faults[0].clone() }];
    let mut absent = scenario.cell("redis-set-nx+row-lock", Expectation::NoDuplicates);
    absent.judgement = Judgement {
        status: Status::Infrastructure,
        reasons: vec![
            "postgres could not be started; `apt-get install postgresql` provides it".to_owned(),
        ],
    };
    absent.first_error = Some("no such file or directory: postgres".to_owned());
    absent.attempts = 0;
    absent.bookings = 0;
    absent.acquire = None;
    absent.faults = Vec::new();
    absent.servers = Vec::new();
    vec![quiet, absent]
}

/// Wordings that are left.
fn odds_and_ends() -> Vec<CellReport> {
    let scenario =
        Scenario { name: "no-fault", title: "Nothing goes wrong", catalog: "", fault: "" };
    let mut plain = scenario.cell("redlock", Expectation::NoDuplicates);
    plain.acquire = percentiles(35.0, 99.0, 1_250_000.0);
    let mut none = scenario.cell("redis-set-nx", Expectation::NoBookings);
    none.bookings = 0;
    let mut unexpected = scenario.cell("none", Expectation::NoDuplicates);
    unexpected.expectation = None;
    unexpected.duplicates = 40;
    unexpected.bookings = 140;
    vec![plain, none, unexpected]
}

struct Scenario {
    name: &'static str,
    title: &'static str,
    catalog: &'static str,
    fault: &'static str,
}

impl Scenario {
    /// A cell in which the expectation held and nothing was sold twice.
    fn cell(&self, strategy: &str, expectation: Expectation) -> CellReport {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let fault =
            text(self.fault).map(|label| FaultSummary { fault: 1, label, injected: 11, bit: 11 });
        CellReport {
            scenario: self.name.to_owned(),
            source: Some(format!("scenarios/{}.toml", self.name)),
            title: self.title.to_owned(),
            catalog: text(self.catalog).into_iter().collect(),
            strategy: strategy.to_owned(),
            expectation: Some(expectation),
            judgement: Judgement { status: Status::Met, reasons: Vec::new() },
            layers: Layers::default(),
            findings: Vec::new(),
            attempts: 400,
            bookings: 100,
            duplicates: 0,
            refused_by_lock: 20,
            refused_by_check: 271,
            refused_by_guard: 0,
            failed: 0,
            unknown: 0,
            first_error: None,
            acquire: percentiles(310.0, 1_240.0, 51_200.0),
            response: percentiles(24_000.0, 61_000.0, 530_000.0),
            service: percentiles(23_000.0, 60_000.0, 529_000.0),
            longest_gap: Duration::from_millis(31),
            backlog: 0,
            offered_per_s: None,
            faults: fault.into_iter().collect(),
            injections: Vec::new(),
            exploration: None,
            answers: Vec::new(),
            stories: Vec::new(),
            pictures: Pictures::default(),
            servers: servers(&[("embedded redis model", "7.2", 1), ("sqlite", "3.50", 1)]),
            drivers: Vec::new(),
            took: Duration::from_secs(4),
        }
    }
}

fn servers(servers: &[(&str, &str, u32)]) -> Vec<ServerInfo> {
    let server = |&(kind, version, count): &(&str, &str, u32)| ServerInfo {
        kind: kind.to_owned(),
        version: version.to_owned(),
        count,
        settings: Vec::new(),
    };
    servers.iter().map(server).collect()
}

fn percentiles(p50_us: f64, p99_us: f64, p999_us: f64) -> Option<PercentilesUs> {
    Some(PercentilesUs { count: 380, p50_us, p99_us, p999_us, max_us: p999_us })
}

fn failed(reason: &str) -> Judgement {
    Judgement { status: Status::Failed, reasons: vec![reason.to_owned()] }
}

fn injection(millis: u64) -> FaultRecord {
    FaultRecord {
        fault: 1,
        kind: "pause-holder".to_owned(),
        injected: ms(4020),
        healed: Some(ms(4020 + millis)),
        holder: Some(HolderId(3)),
        slot: Some(SlotId(3)),
        bit: true,
        observed: "the holder took no step for 500 ms".to_owned(),
    }
}

fn pause_story(slot: u32) -> Story {
    story(
        slot,
        "sold twice",
        &[
            (4012, "holder 3", "acquire ok, lease to 4.312"),
            (4020, "holder 3", "check: free      ░░ paused 500 ms (fault 1)"),
            (4315, "holder 8", "acquire ok    4.318 check: free    4.341 insert, commit"),
            (4520, "holder 3", "insert, commit   ← duplicate: its lease ended 208 ms before"),
        ],
    )
}

fn released_story(slot: u32) -> Story {
    story(
        slot,
        "sold twice",
        &[
            (
                9998,
                "holder 11",
                "acquire ok, fencing token 41, check: free    10.020 insert, release   ← released before its row stood",
            ),
            (10_001, "", "… 3 lines left out"),
            (
                10_030,
                "holder 2",
                "acquire ok, fencing token 42, check: free    10.052 insert: nobody knows (connection reset by peer, os error 104)",
            ),
            (10_101, "holder 11", "commit"),
            (10_105, "holder 2", "commit   ← duplicate"),
        ],
    )
}

fn story(slot: u32, what: &str, lines: &[(u64, &str, &str)]) -> Story {
    let line = |&(at, who, what): &(u64, &str, &str)| StoryLine {
        at: ms(at),
        who: who.to_owned(),
        what: what.to_owned(),
    };
    let slot = SlotId(slot);
    Story { slot, title: format!("{slot} {what}"), lines: lines.iter().map(line).collect() }
}

fn ms(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}
