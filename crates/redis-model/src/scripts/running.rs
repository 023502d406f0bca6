//! The script under way, and its door to the data.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use mlua::MultiValue;

use super::{Access, Scripts, convert};
use crate::clock::WallClock;
use crate::commands::{self, Call, Command, Flags, Handler, Unresolved};
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
        let resolved = commands::resolve(&words).map_err(|reason| match reason {
            Unresolved::Unknown | Unresolved::UnknownSubcommand => {
                Refusal::fixed("ERR Unknown Redis command called from script")
            }
            Unresolved::WrongArity(_) => {
                Refusal::fixed("ERR Wrong number of args calling Redis command from script")
            }
        })?;
        carry_out(&mut self.core, &mut self.session, self.now, self.access, resolved, &words)
    }
}

/// A command that a script calls.
pub(super) fn carry_out(
    core: &mut Core,
    session: &mut Session,
    now: WallClock,
    access: Access,
    (command, handler): (&'static Command, Handler),
    words: &[Bytes],
) -> Outcome {
    if command.flags.has(Flags::NOSCRIPT) {
        return Err(Scripts::NOT_FROM_SCRIPT);
    }
    if access == Access::ReadOnly && command.flags.has(Flags::WRITE) {
        return Err(Refusal::fixed("ERR Write commands are not allowed from read-only scripts."));
    }
    core.commands_processed += 1;
    core.expire_due(now);
    let (scripts, special, may_block) = (None, None, false);
    let mut call = Call { core, scripts, session, now, command, special, may_block };
    handler(&mut call, words)
}
