use lockproof_checkers::kinds;
use lockproof_model::Verdict;

use crate::builder::Run;

const CHECKER: &str = "stale-writes";

/// Holder 2 books under 42 from 20 to 26, holder 1 under 41 with an insert at `insert`.
fn writes(insert: u64) -> Run {
    let mut run = Run::with_capacity(2);
    run.attempt(1, 1)
        .acquire_with_token(0, 1, 41)
        .insert(insert, insert + 1)
        .commit(insert + 2, insert + 3)
        .under_token(41);
    run.attempt(2, 1).acquire_with_token(18, 19, 42).insert(20, 21).commit(25, 26).under_token(42);
    run
}

#[test]
fn rejects_a_write_under_a_smaller_token_than_one_that_stood() {
    let mut run = writes(30);
    run.fenced(1, 42);
    let run = run.finish();
    let finding = run.judge(CHECKER);

    let [anomaly] = finding.anomalies.as_slice() else { panic!("one anomaly: {finding:#?}") };
    assert_eq!(anomaly.kind, kinds::STALE_WRITE);
    assert_eq!(
        anomaly.sentence,
        "the guard accepted a write of slot 1 under fencing token 41 by holder 1 although holder 2's under 42 stood already"
    );
    assert_eq!(
        run.names(&anomaly.witness),
        ["holder 2 insert", "holder 2 commit", "holder 1 insert", "holder 1 commit"]
    );
}

#[test]
fn accepts_writes_in_the_order_of_their_tokens_and_those_at_one_time() {
    for insert in [5, 22] {
        let mut run = writes(insert);
        run.fenced(1, 42);
        assert_eq!(run.finish().judge(CHECKER).verdict, Verdict::Valid);
    }
}

#[test]
fn where_nobody_raised_a_fence_nobody_promised_to_look_at_tokens() {
    assert_eq!(writes(30).finish().judge(CHECKER).verdict, Verdict::Valid);
}
