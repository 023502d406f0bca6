//! What sessions may rely on that no server is asked about in `fidelity`: clients that go away, statements sent ahead,
//! tables made anew.

use lockproof_database_model::{
    AdvisoryScope, Answer, BookingValues, Database, Executed, Isolation, Layout, PredicateLocks,
    SessionId, SlotLock, SqlError, Statement,
};
use lockproof_model::{AttemptId, BookingId, FencingToken, HolderId, SlotId, SlotRow, Span};

const LAYOUT: Layout = Layout {
    slots: 3,
    capacity: 2,
    unique_unit: true,
    exclude_overlap: false,
    predicate_locks: PredicateLocks::Exact,
};
const BEGIN: Statement = Statement::Begin(Isolation::ReadCommitted);
const LOCK: Statement = Statement::ReadSlot { slot: SlotId(1), lock: SlotLock::ForUpdate };
const ADD: Statement = Statement::AddVersion { slot: SlotId(1), by: 1 };
const COUNT: Statement = Statement::CountConfirmed { slot: SlotId(1), span: Span::WHOLE };
const FREE: Executed = done(Answer::Slot(Some(SlotRow {
    slot: SlotId(1),
    capacity: 2,
    version: 0,
    fence: FencingToken(0),
})));

const fn done(answer: Answer) -> Executed {
    Executed::Done(Ok(answer))
}

const fn book(slot: u32, unit: u32) -> Statement {
    let (slot, holder, attempt) = (SlotId(slot), HolderId(1), AttemptId(1));
    Statement::Insert(BookingValues {
        slot,
        span: Span::WHOLE,
        unit,
        holder,
        attempt,
        fencing_token: None,
    })
}

fn pair() -> (Database, SessionId, SessionId) {
    let mut database = Database::new(LAYOUT);
    let (a, b) = (database.connect(), database.connect());
    (database, a, b)
}

fn woken(database: &mut Database) -> Vec<(SessionId, Executed)> {
    let woken = database.take_woken().into_iter();
    woken.map(|(session, result)| (session, Executed::Done(result))).collect()
}

#[test]
fn who_waits_goes_on_in_the_order_of_coming() {
    let (mut database, a, b) = pair();
    let c = database.connect();
    for session in [a, b, c] {
        assert_eq!(database.execute(session, BEGIN), done(Answer::Done));
    }
    assert_eq!(database.execute(a, LOCK), FREE);
    assert_eq!(database.execute(c, LOCK), Executed::Blocked);
    assert_eq!(database.execute(b, LOCK), Executed::Blocked);
    assert_eq!(database.execute(a, Statement::Commit), done(Answer::Committed));
    assert_eq!(woken(&mut database), [(c, FREE)]);
    assert!(database.is_blocked(b));
    assert_eq!(database.execute(c, Statement::Rollback), done(Answer::RolledBack));
    assert_eq!(woken(&mut database), [(b, FREE)]);
}

#[test]
fn a_client_that_goes_away_leaves_nothing_behind() {
    let (mut database, a, b) = pair();
    let lock = Statement::AdvisoryLock { key: 7, scope: AdvisoryScope::Session };
    for statement in [BEGIN, LOCK, ADD, book(1, 1), lock] {
        assert!(matches!(database.execute(a, statement), Executed::Done(Ok(_))));
    }
    assert_eq!(database.execute(b, lock), Executed::Blocked);
    database.disconnect(a);
    assert_eq!(woken(&mut database), [(b, done(Answer::Done))]);
    assert_eq!(database.execute(b, LOCK), FREE);
    assert_eq!(database.execute(b, COUNT), done(Answer::Count(0)));
    assert_eq!(database.execute(a, COUNT), Executed::Done(Err(SqlError::NoConnection)));
    assert!(!database.is_connected(a));
}

