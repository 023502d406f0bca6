//! The classical anomalies, one by one: where each is possible, and what prevents it elsewhere.
//!
//! Named as in Berenson et al., "A Critique of ANSI SQL Isolation Levels" (SIGMOD 1995), and for the last of them
//! Fekete, O'Neil and O'Neil, "A Read-Only Transaction Anomaly Under Snapshot Isolation" (SIGMOD Record 2004).

use lockproof_database_model::Isolation::{ReadCommitted, RepeatableRead, Serializable};
use lockproof_database_model::SlotLock::{self, ForUpdate};
use lockproof_database_model::{
    AdvisoryScope, Answer, BookingValues, Isolation, Statement,
    Statement::{Commit, Rollback},
};
use lockproof_model::{AttemptId, BookingId, FencingToken, HolderId, SlotId, SlotRow, Span};

use crate::script::{CAPACITY, Enforced, Line, Outcome};
use crate::stories::{Story, Who};

const A: Who = Who(0);
const B: Who = Who(1);
const C: Who = Who(2);

const OK: Outcome = Some(Ok(Answer::Done));
const REFUSED: Outcome = Some(Err("40001"));

const fn begin(level: Isolation) -> Statement {
    Statement::Begin(level)
}

const fn read(slot: u32) -> Statement {
    lock(slot, SlotLock::None)
}

const fn lock(slot: u32, lock: SlotLock) -> Statement {
    Statement::ReadSlot { slot: SlotId(slot), lock }
}

const fn set(slot: u32, version: i64) -> Statement {
    Statement::SetVersion { slot: SlotId(slot), version }
}

const fn add(slot: u32) -> Statement {
    Statement::AddVersion { slot: SlotId(slot), by: 1 }
}

const fn bump(slot: u32, expected: i64) -> Statement {
    Statement::BumpVersion { slot: SlotId(slot), expected }
}

const fn count(slot: u32) -> Statement {
    Statement::CountConfirmed { slot: SlotId(slot), span: Span::WHOLE }
}

const fn book(slot: u32) -> Statement {
    let (slot, holder, attempt) = (SlotId(slot), HolderId(1), AttemptId(1));
    Statement::Insert(BookingValues {
        slot,
        span: Span::WHOLE,
        unit: 1,
        holder,
        attempt,
        fencing_token: None,
    })
}

const fn row(slot: u32, version: i64) -> Outcome {
    let (slot, fence) = (SlotId(slot), FencingToken(0));
    Some(Ok(Answer::Slot(Some(SlotRow { slot, capacity: CAPACITY, version, fence }))))
}

const fn changed(rows: u32) -> Outcome {
    Some(Ok(Answer::Changed(rows)))
}

const fn counted(rows: u32) -> Outcome {
    Some(Ok(Answer::Count(rows)))
}

const fn booked(id: i64) -> Outcome {
    Some(Ok(Answer::Inserted(BookingId(id))))
}

