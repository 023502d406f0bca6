use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lockproof_model::Instant;
use lockproof_sim::Simulation;

#[test]
fn time_is_exact_to_the_nanosecond_and_costs_nothing() {
    let simulation = Simulation::new(1);
    let env = simulation.env();
    let ended = simulation.run(async move {
        env.sleep(Duration::from_nanos(1)).await;
        env.sleep(Duration::from_secs(3600)).await;
        env.now()
    });
    assert_eq!(ended, Ok(Instant::ZERO + Duration::from_secs(3600) + Duration::from_nanos(1)));
}

#[test]
fn a_time_limit_ends_exactly_when_it_should() {
    let simulation = Simulation::new(1);
    let env = simulation.env();
    let ended = simulation.run(async move {
        for _ in 0..1000 {
            let quick = env.timeout(Duration::from_secs(9), env.sleep(Duration::from_nanos(3)));
            assert!(quick.await.is_ok());
        }
        let slow = env.timeout(Duration::from_nanos(7), std::future::pending::<()>());
        assert!(slow.await.is_err());
        env.now().since_start()
    });
    assert_eq!(ended, Ok(Duration::from_nanos(3007)));
}

#[test]
fn what_the_world_does_by_itself_happens_at_its_time() {
    let simulation = Simulation::new(1);
    let (env, handle) = (simulation.env(), simulation.handle());
    let happened = Arc::new(AtomicU64::new(0));
    let note = Arc::clone(&happened);
    let clock = handle.clone();
    handle.after(Duration::from_nanos(42), move || {
        let at = u64::try_from(clock.now().since_start().as_nanos()).unwrap_or_default();
        note.store(at, Ordering::Relaxed);
    });
    let ended = simulation.run(async move { env.sleep(Duration::from_nanos(43)).await });
    assert_eq!(ended, Ok(()));
    assert_eq!(happened.load(Ordering::Relaxed), 42);
}
