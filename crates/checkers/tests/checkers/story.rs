use lockproof_checkers::tell;
use lockproof_model::{AttemptResult, BookingId, Refusal, Step, Story};

use crate::builder::{Finished, Run};
use crate::duplicate_bookings::paused_past_its_lease;

fn first_story(run: &Finished, checker: &str) -> Story {
    tell(&run.evidence(), &run.judge(checker).anomalies[0])
}

fn text(story: &Story) -> String {
    let mut text = format!("{}\n", story.title);
    for line in &story.lines {
        text.push_str(format!("{}  {:<8}  {}\n", line.at, line.who, line.what).as_str());
    }
    text
}

#[test]
fn tells_the_pause_past_the_lease_as_the_specification_does() {
    let run = paused_past_its_lease().finish();
    assert_eq!(
        text(&first_story(&run, "duplicate-bookings")),
        "\
slot 3 sold twice
4.012  holder 3  acquire ok, lease to 4.312
4.020  holder 3  check: free      ░░ paused 500 ms (fault 1)
4.315  holder 8  acquire ok    4.318 check: free    4.341 insert, commit    4.345 release
4.520  holder 3  insert, commit   ← duplicate: its lease ended 208 ms before
"
    );
}

#[test]
fn tells_of_two_of_many_when_nothing_kept_them_apart() {
    let mut run = Run::with_capacity(1);
    for holder in 1..=6 {
        let at = u64::from(holder) * 3;
        run.attempt(holder, 5)
            .acquire_unbounded(at, at)
            .check(at, at + 1, 0)
            .insert(at + 20, at + 21)
            .commit(at + 21, at + 22)
            .release(at + 22, at + 23);
    }
    assert_eq!(
        text(&first_story(&run.finish(), "duplicate-bookings")),
        "\
slot 5 sold 6 times
0.003  holder 1  acquire ok, check: free
0.006  holder 2  acquire ok   ← holder 1 was still inside
0.007  holder 2  check: free
0.023  holder 1  insert, commit, release
0.026  holder 2  insert, commit   ← duplicate
0.026            … and 4 more like these
"
    );
}

#[test]
fn tells_of_the_lock_when_the_guard_saved_the_table() {
    let mut run = Run::with_capacity(1);
    run.attempt(3, 3)
        .acquire_with_token(0, 1, 41)
        .check(2, 3, 0)
        .refused_insert(1200, 1201, Refusal::Fenced)
        .release(1202, 1203);
    run.attempt(8, 3)
        .acquire_with_token(1001, 1002, 42)
        .check(1003, 1004, 0)
        .insert(1005, 1250)
        .commit(1251, 1252);
    run.fault(None, "latency", 1000, 1300);
    run.fault(Some(9), "pause-holder", 2, 900);
    assert_eq!(
        text(&first_story(&run.finish(), "mutual-exclusion")),
        "\
slot 3 still held after the lease had ended
0.001  holder 3  acquire ok, fencing token 41, lease to 1.000
0.003  holder 3  check: free
1.000  –         ░░ latency 300 ms (fault 1)
1.002  holder 8  acquire ok, fencing token 42, check: free    1.005 insert
1.200  holder 3  insert: fenced   ← its lease ended 200 ms before
1.202  holder 3  release
1.251  holder 8  commit
"
    );
}

#[test]
fn tells_of_a_lost_booking_with_what_its_holder_saw() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 5)
        .acquire(0, 1, 300)
        .check(2, 3, 0)
        .insert(4, 5)
        .unanswered(Step::Commit, 6)
        .result(AttemptResult::Booked { booking: BookingId(1) });
    assert_eq!(
        text(&first_story(&run.finish(), "duplicate-bookings")),
        "\
booking of slot 5 lost
0.001  holder 1  acquire ok, check: free    0.004 insert
0.006  holder 1  commit: nobody knows (no answer)
"
    );
}

#[test]
fn leaves_out_the_middle_of_a_long_story() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 5).acquire(0, 1, 30).check(2, 3, 0).insert(500, 501).commit(502, 503);
    run.attempt(2, 5).acquire(40, 41, 340).check(42, 43, 0).insert(490, 491).commit(492, 493);
    for pause in 0..20 {
        run.fault(Some(1), "pause-holder", 50 + pause * 10, 55 + pause * 10);
    }
    let story = first_story(&run.finish(), "duplicate-bookings");

    assert_eq!(story.lines.len(), 14);
    assert_eq!(story.lines[7].what, "… 13 lines left out");
    assert!(story.lines[13].what.contains("← duplicate"), "{}", text(&story));
}

#[test]
fn tells_of_one_attempt_that_wrote_twice() {
    let mut run = Run::with_capacity(1);
    run.attempt(1, 5).acquire(0, 1, 300).check(2, 3, 0).insert(4, 5).commit(6, 7).row();
    assert_eq!(
        text(&first_story(&run.finish(), "duplicate-bookings")),
        "\
slot 5 sold twice
0.001  holder 1  acquire ok, check: free    0.004 insert, commit   ← duplicate: a second row of one attempt
"
    );
}
