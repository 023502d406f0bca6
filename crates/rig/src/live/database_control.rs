//! What faults do to a database server of one cell, and the proof of each.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_clock_shim::{Clock, SteeredClock};
use lockproof_env::live::wall_clock_ns;

use super::children::{Running, Spawner};
use super::control::Control;
use super::guardian::Guardian;
use super::process_tree::{continue_all, is_gone, kill_children, stop_all, until};
use super::redis_control::CLOCK_TOLERANCE_MS;
use super::small_disk::SmallDisk;
use crate::{RigError, ServerEffect};

/// Where and how a server runs: enough to start it again, and to ask it what became of it.
pub(super) trait DatabaseHome: Debug + Send + Sync {
    /// What a guardian does in the shell when the program is gone: `$last` is the server's process, which may stand
    /// still.
    fn deed(&self) -> &'static str;

    /// What starts its processes.
    fn spawner(&self) -> &Arc<Spawner>;

    /// Starts it and waits until it answers.
    fn start(&self) -> BoxFuture<'_, Result<Box<dyn Parent>, RigError>>;

    /// Its clock, where it is in our hands.
    fn clock(&self) -> Option<&Mutex<SteeredClock>>;

    /// Its disk, where that is nobody else's.
    fn disk(&self) -> Option<&SmallDisk>;

    /// Its wall clock, in milliseconds since 1970.
    fn time_ms(&self) -> BoxFuture<'_, Result<i64, RigError>>;

    /// What it says when it needs more room than there is.
    fn refused_for_room(&self) -> BoxFuture<'_, Result<String, RigError>>;
}

/// The first process of a server. Dropping it shuts the server down.
pub(super) trait Parent: Debug + Send {
    fn running(&mut self) -> &mut Running;
}

/// A database server that no other cell uses. Dropping it shuts it down, even where it stands still.
#[derive(Debug)]
pub(super) struct DatabaseProcess {
    /// First: the server is down before its disk and its directory are gone.
    state: Mutex<State>,
    guardian: Guardian,
    home: Box<dyn DatabaseHome>,
}

#[derive(Debug)]
struct State {
    /// None while it is down.
    parent: Option<Box<dyn Parent>>,
    pauses: u32,
    downs: u32,
    fills: u32,
    /// Its clock and the real one, in ms, when it began to drift.
    drifts_since: Option<(i64, i64)>,
}

