//! The script under way, and its door to the data.

use std::sync::{Arc, Mutex, PoisonError};

use mlua::MultiValue;

use super::{Access, Scripts, convert};
use crate::clock::WallClock;
use crate::commands::{self, Call, Flags, Unresolved};
use crate::core::Core;
use crate::reply::{Outcome, Protocol, Refusal, Reply};
use crate::session::Session;

/// A script under way. It owns the data meanwhile: a pointer moved in and out costs a fraction of
/// functions that would borrow it and had to be made for each run.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) core: Core,
    pub(super) session: Session,
    pub(super) now: WallClock,
    pub(super) access: Access,
}

/// Where `redis.call` finds the run that it belongs to; empty between runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot(Arc<Mutex<Option<Running>>>);

impl Slot {
    pub(super) fn put(&self, running: Running) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
    }

    pub(super) fn take(&self) -> Option<Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The protocol in which the script sees replies.
    pub(super) fn protocol(&self) -> Protocol {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().map_or(Protocol::Resp2, |running| running.session.protocol)
    }

    /// Chooses it, for this run.
    pub(super) fn set_protocol(&self, protocol: Protocol) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = slot.as_mut() {
            running.session.protocol = protocol;
        }
    }

    /// One call of a command by the script.
    pub(super) fn dispatch(&self, arguments: &MultiValue) -> Reply {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.as_mut() {
            Some(running) => running.dispatch(arguments).unwrap_or_else(Reply::from),
            None => Reply::error("ERR no script is running"),
        }
    }
}

impl Running {
    fn dispatch(&mut self, arguments: &MultiValue) -> Outcome {
        let words = convert::to_words(arguments)?;
        let (command, handler) = commands::resolve(&words).map_err(|reason| match reason {
            Unresolved::Unknown | Unresolved::UnknownSubcommand => {
                Refusal::fixed("ERR Unknown Redis command called from script")
            }
            Unresolved::WrongArity(_) => {
                Refusal::fixed("ERR Wrong number of args calling Redis command from script")
            }
        })?;
        if command.flags.has(Flags::NOSCRIPT) {
            return Err(Scripts::NOT_FROM_SCRIPT);
        }
        if self.access == Access::ReadOnly && command.flags.has(Flags::WRITE) {
            return Err(Refusal::fixed(
                "ERR Write commands are not allowed from read-only scripts.",
            ));
        }
        self.core.commands_processed += 1;
        self.core.expire_due(self.now);
        let mut call = Call {
            core: &mut self.core,
            scripts: None,
            session: &mut self.session,
            now: self.now,
            command,
            special: None,
            may_block: false,
        };
        handler(&mut call, &words)
    }
}
