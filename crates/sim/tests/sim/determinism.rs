use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lockproof_env::Env;
use lockproof_sim::Simulation;
use proptest::prelude::*;

type Log = Arc<Mutex<Vec<(u32, u32, u64)>>>;

/// Tasks that sleep random times, collide on purpose, and write down who came when.
fn trace(seed: u64, tasks: u32, steps: u32) -> Vec<(u32, u32, u64)> {
    let simulation = Simulation::new(seed);
    let env = simulation.env();
    let log = Log::default();
    let written = Arc::clone(&log);
    let ended = simulation.run(async move {
        let running: Vec<_> = (0..tasks)
            .map(|task| {
                let own = env.fork(&task.to_string());
                let log = Arc::clone(&written);
                own.clone().spawn(walk(own, task, steps, log))
            })
            .collect();
        for task in running {
            assert!(task.await.is_ok());
        }
    });
    assert_eq!(ended, Ok(()));
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *log)
}

async fn walk(env: Env, task: u32, steps: u32, log: Log) {
    for step in 0..steps {
        // Few values, so that many sleeps end at one instant.
        env.sleep(Duration::from_nanos(env.random().bits() % 3)).await;
        let at = u64::try_from(env.now().since_start().as_nanos()).unwrap_or_default();
        log.lock().unwrap_or_else(PoisonError::into_inner).push((task, step, at));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_seed_is_one_order(seed: u64, tasks in 1_u32..12, steps in 1_u32..20) {
        prop_assert_eq!(trace(seed, tasks, steps), trace(seed, tasks, steps));
    }

    #[test]
    fn time_never_goes_back_and_each_task_keeps_its_own_order(seed: u64, tasks in 1_u32..12) {
        let trace = trace(seed, tasks, 10);
        prop_assert!(trace.is_sorted_by_key(|(_, _, at)| *at));
        for task in 0..tasks {
            let steps: Vec<_> = trace.iter().filter(|(who, ..)| *who == task).map(|(_, step, _)| *step).collect();
            prop_assert_eq!(steps, (0..10).collect::<Vec<_>>());
        }
    }
}

#[test]
fn seeds_reach_every_order_of_tasks_that_are_ready_together() {
    let order = |seed| -> Vec<u32> {
        let simulation = Simulation::new(seed);
        let env = simulation.env();
        let log = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&log);
        let ended = simulation.run(async move {
            let tasks: Vec<_> = (0..3)
                .map(|task| {
                    let log = Arc::clone(&written);
                    env.spawn(async move {
                        log.lock().unwrap_or_else(PoisonError::into_inner).push(task);
                    })
                })
                .collect();
            for task in tasks {
                assert!(task.await.is_ok());
            }
        });
        assert_eq!(ended, Ok(()));
        log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    };
    let orders: BTreeSet<_> = (0..200).map(order).collect();
    assert_eq!(orders.len(), 6);
}
