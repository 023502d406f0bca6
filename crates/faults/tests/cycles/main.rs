//! Fault after fault, done and healed on one rig, leaves no file descriptor, process, port, mount or directory behind.
//!
//! A few times over the catalog, or as often as `LOCKPROOF_FAULT_CYCLES` says.

mod traces;

/// So many injections in all.
const VARIABLE: &str = "LOCKPROOF_FAULT_CYCLES";
const CYCLES: usize = 40;

mod postgres {
    use lockproof_rig::Topology;
    use lockproof_testkit::conformance::faults::{Dropped, Stage, TRIALS, Trial};
    use lockproof_testkit::{is_here, redis_server_is_here};

    use super::traces::Traces;
    use super::{CYCLES, VARIABLE};

    #[tokio::test]
    async fn fault_after_fault_leaves_nothing_behind() {
        if redis_server_is_here().and(is_here("postgres")).is_err() {
            return;
        }
        let wanted = std::env::var(VARIABLE).ok().map(|count| count.parse().expect("a number"));
        let wanted: usize = wanted.unwrap_or(CYCLES);
        let possible: Vec<&Trial> = TRIALS
            .iter()
            .filter(|trial| trial.refusal("process", Topology::Independent).is_none())
            .collect();
        let (once, often): (Vec<_>, Vec<_>) =
            possible.into_iter().partition(|trial| trial.dropped == Dropped::Once);

        let before = Traces::now();
        let mut stage =
            Stage::start("process", Topology::Independent, &often).await.expect("they start");
        let mut done = pass(&mut stage, &often, &once, wanted).await;
        // What is there for good is there after the first pass.
        let standing = Traces::now();
        while done < wanted {
            done += pass(&mut stage, &often, &once, wanted - done).await;
            standing.are_back().await;
        }
        drop(stage);
        before.are_back().await;
    }

    /// Each of the trials once, up to so many.
    async fn pass(stage: &mut Stage, often: &[&Trial], once: &[&Trial], most: usize) -> usize {
        let mut done = 0;
        for trial in often.iter().take(most) {
            trial.cycle(stage).await;
            done += 1;
        }
        // Each on a rig of its own.
        for trial in once.iter().take(most - done) {
            let mut own = Stage::start("process", Topology::Independent, &[trial])
                .await
                .expect("the servers start");
            trial.cycle(&mut own).await;
            done += 1;
        }
        done
    }
}
