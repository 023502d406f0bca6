//! What faults do to a redis-server process, and the proof of each.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_clock_shim::Clock;
use lockproof_env::live::wall_clock_ns;
use redis::aio::MultiplexedConnection;
use rustix::process::Signal;

use super::append_only;
use super::children::{self, Running};
use super::control::Control;
use super::process_tree::{OBEYED_WITHIN, until};
use super::redis_server::Home;
use super::replica::{self, Replica};
use super::straight::{dial_address, set, strings, time_ms};
use crate::{Keeps, RigError, ServerEffect};

/// What a clock may be off for being read before and after, beside the time that this takes.
pub(super) const CLOCK_TOLERANCE_MS: i64 = 5;

/// A redis-server of the run's own. Dropping it kills it.
#[derive(Debug)]
pub(super) struct RedisProcess {
    state: Mutex<State>,
    home: Home,
}

#[derive(Debug)]
struct State {
    /// None while it is down.
    running: Option<Running>,
    pauses: u32,
    downs: u32,
    /// What it held when it went down.
    held: Strings,
    /// The first is promoted when it comes to that; the others follow it then.
    replicas: Vec<Replica>,
    /// Its clock and the real one, in ms, when it began to drift.
    drifts_since: Option<(i64, i64)>,
}

pub(super) type Strings = BTreeMap<Vec<u8>, Vec<u8>>;

