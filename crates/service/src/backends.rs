//! How the catalog's lock dials: connections that all requests share, and the server in this process where none is named.

use std::sync::Arc;

use lockproof_env::Env;
use lockproof_env::live::wall_clock_ns;
use lockproof_locks::{Backends, SharedConnections};
use lockproof_redis_model::{Options, Server, SharedServer, WallClock, serve};
use tokio::net::TcpListener;

use crate::app::StartError;
use crate::config::RedisPlace;

/// Connections to the servers of `place`; those that are in this process are started.
pub(crate) async fn connections(
    env: &Env,
    place: &RedisPlace,
) -> Result<Arc<dyn Backends>, StartError> {
    let urls = match place {
        RedisPlace::Servers(urls) => urls.clone(),
        RedisPlace::Embedded => vec![embedded(env).await?],
    };
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let connections = SharedConnections::to(env.clone(), &urls);
    // What is wrong with a URL was said when it was read; it may hold a password.
    Ok(Arc::new(connections.map_err(|_| StartError::new("a Redis URL cannot be used"))?))
}

/// A server on a port of loopback, for as long as the program runs.
async fn embedded(env: &Env) -> Result<String, StartError> {
    let cannot = |error| StartError::new("cannot start the embedded Redis").because(error);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let server = SharedServer::new(Server::new(Options::default()));
    let clock = || WallClock::from_unix_nanos(wall_clock_ns());
    drop(env.spawn(async move {
        if let Err(error) = serve(listener, server, clock).await {
            tracing::error!(%error, "the embedded Redis has stopped");
        }
    }));
    Ok(format!("redis://{address}/"))
}
