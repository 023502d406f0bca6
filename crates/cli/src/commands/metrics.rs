//! `lockproof metrics`: what a service has written down.

use lockproof_model::in_full;
use lockproof_service::{Reservations, StartError, reservations};

use crate::arguments::{MetricsArguments, MetricsOf, ReservationsArguments};
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::terminal;

const HEADER: &str = "reserved  conflicts  released  expired  conflict rate";

pub(crate) fn run(arguments: &MetricsArguments) -> Result<Exit, Failure> {
    let MetricsOf::Reservations(arguments) = &arguments.what;
    let config = arguments.settings.config().map_err(|error| Failure::usage(error.to_string()))?;
    let interrupt = Interrupt::listen("watching no longer")
        .map_err(|error| Failure::infrastructure(format!("cannot listen for signals: {error}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::infrastructure(error.to_string()))?;
    let ReservationsArguments { watch, every, .. } = arguments;
    runtime.block_on(async {
        let env = lockproof_env::live::env(lockproof_env::live::entropy());
        let window = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        let mut next = reservations(&config, &env, window).await.map_err(failed)?;
        terminal::answer(HEADER)?;
        loop {
            terminal::answer(&line(next().await.map_err(failed)?))?;
            if !watch {
                return Ok(Exit::Held);
            }
            tokio::select! {
                () = env.sleep(*every) => {}
                () = interrupt.happened() => return Ok(interrupt.exit().unwrap_or(Exit::Held)),
            }
        }
    })
}

fn failed(error: StartError) -> Failure {
    Failure::infrastructure(in_full(&error).to_string())
}

fn line(counts: Reservations) -> String {
    let Reservations { reserved, conflicts, released, expired } = counts;
    let rate =
        counts.conflict_percent().map_or_else(|| "–".to_owned(), |rate| format!("{rate:.2} %"));
    format!("{reserved:>8}  {conflicts:>9}  {released:>8}  {expired:>7}  {rate:>13}")
}
