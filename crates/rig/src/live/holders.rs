//! Holders as processes of their own: this program, started again once per holder and life.
//!
//! ```text
//!   LiveRig ─ HolderProcesses ─ ProcessSeat per holder ─ the process that sits there now
//!                  │                  ▲
//!                  │ launch           │ SIGSTOP and SIGCONT, SIGKILL, and what the kernel then shows
//!                  ▼                  │
//!             HolderProcess     ProcessAffliction
//!             both pipes, held by whoever speaks with it
//! ```
//!
//! What is said over the pipes is not the rig's to know. Passwords go over them, too: not over the command line, nor the
//! environment, which others can see.
//!
//! No process outlives this program: it carries a parent-death signal, which also ends one that stands still, and it ends
//! by itself when its pipe does.

mod affliction;
mod seat;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use lockproof_env::{Env, Group};
use lockproof_model::HolderId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::affliction::ProcessAffliction;
use self::seat::ProcessSeat;
use super::children::{DeathSignal, Running, Spawner, forget_settings};
use super::pipe::{PipeReader, PipeWriter};
use crate::{HolderAffliction, HolderEffect, RigError};

/// How this program is started again, to be a holder.
#[derive(Clone, Debug)]
pub struct HolderProgram {
    /// Where it is.
    pub path: PathBuf,
    /// What makes it one.
    pub arguments: Vec<String>,
}

impl HolderProgram {
    /// This very program, with `arguments`.
    ///
    /// # Errors
    /// The system does not say where it is.
    pub fn this(arguments: Vec<String>) -> io::Result<Self> {
        Ok(Self { path: std::env::current_exe()?, arguments })
    }
}

/// The processes of a cell's holders. Dropping it ends them.
#[derive(Debug)]
pub(super) struct HolderProcesses {
    seats: BTreeMap<HolderId, Arc<ProcessSeat>>,
    program: HolderProgram,
    env: Env,
    /// After the seats: the end of its thread would kill who sits there.
    spawner: Spawner,
}

impl HolderProcesses {
    /// A seat for each of `groups`; what is observed is stamped by the clock of `env`.
    pub(super) fn prepare(
        env: &Env,
        program: HolderProgram,
        groups: &BTreeMap<HolderId, Group>,
    ) -> io::Result<Self> {
        let seat = |(&holder, group): (&HolderId, &Group)| {
            (holder, Arc::new(ProcessSeat::new(holder, group.clone())))
        };
        let seats = groups.iter().map(seat).collect();
        Ok(Self { seats, program, env: env.clone(), spawner: Spawner::start()? })
    }

    /// Starts a process for `holder`.
    pub(super) fn launch<T: DeserializeOwned>(
        &self,
        holder: HolderId,
    ) -> Result<HolderProcess<T>, RigError> {
        let cannot = |error: io::Error| RigError::new("cannot start a holder").because(error);
        let seat = self.seats.get(&holder).ok_or_else(|| RigError::new("no such holder"))?;
        let (id, (stdin, stdout)) = seat.take(|| self.spawn())?;
        let (seat, env) = (Arc::clone(seat), self.env.clone());
        let hears = PipeReader::new(stdout.into()).map_err(cannot)?;
        Ok(HolderProcess { id, seat, env, hears, tells: PipeWriter::new(stdin.into()) })
    }

    fn spawn(&self) -> io::Result<Running> {
        let HolderProgram { path, arguments } = &self.program;
        self.spawner.spawn(path, None, DeathSignal::Kill, |command| {
            command.args(arguments);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
            forget_settings(command);
        })
    }

    /// Does `effect` to those of `holders` that have a process.
    pub(super) async fn afflict(
        &self,
        holders: &[HolderId],
        effect: HolderEffect,
    ) -> Result<Box<dyn HolderAffliction>, RigError> {
        let seats = holders.iter().filter_map(|holder| self.seats.get(holder));
        Ok(Box::new(ProcessAffliction::begin(&self.env, seats, effect).await?))
    }
}

/// A holder's process, which says `T`s. Dropping it kills the process.
#[derive(Debug)]
pub struct HolderProcess<T> {
    id: u32,
    seat: Arc<ProcessSeat>,
    env: Env,
    hears: PipeReader<T>,
    tells: PipeWriter,
}

impl<T: DeserializeOwned> HolderProcess<T> {
    /// The number of the process.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Tells it something, which it need not read at once: a pipe holds some 64 KiB.
    ///
    /// # Errors
    /// It has closed its end.
    pub fn tell<U: Serialize>(&self, message: &U) -> io::Result<()> {
        self.tells.send(message)
    }

    /// The next that it says; none when it has ended and everything was heard.
    ///
    /// # Errors
    /// It says what is no `T`.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn hear(&mut self) -> io::Result<Option<T>> {
        self.hears.next().await
    }

    /// Kills it. What it had said can still be heard.
    pub fn kill(&mut self) {
        self.seat.empty(self.id);
    }

    /// Waits until it has ended. How, as the rest of a sentence about it, unless that was well or at our hands.
    ///
    /// # Cancel safety
    /// Dropped, it is killed.
    pub async fn ended(self) -> Option<String> {
        self.seat.ended(self.id, &self.env).await
    }
}

impl<T> Drop for HolderProcess<T> {
    fn drop(&mut self) {
        self.seat.empty(self.id);
    }
}

/// Both ends of the line in a process that was started as a holder: its standard input and output.
///
/// # Errors
/// They are no pipes: nobody has started it as one.
pub fn holder_line<T: DeserializeOwned>() -> io::Result<(PipeReader<T>, PipeWriter)> {
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let hears = PipeReader::new(stdin.as_fd().try_clone_to_owned()?)?;
    Ok((hears, PipeWriter::new(stdout.as_fd().try_clone_to_owned()?)))
}
