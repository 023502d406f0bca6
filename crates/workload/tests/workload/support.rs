//! A load on servers of its own, at a gate of the test's.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use lockproof_locks::{Drift, Lock, LockSession, Policy, Wait};
use lockproof_model::{HolderId, Moment, Operation, Point, Step};
use lockproof_rig::{LinkUse, System};
use lockproof_testkit::{Bench, Gatekeeper, Passages, Subject};
use lockproof_workload::{FlowSettings, Load, Pace, Parties, Record, Stop, run};

pub(crate) const TTL: Duration = Duration::from_secs(60);

pub(crate) struct Stage {
    pub(crate) bench: Bench,
    pub(crate) parties: Parties,
    pub(crate) passages: Passages,
    pub(crate) keeper: Gatekeeper,
    pub(crate) halt: Arc<AtomicBool>,
}

/// One slot, one Redis, no guard, and bars where the test wants holders to stop.
pub(crate) async fn stage(bars: &[(u32, Point)]) -> Stage {
    let entry = lockproof_locks::find("redis-set-nx").expect("the catalog has it");
    let subject = Subject { entry, draw_tokens: false, adapter: None, database: None };
    let bench =
        Bench::start(subject, "embedded", LinkUse::Direct).await.expect("the servers start");
    let bars = bars.iter().map(|&(holder, point)| (HolderId(holder), point));
    let (passages, keeper) = Passages::barred(bars);
    let halt = Arc::new(AtomicBool::new(false));
    let parties = Parties {
        env: bench.env.clone(),
        lock: bench.lock(),
        keep: None,
        policy: Policy { ttl: TTL, wait: Wait::NEVER, drift: Drift::default() },
        salt: 1,
        store: bench.rig.store(),
        guard: lockproof_bookings::catalog::find("none").expect("the catalog has it").guard,
        gate: Arc::new(passages.clone()),
        groups: bench.rig.groups(),
        halt: Arc::clone(&halt),
    };
    Stage { bench, parties, passages, keeper, halt }
}

pub(crate) fn load(holders: u32, attempts: u32) -> Load {
    Load {
        flow: lockproof_workload::find("lock-and-book").expect("the catalog has it"),
        holders,
        slots: 1,
        stop: Stop::After(attempts),
        pace: Pace::Closed,
        settings: FlowSettings::default(),
    }
}

/// To its end.
pub(crate) async fn run_out(parties: &Parties, load: &Load) -> Record {
    let (record, cut) =
        run(parties, load, std::future::pending::<()>(), |_, _| {}).await.expect("it answers");
    assert!(cut.is_none());
    check(&record);
    record
}

/// What holds of every history.
pub(crate) fn check(record: &Record) {
    let history = &record.history;
    for (index, operation) in history.operations.iter().enumerate() {
        assert_eq!(usize::try_from(operation.id.0).expect("it is there"), index);
        let attempt = history.attempt(operation.attempt).expect("its attempt is there");
        assert_eq!(attempt.holder, operation.holder);
        assert!(attempt.started <= operation.invoked && operation.invoked <= attempt.finished);
        assert!(operation.completed.is_none_or(|end| operation.invoked <= end));
    }
    for holder in history.attempts.iter().map(|attempt| attempt.holder) {
        let own: Vec<&Operation> =
            history.operations.iter().filter(|operation| operation.holder == holder).collect();
        for pair in own.windows(2) {
            let Some(end) = pair[0].completed else {
                let attempt = history.attempt(pair[0].attempt).expect("its attempt is there");
                assert!(attempt.result.is_death(), "open, and not its holder's last: {pair:?}");
                continue;
            };
            assert!(end <= pair[1].invoked, "one operation in flight: {pair:?}");
        }
    }
    assert!(history.attempts.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert!(history.attempts.iter().all(|a| a.intended <= a.started && a.started <= a.finished));
    assert!(record.started <= record.finished);
}

/// Every point of those steps, in order.
pub(crate) fn points(steps: &[Step]) -> Vec<Point> {
    let moments = [Moment::Before, Moment::Answer, Moment::After];
    steps.iter().flat_map(|&step| moments.map(|moment| Point { moment, step })).collect()
}

/// Takes the lock of slot 1 for somebody who is not of the load.
pub(crate) async fn take_lock(bench: &Bench) -> lockproof_model::Claim {
    take_lock_of(bench, 1).await
}

/// The same of any slot.
pub(crate) async fn take_lock_of(bench: &Bench, slot: u32) -> lockproof_model::Claim {
    let claim = bench.claim(&lockproof_model::LockName::new(&format!("slot-{slot}")));
    let mut session = bench.lock().open(HolderId(8)).await.expect("it answers");
    session.acquire(&claim, TTL).await.expect("it answers");
    claim
}
