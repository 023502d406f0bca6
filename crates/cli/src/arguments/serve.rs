//! What can be typed after `lockproof serve` and `lockproof metrics`.
//!
//! Each flag goes before a variable of the environment; which there are is the service's to say (`VARIABLES`), so that one
//! table makes the flags, their help and what is read.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Subcommand};
use lockproof_service::{Config, ConfigError, VARIABLES};

use super::parse_limit;

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Where to listen; port 0 takes a free one and says which
    #[arg(
        long,
        env = "LOCKPROOF_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8080"
    )]
    pub(crate) listen: String,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct MetricsArguments {
    #[command(subcommand)]
    pub(crate) what: MetricsOf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsOf {
    /// What the reservation log of a service holds: reservations, conflicts, releases, expiries, and the conflict rate
    Reservations(ReservationsArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ReservationsArguments {
    /// Go on, a line for each interval
    #[arg(long, env = "LOCKPROOF_WATCH")]
    pub(crate) watch: bool,

    /// How long an interval is; without --watch, how far to look back
    #[arg(long, env = "LOCKPROOF_EVERY", value_parser = parse_limit, default_value = "10s")]
    pub(crate) every: Duration,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// The settings of the service that flags have said. Not shown: some are secrets.
#[derive(Clone, Default)]
pub(crate) struct Settings(BTreeMap<&'static str, String>);

impl Settings {
    /// The configuration: of flag, `LOCKPROOF_NAME` and `NAME` the first that says anything.
    pub(crate) fn config(&self) -> Result<Config, ConfigError> {
        Config::read(|name| {
            let flag = self.0.get(name).cloned();
            let environment = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
            flag.or_else(|| environment(&format!("LOCKPROOF_{name}"))).or_else(|| environment(name))
        })
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        VARIABLES.iter().fold(command, |command, variable| {
            let default = match variable.default {
                Some(default) => format!(" [default: {default}]"),
                None => String::new(),
            };
            let name = variable.name;
            let help = format!("{}{default} [env: LOCKPROOF_{name}, {name}]", variable.what);
            // Without clap's reading of the environment, which would show secrets in its help.
            command.arg(Arg::new(name).long(variable.flag).value_name("VALUE").help(help))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let said = |name| matches.get_one::<String>(name).map(|value| (name, value.clone()));
        Ok(Self(VARIABLES.iter().filter_map(|variable| said(variable.name)).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
