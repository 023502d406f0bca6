//! A redis-server in a container, and what faults do to it.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::aio::MultiplexedConnection;

use super::engine::Contained;
use crate::live::control::Control;
use crate::live::redis_control::{Strings, differences, evict, flush};
use crate::live::straight::{dial_address, strings};
use crate::{Keeps, RigError, ServerEffect};

/// One server. Dropping it removes its container.
#[derive(Debug)]
pub(super) struct RedisContainer {
    contained: Contained,
    address: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pauses: u32,
    downs: u32,
    /// What it held when it went down.
    held: Strings,
}

impl RedisContainer {
    pub(super) fn new(contained: Contained, address: SocketAddr) -> Self {
        Self { contained, address, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RigError> {
        let because = |error| RigError::new("could not ask it to answer").because(error);
        dial_address(self.address).await.map_err(because)
    }

    async fn strings(&self) -> Result<Strings, RigError> {
        let because = |error| RigError::new("could not ask it for its keys").because(error);
        strings(&mut self.connect().await?).await.map_err(because)
    }

    async fn pause(&self) -> Result<Vec<String>, RigError> {
        let first = {
            let mut state = self.state();
            state.pauses += 1;
            state.pauses == 1
        };
        if first {
            self.contained.pause().await?;
        }
        Ok(vec![format!(
            "stopped (container {:.12} {})",
            self.contained.id,
            self.contained.state().await?
        )])
    }

    /// Ends one pause; whether that was the last.
    fn was_last_pause(&self) -> bool {
        let mut state = self.state();
        let was_paused = state.pauses > 0;
        state.pauses = state.pauses.saturating_sub(1);
        was_paused && state.pauses == 0
    }

    async fn crash(&self) -> Result<Vec<String>, RigError> {
        let held = self.strings().await?;
        {
            let mut state = self.state();
            state.downs += 1;
            if state.downs > 1 {
                return Ok(Vec::new());
            }
            state.held = held;
        }
        self.contained.kill().await?;
        Ok(vec![format!("died (container {:.12} killed)", self.contained.id)])
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
        self.contained.start_again().await?;
        super::servers::answers(self.address).await?;
        if keeps == Keeps::Nothing {
            // What another fault of the scenario makes it keep, this one has it lose.
            flush(&mut self.connect().await?).await?;
        }
        let mut told = vec![format!("was started again (container {:.12})", self.contained.id)];
        told.extend(differences(&held, &self.strings().await?, "restarted"));
        Ok(told)
    }
}

impl Control for RedisContainer {
    fn begin(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match effect {
                ServerEffect::Pause => self.pause().await,
                ServerEffect::Crash { .. } => self.crash().await,
                ServerEffect::Evict => evict(&mut self.connect().await?).await,
                ServerEffect::Flush => flush(&mut self.connect().await?).await,
                ServerEffect::ClockJump { .. }
                | ServerEffect::ClockRate(_)
                | ServerEffect::Failover { .. }
                | ServerEffect::FillDisk => {
                    Err(RigError::new("a server in a container cannot suffer this"))
                }
            }
        }
        .boxed()
    }

    fn end(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match effect {
                ServerEffect::Pause if self.was_last_pause() => {
                    self.contained.unpause().await?;
                    Ok(Vec::new())
                }
                ServerEffect::Crash { keeps } => self.restart(keeps).await,
                _ => Ok(Vec::new()),
            }
        }
        .boxed()
    }

    fn relieve(&self, effect: ServerEffect) {
        if effect == ServerEffect::Pause && self.was_last_pause() {
            self.contained.unpause_now();
        }
    }
}
