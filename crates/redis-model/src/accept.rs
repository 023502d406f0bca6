//! A server behind a listening socket.

use std::io;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::clock::WallClock;
use crate::connection::{SharedServer, serve_connection};

/// What Redis calls `busy-reply-threshold`: it then waits for SCRIPT KILL, which the model does not
/// have.
const SCRIPT_TIME_MAX: Duration = Duration::from_secs(5);

/// Serves every client of `listener`, each in a task of the tokio runtime that this runs on, whose
/// timer must be enabled. Goes on until the listener fails. A script is stopped after five seconds.
///
/// One thread is enough: commands wait for one another anyway.
///
/// # Cancel safety
///
/// Dropping the future closes the listener and resets all its connections; the data stays in
/// `server`.
///
/// # Errors
///
/// Those of accepting, except that a client which is gone before it was accepted is no error.
pub async fn serve<C>(listener: TcpListener, server: SharedServer, clock: C) -> io::Result<()>
where
    C: Fn() -> WallClock + Clone + Send + Sync + 'static,
{
    server.with(|server| server.limit_script_time(clock.clone(), SCRIPT_TIME_MAX));
    let mut connections = JoinSet::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _peer)) => stream,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        while connections.try_join_next().is_some() {}
        // Nagle would let a reply wait for the next request's acknowledgement.
        drop(stream.set_nodelay(true));
        let (server, clock) = (server.clone(), clock.clone());
        connections.spawn(async move { drop(serve_connection(stream, server, clock).await) });
    }
}
