//! `lockproof serve`: the booking service.

use lockproof_model::in_full;
use lockproof_service::App;
use tokio::net::TcpListener;

use crate::arguments::ServeArguments;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::terminal;

pub(crate) fn run(arguments: &ServeArguments) -> Result<Exit, Failure> {
    let config = arguments.settings.config().map_err(|error| Failure::usage(error.to_string()))?;
    let interrupt = Interrupt::listen("ending the requests that have begun")
        .map_err(|error| Failure::infrastructure(format!("cannot listen for signals: {error}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::infrastructure(error.to_string()))?;
    runtime.block_on(async {
        let cannot = |error| {
            Failure::infrastructure(format!("cannot listen on {}: {error}", arguments.listen))
        };
        let listener = TcpListener::bind(&arguments.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let env = lockproof_env::live::env(lockproof_env::live::entropy());
        let started = tokio::select! {
            started = App::start(config, env) => started,
            () = interrupt.happened() => return Ok(interrupt.exit().unwrap_or(Exit::Held)),
        };
        let app = started.map_err(|error| Failure::infrastructure(in_full(&error).to_string()))?;
        // On stdout, so that whoever asked for port 0 can read which it became, and knows that the service is ready.
        terminal::answer(&format!("listening on http://{address}"))?;
        lockproof_service::serve(listener, app, interrupt.happened()).await.map_err(cannot)?;
        Ok(interrupt.exit().unwrap_or(Exit::Held))
    })
}
