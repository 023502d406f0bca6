//! The script under way, and its door to the data.

use std::sync::{Arc, Mutex, PoisonError};

use mlua::MultiValue;

use super::{Access, Scripts, convert};
use crate::clock::WallClock;
use crate::commands::{self, Call, Flags, Unresolved};
use crate::reply::{Outcome, Refusal, Reply};
use crate::server::Core;
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
        let (core, session, now) = (&mut self.core, &mut self.session, self.now);
        handler(&mut Call { core, scripts: None, session, now, command }, &words)
    }
}