/// Makes a test on the model and one on a server of each story.
macro_rules! stories {
    ($($(#[$doc:meta])* $name:ident: $versions:expr, $bookings:expr, enforced: $enforced:ident; $($line:expr),+ $(,)?;)+) => {
        mod told {
            use super::*;
            $($(#[$doc])* pub(super) fn $name() -> Story {
                let lines: Vec<Line> = vec![$($line),+];
                Story { enforced: Enforced::$enforced, lines, versions: $versions, bookings: $bookings }
            })+
        }
        mod model { $(#[test] fn $name() { super::told::$name().on_model(); })+ }
        mod postgres { $(#[test] fn $name() { super::told::$name().on_both(); })+ }
    };
}

stories! {
    nobody_reads_what_is_not_committed: [0, 0], [0, 0], enforced: Nothing;
        A.gets(begin(ReadCommitted), OK),
        A.gets(set(1, 7), changed(1)),
        A.gets(book(1), booked(1)),
        B.gets(read(1), row(1, 0)),
        B.gets(count(1), counted(0)),
        A.gets(read(1), row(1, 7)),
        A.gets(count(1), counted(1)),
        A.gets(Rollback, OK),
        B.gets(read(1), row(1, 0));

    /// Both read 0 and write 1.
    an_update_is_lost_by_a_blind_write_at_read_committed: [1, 0], [0, 0], enforced: Nothing;
        A.gets(begin(ReadCommitted), OK),
        B.gets(begin(ReadCommitted), OK),
        A.gets(read(1), row(1, 0)),
        B.gets(read(1), row(1, 0)),
        A.gets(set(1, 1), changed(1)),
        B.waits(set(1, 1)),
        A.gets(Commit, OK).and(B, changed(1)),
        B.gets(Commit, OK);

    no_update_is_lost_that_reads_for_itself: [2, 0], [0, 0], enforced: Nothing;
        A.gets(begin(ReadCommitted), OK),
        B.gets(begin(ReadCommitted), OK),
        A.gets(add(1), changed(1)),
        B.waits(add(1)),
        A.gets(Commit, OK).and(B, changed(1)),
        B.gets(Commit, OK);

    /// And the row stays locked, though it was not changed.
    a_version_check_notices_the_update_that_would_be_lost: [1, 0], [0, 0], enforced: Nothing;
        A.gets(begin(ReadCommitted), OK),
        B.gets(begin(ReadCommitted), OK),
        A.gets(read(1), row(1, 0)),
        B.gets(read(1), row(1, 0)),
        A.gets(bump(1, 0), changed(1)),
        B.waits(bump(1, 0)),
        A.gets(Commit, OK).and(B, changed(0)),
        A.gets(lock(1, SlotLock::ForUpdateNoWait), Some(Err("55P03"))),
        B.gets(Commit, OK);

    a_locking_read_waits_for_the_update_that_would_be_lost: [2, 0], [0, 0], enforced: Nothing;
        A.gets(begin(ReadCommitted), OK),
        B.gets(begin(ReadCommitted), OK),
        A.gets(lock(1, ForUpdate), row(1, 0)),
        B.waits(lock(1, ForUpdate)),
        C.gets(lock(1, SlotLock::ForUpdateSkipLocked), Some(Ok(Answer::Slot(None)))),
        A.gets(set(1, 1), changed(1)),
        A.gets(Commit, OK).and(B, row(1, 1)),
        B.gets(set(1, 2), changed(1)),
        B.gets(Commit, OK);

    repeatable_read_refuses_the_second_of_two_updates: [1, 0], [0, 0], enforced: Nothing;
        A.gets(begin(RepeatableRead), OK),
        B.gets(begin(RepeatableRead), OK),
        A.gets(read(1), row(1, 0)),
        B.gets(read(1), row(1, 0)),
        A.gets(set(1, 1), changed(1)),
        B.waits(set(1, 1)),
        A.gets(Commit, OK).and(B, REFUSED),
        B.gets(read(1), Some(Err("25P02"))),
        B.gets(Rollback, OK);

    repeatable_read_lets_the_second_go_on_when_the_first_rolls_back: [2, 0], [0, 0], enforced: Nothing;
        A.gets(begin(RepeatableRead), OK),
        B.gets(begin(RepeatableRead), OK),
        A.gets(set(1, 1), changed(1)),
        B.waits(set(1, 2)),
        A.gets(Rollback, OK).and(B, changed(1)),
        B.gets(Commit, OK);

    a_read_is_not_repeated_at_read_committed: [1, 0], [0, 0], enforced: Nothing;
        A.gets(begin(ReadCommitted), OK),
        A.gets(read(1), row(1, 0)),
        B.gets(set(1, 1), changed(1)),
        A.gets(read(1), row(1, 1)),
        A.gets(Commit, OK);

    a_read_is_repeated_at_repeatable_read: [1, 0], [0, 0], enforced: Nothing;
        A.gets(begin(RepeatableRead), OK),
        A.gets(read(2), row(2, 0)),
        B.gets(set(1, 1), changed(1)),
        A.gets(read(1), row(1, 0)),
        A.gets(Commit, OK);

    a_phantom_appears_at_read_committed: [0, 0], [1, 0], enforced: Nothing;
        A.gets(begin(ReadCommitted), OK),
        A.gets(count(1), counted(0)),
        B.gets(book(1), booked(1)),
        A.gets(count(1), counted(1)),
        A.gets(Commit, OK);

    no_phantom_appears_at_repeatable_read: [0, 0], [1, 0], enforced: Nothing;
        A.gets(begin(RepeatableRead), OK),
        A.gets(count(1), counted(0)),
        B.gets(book(1), booked(1)),
        A.gets(count(1), counted(0)),
        A.gets(Commit, OK);

    /// Both count none and book: a slot of one, sold twice.
    bookings_are_skewed_at_repeatable_read: [0, 0], [2, 0], enforced: Nothing;
        A.gets(begin(RepeatableRead), OK),
        B.gets(begin(RepeatableRead), OK),
        A.gets(count(1), counted(0)),
        B.gets(count(1), counted(0)),
        A.gets(book(1), booked(1)),
        B.gets(book(1), booked(2)),
        A.gets(Commit, OK),
        B.gets(Commit, OK);

    /// The first commit dooms the second: each has read what the other has written.
    serializable_refuses_bookings_that_would_be_skewed: [0, 0], [1, 0], enforced: Nothing;
        A.gets(begin(Serializable), OK),
        B.gets(begin(Serializable), OK),
        A.gets(count(1), counted(0)),
        B.gets(count(1), counted(0)),
        A.gets(book(1), booked(1)),
        B.gets(book(1), booked(2)),
        A.gets(Commit, OK),
        B.gets(Commit, REFUSED);

    /// Each reads both slots and writes one of them.
    writes_are_skewed_at_repeatable_read: [1, 1], [0, 0], enforced: Nothing;
        A.gets(begin(RepeatableRead), OK),
        B.gets(begin(RepeatableRead), OK),
        A.gets(read(1), row(1, 0)),
        A.gets(read(2), row(2, 0)),
        B.gets(read(1), row(1, 0)),
        B.gets(read(2), row(2, 0)),
        A.gets(set(1, 1), changed(1)),
        B.gets(set(2, 1), changed(1)),
        A.gets(Commit, OK),
        B.gets(Commit, OK);

    serializable_refuses_writes_that_would_be_skewed: [1, 0], [0, 0], enforced: Nothing;
        A.gets(begin(Serializable), OK),
        B.gets(begin(Serializable), OK),
        A.gets(read(1), row(1, 0)),
        A.gets(read(2), row(2, 0)),
        B.gets(read(1), row(1, 0)),
        B.gets(read(2), row(2, 0)),
        A.gets(set(1, 1), changed(1)),
        B.gets(set(2, 1), changed(1)),
        A.gets(Commit, OK),
        B.gets(Commit, REFUSED);

    /// C reads that B has written and A has not, but A read before B wrote: no serial order has all three. Slot 1 is the
    /// current account, slot 2 the savings.
    a_reader_sees_what_no_serial_order_has_at_repeatable_read: [5, 1], [0, 0], enforced: Nothing;
        A.gets(begin(RepeatableRead), OK),
        A.gets(read(1), row(1, 0)),
        A.gets(read(2), row(2, 0)),
        B.gets(begin(RepeatableRead), OK),
        B.gets(read(2), row(2, 0)),
        B.gets(set(2, 1), changed(1)),
        B.gets(Commit, OK),
        C.gets(begin(RepeatableRead), OK),
        C.gets(read(1), row(1, 0)),
        C.gets(read(2), row(2, 1)),
        C.gets(Commit, OK),
        A.gets(set(1, 5), changed(1)),
        A.gets(Commit, OK);

    serializable_refuses_the_writer_once_the_reader_has_seen_too_much: [0, 1], [0, 0], enforced: Nothing;
        A.gets(begin(Serializable), OK),
        A.gets(read(1), row(1, 0)),
        A.gets(read(2), row(2, 0)),
        B.gets(begin(Serializable), OK),
        B.gets(read(2), row(2, 0)),
        B.gets(set(2, 1), changed(1)),
        B.gets(Commit, OK),
        C.gets(begin(Serializable), OK),
        C.gets(read(1), row(1, 0)),
        C.gets(read(2), row(2, 1)),
        C.gets(Commit, OK),
        A.gets(set(1, 5), REFUSED),
        A.gets(Rollback, OK);

    /// The same without the reader has a serial order, A before B.
    serializable_lets_the_writer_go_on_where_nobody_has_seen_too_much: [5, 1], [0, 0], enforced: Nothing;
        A.gets(begin(Serializable), OK),
        A.gets(read(1), row(1, 0)),
        A.gets(read(2), row(2, 0)),
        B.gets(begin(Serializable), OK),
        B.gets(read(2), row(2, 0)),
        B.gets(set(2, 1), changed(1)),
        B.gets(Commit, OK),
        A.gets(set(1, 5), changed(1)),
        A.gets(Commit, OK);

    the_last_to_wait_in_a_circle_is_refused: [1, 1], [0, 0], enforced: Nothing;
        A.gets(begin(ReadCommitted), OK),
        B.gets(begin(ReadCommitted), OK),
        A.gets(set(1, 1), changed(1)),
        B.gets(set(2, 2), changed(1)),
        A.waits(set(2, 1)),
        B.gets(set(1, 2), Some(Err("40P01"))).and(A, changed(1)),
        B.gets(Commit, OK),
        A.gets(Commit, OK);

    a_circle_through_three_sessions_is_found: [1, 0], [0, 0], enforced: Nothing;
        A.gets(begin(ReadCommitted), OK),
        B.gets(begin(ReadCommitted), OK),
        C.gets(begin(ReadCommitted), OK),
        A.gets(set(1, 1), changed(1)),
        B.gets(lock(2, ForUpdate), row(2, 0)),
        C.gets(Statement::AdvisoryLock { key: 1, scope: AdvisoryScope::Transaction }, OK),
        A.waits(lock(2, ForUpdate)),
        B.waits(Statement::AdvisoryLock { key: 1, scope: AdvisoryScope::Transaction }),
        C.gets(set(1, 3), Some(Err("40P01"))).and(B, OK),
        B.gets(Commit, OK).and(A, row(2, 0)),
        A.gets(Commit, OK);

    a_second_insert_of_a_unit_waits_and_is_refused_when_the_first_commits: [0, 0], [1, 0], enforced: UniqueUnit;
        A.gets(begin(ReadCommitted), OK),
        B.gets(begin(ReadCommitted), OK),
        A.gets(book(1), booked(1)),
        B.waits(book(1)),
        A.gets(Commit, OK).and(B, Some(Err("23505"))),
        B.gets(Rollback, OK);

    a_second_insert_of_a_unit_goes_on_when_the_first_rolls_back: [0, 0], [1, 0], enforced: UniqueUnit;
        A.gets(begin(ReadCommitted), OK),
        B.gets(begin(RepeatableRead), OK),
        A.gets(book(1), booked(1)),
        B.waits(book(1)),
        A.gets(Rollback, OK).and(B, booked(2)),
        B.gets(Commit, OK);

    /// Its snapshot shows no such booking.
    a_unit_that_a_snapshot_does_not_show_is_refused_all_the_same: [0, 0], [1, 0], enforced: UniqueUnit;
        A.gets(begin(RepeatableRead), OK),
        A.gets(count(1), counted(0)),
        B.gets(book(1), booked(1)),
        A.gets(book(1), Some(Err("23505"))),
        A.gets(Rollback, OK);

    an_advisory_lock_is_waited_for_and_outlives_a_rollback: [0, 0], [0, 0], enforced: Nothing;
        A.gets(begin(ReadCommitted), OK),
        A.gets(Statement::AdvisoryLock { key: 1, scope: AdvisoryScope::Session }, OK),
        A.gets(Rollback, OK),
        B.gets(Statement::TryAdvisoryLock { key: 1, scope: AdvisoryScope::Session }, Some(Ok(Answer::Advisory(false)))),
        B.waits(Statement::AdvisoryLock { key: 1, scope: AdvisoryScope::Transaction }),
        A.gets(Statement::AdvisoryUnlock { key: 1 }, Some(Ok(Answer::Advisory(true)))).and(B, OK),
        // B's was a transaction of its own.
        A.gets(Statement::TryAdvisoryLock { key: 1, scope: AdvisoryScope::Session }, Some(Ok(Answer::Advisory(true))));

    an_advisory_lock_of_a_transaction_ends_with_it: [0, 0], [0, 0], enforced: Nothing;
        A.gets(begin(ReadCommitted), OK),
        A.gets(Statement::AdvisoryLock { key: 1, scope: AdvisoryScope::Transaction }, OK),
        A.gets(Statement::AdvisoryUnlock { key: 1 }, Some(Ok(Answer::Advisory(false)))),
        B.waits(Statement::AdvisoryLock { key: 1, scope: AdvisoryScope::Session }),
        A.gets(Commit, OK).and(B, OK);

    /// COMMIT answers as if it had: its tag says ROLLBACK.
    the_commit_of_a_failed_transaction_undoes_it: [0, 0], [1, 0], enforced: UniqueUnit;
        B.gets(book(1), booked(1)),
        A.gets(begin(ReadCommitted), OK),
        A.gets(set(1, 7), changed(1)),
        A.gets(book(1), Some(Err("23505"))),
        A.gets(read(1), Some(Err("25P02"))),
        B.gets(lock(1, SlotLock::ForUpdateNoWait), row(1, 0)),
        A.gets(Commit, OK),
        A.gets(read(1), row(1, 0));
}
