//! What was done to locks, whoever stored it.

use serde::Serialize;

/// The two things that one does to a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Take it.
    Acquire,
    /// Give it back.
    Release,
}

/// One operation that was acknowledged, or of which nobody knows. Those that certainly failed never happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockOperation {
    /// Which lock, by its place in [`LockHistory::locks`].
    pub lock: u32,
    /// Who, by the place in [`LockHistory::owners`].
    pub owner: u32,
    /// What.
    pub action: Action,
    /// The fencing token that an acquire was answered.
    pub fence: Option<u64>,
    /// When it was invoked, in any unit; intervals are closed.
    pub invoked: u64,
    /// When its answer was seen; never, where nobody knows what came of it.
    pub completed: Option<u64>,
    /// The line of its invocation; 0 where it is of a run of ours, whose instants are nanoseconds.
    pub line: u32,
}

/// All operations on all locks of a file.
#[derive(Clone, Debug, Default)]
pub struct LockHistory {
    /// The names of the locks.
    pub locks: Vec<String>,
    /// The names of their owners.
    pub owners: Vec<String>,
    /// In the order of their invocations.
    pub operations: Vec<LockOperation>,
    /// Operations that certainly failed, and are left out.
    pub failed: u32,
}
