//! What the kernel shows of a process.

use std::io;
use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::Instant;

use crate::RigError;

/// A signal is obeyed within microseconds, unless the machine has no time for anybody.
const OBEYED_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_micros(200);
/// As the kernel shows a process that SIGSTOP has reached.
const STOPPED: char = 'T';

/// The states of a process' threads, a letter each, as the kernel shows them: `T` stands still after SIGSTOP.
///
/// Each is looked at: the first may stand still before another has come out of the kernel.
///
/// # Errors
/// There is no such process, or this system shows none (it has no /proc).
pub(super) fn thread_states(process: u32) -> io::Result<Vec<char>> {
    let mut states = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        match std::fs::read_to_string(thread?.path().join("stat")) {
            Ok(stat) => states.extend(state(&stat)),
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(states)
}

/// Waits until every thread of `process` stands still.
pub(super) async fn stood_still(env: &Env, process: u32) -> Result<String, RigError> {
    let threads = shows(env, process, "stood still after SIGSTOP", |states| {
        states.iter().all(|&state| state == STOPPED)
    });
    let count = threads.await?.len();
    let noun = if count == 1 { "thread" } else { "threads" };
    Ok(format!("process {process} in state T ({count} {noun}) at {} after SIGSTOP", env.now()))
}

/// Waits until no thread of `process` stands still any more.
pub(super) async fn went_on(env: &Env, process: u32, sent: Instant) -> Result<String, RigError> {
    let threads =
        shows(env, process, "went on after SIGCONT", |states| !states.contains(&STOPPED)).await?;
    let state = threads.first().copied().unwrap_or('?');
    Ok(format!("in state {state} at {} after SIGCONT at {sent}", env.now()))
}

async fn shows(
    env: &Env,
    process: u32,
    what: &str,
    holds: impl Fn(&[char]) -> bool + Send,
) -> Result<Vec<char>, RigError> {
    let deadline = env.now() + OBEYED_WITHIN;
    loop {
        let states = thread_states(process).map_err(|error| {
            RigError::new(format!("cannot see whether process {process} {what}")).because(error)
        })?;
        if !states.is_empty() && holds(&states) {
            return Ok(states);
        }
        if env.now() >= deadline {
            return Err(RigError::new(format!(
                "process {process} has not {what} within {OBEYED_WITHIN:?}: {states:?}"
            )));
        }
        env.sleep(POLL).await;
    }
}

/// A thread that has just ended is no longer there to stand still; the kernel says so in either way.
fn is_gone(error: &io::Error) -> bool {
    let no_such_process = rustix::io::Errno::SRCH.raw_os_error();
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(no_such_process)
}

/// The name, in parentheses, may hold anything; the state is the word after it.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_found_behind_any_name() {
        assert_eq!(state("7 (a) Z (b)) T 1 7"), Some('T'));
        assert_eq!(state("7 (sh"), None);
    }

    #[test]
    fn the_threads_of_this_process_are_seen() {
        let states = thread_states(std::process::id()).unwrap();
        assert!(states.contains(&'R'), "this one runs: {states:?}");
    }
}
