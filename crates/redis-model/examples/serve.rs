//! Serves the model on an address, for redis-cli and redis-benchmark: `serve 127.0.0.1:6400`.

use std::time::UNIX_EPOCH;

use lockproof_redis_model::{Options, Server, SharedServer, WallClock, serve};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:6400".to_owned());
    let listener = TcpListener::bind(address).await?;
    serve(listener, SharedServer::new(Server::new(Options::default())), clock).await
}

#[expect(clippy::disallowed_methods, reason = "a program of its own has no Env to ask")]
fn clock() -> WallClock {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallClock::default().after(since)
}
