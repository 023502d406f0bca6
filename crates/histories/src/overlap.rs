//! Two that certainly held one lock at one time: a violation that needs no search.
//!
//! A hold is certain from the answer to its acquire to the invocation of its release. Where every owner does one thing
//! after another, knows of each of its acquires and gives back no more than it took, two such intervals of two owners
//! that share more than an instant break every model; that none do proves nothing, since tokens and releases are not
//! looked at.

use std::collections::BTreeMap;

use crate::{Action, LockOperation};

/// The first pair, as the places of two acquires; none where the intervals of some owner would be guesses.
pub(crate) fn first(operations: &[LockOperation]) -> Option<[usize; 2]> {
    let mut open: BTreeMap<u32, (usize, u32)> = BTreeMap::new();
    let mut done: BTreeMap<u32, u64> = BTreeMap::new();
    let mut holds: Vec<(u64, u64, usize)> = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        // A release of which nobody knows is taken to have happened at once, which makes holds shorter, not longer.
        let completed = match operation.action {
            Action::Acquire => operation.completed?,
            Action::Release => operation.completed.unwrap_or(operation.invoked),
        };
        if done.insert(operation.owner, completed).is_some_and(|last| last > operation.invoked) {
            return None;
        }
        match (operation.action, open.get_mut(&operation.owner)) {
            (Action::Acquire, None) => {
                open.insert(operation.owner, (place, 1));
            }
            (Action::Acquire, Some((_, depth))) => *depth += 1,
            (Action::Release, Some((acquire, 1))) => {
                holds.push((operations[*acquire].completed?, operation.invoked, *acquire));
                open.remove(&operation.owner);
            }
            (Action::Release, Some((_, depth))) => *depth -= 1,
            (Action::Release, None) => return None,
        }
    }
    for (acquire, _) in open.into_values() {
        holds.push((operations[acquire].completed?, u64::MAX, acquire));
    }
    holds.sort_unstable();
    let mut last: Option<(u64, usize)> = None;
    for (from, until, acquire) in holds {
        if let Some((end, holder)) = last
            && end > from
            && until > from
        {
            return Some([holder, acquire]);
        }
        if last.is_none_or(|(end, _)| until > end) {
            last = Some((until, acquire));
        }
    }
    None
}
