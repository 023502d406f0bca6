//! A program that is killed with -9 leaves no server running, and the next one sweeps its directory.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use lockproof_locks::Coordinator;
use lockproof_rig::live::find_provider;
use lockproof_rig::{DatabaseEngine, ExternalServers, ServerNeeds};

use crate::processes::{until, working_below, workspace_of};

/// Set for the program that is to be killed: what it starts.
const ROLE: &str = "LOCKPROOF_TEST_TO_BE_KILLED";
const READY: &str = "every server is up";

/// Not a test of its own: what the program that is to be killed does.
#[tokio::test]
async fn the_program_that_is_to_be_killed() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let provider = (find_provider("process").unwrap().start)(&ExternalServers::default()).unwrap();
    let (mut redis, mut coordinators) = (Vec::new(), Vec::new());
    for number in 0..2 {
        match Coordinator::ALL.into_iter().find(|service| service.word() == role) {
            Some(service) => coordinators.push(provider.coordinator(service).await.unwrap()),
            None => redis.push(provider.redis(number, ServerNeeds::default()).await.unwrap()),
        }
    }
    if let Some(engine) = DatabaseEngine::find(&role) {
        provider.database("cell", Some(engine)).await.unwrap();
    }
    writeln!(std::io::stdout(), "\n{READY}").unwrap();
    std::future::pending::<()>().await;
    drop((redis, coordinators));
}

/// Kills a program that has servers running, and looks for what is left.
pub(crate) async fn nothing_is_left_of_a_killed_program(role: &str) {
    let env = lockproof_env::live::env(1);
    let mut program = Killed(start(role));
    let pid = program.0.id();
    let lines = BufReader::new(program.0.stdout.take().expect("it was asked for")).lines();
    let ready = tokio::task::spawn_blocking(move || {
        lines.map_while(Result::ok).any(|line| line.contains(READY))
    });
    assert!(ready.await.expect("it answers"), "the program ended before its servers were up");
    let workspace: PathBuf = workspace_of(pid).expect("the program has a workspace");
    assert!(working_below(&workspace).len() >= 2, "its servers run below {}", workspace.display());

    program.0.kill().expect("a child can be ended");
    program.0.wait().expect("a child can be ended");
    until(&env, "no server outlives it", || working_below(&workspace).is_empty()).await;
    // Its directory is swept by the next run, whichever that is: tests beside this one are runs as well.
    drop(
        (find_provider("embedded").expect("a provider of that name").start)(
            &ExternalServers::default(),
        )
        .expect("the provider starts"),
    );
    until(&env, "its directory is swept", || !workspace.exists()).await;
}

fn start(role: &str) -> Child {
    Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["--exact", "killed::the_program_that_is_to_be_killed", "--nocapture"])
        .env(ROLE, role)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("this program can be started")
}

/// Killed whatever becomes of the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

mod redis_server {
    use lockproof_testkit::redis_server_is_here;

    #[tokio::test]
    async fn no_redis_server_outlives_a_killed_program() {
        if redis_server_is_here().is_ok() {
            super::nothing_is_left_of_a_killed_program("redis").await;
        }
    }
}