impl RedisProcess {
    pub(super) fn new(home: Home, running: Running, replicas: Vec<Replica>) -> Self {
        let state = State {
            running: Some(running),
            pauses: 0,
            downs: 0,
            held: Strings::new(),
            replicas,
            drifts_since: None,
        };
        Self { state: Mutex::new(state), home }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.home.address
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn process(&self) -> Result<u32, RigError> {
        let id = self.state().running.as_ref().map(Running::id);
        id.ok_or_else(|| RigError::new("it is down already"))
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RigError> {
        dial_address(self.home.address).await.map_err(|error| asked("to answer", error))
    }

    async fn pause(&self) -> Result<Vec<String>, RigError> {
        let process = self.process()?;
        self.state().pauses += 1;
        children::signal(process, Signal::STOP);
        until(&format!("process {process} to stop"), || children::is_stopped(process)).await?;
        Ok(vec![format!("stopped (process {process} in state T)")])
    }

    async fn resume(&self) -> Result<Vec<String>, RigError> {
        // Killed meanwhile, it has nothing to go on with.
        let Ok(process) = self.process() else { return Ok(Vec::new()) };
        if self.let_go_on() {
            until(&format!("process {process} to go on"), || {
                children::is_stopped(process).map(|stopped| !stopped)
            })
            .await?;
        }
        Ok(Vec::new())
    }

    /// Ends one pause; whether that was the last.
    fn let_go_on(&self) -> bool {
        let mut state = self.state();
        state.pauses = state.pauses.saturating_sub(1);
        let last = state.pauses == 0;
        if let Some(running) = state.running.as_ref().filter(|_| last) {
            children::signal(running.id(), Signal::CONT);
        }
        last
    }

    async fn crash(&self) -> Result<Vec<String>, RigError> {
        let held = self.strings().await?;
        let mut state = self.state();
        state.downs += 1;
        let Some(mut running) = state.running.take() else { return Ok(Vec::new()) };
        state.held = held;
        drop(state);
        let process = running.id();
        let status = running.kill().map_err(|error| {
            RigError::new(format!("cannot kill process {process}")).because(error)
        })?;
        Ok(vec![format!("died (process {process}, {status})")])
    }

    async fn restart(&self, keeps: Keeps) -> Result<Vec<String>, RigError> {
        let held = {
            let mut state = self.state();
            state.downs = state.downs.saturating_sub(1);
            if state.downs > 0 {
                return Ok(Vec::new());
            }
            std::mem::take(&mut state.held)
        };
        let mut told = self.forget(keeps)?;
        let (running, _) = self.home.start(None).await?;
        let process = running.id();
        self.state().running = Some(running);
        told.push(format!("was started again (process {process})"));
        told.extend(differences(&held, &self.strings().await?, "restarted"));
        Ok(told)
    }

    /// Takes from its directory what it has not kept.
    fn forget(&self, keeps: Keeps) -> Result<Vec<String>, RigError> {
        let cannot = |error| RigError::new("cannot take away what it has not kept").because(error);
        match keeps {
            Keeps::Everything => Ok(Vec::new()),
            Keeps::EverySecond => {
                let second = u64::try_from(self.shown_ms() / 1000).unwrap_or_default();
                let lost = append_only::cut_to_last_second(&self.home.directory, second);
                let lost = lost.map_err(cannot)?;
                let told = format!("lost {lost} bytes of its append-only file");
                Ok(if lost > 0 { vec![told] } else { Vec::new() })
            }
            Keeps::Nothing => {
                remove(&self.home.directory.join("appendonlydir")).map_err(cannot)?;
                Ok(Vec::new())
            }
        }
    }

    /// What its clock should show; it is steered from here.
    fn shown_ms(&self) -> i64 {
        let real = real_ns();
        let shown = self
            .home
            .clock
            .as_ref()
            .map(|clock| clock.lock().unwrap_or_else(PoisonError::into_inner).at(real));
        shown.unwrap_or(real) / 1_000_000
    }

    async fn fail_over(&self) -> Result<Vec<String>, RigError> {
        let mut others = std::mem::take(&mut self.state().replicas);
        if others.is_empty() {
            return Err(RigError::new("it has no replica any more"));
        }
        let mut replica = others.remove(0);
        let held = self.strings().await?;
        replica.cut_off().await;
        let primary = self.state().running.take();
        if let Some(mut primary) = primary {
            primary
                .kill()
                .map_err(|error| RigError::new("cannot kill the old primary").because(error))?;
        }
        let promoted = replica.promote(self.home.address).await?;
        let process = promoted.id();
        // It listens where the old primary did, so that they find it by themselves.
        for other in &others {
            other.follows_again().await?;
        }
        if !others.is_empty() {
            replica::acknowledged(self.home.address, others.len()).await?;
        }
        {
            let mut state = self.state();
            state.running = Some(promoted);
            state.replicas = others;
        }
        let mut told = vec![format!("has its replica in its place (process {process})")];
        told.extend(differences(&held, &self.strings().await?, "its replica"));
        Ok(told)
    }

    async fn jump(&self, by_ms: i64) -> Result<Vec<String>, RigError> {
        let mut connection = self.connect().await?;
        let because = |error| asked("for the time", error);
        // Read around both of its answers: however late we are at reading them, what passed between them is less.
        let real = real_ns();
        let before = time_ms(&mut connection).await.map_err(because)?;
        self.steer(|clock, now| clock.jump(now, by_ms.saturating_mul(1_000_000)))?;
        let after = time_ms(&mut connection).await.map_err(because)?;
        let passed = (real_ns() - real) / 1_000_000;
        let off = after - before - by_ms;
        if off < -CLOCK_TOLERANCE_MS || off > passed + CLOCK_TOLERANCE_MS {
            let what = format!("its TIME went from {before} to {after} ms, not by {by_ms}");
            return Err(RigError::new(what));
        }
        Ok(vec![format!("TIME went from {before} to {after} ms")])
    }

    async fn drift(&self, rate: f64) -> Result<Vec<String>, RigError> {
        let mut connection = self.connect().await?;
        let shown = time_ms(&mut connection).await.map_err(|error| asked("for the time", error))?;
        self.state().drifts_since = Some((shown, real_ns() / 1_000_000));
        self.steer(|clock, now| clock.run_at(now, rate))?;
        Ok(Vec::new())
    }

    async fn drift_no_more(&self) -> Result<Vec<String>, RigError> {
        self.steer(|clock, now| clock.run_at(now, 1.0))?;
        let Some((shown, real)) = self.state().drifts_since.take() else { return Ok(Vec::new()) };
        // Down, it shows no time; the drift was there all the same.
        let mut connection = self.connect().await?;
        let now = time_ms(&mut connection).await.map_err(|error| asked("for the time", error))?;
        let (its, ours) = (now - shown, real_ns() / 1_000_000 - real);
        Ok(vec![format!("TIME went on by {its} ms in {ours} ms")])
    }

    fn steer(&self, steer: impl FnOnce(&mut Clock, i64)) -> Result<(), RigError> {
        let clock = self.home.clock.as_ref();
        let clock = clock.ok_or_else(|| RigError::new("its clock is in nobody's hand"))?;
        let mut clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
        clock
            .set(|clock| steer(clock, real_ns()))
            .map_err(|error| RigError::new("cannot move its clock").because(error))
    }

    pub(super) async fn strings(&self) -> Result<Strings, RigError> {
        let mut connection = self.connect().await?;
        strings(&mut connection).await.map_err(|error| asked("for its keys", error))
    }
}

impl Control for RedisProcess {
    fn begin(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match effect {
                ServerEffect::Pause => self.pause().await,
                ServerEffect::Crash { .. } => self.crash().await,
                ServerEffect::ClockJump { by_ms } => self.jump(by_ms).await,
                ServerEffect::ClockRate(rate) => self.drift(rate).await,
                ServerEffect::Failover { .. } => self.fail_over().await,
                ServerEffect::Evict => evict(&mut self.connect().await?).await,
                ServerEffect::Flush => flush(&mut self.connect().await?).await,
                ServerEffect::FillDisk => Err(RigError::new("a Redis server has no disk to fill")),
            }
        }
        .boxed()
    }

    fn end(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match effect {
                ServerEffect::Pause => self.resume().await,
                ServerEffect::Crash { keeps } => self.restart(keeps).await,
                ServerEffect::ClockRate(_) => self.drift_no_more().await,
                ServerEffect::ClockJump { .. }
                | ServerEffect::Failover { .. }
                | ServerEffect::Evict
                | ServerEffect::Flush
                | ServerEffect::FillDisk => Ok(Vec::new()),
            }
        }
        .boxed()
    }

