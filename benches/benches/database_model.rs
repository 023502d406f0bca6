//! What a simulated booking costs in the model database.
//!
//! `booking/…` is begin, read (with its lock, if the guard takes one), count, insert and commit, on one session whose
//! slots are taken in turn. One iteration sells a hundred, of a database made anew in the memory of the last; the
//! throughput counts bookings. `schedule` is what a simulated schedule asks of it in total: a new database with a hundred
//! slots, ten sessions, and a hundred bookings.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use lockproof_benches::criterion;
use lockproof_database_model::{
    Answer, BookingValues, Database, Executed, Isolation, Layout, PredicateLocks, SessionId,
    SlotLock, Statement,
};
use lockproof_model::{AttemptId, HolderId, SlotId, Span};

const LAYOUT: Layout = Layout {
    slots: 100,
    capacity: 1,
    unique_unit: true,
    exclude_overlap: false,
    predicate_locks: PredicateLocks::Exact,
};
const SESSIONS: usize = 10;

fn main() {
    let mut criterion = criterion();
    bookings(&mut criterion);
    schedules(&mut criterion);
    criterion.final_summary();
}

fn bookings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("database-model/booking");
    group.throughput(Throughput::Elements(u64::from(LAYOUT.slots)));
    for (name, isolation, lock) in [
        ("read-committed", Isolation::ReadCommitted, SlotLock::None),
        ("row-lock", Isolation::ReadCommitted, SlotLock::ForUpdate),
        ("repeatable-read", Isolation::RepeatableRead, SlotLock::None),
        ("serializable", Isolation::Serializable, SlotLock::None),
    ] {
        let mut database = Database::new(LAYOUT);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                database.reset(LAYOUT);
                let session = database.connect();
                for slot in 1..=LAYOUT.slots {
                    book(&mut database, session, SlotId(slot), isolation, lock);
                }
            });
        });
    }
    group.finish();
}

fn schedules(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("database-model/schedule");
    group.bench_function("new", |bencher| bencher.iter(|| Database::new(black_box(LAYOUT))));
    group.bench_function("apart", |bencher| {
        bencher.iter(|| {
            let mut database = Database::new(black_box(LAYOUT));
            let sessions = [(); SESSIONS].map(|()| database.connect());
            for (slot, session) in (1..=LAYOUT.slots).zip(sessions.iter().cycle()) {
                let level = Isolation::ReadCommitted;
                book(&mut database, *session, SlotId(slot), level, SlotLock::ForUpdate);
            }
            database.table()
        });
    });
    group.bench_function("contended", |bencher| {
        bencher.iter(|| {
            let mut database = Database::new(black_box(LAYOUT));
            let sessions = [(); SESSIONS].map(|()| database.connect());
            for slot in 1..=LAYOUT.slots / 10 {
                compete(&mut database, &sessions, SlotId(slot));
            }
            database.table()
        });
    });
    group.finish();
}

fn book(
    database: &mut Database,
    session: SessionId,
    slot: SlotId,
    isolation: Isolation,
    lock: SlotLock,
) {
    for statement in [
        Statement::Begin(isolation),
        Statement::ReadSlot { slot, lock },
        Statement::CountConfirmed { slot, span: Span::WHOLE },
        insert(slot),
        Statement::Commit,
    ] {
        let executed = database.execute(session, black_box(statement));
        assert!(matches!(executed, Executed::Done(Ok(_))), "{executed:?}");
    }
}

/// All sessions want one slot: the first gets it, the others queue for its row and find it sold.
fn compete(database: &mut Database, sessions: &[SessionId], slot: SlotId) {
    for &session in sessions {
        let _ = database.execute(session, Statement::Begin(Isolation::ReadCommitted));
        let _ = database.execute(session, Statement::ReadSlot { slot, lock: SlotLock::ForUpdate });
    }
    for &session in sessions {
        let count =
            database.execute(session, Statement::CountConfirmed { slot, span: Span::WHOLE });
        if count == Executed::Done(Ok(Answer::Count(0))) {
            let _ = database.execute(session, insert(slot));
            let _ = database.execute(session, Statement::Commit);
        } else {
            let _ = database.execute(session, Statement::Rollback);
        }
        black_box(database.take_woken());
    }
}

fn insert(slot: SlotId) -> Statement {
    let (holder, attempt) = (HolderId(1), AttemptId(slot.0));
    Statement::Insert(BookingValues {
        slot,
        span: Span::WHOLE,
        unit: 1,
        holder,
        attempt,
        fencing_token: None,
    })
}
