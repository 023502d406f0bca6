//! What a lock may do, as a reference implementation of one.

use serde::Serialize;

use crate::{Action, LockOperation};

/// By which model a history is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
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

/// Why a model does not let an operation be the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// It acquires what is held.
    Held,
    /// It gives back what nobody holds.
    Free,
    /// It gives back what another holds.
    NotItsOwner,
    /// It is answered a fencing token that is not above this one, which was given before.
    TokenNotAbove(u64),
}

impl Model {
    /// All of them, in the order of their documentation.
    pub const ALL: [Self; 4] =
        [Self::Mutex, Self::OwnerMutex, Self::ReentrantMutex, Self::FencedMutex];

    /// As it is spelled.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mutex => "mutex",
            Self::OwnerMutex => "owner-mutex",
            Self::ReentrantMutex => "reentrant-mutex",
            Self::FencedMutex => "fenced-mutex",
        }
    }

    /// What the lock is in after `operation`, or why it cannot happen.
    pub(crate) fn step(self, state: State, operation: &LockOperation) -> Result<State, Refusal> {
        let is_own = self == Self::Mutex || state.owner == operation.owner;
        match (operation.action, state.depth) {
            (Action::Acquire, 0) => {
                let owner = if self == Self::Mutex { 0 } else { operation.owner };
                self.fenced(State { depth: 1, owner, ..state }, operation.fence)
            }
            (Action::Acquire, depth) if self == Self::ReentrantMutex && is_own => {
                Ok(State { depth: depth.saturating_add(1), ..state })
            }
            (Action::Acquire, _) => Err(Refusal::Held),
            (Action::Release, 0) => Err(Refusal::Free),
            (Action::Release, _) if !is_own => Err(Refusal::NotItsOwner),
            (Action::Release, 1) => Ok(State { depth: 0, owner: 0, ..state }),
            (Action::Release, depth) => Ok(State { depth: depth - 1, ..state }),
        }
    }

    /// The same with the token of the acquire that led to it.
    fn fenced(self, state: State, fence: Option<u64>) -> Result<State, Refusal> {
        match fence {
            Some(fence) if self == Self::FencedMutex => {
                if state.is_fenced && fence <= state.fence {
                    return Err(Refusal::TokenNotAbove(state.fence));
                }
                Ok(State { fence, is_fenced: true, ..state })
            }
            _ => Ok(state),
        }
    }
}