    fn relieve(&self, effect: ServerEffect) {
        match effect {
            ServerEffect::Pause => {
                self.let_go_on();
            }
            ServerEffect::ClockRate(_) => drop(self.steer(|clock, now| clock.run_at(now, 1.0))),
            // A server that is down ends with the rig, which is about to be dropped.
            _ => {}
        }
    }
}

/// Memory pressure until no key is left, and what it took.
pub(super) async fn evict(connection: &mut MultiplexedConnection) -> Result<Vec<String>, RigError> {
    let because = |error| asked("to evict", error);
    let before = keys(connection).await.map_err(because)?;
    set(connection, "maxmemory-policy", "allkeys-lru").await.map_err(because)?;
    set(connection, "maxmemory", "1").await.map_err(because)?;
    let deadline = tokio::time::Instant::now() + OBEYED_WITHIN;
    let mut left = before;
    while left > 0 && tokio::time::Instant::now() < deadline {
        left = keys(connection).await.map_err(because)?;
    }
    set(connection, "maxmemory", "0").await.map_err(because)?;
    set(connection, "maxmemory-policy", "noeviction").await.map_err(because)?;
    if left > 0 {
        return Err(RigError::new(format!("it kept {left} of {before} keys under pressure")));
    }
    let told = format!("evicted {before} keys (maxmemory 1, allkeys-lru)");
    Ok(if before > 0 { vec![told] } else { Vec::new() })
}

/// FLUSHALL, and what it took.
pub(super) async fn flush(connection: &mut MultiplexedConnection) -> Result<Vec<String>, RigError> {
    let because = |error| asked("to flush", error);
    let before = keys(connection).await.map_err(because)?;
    redis::cmd("FLUSHALL").query_async::<()>(connection).await.map_err(because)?;
    Ok(if before > 0 { vec![format!("lost {before} keys to FLUSHALL")] } else { Vec::new() })
}

async fn keys(connection: &mut MultiplexedConnection) -> redis::RedisResult<u64> {
    redis::cmd("DBSIZE").query_async(connection).await
}

/// What a server holds no longer, and what it holds of the past.
pub(super) fn differences(before: &Strings, after: &Strings, who: &str) -> Vec<String> {
    let missing = |these: &Strings, from: &Strings| {
        these.iter().filter(|(key, value)| from.get(*key) != Some(value)).count()
    };
    let (lost, stale) = (missing(before, after), missing(after, before));
    let lost = (lost > 0).then(|| format!("{who} without {lost} keys"));
    let stale = (stale > 0).then(|| format!("{who} with {stale} of the past"));
    lost.into_iter().chain(stale).collect()
}

fn remove(directory: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn real_ns() -> i64 {
    i64::try_from(wall_clock_ns()).unwrap_or(i64::MAX)
}

fn asked(what: &str, error: redis::RedisError) -> RigError {
    RigError::new(format!("could not ask it {what}")).because(error)
}
