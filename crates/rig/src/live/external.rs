//! Provider `external`: servers that run already, and that others may use.
//!
//! Everything on them bears the run's name: keys `lockproof:<run>:<cell>:…`, schemas `lockproof_<run>_<cell>`. A cell
//! removes its own at its end, the run what is left at its own, and the next run, or `lockproof doctor --sweep`, what
//! killed ones have left.

mod notices;
mod postgres;
mod pulse;
mod redis;
mod run_id;
mod settings;
mod sweep;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::redis::ConnectionInfo;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Env;
use lockproof_locks::Coordinator;
use lockproof_model::{ServerInfo, in_full};
use tokio::task::JoinSet;

use self::run_id::RunId;
pub use self::sweep::Swept;
use super::background::Background;
use super::control::Control;
use super::coordinator::{self, CoordinatorServer};
use super::provider::{Database, Provider, ProviderEntry, RedisServer};
use super::redis_control::flush;
use super::straight::{dial, remove_keys};
use super::workspace::Workspace;
use crate::{DatabaseEngine, ExternalServers, RigError, ServerEffect, ServerNeeds, Topology};

pub(super) const ENTRY: ProviderEntry = ProviderEntry {
    name: "external",
    summary: "servers that run already, by URL; everything on them bears the run's name",
    databases: &[DatabaseEngine::Postgres, DatabaseEngine::Sqlite],
    refuses: |_, effect| {
        (effect != ServerEffect::Flush).then_some("its processes and clocks are somebody else's")
    },
    refuses_topology: |topology| {
        (topology != Topology::Independent).then_some("servers that run already are what they are")
    },
    refuses_coordinators: None,
    refuses_replicas: None,
    shared: true,
    start: |servers| Ok(Arc::new(External::start(servers)?)),
};

/// A run that has shown on every server that it lives. Dropping it ends that.
struct Present {
    run: RunId,
    servers: ExternalServers,
    swept: Swept,
    /// Before the thread that they run on.
    _pulses: JoinSet<()>,
    background: Background,
}

impl Present {
    /// Shows that `run` lives, then removes what dead runs have left.
    fn start(servers: &ExternalServers) -> Result<Self, RigError> {
        // Both clients take it from here; a second time it is set already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let background = background()?;
        let (run, servers) = (RunId::draw(), servers.clone());
        let named = servers.clone();
        let (pulses, swept) = background.wait(async move {
            let env = lockproof_env::live::env(run.0);
            let mut pulses = JoinSet::new();
            for url in &named.redis {
                pulses.spawn(pulse::of_redis(url.clone(), run, env.clone()).await?);
            }
            if let Some(url) = &named.database {
                pulses.spawn(pulse::of_postgres(url.clone(), run, env.clone()).await?);
            }
            Ok::<_, RigError>((pulses, sweep(&named, run, &env).await?))
        })?;
        Ok(Self { run, servers, swept, _pulses: pulses, background })
    }
}

async fn sweep(servers: &ExternalServers, run: RunId, env: &Env) -> Result<Swept, RigError> {
    let mut swept = Swept::default();
    for url in &servers.redis {
        swept.add(sweep::redis(url, run, env).await?);
    }
    if let Some(url) = &servers.database {
        swept.add(sweep::postgres(url, run, env).await?);
    }
    Ok(swept)
}

fn background() -> Result<Background, RigError> {
    Background::start()
        .map_err(|error| RigError::new("cannot start the thread for servers").because(error))
}

struct External {
    redis: Vec<redis::Seen>,
    database: Option<postgres::Seen>,
    /// For the embedded database, where none was named.
    workspace: Option<Workspace>,
    notices: Vec<String>,
    /// Whether nothing is left to be removed.
    ended: AtomicBool,
    present: Present,
}

impl External {
    fn start(servers: &ExternalServers) -> Result<Self, RigError> {
        let workspace = match servers.database {
            Some(_) => None,
            None => Some(Workspace::create().map_err(|error| {
                RigError::new("cannot make a directory for the embedded database").because(error)
            })?),
        };
        // Looked at first: of a server that cannot be used, why is more than that no session could be opened.
        let looking = background()?;
        let (named, run) = (servers.clone(), RunId::draw());
        let (redis, database) = looking.wait(async move {
            drop(rustls::crypto::ring::default_provider().install_default());
            let mut redis = Vec::new();
            for url in &named.redis {
                redis.push(redis::look(url, run).await?);
            }
            let database = match &named.database {
                Some(url) => Some(postgres::look(url).await?),
                None => None,
            };
            Ok::<_, RigError>((redis, database))
        })?;
        let present = Present::start(servers)?;
        let mut notices = notices::twins(servers, &redis)?;
        if !present.swept.is_empty() {
            notices.push(present.swept.to_string());
        }
        notices.extend(notices::warnings(servers, &redis, database.as_ref()));
        let ended = AtomicBool::new(false);
        Ok(Self { redis, database, workspace, notices, ended, present })
    }

    /// What is not gone by now: of cells that could not clear up, or did not come to it.
    fn clear(&self) -> Result<(), RigError> {
        let (run, servers) = (self.present.run, self.present.servers.clone());
        self.present.background.wait(async move {
            let mut cleared = Ok(());
            for url in &servers.redis {
                let removed = remove_keys(url.connection(), &run.keys()).await;
                cleared =
                    cleared.and(removed.map(drop).map_err(|error| redis::explain(url, error)));
            }
            match &servers.database {
                Some(url) => cleared.and(sweep::own_schemas(url, run).await.map(drop)),
                None => cleared,
            }
        })
    }
}