/// As a server that waits for a lock does not look at its socket.
#[test]
fn a_client_that_goes_away_while_it_waits_keeps_its_place_in_the_line() {
    let (mut database, a, b) = pair();
    let c = database.connect();
    for session in [a, b] {
        database.execute(session, BEGIN);
    }
    assert_eq!(database.execute(a, LOCK), FREE);
    assert_eq!(database.execute(b, LOCK), Executed::Blocked);
    assert_eq!(database.execute(c, ADD), Executed::Blocked);
    database.disconnect(b);
    assert!(!database.is_connected(b));
    assert_eq!(database.execute(a, Statement::Commit), done(Answer::Committed));
    // B got its lock, was noticed to be gone and gave it up; C's was a transaction of its own.
    assert_eq!(woken(&mut database), [(b, FREE), (c, done(Answer::Changed(1)))]);
    assert_eq!(database.table().slots[0].version, 1);
}

#[test]
fn a_statement_that_stands_alone_is_committed_though_its_client_went_away() {
    let (mut database, a, b) = pair();
    database.execute(a, BEGIN);
    database.execute(a, LOCK);
    assert_eq!(database.execute(b, ADD), Executed::Blocked);
    database.disconnect(b);
    database.execute(a, Statement::Commit);
    assert_eq!(database.table().slots[0].version, 1);
}

#[test]
fn a_session_that_is_terminated_leaves_the_line_at_once() {
    let (mut database, a, b) = pair();
    let c = database.connect();
    for session in [a, b] {
        database.execute(session, BEGIN);
    }
    database.execute(a, LOCK);
    assert_eq!(database.execute(b, ADD), Executed::Blocked);
    assert_eq!(database.execute(c, LOCK), Executed::Blocked);
    database.terminate(b);
    database.terminate(a);
    assert_eq!(woken(&mut database), [(c, FREE)]);
    assert_eq!(database.table().slots[0].version, 0);
}

#[test]
fn a_session_whose_client_has_gone_can_be_terminated() {
    let (mut database, a, b) = pair();
    database.execute(a, BEGIN);
    database.execute(a, LOCK);
    assert_eq!(database.execute(b, ADD), Executed::Blocked);
    database.disconnect(b);
    database.terminate(b);
    database.execute(a, Statement::Commit);
    assert_eq!(woken(&mut database), []);
    assert_eq!(database.table().slots[0].version, 0);
}

#[test]
fn a_statement_that_may_wait_no_longer_fails_and_those_behind_it_go_on() {
    let (mut database, a, b) = pair();
    let c = database.connect();
    for session in [a, b] {
        database.execute(session, BEGIN);
    }
    database.execute(a, LOCK);
    assert_eq!(database.execute(b, ADD), Executed::Blocked);
    assert_eq!(database.execute(c, LOCK), Executed::Blocked);
    // Nobody else's: this one does not wait.
    database.give_up(a);
    database.give_up(b);
    assert_eq!(woken(&mut database), [(b, Executed::Done(Err(SqlError::LockNotAvailable)))]);
    assert_eq!(database.execute(b, LOCK), Executed::Done(Err(SqlError::InFailedTransaction)));
    assert!(database.is_in_transaction(b) && !database.is_in_transaction(c));
    database.execute(a, Statement::Commit);
    assert_eq!(woken(&mut database), [(c, FREE)]);
}

#[test]
fn statements_sent_ahead_are_executed_in_order() {
    let (mut database, a, b) = pair();
    database.execute(a, BEGIN);
    database.execute(a, LOCK);
    database.execute(b, BEGIN);
    assert_eq!(database.execute(b, LOCK), Executed::Blocked);
    // Its client has lost patience.
    assert_eq!(database.execute(b, Statement::Rollback), Executed::Blocked);
    assert_eq!(database.execute(b, BEGIN), Executed::Blocked);
    assert_eq!(database.execute(b, ADD), Executed::Blocked);
    database.execute(a, Statement::Commit);
    let answers = [
        (b, FREE),
        (b, done(Answer::RolledBack)),
        (b, done(Answer::Done)),
        (b, done(Answer::Changed(1))),
    ];
    assert_eq!(woken(&mut database), answers);
    assert_eq!(database.execute(b, Statement::Commit), done(Answer::Committed));
    assert_eq!(database.table().slots[0].version, 1);
}

