//! A run of ours as operations on locks.
//!
//! A slot's lock is its own. A lease that ended before its release was sent is given back by its server, at any time from
//! the end of its validity on. Acquires of which nobody knows are left out: their holder does not go in.

use lockproof_model::{Effect, History, Instant, Operation, Step};

use crate::{Action, LockHistory, LockOperation};

impl LockHistory {
    /// The grants and releases of a run.
    #[must_use]
    pub fn of(history: &History) -> Self {
        let number = |operations: &mut dyn Iterator<Item = u32>| operations.max().unwrap_or(0);
        let slots = number(&mut history.operations.iter().map(|it| it.slot.0));
        let holders = number(&mut history.operations.iter().map(|it| it.holder.0));
        let mut by_attempt: Vec<&Operation> = history.operations.iter().collect();
        by_attempt.sort_by_key(|operation| operation.attempt);
        let mut operations = Vec::new();
        for own in by_attempt.chunk_by(|a, b| a.attempt == b.attempt) {
            for (place, acquire) in own.iter().enumerate() {
                operations.extend(hold(acquire, &own[place + 1..]).into_iter().flatten());
            }
        }
        operations.sort_by_key(|operation: &LockOperation| operation.invoked);
        Self {
            locks: (0..=slots).map(|slot| format!("slot {slot}")).collect(),
            owners: (0..=holders).map(|holder| format!("holder {holder}")).collect(),
            operations,
            failed: 0,
        }
    }
}

/// A grant and what ends it; nothing for what is no grant.
fn hold(acquire: &Operation, later: &[&Operation]) -> Option<[LockOperation; 2]> {
    let Effect::Granted { valid_until, fencing_token, .. } = acquire.outcome.effect()? else {
        return None;
    };
    let of = |action, invoked: Instant, completed: Option<Instant>| LockOperation {
        lock: acquire.slot.0,
        owner: acquire.holder.0,
        action,
        fence: fencing_token.map(|token| token.0),
        invoked: invoked.as_nanos(),
        completed: completed.map(Instant::as_nanos),
        line: 0,
    };
    let own = later.iter().filter(|it| it.slot == acquire.slot);
    let own = own.take_while(|it| it.step != Step::Acquire);
    let mut until = *valid_until;
    let mut release = None;
    for operation in own {
        until = match operation.outcome.effect() {
            Some(Effect::Renewed { valid_until }) => until.max(*valid_until),
            Some(Effect::Verified { remaining }) => until.max(operation.invoked + *remaining),
            _ => until,
        };
        if operation.step == Step::Release {
            release = Some(operation);
            break;
        }
    }
    let end = match release {
        Some(release) if release.invoked <= until => {
            let answered = release.completed.filter(|_| release.outcome.is_ok());
            of(Action::Release, release.invoked, answered)
        }
        // Nothing ends what nothing bounds, but its session: nobody knows when.
        _ if until == Instant::FAR_FUTURE => {
            let last = later.last().copied().unwrap_or(acquire);
            of(Action::Release, last.completed.unwrap_or(last.invoked), None)
        }
        _ => of(Action::Release, until, None),
    };
    Some([of(Action::Acquire, acquire.invoked, acquire.completed), end])
}
