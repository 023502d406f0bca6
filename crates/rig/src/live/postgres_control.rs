//! What faults do to a Postgres of one cell, and the proof of each.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{Dialled, PostgresAddress};
use lockproof_clock_shim::Clock;
use lockproof_env::live::wall_clock_ns;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::control::Control;
use super::guardian::Guardian;
use super::postgres::{Home, Postmaster};
use super::process_tree::{continue_all, is_gone, kill_children, stop_all, until};
use super::redis_control::CLOCK_TOLERANCE_MS;
use crate::{RigError, ServerEffect};

/// What the guardian does: a stopped process hears nothing but this, and then shuts down at once.
const DEED: &str = "if [ -n \"$last\" ]; then \
    kill -CONT $last $(cat /proc/$last/task/$last/children); kill -QUIT $last; fi";

/// A Postgres that no other cell uses. Dropping it shuts it down, even where it stands still.
#[derive(Debug)]
pub(super) struct PostgresProcess {
    /// First: the cluster is down before its disk and its directory are gone.
    state: Mutex<State>,
    guardian: Guardian,
    home: Home,
}

#[derive(Debug)]
struct State {
    /// None while it is down.
    postmaster: Option<Postmaster>,
    pauses: u32,
    downs: u32,
    fills: u32,
    /// Its clock and the real one, in ms, when it began to drift.
    drifts_since: Option<(i64, i64)>,
}