#[test]
fn a_key_is_lost_with_the_insert_that_failed() {
    let (mut database, a, _) = pair();
    let second = book(1, 1);
    assert_eq!(database.execute(a, second), done(Answer::Inserted(BookingId(1))));
    assert_eq!(database.execute(a, second), Executed::Done(Err(SqlError::UniqueViolation)));
    assert_eq!(database.execute(a, book(1, 2)), done(Answer::Inserted(BookingId(3))));
    let ids: Vec<_> = database.table().bookings.iter().map(|row| row.id.0).collect();
    assert_eq!(ids, [1, 3]);
}

#[test]
fn a_slot_that_there_is_not_has_no_row_and_can_be_booked() {
    let (mut database, a, _) = pair();
    for slot in [0, 4] {
        let (slot, lock) = (SlotId(slot), SlotLock::ForUpdate);
        assert_eq!(
            database.execute(a, Statement::ReadSlot { slot, lock }),
            done(Answer::Slot(None))
        );
        let add = Statement::AddVersion { slot, by: 1 };
        assert_eq!(database.execute(a, add), done(Answer::Changed(0)));
        assert!(matches!(database.execute(a, book(slot.0, 1)), Executed::Done(Ok(_))));
        let count = Statement::CountConfirmed { slot, span: Span::WHOLE };
        assert_eq!(database.execute(a, count), done(Answer::Count(1)));
    }
}

#[test]
fn tables_made_anew_are_empty_and_end_every_session() {
    let (mut database, a, b) = pair();
    database.execute(a, BEGIN);
    database.execute(a, ADD);
    assert_eq!(database.execute(b, ADD), Executed::Blocked);
    database.reset(Layout { slots: 1, ..LAYOUT });
    assert_eq!(database.take_woken(), []);
    assert_eq!(database.execute(a, COUNT), Executed::Done(Err(SqlError::NoConnection)));
    let c = database.connect();
    assert!(![a, b].contains(&c));
    assert_eq!(database.execute(c, LOCK), FREE);
    assert_eq!(database.table().slots.len(), 1);
}

/// Old snapshots keep what they see, and nothing is kept for nobody.
#[test]
fn a_long_transaction_sees_its_snapshot_however_much_is_written() {
    let (mut database, a, b) = pair();
    database.execute(a, Statement::Begin(Isolation::RepeatableRead));
    assert_eq!(database.execute(a, COUNT), done(Answer::Count(0)));
    for unit in 1..=50 {
        assert_eq!(database.execute(b, ADD), done(Answer::Changed(1)));
        assert!(matches!(database.execute(b, book(1, unit)), Executed::Done(Ok(_))));
    }
    let read = Statement::ReadSlot { slot: SlotId(1), lock: SlotLock::None };
    assert_eq!(database.execute(a, read), FREE);
    assert_eq!(database.execute(a, COUNT), done(Answer::Count(0)));
    database.execute(a, Statement::Commit);
    assert_eq!(database.execute(a, COUNT), done(Answer::Count(50)));
}

/// On a small table a server refuses what `Exact` lets go on.
#[test]
fn bookings_of_two_slots_are_skewed_only_where_the_index_has_one_page() {
    for (predicate_locks, second) in [
        (PredicateLocks::Exact, done(Answer::Committed)),
        (PredicateLocks::OnePage, Executed::Done(Err(SqlError::SerializationFailure))),
    ] {
        let mut database = Database::new(Layout { predicate_locks, ..LAYOUT });
        let (a, b) = (database.connect(), database.connect());
        for (session, slot) in [(a, 1), (b, 2)] {
            database.execute(session, Statement::Begin(Isolation::Serializable));
            database.execute(
                session,
                Statement::CountConfirmed { slot: SlotId(slot), span: Span::WHOLE },
            );
        }
        database.execute(a, book(1, 1));
        database.execute(b, book(2, 1));
        assert_eq!(database.execute(a, Statement::Commit), done(Answer::Committed));
        assert_eq!(database.execute(b, Statement::Commit), second, "{predicate_locks:?}");
    }
}
