use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use lockproof_model::{
    Attempt, AttemptId, AttemptResult, BookingId, BookingRow, BookingTable, Effect, FencingToken,
    History, HolderId, Instant, Operation, OperationId, Outcome, OwnerValue, Reason, Refusal,
    RefusedBy, RunReport, SlotId, SlotRow, Span, Step,
};
use lockproof_report::{CellName, HistogramInterval, Latest, ReportDirectory, read_history};

use crate::fixture;

const CELL: CellName<'_> =
    CellName { scenario: "holder-paused-past-ttl", strategy: "redis-set-nx+fencing" };

fn history() -> (History, BookingTable) {
    let operation = |step, outcome| Operation {
        id: OperationId(0),
        holder: HolderId(3),
        attempt: AttemptId(1),
        slot: SlotId(7),
        step,
        invoked: Instant::from_nanos(1),
        completed: Some(Instant::FAR_FUTURE),
        outcome,
    };
    let granted = Effect::Granted {
        owner: OwnerValue::from_bits(u128::MAX),
        requested: Instant::ZERO,
        valid_until: Instant::FAR_FUTURE,
        fencing_token: Some(FencingToken(u64::MAX)),
        tries: 2,
    };
    let operations = vec![
        operation(Step::Acquire, Outcome::Ok(granted)),
        operation(Step::Check, Outcome::Ok(Effect::Checked { confirmed: 0, free: true })),
        operation(Step::Insert, Outcome::Fail(Reason::Refused(Refusal::Fenced))),
        operation(Step::Commit, Outcome::Info(Reason::Error("broken\npipe".to_owned()))),
    ];
    let result = AttemptResult::Refused { by: RefusedBy::Guard, refusal: Refusal::Fenced };
    let attempt = Attempt {
        id: AttemptId(1),
        holder: HolderId(3),
        slot: SlotId(7),
        intended: Instant::ZERO,
        started: Instant::ZERO,
        finished: Instant::ZERO,
        result,
    };
    let table = BookingTable {
        slots: vec![SlotRow { slot: SlotId(7), capacity: 1, version: -1, fence: FencingToken(9) }],
        bookings: vec![BookingRow {
            id: BookingId(i64::MAX),
            slot: SlotId(7),
            span: Span::WHOLE,
            unit: 1,
            holder: HolderId(3),
            attempt: AttemptId(1),
            fencing_token: None,
        }],
    };
    (History::assemble(operations, vec![attempt]), table)
}

fn files_in(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).expect("a directory");
    let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> =
        entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn two_runs_of_one_second_get_a_directory_each() {
    let root = tempfile::tempdir().unwrap();
    let reports = root.path().join("reports");
    let first = ReportDirectory::create(&reports, "20261121T140311Z-smoke").unwrap();
    let second = ReportDirectory::create(&reports, "20261121T140311Z-smoke").unwrap();

    assert_eq!(first.path(), reports.join("20261121T140311Z-smoke"));
    assert_eq!(second.path(), reports.join("20261121T140311Z-smoke-2"));
}

#[test]
fn a_history_is_read_back_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let directory = ReportDirectory::create(root.path(), "run").unwrap();
    let (history, table) = history();
    let path = directory.write_history(CELL, 0x5eed, &history, &table).unwrap();

    assert_eq!(
        path,
        root.path().join("run/histories/holder-paused-past-ttl.redis-set-nx+fencing.ndjson.zst")
    );
    let stored = read_history(&path).unwrap();
    assert_eq!(stored.history, history);
    assert_eq!(stored.table, table);
    assert_eq!((stored.header.scenario.as_str(), stored.header.seed), (CELL.scenario, 0x5eed));
}

#[test]
fn a_history_that_was_cut_short_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let directory = ReportDirectory::create(root.path(), "run").unwrap();
    let (history, table) = history();
    let path = directory.write_history(CELL, 1, &history, &table).unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 20]).unwrap();

    let error = read_history(&path).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("ndjson.zst: "), "{error}");
}

#[test]
fn a_line_that_is_not_understood_is_named() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("history");
    let read = |lines: &str| {
        fs::write(&path, zstd::encode_all(lines.as_bytes(), 1).unwrap()).unwrap();
        read_history(&path).unwrap_err().to_string()
    };
    let header = |version: u32| {
        format!(
            r#"{{"type":"header","schema_version":{version},"scenario":"a","strategy":"b","seed":1}}"#
        )
    };

    assert!(read("").ends_with("there is no header"));
    let slot = r#"{"type":"slot","slot":1,"capacity":1,"version":0,"fence":0}"#;
    assert!(read(slot).ends_with("line 1: the header must come first"));
    let newer = read(&header(2));
    assert!(
        newer.ends_with("line 1: schema version 2 is not the 1 that this program reads"),
        "{newer}"
    );
    let odd = read(&format!("{}\n{{\"type\":\"slto\"}}", header(1)));
    assert!(odd.contains("line 2: ") && odd.contains("slto"), "{odd}");
}

