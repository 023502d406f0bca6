//! The containers of one run.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::ServerInfo;
use testcontainers::core::IntoContainerPort;
use testcontainers::{ContainerRequest, GenericImage, ImageExt};
use tokio::sync::OnceCell;

use super::engine::{Contained, Engine, LABEL};
use super::postgres::{PostgresContainer, USER};
use super::redis::RedisContainer;
use crate::live::children::Spawner;
use crate::live::guardian::Guardian;
use crate::live::postgres::{CONNECTIONS, until_it_answers};
use crate::live::provider::{Database, OwnDatabase, Provider, RedisServer};
use crate::live::redis_server::{SETTINGS, free_address, persistence, who_answers};
use crate::live::workspace::Workspace;
use crate::{ContainerImages, DatabaseEngine, ExternalServers, RigError, ServerNeeds};

const REDIS: u16 = 6379;
const POSTGRES: u16 = 5432;
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
/// A port that was free may be taken by the time the engine binds it.
const TRIES: u32 = 3;

pub(super) fn start(servers: &ExternalServers) -> Result<Arc<dyn Provider>, RigError> {
    Ok(Arc::new(Containers::start(servers.images.clone())?))
}

/// Fields drop in this order: containers, then whoever would remove them, then the directory whose name they bear.
#[derive(Debug)]
struct Containers {
    postgres: OnceCell<PostgresContainer>,
    engine: Engine,
    images: ContainerImages,
    _guardian: Guardian,
    _spawner: Spawner,
    workspace: Workspace,
}

impl Containers {
    fn start(images: ContainerImages) -> Result<Self, RigError> {
        let cannot = |error| RigError::new("cannot set up containers").because(error);
        let engine = Engine::find()?;
        // Its directory gone, a killed run's containers are known to be nobody's.
        let workspace = Workspace::create().map_err(cannot)?;
        engine.sweep()?;
        let spawner = Spawner::start().map_err(cannot)?;
        // At once, where the engine's own client is there; the next run's sweep does it in any case.
        let run = workspace.path().display();
        let deed = format!(
            "command -v docker && docker rm -f -v $(docker ps -aq --filter 'label={LABEL}={run}')"
        );
        let guardian = Guardian::start(&spawner, &deed)?;
        let postgres = OnceCell::new();
        Ok(Self { postgres, engine, images, _guardian: guardian, _spawner: spawner, workspace })
    }

    /// Starts a container of `image`, its `port` at a free one of the engine's machine, which stays the same when it is
    /// started again. Gives where that is.
    async fn launch(
        &self,
        image: &str,
        port: u16,
        prepare: impl Fn(GenericImage) -> ContainerRequest<GenericImage>,
    ) -> Result<(Contained, SocketAddr), RigError> {
        let mut last = None;
        for _ in 0..TRIES {
            let free = free_address().map_err(|error| {
                RigError::new("cannot find a port for a container").because(error)
            })?;
            let request = prepare(named(image)).with_mapped_port(free.port(), port.tcp());
            match self.engine.start(request, self.workspace.path()).await {
                Ok(contained) => {
                    let host = contained.host().await?;
                    return Ok((contained, resolved(&host, free.port())?));
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("there was at least one try"))
    }

    async fn launch_postgres(&self) -> Result<PostgresContainer, RigError> {
        let prepare = |image: GenericImage| {
            image
                .with_env_var("POSTGRES_USER", USER)
                .with_env_var("POSTGRES_HOST_AUTH_METHOD", "trust")
                .with_cmd(["postgres", "-c", CONNECTIONS])
        };
        let (contained, address) = self.launch(&self.images.postgres, POSTGRES, prepare).await?;
        let server = PostgresContainer::new(contained, address);
        until_it_answers(&server.config()).await?;
        Ok(server)
    }
}

impl Provider for Containers {
    fn redis(
        &self,
        _number: usize,
        needs: ServerNeeds,
    ) -> BoxFuture<'_, Result<RedisServer, RigError>> {
        async move {
            let prepare = |image: GenericImage| {
                let settings = SETTINGS.iter().copied().chain(persistence(needs.keeps));
                let words = ["redis-server"].into_iter().chain(settings);
                image.with_cmd(words.chain(["--protected-mode", "no"]))
            };
            let (contained, address) = self.launch(&self.images.redis, REDIS, prepare).await?;
            let version = answers(address).await?;
            let info = ServerInfo::new("redis-server (container)", version);
            RedisServer::own(address, info, RedisContainer::new(contained, address))
        }
        .boxed()
    }

    fn database<'a>(
        &'a self,
        name: &'a str,
        _engine: Option<DatabaseEngine>,
    ) -> BoxFuture<'a, Result<Database, RigError>> {
        async move {
            let server = self.postgres.get_or_try_init(|| self.launch_postgres()).await?;
            Ok(server.database(name))
        }
        .boxed()
    }

    fn own_database<'a>(
        &'a self,
        name: &'a str,
        _engine: Option<DatabaseEngine>,
        _needs: ServerNeeds,
    ) -> BoxFuture<'a, Result<OwnDatabase, RigError>> {
        async move {
            let server = self.launch_postgres().await?;
            Ok(OwnDatabase { database: server.database(name), control: Arc::new(server) })
        }
        .boxed()
    }
}

/// Waits until a Redis answers, and gives its version.
pub(super) async fn answers(address: SocketAddr) -> Result<String, RigError> {
    let deadline = tokio::time::Instant::now() + READY_WITHIN;
    loop {
        match who_answers(address).await {
            Ok((version, _)) => return Ok(version),
            Err(error) if tokio::time::Instant::now() >= deadline => {
                let what =
                    format!("a redis-server in a container did not answer within {READY_WITHIN:?}");
                return Err(RigError::new(what).because(error));
            }
            Err(_) => tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await,
        }
    }
}

fn named(image: &str) -> GenericImage {
    // A colon before a slash is that of a registry's port.
    match image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        Some((name, tag)) => GenericImage::new(name, tag),
        None => GenericImage::new(image, "latest"),
    }
}

fn resolved(host: &str, port: u16) -> Result<SocketAddr, RigError> {
    let unknown = || RigError::new(format!("the engine's machine {host} has no address"));
    let mut addresses = (host, port).to_socket_addrs().map_err(|error| unknown().because(error))?;
    // Ports are published for both; of the two the older is there everywhere.
    let v4 = addresses.by_ref().find(SocketAddr::is_ipv4);
    v4.or_else(|| (host, port).to_socket_addrs().ok()?.next()).ok_or_else(unknown)
}
