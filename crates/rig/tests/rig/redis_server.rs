//! Real redis-server processes: started, redialled, stopped.

use std::time::Duration;

use lockproof_locks::{Acquired, LockSession};
use lockproof_model::LockName;
use lockproof_rig::live::find_provider;
use lockproof_rig::{ExternalServers, LinkUse, ServerNeeds};
use lockproof_testkit::{Bench, Subject, redis_server_is_here};

use crate::processes::{until, working_below};

#[tokio::test]
async fn a_dropped_server_leaves_no_process_and_a_dropped_provider_no_directory() {
    if redis_server_is_here().is_err() {
        return;
    }
    let env = lockproof_env::live::env(1);
    let provider = (find_provider("process").unwrap().start)(&ExternalServers::default()).unwrap();
    let before = children();
    let server = provider.redis(0, ServerNeeds::default()).await.unwrap();
    let mine: Vec<_> = children().into_iter().filter(|pid| !before.contains(pid)).collect();
    // Tests beside this one start servers too; this one listens on that port.
    let port = format!(":{}", server.tcp.unwrap().port());
    let listens = |pid: &&u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&port)
    };
    let pid = *mine.iter().find(listens).expect("the server is a child of this process");
    let place = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
    let workspace = place.parent().unwrap().to_owned();
    assert!(workspace.is_dir());
    drop(server);
    // Reaped as well, not merely killed: a zombie would still be there.
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{pid} is left");
    drop(provider);
    until(&env, "the workspace is gone", || !workspace.exists()).await;
    assert_eq!(working_below(&workspace), Vec::<u32>::new());
}

/// Direct children of this process.
fn children() -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("the folder can be read").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let me = std::process::id().to_string();
    pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in parentheses may hold anything; after it come the state and the parent.
        let rest = stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        rest.split(' ').nth(1) == Some(me.as_str())
    })
    .collect()
}

/// A server closes every connection; the holders' sessions share one that is broken now.
#[tokio::test]
async fn a_broken_connection_is_dialled_again_by_the_next_operation() {
    if redis_server_is_here().is_err() {
        return;
    }
    for links in [LinkUse::Direct, LinkUse::Shared, LinkUse::PerHolder] {
        let entry = lockproof_locks::find("redis-set-nx").unwrap();
        let subject = Subject { entry, draw_tokens: false, adapter: None, database: None };
        let bench = Bench::start(subject, "process", links).await.unwrap();
        let mut sessions = [bench.session(1).await, bench.session(2).await];
        for round in 0..2 {
            let mut kill = redis::cmd("CLIENT");
            kill.arg("KILL").arg("TYPE").arg("normal");
            let killed: i64 = bench.ask(0, &kill).await;
            assert!(killed >= 1, "round {round}: nobody was connected");
            for session in &mut sessions {
                works_again(&bench, session).await;
            }
        }
    }
}

/// The first operation may find out that the connection broke; the second has another.
async fn works_again(bench: &Bench, session: &mut lockproof_locks::AnySession) {
    let claim = bench.claim(&LockName::new("seat-1"));
    let first = session.acquire(&claim, Duration::from_secs(60)).await;
    if let Err(error) = &first {
        session.withdraw(&claim).await.unwrap_or_else(|again| panic!("{error}, then {again}"));
    }
    let claim = match first {
        Ok(Acquired::Granted(_)) => claim,
        Ok(Acquired::Held) => panic!("a free lock was said to be held"),
        Err(_) => {
            let claim = bench.claim(&LockName::new("seat-1"));
            let answer =
                session.acquire(&claim, Duration::from_secs(60)).await.expect("it answers");
            assert!(matches!(answer, Acquired::Granted(_)), "{answer:?}");
            claim
        }
    };
    session.withdraw(&claim).await.expect("it answers");
    assert_eq!(bench.left_over(&claim.lock).await, 0);
}
