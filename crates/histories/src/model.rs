//! What a lock may do, as a reference implementation of one.

use crate::{Action, LockOperation};

/// By which model a history is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Held or free; anybody may give it back.
    Mutex,
    /// Only its owner may give it back.
    OwnerMutex,
    /// Its owner may take it again, and has to give it back as often.
    ReentrantMutex,
    /// Owner-aware, and every acquire that is answered a fencing token is answered a larger one than before.
    FencedMutex,
}

/// What a lock is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// How often it is held.
    pub(crate) depth: u32,
    /// By whom; nobody's number where it is free.
    pub(crate) owner: u32,
    /// The largest fencing token.
    pub(crate) fence: u64,
    /// Whether there was one at all: the first may be zero.
    pub(crate) is_fenced: bool,
}

impl Model {
    /// What the lock is in after `operation`; nothing where it cannot happen.
    pub(crate) fn step(self, state: State, operation: &LockOperation) -> Option<State> {
        let is_free = state.depth == 0;
        let is_own = self == Self::Mutex || state.owner == operation.owner;
        match operation.action {
            Action::Acquire if is_free => {
                let owner = if self == Self::Mutex { 0 } else { operation.owner };
                self.fenced(State { depth: 1, owner, ..state }, operation)
            }
            Action::Acquire => (self == Self::ReentrantMutex && is_own)
                .then(|| State { depth: state.depth.saturating_add(1), ..state }),
            Action::Release if !is_free && is_own => {
                let depth = state.depth - 1;
                Some(State { depth, owner: if depth == 0 { 0 } else { state.owner }, ..state })
            }
            Action::Release => None,
        }
    }

    fn fenced(self, state: State, operation: &LockOperation) -> Option<State> {
        match operation.fence {
            Some(fence) if self == Self::FencedMutex => (!state.is_fenced || fence > state.fence)
                .then_some(State { fence, is_fenced: true, ..state }),
            _ => Some(state),
        }
    }
}
