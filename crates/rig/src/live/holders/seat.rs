//! One holder's place, and the process that sits there now.

use std::io;
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lockproof_env::{Env, Group};
use lockproof_model::HolderId;
use rustix::process::Signal;

use crate::RigError;
use crate::live::children::{Running, signal};
use crate::live::process_tree::{continue_families, kill_families};

/// From the end of its pipe to its own a process needs no longer, unless the machine has no time for anybody.
const ENDS_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct ProcessSeat {
    pub(super) holder: HolderId,
    /// By which whoever watches over the holder knows that it was killed, and when it may be started again. It has no
    /// tasks here.
    group: Group,
    sits: Mutex<Option<Sitting>>,
}

#[derive(Debug)]
struct Sitting {
    running: Running,
    /// Who stopped it and has not let it go on.
    pauses: u32,
}

impl ProcessSeat {
    pub(super) const fn new(holder: HolderId, group: Group) -> Self {
        Self { holder, group, sits: Mutex::new(None) }
    }

    /// Seats the process that `spawn` starts. Gives its number and its pipes.
    pub(super) fn take(
        &self,
        spawn: impl FnOnce() -> io::Result<Running>,
    ) -> Result<(u32, (ChildStdin, ChildStdout)), RigError> {
        let mut sits = self.sits();
        // Looked at with the seat in hand, or a kill could come in between and find nobody to kill.
        if self.group.is_killed() {
            return Err(RigError::new("it was killed before it was started"));
        }
        let mut running =
            spawn().map_err(|error| RigError::new("cannot start its process").because(error))?;
        let pipes = running.take_pipes().expect("it was started with pipes");
        let id = running.id();
        *sits = Some(Sitting { running, pauses: 0 });
        Ok((id, pipes))
    }

    /// Ends process `id`, if it sits here still.
    pub(super) fn empty(&self, id: u32) {
        // Dropped, and so killed and waited for, where it has not ended.
        drop(self.sits().take_if(|sitting| sitting.running.id() == id));
    }

    /// Kills whoever sits here, on purpose: number and end. None where nobody is alive.
    pub(super) fn kill(&self) -> Result<Option<(u32, String)>, RigError> {
        let mut sits = self.sits();
        let alive = |sitting: &mut Sitting| sitting.running.exited().is_none();
        // One that has ended by itself is left for those to see who wait for it.
        let Some(mut sitting) = sits.take_if(alive) else { return Ok(None) };
        self.group.kill();
        let id = sitting.running.id();
        // Its adapter dies with it, and with that what it has started; stopped first, or it would see that.
        signal(id, Signal::STOP);
        kill_families(id);
        match sitting.running.kill() {
            Ok(status) => Ok(Some((id, status.to_string()))),
            Err(error) => {
                self.group.restart();
                Err(RigError::new(format!("cannot kill process {id}")).because(error))
            }
        }
    }

    /// Lets the holder be started again.
    pub(super) fn restart(&self) {
        self.group.restart();
    }

    /// Stops whoever sits here: its number. None where nobody is alive.
    pub(super) fn stop(&self) -> Option<u32> {
        let mut sits = self.sits();
        let sitting = sits.as_mut()?;
        if sitting.running.exited().is_some() {
            return None;
        }
        sitting.pauses += 1;
        signal(sitting.running.id(), Signal::STOP);
        Some(sitting.running.id())
    }

    /// Takes one stop of process `id` back.
    pub(super) fn let_go_on(&self, id: u32) -> GoesOn {
        let mut sits = self.sits();
        let Some(sitting) = sits.as_mut().filter(|sitting| sitting.running.id() == id) else {
            return GoesOn::Never;
        };
        sitting.pauses = sitting.pauses.saturating_sub(1);
        if sitting.pauses > 0 {
            return GoesOn::Later;
        }
        continue_families(id);
        signal(id, Signal::CONT);
        GoesOn::Now
    }

    /// Whether process `id` still sits here.
    pub(super) fn has(&self, id: u32) -> bool {
        self.sits().as_ref().is_some_and(|sitting| sitting.running.id() == id)
    }

    /// Waits until process `id` has ended, after its pipe did: how, unless that was well or at our hands.
    pub(super) async fn ended(&self, id: u32, env: &Env) -> Option<String> {
        let deadline = env.now() + ENDS_WITHIN;
        loop {
            if let Some(how) = self.how_it_ended(id) {
                return how;
            }
            if env.now() >= deadline {
                self.empty(id);
                return Some(format!("({id}) closed its pipe and did not end"));
            }
            env.sleep(POLL).await;
        }
    }

    /// None while it has not.
    fn how_it_ended(&self, id: u32) -> Option<Option<String>> {
        let mut sits = self.sits();
        let Some(sitting) = sits.as_mut().filter(|sitting| sitting.running.id() == id) else {
            return Some(None);
        };
        let status = sitting.running.exited()?;
        *sits = None;
        Some((!status.success()).then(|| format!("({id}) died by itself: {status}")))
    }

    fn sits(&self) -> MutexGuard<'_, Option<Sitting>> {
        self.sits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a process that was stopped goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GoesOn {
    Now,
    /// Somebody else has stopped it too.
    Later,
    /// It has died meanwhile.
    Never,
}
