use std::time::Duration;

use lockproof_env::Group;
use lockproof_sim::Simulation;

const MILLI: Duration = Duration::from_millis(1);

#[test]
fn a_paused_group_learns_of_what_happened_only_when_it_is_resumed() {
    let simulation = Simulation::new(3);
    let env = simulation.env();
    let ended = simulation.run(async move {
        let group = Group::new();
        let holder = env.in_group(&group);
        let slept = env.in_group(&group).spawn(async move {
            holder.sleep(MILLI).await;
            holder.now().since_start()
        });
        env.sleep(MILLI / 2).await;
        group.pause();
        env.sleep(MILLI * 10 - MILLI / 2).await;
        group.resume();
        slept.await
    });
    assert_eq!(ended, Ok(Ok(MILLI * 10)));
}

#[test]
fn what_a_killed_group_was_about_to_clean_up_is_never_cleaned_up() {
    struct CleansUp(lockproof_env::Env, std::sync::mpsc::Sender<&'static str>);
    impl Drop for CleansUp {
        fn drop(&mut self) {
            let said = self.1.send("dropped");
            assert!(said.is_ok());
            let late = self.1.clone();
            drop(self.0.spawn(async move { late.send("cleaned up") }));
        }
    }
    let simulation = Simulation::new(3);
    let env = simulation.env();
    let (sender, received) = std::sync::mpsc::channel();
    let ended = simulation.run(async move {
        let group = Group::new();
        let guard = CleansUp(env.in_group(&group), sender);
        let task = env.in_group(&group).spawn(async move {
            std::future::pending::<()>().await;
            drop(guard);
        });
        env.sleep(MILLI).await;
        group.kill();
        env.sleep(MILLI).await;
        task.await.is_err()
    });
    assert_eq!(ended, Ok(true), "whoever waits for the dead is told");
    assert_eq!(received.try_iter().collect::<Vec<_>>(), ["dropped"]);
}
