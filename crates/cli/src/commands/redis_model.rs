//! `lockproof redis-model`: the in-process Redis alone, for other clients.

use lockproof_env::live::wall_clock_ns;
use lockproof_redis_model::{Options, Server, SharedServer, WallClock, serve};
use tokio::net::TcpListener;

use crate::arguments::RedisModelArguments;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::terminal;

pub(crate) fn run(arguments: &RedisModelArguments) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen("closing the connections")
        .map_err(|error| Failure::infrastructure(format!("cannot listen for signals: {error}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::infrastructure(error.to_string()))?;
    runtime.block_on(async {
        let cannot = |error| {
            Failure::infrastructure(format!("cannot listen on {}: {error}", arguments.listen))
        };
        let listener = TcpListener::bind(&arguments.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        // On stdout, so that whoever asked for port 0 can read which it became.
        terminal::answer(&format!("listening on {address}"))?;
        let server = SharedServer::new(Server::new(Options::default()));
        let clock = || WallClock::from_unix_nanos(wall_clock_ns());
        tokio::select! {
            served = serve(listener, server, clock) => served.map_err(cannot)?,
            () = interrupt.happened() => {}
        }
        Ok(interrupt.exit().unwrap_or(Exit::Held))
    })
}
