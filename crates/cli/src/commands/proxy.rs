//! `lockproof proxy`: the proxy alone, commanded over Toxiproxy's HTTP API.

use std::sync::Arc;

use lockproof_proxy::Protocol;
use lockproof_proxy_api::{Fleet, ProxyConfig, serve};
use tokio::net::TcpListener;

use crate::arguments::{ProtocolName, ProxyArguments};
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::terminal;

/// What the proxy of the command line is called in the API.
const NAME: &str = "lockproof";

pub(crate) fn run(arguments: &ProxyArguments) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen("closing the proxies and their connections")
        .map_err(|error| Failure::infrastructure(format!("cannot listen for signals: {error}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::infrastructure(error.to_string()))?;
    runtime.block_on(async {
        let cannot =
            |error| Failure::infrastructure(format!("cannot listen on {}: {error}", arguments.api));
        let listener = TcpListener::bind(&arguments.api).await.map_err(cannot)?;
        let api = listener.local_addr().map_err(cannot)?;
        let seed = arguments.seed.unwrap_or_else(lockproof_env::live::entropy);
        let fleet = Arc::new(Fleet::new(seed, arguments.protocol.map(Protocol::from)));
        if let (Some(listen), Some(upstream)) = (&arguments.listen, &arguments.upstream) {
            let (name, listen, upstream) = (NAME.to_owned(), listen.clone(), upstream.clone());
            let config = ProxyConfig { name, listen, upstream, enabled: true };
            let listens = fleet.create(config).await;
            let listens = listens.map_err(|error| Failure::infrastructure(error.to_string()))?;
            // On stdout, so that whoever asked for port 0 can read which it became.
            terminal::answer(&format!("listening on {listens}"))?;
        }
        terminal::answer(&format!("api on http://{api}"))?;
        terminal::answer(&format!("seed {seed:#x}"))?;
        tokio::select! {
            served = serve(listener, Arc::clone(&fleet)) => served.map_err(cannot)?,
            () = interrupt.happened() => {}
        }
        fleet.shutdown().await;
        Ok(interrupt.exit().unwrap_or(Exit::Held))
    })
}

impl From<ProtocolName> for Protocol {
    fn from(name: ProtocolName) -> Self {
        match name {
            ProtocolName::Redis => Self::Redis,
            ProtocolName::Postgres => Self::Postgres,
        }
    }
}
