//! The adapters of `adapters/` against the contract: the locks of other people, unchanged.

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;
use lockproof_locks::{EXTERNAL, LockEntry, Needs};
use lockproof_rig::Adapter;
use lockproof_testkit::Subject;
use lockproof_testkit::conformance::locks::find;

use crate::adapter_packages::{self, shipped};
use crate::programs::skip;

static REDIS_PY: LockEntry = LockEntry { name: "external:adapters/redis-py", ..EXTERNAL };
static NODE_REDLOCK: LockEntry = LockEntry {
    name: "external:adapters/node-redlock",
    needs: Needs::IndependentRedis(3),
    ..EXTERNAL
};

/// What says most about a lock, since each starts several interpreters.
const OF_BOTH: &[&str] = &[
    "a_second_claim_is_held_while_the_first_stands",
    "only_the_owner_releases",
    "a_released_lock_is_free_and_leaves_nothing",
    "a_late_release_leaves_the_next_holder_alone",
    "the_driver_withdraws_what_was_not_answered_once_the_servers_do",
];

/// Each by a module whose name says what it needs, as `cargo xtask test` knows it.
pub(crate) fn trials() -> Vec<Trial> {
    let of = |module: &str, name: &'static str, subject: fn() -> Option<Subject>| {
        Trial::test(format!("{module}::{name}"), move || {
            let Some(subject) = subject() else { return Ok(()) };
            let trial = find(name).unwrap_or_else(|| panic!("no trial {name}"));
            assert_eq!(trial.applies_to(&subject), Ok(()));
            trial.conduct(subject, "embedded");
            Ok(())
        })
    };
    let mut trials = Vec::new();
    for &name in OF_BOTH {
        trials.push(of("adapter::python::redis_py", name, redis_py));
        trials.push(of("adapter::node::redlock", name, node_redlock));
    }
    trials.push(Trial::test(
        "adapter::node::redlock::a_grant_that_comes_too_late_is_the_one_promise_that_it_breaks",
        || {
            late_quorum();
            Ok(())
        },
    ));
    trials
}

/// Failure mode F20, by the trial that our own control fails: a test that stops failing has found a library that was
/// mended.
fn late_quorum() {
    let Some(subject) = node_redlock() else { return };
    let trial = find("a_quorum_that_comes_too_late_is_no_grant").expect("the trial of F20");
    let kept = std::panic::catch_unwind(|| trial.conduct(subject, "embedded")).is_ok();
    assert!(!kept, "redlock for Node looks at the time now: correct what is said of F20");
}

fn redis_py() -> Option<Subject> {
    adapter_of_redis_py()?;
    let adapter = Some((|| adapter_of_redis_py().expect("installed")) as fn() -> Adapter);
    Some(Subject { entry: &REDIS_PY, draw_tokens: false, adapter, database: None })
}

fn node_redlock() -> Option<Subject> {
    adapter_of_node_redlock()?;
    let adapter = Some((|| adapter_of_node_redlock().expect("installed")) as fn() -> Adapter);
    Some(Subject { entry: &NODE_REDLOCK, draw_tokens: false, adapter, database: None })
}

/// None where it cannot be run, which is said.
fn adapter_of_redis_py() -> Option<Adapter> {
    let folder = adapter_packages::redis_py();
    let folder = folder.map_err(|why| skip("the adapter for redis-py", &why)).ok()?;
    Some(started("redis-py/lock.py", "python3", "PYTHONPATH", &folder))
}

fn adapter_of_node_redlock() -> Option<Adapter> {
    let folder = adapter_packages::node_redlock();
    let folder = folder.map_err(|why| skip("the adapter for redlock", &why)).ok()?;
    Some(started("node-redlock/lock.cjs", "node", "NODE_PATH", &folder))
}

/// By `env`, since a variable of this process would be everybody's.
fn started(script: &str, interpreter: &str, variable: &str, packages: &Path) -> Adapter {
    let packages = format!("{variable}={}", packages.display());
    let script = shipped(script).display().to_string();
    let arguments =
        [packages, "PYTHONDONTWRITEBYTECODE=1".to_owned(), interpreter.to_owned(), script];
    Adapter {
        name: format!("external:{interpreter}"),
        program: PathBuf::from("env"),
        arguments: arguments.into(),
    }
}