impl PostgresProcess {
    pub(super) fn new(home: Home, postmaster: Postmaster) -> Result<Self, RigError> {
        let guardian = Guardian::start(home.spawner(), DEED)?;
        guardian.tell(&postmaster.0.id().to_string());
        let state = State {
            postmaster: Some(postmaster),
            pauses: 0,
            downs: 0,
            fills: 0,
            drifts_since: None,
        };
        Ok(Self { state: Mutex::new(state), guardian, home })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn process(&self) -> Result<u32, RigError> {
        let id = self.state().postmaster.as_ref().map(|postmaster| postmaster.0.id());
        id.ok_or_else(|| RigError::new("it is down already"))
    }

    async fn connect(&self) -> Result<Dialled, RigError> {
        let dialled = PostgresAddress::from(self.home.config()).connect().await;
        dialled.map_err(|error| RigError::new("could not ask it to answer").because(error))
    }

    async fn pause(&self) -> Result<Vec<String>, RigError> {
        let process = self.process()?;
        self.state().pauses += 1;
        let children = stop_all(process).await?;
        Ok(vec![format!("stopped (process {process} and its {children} children in state T)")])
    }

    /// Ends one pause.
    fn let_go_on(&self) {
        let mut state = self.state();
        state.pauses = state.pauses.saturating_sub(1);
        if let Some(postmaster) = state.postmaster.as_ref().filter(|_| state.pauses == 0) {
            continue_all(postmaster.0.id());
        }
    }

    async fn crash(&self) -> Result<Vec<String>, RigError> {
        let postmaster = {
            let mut state = self.state();
            state.downs += 1;
            state.postmaster.take()
        };
        let Some(mut postmaster) = postmaster else { return Ok(Vec::new()) };
        let process = postmaster.0.id();
        // Stopped first, so that none of them shuts the others down in order: that would be no crash.
        stop_all(process).await?;
        let children = kill_children(process);
        let status = postmaster.0.kill().map_err(|error| {
            RigError::new(format!("cannot kill process {process}")).because(error)
        })?;
        self.guardian.tell("");
        // Its memory is theirs too: it cannot be started again before they are gone.
        until("its children to be gone", || Ok(children.iter().all(|&child| is_gone(child))))
            .await?;
        let count = children.len();
        Ok(vec![format!("died (process {process}, {status}, with its {count} children)")])
    }

    async fn restart(&self) -> Result<Vec<String>, RigError> {
        {
            let mut state = self.state();
            state.downs = state.downs.saturating_sub(1);
            if state.downs > 0 {
                return Ok(Vec::new());
            }
        }
        let postmaster = self.home.start().await?;
        let process = postmaster.0.id();
        self.guardian.tell(&process.to_string());
        self.state().postmaster = Some(postmaster);
        Ok(vec![format!("was started again (process {process})")])
    }

    async fn jump(&self, by_ms: i64) -> Result<Vec<String>, RigError> {
        let dialled = self.connect().await?;
        let (before, real) = (time_ms(&dialled).await?, real_ns());
        self.steer(|clock, now| clock.jump(now, by_ms.saturating_mul(1_000_000)))?;
        let after = time_ms(&dialled).await?;
        let passed = (real_ns() - real) / 1_000_000;
        let off = after - before - by_ms;
        if off < -CLOCK_TOLERANCE_MS || off > passed + CLOCK_TOLERANCE_MS {
            let what = format!("its clock went from {before} to {after} ms, not by {by_ms}");
            return Err(RigError::new(what));
        }
        Ok(vec![format!("clock_timestamp() went from {before} to {after} ms")])
    }

    async fn drift(&self, rate: f64) -> Result<Vec<String>, RigError> {
        let shown = time_ms(&self.connect().await?).await?;
        self.state().drifts_since = Some((shown, real_ns() / 1_000_000));
        self.steer(|clock, now| clock.run_at(now, rate))?;
        Ok(Vec::new())
    }

    async fn drift_no_more(&self) -> Result<Vec<String>, RigError> {
        self.steer(|clock, now| clock.run_at(now, 1.0))?;
        let Some((shown, real)) = self.state().drifts_since.take() else { return Ok(Vec::new()) };
        let now = time_ms(&self.connect().await?).await?;
        let (its, ours) = (now - shown, real_ns() / 1_000_000 - real);
        Ok(vec![format!("clock_timestamp() went on by {its} ms in {ours} ms")])
    }

    fn steer(&self, steer: impl FnOnce(&mut Clock, i64)) -> Result<(), RigError> {
        let clock = self.home.clock.as_ref();
        let clock = clock.ok_or_else(|| RigError::new("its clock is in nobody's hand"))?;
        let mut clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
        clock
            .set(|clock| steer(clock, real_ns()))
            .map_err(|error| RigError::new("cannot move its clock").because(error))
    }

    async fn fill(&self) -> Result<Vec<String>, RigError> {
        let cannot = |error| RigError::new("cannot fill its disk").because(error);
        let disk = self.home.disk.as_ref();
        let disk = disk.ok_or_else(|| RigError::new("its disk is everybody's"))?;
        self.state().fills += 1;
        let (written, free) = disk.fill().map_err(cannot)?;
        let refused = refused(&self.connect().await?).await?;
        Ok(vec![format!("has {free} bytes free after {written} more; it says: {refused}")])
    }

    fn free(&self) -> Result<(), RigError> {
        let mut state = self.state();
        state.fills = state.fills.saturating_sub(1);
        match &self.home.disk {
            Some(disk) if state.fills == 0 => disk
                .free()
                .map_err(|error| RigError::new("cannot give its disk room again").because(error)),
            _ => Ok(()),
        }
    }
}

impl Control for PostgresProcess {
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

impl Drop for PostgresProcess {
    fn drop(&mut self) {
        // Standing still, it would not hear that it is to shut down.
        if let Some(postmaster) = &self.state().postmaster {
            continue_all(postmaster.0.id());
        }
    }
}

/// What the server says when it needs more room than there is. A table of a session is nobody else's, and is gone with
/// it.
async fn refused(dialled: &Dialled) -> Result<String, RigError> {
    let more =
        "CREATE TEMPORARY TABLE more AS SELECT repeat('x', 1000) FROM generate_series(1, 1000)";
    let error = match dialled.client().batch_execute(more).await {
        Ok(()) => return Err(RigError::new("it found room on a disk that was to be full")),
        Err(error) => error,
    };
    match error.as_db_error() {
        Some(db) if *db.code() == SqlState::DISK_FULL => Ok(db.message().to_owned()),
        _ => Err(asked("for more room", error)),
    }
}

/// The server's wall clock, in milliseconds since 1970.
async fn time_ms(dialled: &Dialled) -> Result<i64, RigError> {
    let statement = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let row = dialled.client().query_one(statement, &[]).await;
    Ok(row.map_err(|error| asked("for the time", error))?.get(0))
}

fn real_ns() -> i64 {
    i64::try_from(wall_clock_ns()).unwrap_or(i64::MAX)
}

fn asked(what: &str, error: Error) -> RigError {
    RigError::new(format!("could not ask it {what}")).because(error)
}
