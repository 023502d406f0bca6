//! What the kernel shows of a process.

use std::io;

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
