//! Every fault of the catalog on every provider and topology that can suffer it: done, proved, healed, and proved to be
//! healed; and the same for one that is dropped, as on panic.

use lockproof_faults::ENTRIES;
use lockproof_rig::Topology;
use lockproof_testkit::conformance::faults::{Stage, TRIALS, Trial};

async fn tried(trial: &Trial, provider: &str, topology: Topology) {
    if let Some(why) = trial.refusal(provider, topology) {
        return say_skipped(trial, provider, &why);
    }
    let mut stage = Stage::start(provider, topology, &[trial]).await.expect("the servers start");
    trial.cycle(&mut stage).await;
    trial.drop_cycle(&mut stage).await;
}

#[expect(clippy::print_stderr, reason = "a skip is said aloud, and a test has no other voice")]
fn say_skipped(trial: &Trial, provider: &str, why: &str) {
    eprintln!("skipped: {} on {provider}: {why}", trial.name);
}

fn trial(name: &str) -> &'static Trial {
    TRIALS.iter().find(|trial| trial.name == name).expect("a trial of that name")
}

/// Tests of one provider and topology, a test each since some take a while; and one that says that none is left out.
macro_rules! trials {
    ($here:expr, $provider:literal, $topology:expr, $which:expr; $($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            if $here.is_ok() {
                let trial = crate::conformance::trial(stringify!($name));
                crate::conformance::tried(trial, $provider, $topology).await;
            }
        })*

        #[test]
        fn none_is_left_out() {
            let wanted = crate::conformance::TRIALS.iter().filter(|trial| $which(trial));
            let wanted: Vec<_> = wanted.map(|trial| trial.name).collect();
            assert_eq!([$(stringify!($name)),*].as_slice(), wanted);
        }
    };
}

#[test]
fn every_entry_of_the_catalog_is_tried() {
    let untried: Vec<_> = ENTRIES
        .iter()
        .filter(|entry| TRIALS.iter().all(|trial| trial.fault != entry.name))
        .map(|entry| entry.name)
        .collect();
    assert_eq!(untried, [""; 0]);
}

mod embedded {
    use lockproof_rig::Topology;

    trials! {
        Ok::<(), String>(()), "embedded", Topology::Independent,
        |trial: &&crate::conformance::Trial| !trial.on_database();
        pause_holder kill_holder expire_lock slow_commit latency partition lose_reply lose_request
        reset_connections rule pause_server crash_server crash_server_that_keeps_everything clock_jump
        clock_drift failover evict flush_all
    }
}

mod redis_server {
    use lockproof_rig::Topology;
    use lockproof_testkit::redis_server_is_here;

    trials! {
        redis_server_is_here(), "process", Topology::Independent,
        |trial: &&crate::conformance::Trial| !trial.on_database();
        pause_holder kill_holder expire_lock slow_commit latency partition lose_reply lose_request
        reset_connections rule pause_server crash_server crash_server_that_keeps_everything clock_jump
        clock_drift failover evict flush_all
    }

    mod sentinel {
        use lockproof_testkit::conformance::faults::Trial;

        use super::{Topology, redis_server_is_here};

        trials! {
            redis_server_is_here(), "process", Topology::Sentinel,
            |trial: &&Trial| !trial.on_database() && trial.topologies.contains(&Topology::Sentinel);
            pause_holder kill_holder expire_lock slow_commit pause_server crash_server
            crash_server_that_keeps_everything failover evict flush_all
        }
    }

    mod cluster {
        use lockproof_testkit::conformance::faults::Trial;

        use super::{Topology, redis_server_is_here};

        trials! {
            redis_server_is_here(), "process", Topology::Cluster,
            |trial: &&Trial| !trial.on_database() && trial.topologies.contains(&Topology::Cluster);
            pause_holder kill_holder expire_lock slow_commit pause_server crash_server
            crash_server_that_keeps_everything evict flush_all
        }
    }
}

mod postgres {
    use lockproof_rig::Topology;
    use lockproof_testkit::{is_here, redis_server_is_here};

    trials! {
        redis_server_is_here().and(is_here("postgres")), "process", Topology::Independent,
        |trial: &&crate::conformance::Trial| trial.on_database();
        kill_backend latency_of_the_database partition_of_the_database pause_server_of_the_database
        crash_server_of_the_database clock_jump_of_the_database clock_drift_of_the_database disk_full
    }
}

/// With the feature `container` of the rig alone: `cargo xtask test` has a step of its own for it.
mod container {
    use lockproof_rig::Topology;
    use lockproof_testkit::container_engine_is_here;

    trials! {
        container_engine_is_here(), "container", Topology::Independent,
        |trial: &&crate::conformance::Trial| {
            trial.refusal("container", Topology::Independent).is_none()
        };
        pause_holder kill_holder expire_lock slow_commit kill_backend latency latency_of_the_database
        partition partition_of_the_database lose_reply lose_request reset_connections rule
        pause_server pause_server_of_the_database crash_server
        crash_server_that_keeps_everything crash_server_of_the_database evict flush_all
    }
}
