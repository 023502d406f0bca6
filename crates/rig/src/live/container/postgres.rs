//! A Postgres in a container, and what faults do to it.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::engine::Contained;
use crate::live::control::Control;
use crate::live::postgres::{address_of, schema_of, until_it_answers};
use crate::live::provider::Database;
use crate::{RigError, ServerEffect};

/// Whom holders log in as.
pub(super) const USER: &str = "lockproof";

/// One server. Dropping it removes its container.
#[derive(Debug)]
pub(super) struct PostgresContainer {
    contained: Contained,
    address: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pauses: u32,
    downs: u32,
}

impl PostgresContainer {
    pub(super) fn new(contained: Contained, address: SocketAddr) -> Self {
        Self { contained, address, state: Mutex::default() }
    }

    pub(super) fn config(&self) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config.host(self.address.ip().to_string()).port(self.address.port());
        config.user(USER).dbname("postgres");
        config
    }

    /// A schema of its own for `name`; the store creates it.
    pub(super) fn database(&self, name: &str) -> Database {
        Database::Postgres {
            address: Box::new(address_of(USER, self.address)),
            tcp: Some(self.address),
            schema: schema_of(name),
            settings: Vec::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        {
            let mut state = self.state();
            state.downs += 1;
            if state.downs > 1 {
                return Ok(Vec::new());
            }
        }
        self.contained.kill().await?;
        Ok(vec![format!("died (container {:.12} killed)", self.contained.id)])
    }

    async fn restart(&self) -> Result<Vec<String>, RigError> {
        {
            let mut state = self.state();
            state.downs = state.downs.saturating_sub(1);
            if state.downs > 0 {
                return Ok(Vec::new());
            }
        }
        self.contained.start_again().await?;
        until_it_answers(&self.config()).await?;
        Ok(vec![format!("was started again (container {:.12})", self.contained.id)])
    }
}

impl Control for PostgresContainer {
    fn begin(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match effect {
                ServerEffect::Pause => self.pause().await,
                ServerEffect::Crash { .. } => self.crash().await,
                _ => Err(RigError::new("a database in a container cannot suffer this")),
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
                ServerEffect::Crash { .. } => self.restart().await,
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
