//! What is written while a run goes on can be read however it ends.

use std::fs;

use lockproof_model::{
    Attempt, AttemptId, AttemptResult, Effect, HolderId, Instant, Operation, OperationId, Outcome,
    Reason, SlotId, Step,
};
use lockproof_report::{CellName, ReportDirectory, read_unfinished_history};

const CELL: CellName<'_> = CellName { scenario: "s", strategy: "none" };
const FILE: &str = "run/histories/s.none.unfinished.ndjson.zst";

fn operation(holder: u32, invoked: u64, completed: Option<u64>) -> Operation {
    let ended = completed.is_some();
    Operation {
        id: OperationId(0),
        holder: HolderId(holder),
        attempt: AttemptId(holder),
        slot: SlotId(1),
        step: Step::Check,
        invoked: Instant::from_nanos(invoked),
        completed: completed.map(Instant::from_nanos),
        outcome: if ended { Outcome::Ok(Effect::Done) } else { Outcome::Info(Reason::Unanswered) },
    }
}

fn attempt(finished: u64, result: AttemptResult) -> Attempt {
    Attempt {
        id: AttemptId(1),
        holder: HolderId(1),
        slot: SlotId(1),
        intended: Instant::ZERO,
        started: Instant::ZERO,
        finished: Instant::from_nanos(finished),
        result,
    }
}

#[test]
fn wherever_a_history_is_cut_it_is_read_to_its_last_complete_frame() {
    let root = tempfile::tempdir().unwrap();
    let directory = ReportDirectory::create(root.path(), "run").unwrap();
    let mut stream = directory.stream_history(CELL, 7).unwrap();
    let path = root.path().join(FILE);
    let length = || usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    // Where each frame ends, and how many operations are told of until there.
    let mut ends = vec![(length(), 0)];
    for frame in 1..=4_u64 {
        let operations: Vec<_> = (0..50).map(|n| operation(1, frame * 100 + n, Some(n))).collect();
        stream.append(&operations, &[]).unwrap();
        ends.push((length(), usize::try_from(frame).unwrap() * 50));
    }
    let whole = fs::read(&path).unwrap();
    for cut in (0..=whole.len()).step_by(3) {
        fs::write(&path, &whole[..cut]).unwrap();
        let read = read_unfinished_history(&path).unwrap_or_else(|error| panic!("{cut}: {error}"));
        let told = ends.iter().rfind(|(end, _)| *end <= cut).map_or(0, |(_, told)| *told);
        let operations = read.map_or(0, |read| read.history.operations.len());
        assert!(operations >= told, "cut at {cut}: {operations} of {told}");
    }
    let first = ends[1].0 + 10;
    let mut damaged = whole;
    damaged[first] ^= 0xff;
    fs::write(&path, &damaged).unwrap();
    let error = read_unfinished_history(&path).unwrap_err().to_string();
    assert!(error.contains(FILE) && error.contains("line 5"), "{error}");
}

#[test]
fn of_what_was_told_twice_the_later_counts() {
    let root = tempfile::tempdir().unwrap();
    let directory = ReportDirectory::create(root.path(), "run").unwrap();
    let mut stream = directory.stream_history(CELL, 7).unwrap();
    let begun = attempt(0, AttemptResult::Unknown { error: "open".to_owned() });
    stream.append(&[operation(1, 10, None), operation(2, 11, None)], &[begun]).unwrap();
    let ended = attempt(30, AttemptResult::death());
    stream.append(&[operation(1, 10, Some(20)), operation(1, 21, None)], &[ended]).unwrap();
    let read = read_unfinished_history(&root.path().join(FILE)).unwrap().unwrap();
    let told: Vec<_> = read.history.operations.iter().map(|it| it.completed.is_some()).collect();
    assert_eq!(told, [true, false, false], "{:?}", read.history.operations);
    assert_eq!(read.history.attempts.len(), 1);
    assert!(read.history.attempts[0].result.is_death());
    assert_eq!(read.header.seed, 7);
}
