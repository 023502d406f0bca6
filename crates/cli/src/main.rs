//! The program `lockproof`: proof that your lock holds, or the schedule that breaks it.
//!
//! Arguments, progress and exit codes live here; every decision is made in the crates below. One file per command
//! under `commands/`.

mod arguments;
mod commands;
mod exit;
mod files;
mod interrupt;
mod keeper;
mod machine;
mod progress;
mod results;
mod scribe;
mod selection;
mod servers;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::exit::Exit;

/// Exploring allocates little and often, which this one is a quarter quicker at than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, everything else is a usage error; clap knows which stream is whose.
            drop(error.print());
            return if error.use_stderr() { Exit::Usage } else { Exit::Held }.into();
        }
    };
    terminal::start_log(arguments.verbose);
    let exit = match arguments.command {
        Command::Run(run) => commands::run::run(&run, arguments.color, arguments.verbose),
        Command::Explore(explore) => {
            commands::explore::run(&explore, arguments.color, arguments.verbose)
        }
        Command::Gate(gate) => commands::gate::run(&gate, arguments.color, arguments.verbose),
        Command::Replay(replay) => {
            commands::replay::run(&replay, arguments.color, arguments.verbose)
        }
        Command::Compare(compare) => {
            commands::compare::run(&compare, arguments.color, arguments.verbose)
        }
        Command::Report(report) => {
            commands::report::run(&report, arguments.color, arguments.verbose)
        }
        Command::Sweep(sweep) => commands::sweep::run(&sweep, arguments.color, arguments.verbose),
        Command::New(new) => commands::new::run(&new),
        Command::List(list) => commands::list::run(&list),
        Command::Doctor(doctor) => commands::doctor::run(&doctor),
        Command::Proxy(proxy) => commands::proxy::run(&proxy),
        Command::RedisModel(model) => commands::redis_model::run(&model),
        Command::Serve(serve) => commands::serve::run(&serve),
        Command::Metrics(metrics) => commands::metrics::run(&metrics),
        Command::Holder => commands::holder::run(),
    };
    exit.unwrap_or_else(|failure| {
        terminal::error(&failure.what);
        failure.exit
    })
    .into()
}