/// Somebody else's server, of which a client can ask one harmful thing.
#[derive(Debug)]
struct Theirs(ConnectionInfo);

impl Control for Theirs {
    fn begin(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match effect {
                ServerEffect::Flush => {
                    let connection = dial(&self.0).await;
                    let unreachable =
                        |error| RigError::new("cannot reach a Redis server").because(error);
                    flush(&mut connection.map_err(unreachable)?).await
                }
                _ => Err(RigError::new("a server of somebody else cannot suffer this")),
            }
        }
        .boxed()
    }

    fn end(&self, _effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        std::future::ready(Ok(Vec::new())).boxed()
    }

    fn relieve(&self, _effect: ServerEffect) {}
}

impl Provider for External {
    fn redis(
        &self,
        number: usize,
        _needs: ServerNeeds,
    ) -> BoxFuture<'_, Result<RedisServer, RigError>> {
        async move {
            let named = self.present.servers.redis.get(number).zip(self.redis.get(number));
            let (url, seen) = named.ok_or_else(|| {
                let named = self.redis.len();
                RigError::new(format!(
                    "{} Redis servers are needed, and {named} are named",
                    number + 1
                ))
            })?;
            // It was there at the start of the run; whether it still is, is said with its name.
            dial(url.connection()).await.map_err(|error| redis::explain(url, error))?;
            Ok(RedisServer {
                connection: url.connection().clone(),
                tcp: seen.tcp,
                name: url.to_string(),
                info: seen.info.clone(),
                shared: true,
                control: Arc::new(Theirs(url.connection().clone())),
            })
        }
        .boxed()
    }

    /// All that a cell writes there ends with its leases and sessions, so that nobody has to clear up.
    fn coordinator(
        &self,
        service: Coordinator,
    ) -> BoxFuture<'_, Result<CoordinatorServer, RigError>> {
        async move {
            let url = self.present.servers.coordinators.get(&service);
            let url = url.ok_or_else(|| RigError::new(format!("no {service} is named")))?;
            coordinator::look(service, url).await
        }
        .boxed()
    }

    fn database<'a>(
        &'a self,
        name: &'a str,
        _engine: Option<DatabaseEngine>,
    ) -> BoxFuture<'a, Result<Database, RigError>> {
        async move {
            if let Some(workspace) = &self.workspace {
                let directory = workspace.directory(name).map_err(|error| {
                    RigError::new("cannot make a directory for the database").because(error)
                })?;
                let settings = settings::of_the_embedded_database();
                return Ok(Database::Sqlite { path: directory.join("bookings.sqlite"), settings });
            }
            let (url, seen) = (self.present.servers.database.as_ref().zip(self.database.as_ref()))
                .ok_or_else(|| RigError::new("no database is named"))?;
            // As with Redis: whether it is still there is said with its name.
            drop(postgres::dial(url, None).await?);
            Ok(Database::Postgres {
                address: Box::new(seen.address.clone()),
                tcp: seen.tcp,
                schema: self.present.run.schema_of(name),
                settings: seen.info.settings.clone(),
            })
        }
        .boxed()
    }

    fn key_prefix(&self, cell: &str) -> String {
        self.present.run.keys_of(cell)
    }

    fn notices(&self) -> Vec<String> {
        self.notices.clone()
    }

    fn shared(&self) -> bool {
        true
    }

    fn end(&self) -> Result<(), RigError> {
        // Once, whatever comes of it: who cannot be reached now cannot be a moment later.
        if self.ended.swap(true, Ordering::Relaxed) { Ok(()) } else { self.clear() }
    }

    fn spare_connections(&self) -> Option<usize> {
        self.database.as_ref().map(|seen| seen.spare)
    }
}

impl Drop for External {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(error = in_full(&error), "what this run left is still there");
        }
    }
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Present { run, servers, .. } = &self.present;
        f.debug_struct("External")
            .field("run", run)
            .field("servers", servers)
            .finish_non_exhaustive()
    }
}

/// A server by its URL, without a password, and what it is.
pub type Inspected = (String, Result<ServerInfo, RigError>);

/// Each of `servers` by its URL, without a password: what it is, or why it cannot be used.
///
/// # Errors
/// This machine cannot start a thread.
pub fn inspect(servers: &ExternalServers) -> Result<Vec<Inspected>, RigError> {
    let servers = servers.clone();
    Ok(background()?.wait(async move {
        drop(rustls::crypto::ring::default_provider().install_default());
        let (run, mut seen) = (RunId::draw(), Vec::new());
        for url in &servers.redis {
            seen.push((url.to_string(), redis::look(url, run).await.map(|seen| seen.info)));
        }
        for (service, url) in &servers.coordinators {
            let looked = coordinator::look(*service, url).await;
            seen.push((url.to_string(), looked.map(|server| server.info)));
        }
        if let Some(url) = &servers.database {
            seen.push((url.to_string(), postgres::look(url).await.map(|seen| seen.info)));
        }
        seen
    }))
}

/// Removes what killed runs have left on `servers`, and nothing else.
///
/// # Errors
/// A server cannot be used.
pub fn sweep_servers(servers: &ExternalServers) -> Result<Swept, RigError> {
    Present::start(servers).map(|present| present.swept.clone())
}