#[test]
fn histograms_are_read_back_by_their_tags() {
    let root = tempfile::tempdir().unwrap();
    let directory = ReportDirectory::create(root.path(), "run").unwrap();
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    for nanos in [300_000, 310_000, 51_000_000] {
        histogram.record(nanos).unwrap();
    }
    let interval = |label, started| HistogramInterval {
        label,
        started: Instant::from_nanos(started),
        duration: Duration::from_secs(1),
        histogram: &histogram,
    };
    let intervals = [interval("response", 2_000_000_000), interval("acquire ok", 1_000_000_000)];
    let path = directory.write_histograms(CELL, &intervals).unwrap();

    assert_eq!(path, root.path().join("run/hist/holder-paused-past-ttl.redis-set-nx+fencing.hlog"));
    let log = fs::read(path).unwrap();
    let entries = IntervalLogIterator::new(&log).map(|entry| entry.expect("a line of the format"));
    let intervals: Vec<_> = entries
        .filter_map(|entry| match entry {
            LogEntry::Interval(interval) => Some(interval),
            _ => None,
        })
        .collect();
    let tags: Vec<_> = intervals.iter().map(|i| i.tag().map(|tag| tag.as_str())).collect();
    assert_eq!(tags, [Some("acquire-ok"), Some("response")]);
    assert_eq!(intervals[0].start_timestamp(), Duration::from_secs(1));
    // The maximum is the top of its bucket, in milliseconds.
    assert!((intervals[0].max() - 51.0).abs() < 0.05, "{}", intervals[0].max());
    // "HISTFAAA" is how every compressed version 2 histogram begins.
    assert!(intervals[0].encoded_histogram().starts_with("HISTFAAA"));
    let bytes = decoded(intervals[0].encoded_histogram());
    let read: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
    assert_eq!(read, histogram);
}

#[test]
fn a_finished_run_is_complete_and_the_latest() {
    let root = tempfile::tempdir().unwrap();
    let directory = ReportDirectory::create(root.path(), "run").unwrap();
    directory.write_scenario("holder-paused-past-ttl", "schema_version = 1\n").unwrap();
    let report = fixture::everything();
    let latest = directory.finish(&report).unwrap();

    assert_eq!(latest, Latest::Linked(root.path().join("latest")));
    assert_eq!(fs::read_link(root.path().join("latest")).unwrap(), Path::new("run"));
    let latest = root.path().join("latest");
    assert_eq!(
        files_in(&latest),
        [
            "faults.ndjson",
            "junit.xml",
            "manifest.json",
            "report.html",
            "results.json",
            "scenarios",
            "summary.md"
        ]
    );
    let results = fs::read(latest.join("results.json")).unwrap();
    assert_eq!(serde_json::from_slice::<RunReport>(&results).unwrap(), report);
    let faults = fs::read_to_string(latest.join("faults.ndjson")).unwrap();
    assert_eq!(faults.lines().count(), 1);
    assert!(faults.starts_with(r#"{"scenario":"holder-paused-past-ttl","strategy":"row-lock","#));
}

#[test]
fn the_link_moves_on_to_the_next_run() {
    let root = tempfile::tempdir().unwrap();
    for run in ["first", "second"] {
        let directory = ReportDirectory::create(root.path(), run).unwrap();
        let _ = directory.finish(&fixture::report(Vec::new())).unwrap();
    }
    assert_eq!(fs::read_link(root.path().join("latest")).unwrap(), Path::new("second"));
    assert_eq!(files_in(root.path()), ["first", "latest", "second"]);
}

#[test]
fn something_else_called_latest_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let latest = root.path().join("latest");
    fs::write(&latest, "mine").unwrap();
    let directory = ReportDirectory::create(root.path(), "run").unwrap();

    let linked = directory.finish(&fixture::report(Vec::new())).unwrap();
    assert_eq!(linked, Latest::Occupied(latest.clone()));
    assert_eq!(fs::read_to_string(latest).unwrap(), "mine");
}

#[test]
fn a_link_called_latest_is_replaced_and_never_followed() {
    let root = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), root.path().join("latest")).unwrap();
    let directory = ReportDirectory::create(root.path(), "run").unwrap();

    let _ = directory.finish(&fixture::report(Vec::new())).unwrap();
    assert_eq!(fs::read_link(root.path().join("latest")).unwrap(), Path::new("run"));
    assert_eq!(files_in(elsewhere.path()), [""; 0]);
}

#[test]
fn a_full_disk_is_named_and_leaves_no_half() {
    let root = tempfile::tempdir().unwrap();
    let directory = ReportDirectory::create(root.path(), "run").unwrap();
    // What the file is filled as before it is moved; /dev/full answers every write as a full disk does.
    symlink("/dev/full", directory.path().join(".results.json.part")).unwrap();

    let error = directory.finish(&fixture::everything()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(error.to_string().contains("run/results.json: "), "{error}");
    assert_eq!(files_in(&directory.path()), ["faults.ndjson", "manifest.json"]);
    assert!(!root.path().join("latest").exists());
}

#[test]
fn a_directory_that_was_removed_under_a_run_stays_removed() {
    let root = tempfile::tempdir().unwrap();
    let directory = ReportDirectory::create(root.path(), "run").unwrap();
    fs::remove_dir(directory.path()).unwrap();

    let error = directory.write_scenario("a", "").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().contains("run/scenarios/a.toml"), "{error}");
}

/// Standard base64, as the interval log has it.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<_> = text.bytes().filter(|byte| *byte != b'=').map(digit).collect();
    let mut bytes = Vec::new();
    for four in digits.chunks(4) {
        let word = four.iter().fold(0_u32, |word, digit| word << 6 | u32::from(*digit));
        let missing = 4 - four.len();
        let word = (word << (6 * missing)).to_be_bytes();
        bytes.extend_from_slice(&word[1..4 - missing]);
    }
    bytes
}