impl DatabaseProcess {
    pub(super) fn new(
        home: Box<dyn DatabaseHome>,
        mut parent: Box<dyn Parent>,
    ) -> Result<Self, RigError> {
        let guardian = Guardian::start(home.spawner(), home.deed())?;
        guardian.tell(&parent.running().id().to_string());
        let state =
            State { parent: Some(parent), pauses: 0, downs: 0, fills: 0, drifts_since: None };
        Ok(Self { state: Mutex::new(state), guardian, home })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn process(&self) -> Result<u32, RigError> {
        let id = self.state().parent.as_mut().map(|parent| parent.running().id());
        id.ok_or_else(|| RigError::new("it is down already"))
    }

    async fn pause(&self) -> Result<Vec<String>, RigError> {
        let process = self.process()?;
        self.state().pauses += 1;
        let children = stop_all(process).await?;
        let children = with_children(" and its", children);
        Ok(vec![format!("stopped (process {process}{children} in state T)")])
    }

    /// Ends one pause.
    fn let_go_on(&self) {
        let mut state = self.state();
        state.pauses = state.pauses.saturating_sub(1);
        if state.pauses == 0
            && let Some(parent) = &mut state.parent
        {
            continue_all(parent.running().id());
        }
    }

    async fn crash(&self) -> Result<Vec<String>, RigError> {
        let parent = {
            let mut state = self.state();
            state.downs += 1;
            state.parent.take()
        };
        let Some(mut parent) = parent else { return Ok(Vec::new()) };
        let process = parent.running().id();
        // Stopped first, so that none of them shuts the others down in order: that would be no crash.
        stop_all(process).await?;
        let children = kill_children(process);
        let status = parent.running().kill().map_err(|error| {
            RigError::new(format!("cannot kill process {process}")).because(error)
        })?;
        self.guardian.tell("");
        // Its memory is theirs too: it cannot be started again before they are gone.
        until("its children to be gone", || Ok(children.iter().all(|&child| is_gone(child))))
            .await?;
        let children = with_children(", with its", children.len());
        Ok(vec![format!("died (process {process}, {status}{children})")])
    }

    async fn restart(&self) -> Result<Vec<String>, RigError> {
        {
            let mut state = self.state();
            state.downs = state.downs.saturating_sub(1);
            if state.downs > 0 {
                return Ok(Vec::new());
            }
        }
        let mut parent = self.home.start().await?;
        let process = parent.running().id();
        self.guardian.tell(&process.to_string());
        self.state().parent = Some(parent);
        Ok(vec![format!("was started again (process {process})")])
    }

    async fn jump(&self, by_ms: i64) -> Result<Vec<String>, RigError> {
        let (before, real) = (self.home.time_ms().await?, real_ns());
        self.steer(|clock, now| clock.jump(now, by_ms.saturating_mul(1_000_000)))?;
        let after = self.home.time_ms().await?;
        let passed = (real_ns() - real) / 1_000_000;
        let off = after - before - by_ms;
        if off < -CLOCK_TOLERANCE_MS || off > passed + CLOCK_TOLERANCE_MS {
            let what = format!("its clock went from {before} to {after} ms, not by {by_ms}");
            return Err(RigError::new(what));
        }
        Ok(vec![format!("its clock went from {before} to {after} ms")])
    }

    async fn drift(&self, rate: f64) -> Result<Vec<String>, RigError> {
        let shown = self.home.time_ms().await?;
        self.state().drifts_since = Some((shown, real_ns() / 1_000_000));
        self.steer(|clock, now| clock.run_at(now, rate))?;
        Ok(Vec::new())
    }

    async fn drift_no_more(&self) -> Result<Vec<String>, RigError> {
        self.steer(|clock, now| clock.run_at(now, 1.0))?;
        let Some((shown, real)) = self.state().drifts_since.take() else { return Ok(Vec::new()) };
        let now = self.home.time_ms().await?;
        let (its, ours) = (now - shown, real_ns() / 1_000_000 - real);
        Ok(vec![format!("its clock went on by {its} ms in {ours} ms")])
    }

    fn steer(&self, steer: impl FnOnce(&mut Clock, i64)) -> Result<(), RigError> {
        let clock = self.home.clock();
        let clock = clock.ok_or_else(|| RigError::new("its clock is in nobody's hand"))?;
        let mut clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
        clock
            .set(|clock| steer(clock, real_ns()))
            .map_err(|error| RigError::new("cannot move its clock").because(error))
    }

    async fn fill(&self) -> Result<Vec<String>, RigError> {
        let cannot = |error| RigError::new("cannot fill its disk").because(error);
        let disk = self.home.disk();
        let disk = disk.ok_or_else(|| RigError::new("its disk is everybody's"))?;
        self.state().fills += 1;
        let (written, free) = disk.fill().map_err(cannot)?;
        let refused = self.home.refused_for_room().await?;
        Ok(vec![format!("has {free} bytes free after {written} more; it says: {refused}")])
    }

    fn free(&self) -> Result<(), RigError> {
        let mut state = self.state();
        state.fills = state.fills.saturating_sub(1);
        match self.home.disk() {
            Some(disk) if state.fills == 0 => disk
                .free()
                .map_err(|error| RigError::new("cannot give its disk room again").because(error)),
            _ => Ok(()),
        }
    }
}

impl Control for DatabaseProcess {
    fn begin(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match effect {
                ServerEffect::Pause => self.pause().await,
                ServerEffect::Crash { .. } => self.crash().await,
                ServerEffect::ClockJump { by_ms } => self.jump(by_ms).await,
                ServerEffect::ClockRate(rate) => self.drift(rate).await,
                ServerEffect::FillDisk => self.fill().await,
                ServerEffect::Failover { .. } | ServerEffect::Evict | ServerEffect::Flush => {
                    Err(RigError::new("a database cannot suffer this"))
                }
            }
        }
        .boxed()
    }

    fn end(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match effect {
                ServerEffect::Pause => {
                    self.let_go_on();
                    Ok(Vec::new())
                }
                ServerEffect::Crash { .. } => self.restart().await,
                ServerEffect::ClockRate(_) => self.drift_no_more().await,
                ServerEffect::FillDisk => self.free().map(|()| Vec::new()),
                ServerEffect::ClockJump { .. }
                | ServerEffect::Failover { .. }
                | ServerEffect::Evict
                | ServerEffect::Flush => Ok(Vec::new()),
            }
        }
        .boxed()
    }

    fn relieve(&self, effect: ServerEffect) {
        match effect {
            ServerEffect::Pause => self.let_go_on(),
            ServerEffect::ClockRate(_) => drop(self.steer(|clock, now| clock.run_at(now, 1.0))),
            ServerEffect::FillDisk => drop(self.free()),
            // One that is down ends with the rig, which is about to be dropped.
            _ => {}
        }
    }
}

impl Drop for DatabaseProcess {
    fn drop(&mut self) {
        // Standing still, it would not hear that it is to shut down.
        if let Some(parent) = &mut self.state().parent {
            continue_all(parent.running().id());
        }
    }
}

fn real_ns() -> i64 {
    i64::try_from(wall_clock_ns()).unwrap_or(i64::MAX)
}

/// Those that it has, for a sentence.
fn with_children(how: &str, count: usize) -> String {
    if count == 0 { String::new() } else { format!("{how} {count} children") }
}
