use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use lockproof_sim::Simulation;

#[test]
fn tasks_that_wait_for_each_other_are_stuck_and_say_when() {
    let simulation = Simulation::new(0xabc);
    let env = simulation.env();
    let ended = simulation.run(async move {
        env.sleep(Duration::from_millis(5)).await;
        std::future::pending::<()>().await;
    });
    let stuck = ended.expect_err("nothing can end it");
    assert_eq!(stuck.at.since_start(), Duration::from_millis(5));
    assert!(stuck.to_string().contains("0xabc"), "{stuck}");
}

#[test]
fn a_panic_in_a_task_names_the_seed_and_the_time() {
    let simulation = Simulation::new(0xbeef);
    let env = simulation.env();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _ = simulation.run(async move {
            env.sleep(Duration::from_millis(7)).await;
            panic!("a bug");
        });
    }));
    let panic = caught.expect_err("the panic goes on to the caller");
    let text = panic.downcast_ref::<String>().expect("a formatted message");
    assert!(text.contains("0xbeef") && text.contains("7ms") && text.contains("a bug"), "{text}");
}

#[test]
fn nothing_of_a_simulation_outlives_it() {
    let held = Arc::new(());
    let simulation = Simulation::new(1);
    let env = simulation.env();
    let (in_task, in_call) = (Arc::clone(&held), Arc::clone(&held));
    simulation.handle().after(Duration::from_secs(9), move || drop(in_call));
    let ended = simulation.run(async move {
        let inner = env.clone();
        drop(env.spawn(async move {
            // Its environment holds the simulation, which holds it.
            inner.sleep(Duration::from_secs(9)).await;
            drop(in_task);
        }));
        env.sleep(Duration::from_nanos(1)).await;
    });
    assert_eq!(ended, Ok(()));
    assert_eq!(Arc::strong_count(&held), 3);
    drop(simulation);
    assert_eq!(Arc::strong_count(&held), 1);
}
