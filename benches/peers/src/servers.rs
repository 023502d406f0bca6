//! redis-servers of the run's own, and the thread that all contestants share.

use std::net::SocketAddr;
use std::sync::Arc;

use lockproof_model::in_full;
use lockproof_rig::live::{Provider, RedisServer, find_provider, probes};
use lockproof_rig::{ExternalServers, RigError};
use tokio::runtime::{Builder, Runtime};

use crate::places::Places;

/// As many as the largest quorum asks.
const COUNT: usize = 5;

/// Dropping it stops them; so does killing this program, since they come from the rig's provider.
#[derive(Debug)]
pub(crate) struct Servers {
    servers: Vec<RedisServer>,
    pub(crate) runtime: Runtime,
    /// Outlives the servers: their parent-death signal is its thread's.
    _provider: Arc<dyn Provider>,
}

impl Servers {
    /// `None`, and a line that says so, where there is no redis-server.
    pub(crate) fn start() -> Option<Self> {
        let places = Places::here();
        places.for_servers();
        let servers = Self::start_anywhere(COUNT);
        places.for_contestants();
        servers
    }

    /// So many, wherever this thread may run.
    pub(crate) fn start_anywhere(count: usize) -> Option<Self> {
        let redis = probes().into_iter().find(|probe| probe.what == "redis-server")?;
        if redis.found.is_none() {
            crate::say(&format!("skipped: redis-server was not found ({})", redis.remedy));
            return None;
        }
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the operating system grants an event loop");
        let entry = find_provider("process").expect("it is in the catalog");
        let provider = standing((entry.start)(&ExternalServers::default()));
        let servers = (0..count)
            .map(|number| {
                standing(
                    runtime.block_on(provider.redis(number, lockproof_rig::ServerNeeds::default())),
                )
            })
            .collect();
        Some(Self { servers, runtime, _provider: provider })
    }

    /// Where the first `count` of them listen.
    pub(crate) fn addresses(&self, count: usize) -> Vec<SocketAddr> {
        let servers = self.servers[..count].iter();
        servers.map(|server| server.tcp.expect("servers of our own listen on TCP")).collect()
    }
}

fn standing<T>(started: Result<T, RigError>) -> T {
    started.unwrap_or_else(|error| panic!("{}", in_full(&error)))
}
