//! Two that certainly held one lock at one time: a violation that needs no search.
//!
//! A hold is certain from the answer to its acquire to the invocation of its release. Where every owner takes and gives
//! back by turns, two such intervals of two owners that meet break every model; that none do proves nothing, since
//! tokens and releases are not looked at.

use std::collections::BTreeMap;

use crate::{Action, LockOperation};

/// The first pair, as the places of two acquires; none where owners do not take turns.
pub(crate) fn first(operations: &[LockOperation]) -> Option<[usize; 2]> {
    let mut open: BTreeMap<u32, (usize, u32)> = BTreeMap::new();
    let mut holds: Vec<(u64, u64, usize)> = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        match (operation.action, open.get_mut(&operation.owner)) {
            (Action::Acquire, None) => {
                operation.completed?;
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
            && end >= from
            && until >= from
        {
            return Some([holder, acquire]);
        }
        if last.is_none_or(|(end, _)| until > end) {
            last = Some((until, acquire));
        }
    }
    None
}
