//! What can be typed.

#[cfg(test)]
mod ci_documents;
mod compare;
mod gate;
mod partition;
mod proxy;
mod report;
mod serve;
mod sweep;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use lockproof_model::Slice;
use lockproof_rig::sim::RedisDriver;
use lockproof_runner::Buggify;

use crate::exit::Failure;

pub(crate) use compare::{CompareArguments, CompareFormat};
pub(crate) use gate::GateArguments;
pub(crate) use partition::parse_partition;
pub(crate) use proxy::{ProtocolName, ProxyArguments};
pub(crate) use report::ReportArguments;
pub(crate) use serve::{MetricsArguments, MetricsOf, ReservationsArguments, ServeArguments};
pub(crate) use sweep::{SweepArguments, SweepFormatName, Vary};

/// Proof that your lock holds, or the schedule that breaks it.
///
/// Exit codes: 0 every expectation held; 1 a strategy expected to be safe sold a slot twice, or a control no longer
/// fails; 2 usage or an invalid scenario; 3 inconclusive; 4 slower than a baseline allows; 5 a server could not be started or reached; 130, 143
/// interrupted.
#[derive(Debug, Parser)]
#[command(name = "lockproof", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Colours on the terminal (`NO_COLOR` and `CLICOLOR_FORCE` are respected)
    #[arg(long, global = true, env = "LOCKPROOF_COLOR", value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// Say more: every violation told in full, and log lines on stderr; twice for details
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every scenario under every strategy and judge what the table holds
    Run(RunArguments),
    /// Search simulated schedules for one that breaks a strategy, and make it as small as it can be
    Explore(ExploreArguments),
    /// What CI calls: explore, then run, in one report; held against a baseline where there is one
    Gate(GateArguments),
    /// Run a saved schedule again, byte for byte, or try it against real servers
    Replay(ReplayArguments),
    /// Find the envelope: how far a field of a scenario can go before each strategy breaks
    Sweep(SweepArguments),
    /// Rank strategies in plain words: by what breaks them, then by what they cost
    Compare(CompareArguments),
    /// Show stored runs again, also of runs that were killed; several become one
    Report(ReportArguments),
    /// Write a commented scenario to start from
    New(NewArguments),
    /// Show a catalog
    List(ListArguments),
    /// Show what this machine can run, what is missing and how to get it
    Doctor(DoctorArguments),
    /// Run the proxy alone, commanded over Toxiproxy's HTTP API
    Proxy(ProxyArguments),
    /// Serve the in-process Redis alone, for other clients
    RedisModel(RedisModelArguments),
    /// Run the booking service: locks, bookings, rooms and seats over HTTP
    Serve(Box<ServeArguments>),
    /// Show what a booking service has written down
    Metrics(Box<MetricsArguments>),
    /// Be a holder of the run that has started this process, and is at the other end of its standard input and output
    #[command(hide = true)]
    Holder,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Scenario files, or directories of them
    #[arg(default_value = "scenarios", env = "LOCKPROOF_PATHS", value_delimiter = ':')]
    pub(crate) paths: Vec<PathBuf>,

    /// Only these strategies, where a scenario names them; one that no scenario names runs in all and is expected safe
    #[arg(long, env = "LOCKPROOF_STRATEGY", value_delimiter = ',')]
    pub(crate) strategy: Vec<String>,

    /// In which world: live, or one simulated schedule of each cell
    #[arg(long, env = "LOCKPROOF_WORLD", value_enum, default_value_t = WorldName::Live)]
    pub(crate) world: WorldName,

    #[command(flatten)]
    pub(crate) wire: WireArguments,

    /// Where servers come from: embedded, process, container, external
    #[arg(long, env = "LOCKPROOF_PROVIDER", default_value = "embedded")]
    pub(crate) provider: String,

    /// Which database keeps the bookings, whatever a scenario says: sqlite, postgres, mariadb [default: the provider's own]
    #[arg(long, env = "LOCKPROOF_DATABASE", value_name = "KIND")]
    pub(crate) database: Option<String>,

    #[command(flatten)]
    pub(crate) servers: ServerArguments,

    /// Let faults do to external servers what harms whoever else uses them
    #[arg(long, env = "LOCKPROOF_ALLOW_DESTRUCTIVE")]
    pub(crate) allow_destructive: bool,

    /// Decides everything random, decimal or 0x…; drawn and printed when not given
    #[arg(long, env = "LOCKPROOF_SEED", value_parser = parse_seed)]
    pub(crate) seed: Option<u64>,

    /// Cells that run at one time [default: four per processor, since cells mostly wait]
    #[arg(long, env = "LOCKPROOF_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,

    /// Do one slice of it: slice:2/4 is the second of four, slice:auto/4 the one that `JOB_COMPLETION_INDEX` says
    #[arg(long, env = "LOCKPROOF_PARTITION", value_parser = parse_partition, value_name = "slice:M/N")]
    pub(crate) partition: Option<Slice>,

    /// Cut a cell short, and call it inconclusive, after this time
    #[arg(long, env = "LOCKPROOF_CELL_LIMIT", value_parser = parse_limit, default_value = "60s")]
    pub(crate) cell_limit: Duration,

    /// Where report directories are made
    #[arg(long, env = "LOCKPROOF_OUT", default_value = "reports")]
    pub(crate) out: PathBuf,

    /// How to show the results on stdout
    #[arg(long, env = "LOCKPROOF_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// Write `JUnit`'s XML to this file as well; the report directory has one anyway
    #[arg(long, env = "LOCKPROOF_JUNIT", value_name = "PATH")]
    pub(crate) junit: Option<PathBuf>,

    /// How to show progress on stderr
    #[arg(long, env = "LOCKPROOF_SHOW_PROGRESS", value_enum, default_value_t = Progress::Auto)]
    pub(crate) show_progress: Progress,
}

const REDIS_URL: &str = "Redis servers of --provider external, in order: redis://[USER]:PASSWORD@HOST:PORT/DB, rediss:// for TLS (#insecure: unverified), unix:///PATH; several with commas [env: LOCKPROOF_REDIS_URLS]";
const ETCD_URL: &str = "etcd of --provider external, http://HOST:PORT [env: LOCKPROOF_ETCD_URL]";
const ZOOKEEPER_URL: &str =
    "ZooKeeper of --provider external, zookeeper://HOST:PORT [env: LOCKPROOF_ZOOKEEPER_URL]";
const DATABASE_URL: &str = "Postgres of --provider external, postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…; without one, bookings go to the embedded database [env: LOCKPROOF_DATABASE_URL]";

/// The servers of `--provider external` and the images of `--provider container`. The variables of the former are read in `servers.rs`: clap would show them in its help.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    #[arg(long, value_name = "URL", value_delimiter = ',', help = REDIS_URL)]
    pub(crate) redis_url: Vec<Secret>,

    #[arg(long, value_name = "URL", help = ETCD_URL)]
    pub(crate) etcd_url: Option<String>,

    #[arg(long, value_name = "URL", help = ZOOKEEPER_URL)]
    pub(crate) zookeeper_url: Option<String>,

    #[arg(long, value_name = "URL", help = DATABASE_URL)]
    pub(crate) database_url: Option<Secret>,

    /// The image of --provider container's Redis servers [default: redis:7]
    #[arg(long, env = "LOCKPROOF_REDIS_IMAGE", value_name = "NAME:TAG")]
    pub(crate) redis_image: Option<String>,

    /// The image of --provider container's Postgres [default: postgres:15]
    #[arg(long, env = "LOCKPROOF_POSTGRES_IMAGE", value_name = "NAME:TAG")]
    pub(crate) postgres_image: Option<String>,
}

/// What speaks to the simulated servers.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WireArguments {
    /// In the simulated world, put the unmodified Redis client between locks and servers: bytes instead of whole requests
    #[arg(long, env = "LOCKPROOF_WIRE")]
    pub(crate) wire: bool,
}

impl WireArguments {
    /// The driver that was asked for, where `world` has the choice.
    pub(crate) fn driver(self, world: WorldName) -> Result<RedisDriver, Failure> {
        match (self.wire, world) {
            (false, _) => Ok(RedisDriver::StandIn),
            (true, WorldName::Sim) => Ok(RedisDriver::Library),
            (true, WorldName::Live) => Err(Failure::usage(
                "--wire is for the simulated world, and this is the live one, where the client is unmodified anyway; use --world sim or leave --wire out",
            )),
        }
    }
}

/// A text that may hold a password, and is never shown.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    pub(crate) servers: ServerArguments,

    /// Remove what killed runs have left on those servers, and nothing else
    #[arg(long)]
    pub(crate) sweep: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExploreArguments {
    /// Scenario files, or directories of them
    #[arg(default_value = "scenarios", env = "LOCKPROOF_PATHS", value_delimiter = ':')]
    pub(crate) paths: Vec<PathBuf>,

    /// Only these strategies, where a scenario names them; one that no scenario names runs in all and is expected safe
    #[arg(long, env = "LOCKPROOF_STRATEGY", value_delimiter = ',')]
    pub(crate) strategy: Vec<String>,

    /// Schedules to look at, for each strategy of each scenario
    #[arg(long, env = "LOCKPROOF_SEEDS", default_value = "1000", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,

    /// Stop looking after this time, for each strategy of each scenario
    #[arg(long, env = "LOCKPROOF_TIME", value_parser = parse_limit)]
    pub(crate) time: Option<Duration>,

    /// Threads that search [default: one per processor]
    #[arg(long, env = "LOCKPROOF_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,

    /// Do one slice of it: slice:2/4 is the second of four, slice:auto/4 the one that `JOB_COMPLETION_INDEX` says
    #[arg(long, env = "LOCKPROOF_PARTITION", value_parser = parse_partition, value_name = "slice:M/N")]
    pub(crate) partition: Option<Slice>,

    /// Keep the history of every schedule, and not only of those that break something
    #[arg(long, env = "LOCKPROOF_KEEP_HISTORIES")]
    pub(crate) keep_histories: bool,

    /// Add random faults, within bounds that the report states [default: off]
    #[arg(long, env = "LOCKPROOF_BUGGIFY", value_enum, value_name = "BOUNDS", num_args = 0..=1, require_equals = true)]
    #[arg(default_value = "off", default_missing_value = "bounded", hide_default_value = true)]
    pub(crate) buggify: BuggifyName,

    /// What counts as a violation
    #[arg(long, env = "LOCKPROOF_SEEK", value_enum, default_value_t = Seek::Effect)]
    pub(crate) seek: Seek,

    #[command(flatten)]
    pub(crate) wire: WireArguments,

    /// Decides every schedule, decimal or 0x…; drawn and printed when not given
    #[arg(long, env = "LOCKPROOF_SEED", value_parser = parse_seed)]
    pub(crate) seed: Option<u64>,

    /// Where report directories are made
    #[arg(long, env = "LOCKPROOF_OUT", default_value = "reports")]
    pub(crate) out: PathBuf,

    /// How to show the results on stdout
    #[arg(long, env = "LOCKPROOF_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// Write `JUnit`'s XML to this file as well; the report directory has one anyway
    #[arg(long, env = "LOCKPROOF_JUNIT", value_name = "PATH")]
    pub(crate) junit: Option<PathBuf>,

    /// How to show progress on stderr
    #[arg(long, env = "LOCKPROOF_SHOW_PROGRESS", value_enum, default_value_t = Progress::Auto)]
    pub(crate) show_progress: Progress,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// A replay, as `explore` saves it
    pub(crate) file: PathBuf,

    /// Where to run it: in the simulated world, or live, its steps held to their order
    #[arg(long, env = "LOCKPROOF_WORLD", value_enum, default_value_t = WorldName::Sim)]
    pub(crate) world: WorldName,

    #[command(flatten)]
    pub(crate) wire: WireArguments,

    /// Where servers come from in the live world: embedded, process
    #[arg(long, env = "LOCKPROOF_PROVIDER", default_value = "embedded")]
    pub(crate) provider: String,

    /// Which database keeps the bookings, whatever the file says: sqlite, postgres, mariadb [default: the provider's own]
    #[arg(long, env = "LOCKPROOF_DATABASE", value_name = "KIND")]
    pub(crate) database: Option<String>,

    #[command(flatten)]
    pub(crate) servers: ServerArguments,

    /// Let faults that harm others loose on external servers
    #[arg(long, env = "LOCKPROOF_ALLOW_DESTRUCTIVE")]
    pub(crate) allow_destructive: bool,

    /// How to show the results on stdout
    #[arg(long, env = "LOCKPROOF_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// A world by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WorldName {
    /// Model servers in virtual time
    Sim,
    /// Real sockets and servers in real time
    Live,
}

/// Which random faults are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BuggifyName {
    /// None
    #[value(alias = "false")]
    Off,
    /// Those that a sound strategy has to stand
    #[value(alias = "true")]
    Bounded,
    /// As well what makes a server forget its counter of fencing tokens
    LoseTokens,
}

impl BuggifyName {
    /// The bounds that are meant.
    pub(crate) fn bounds(self) -> Buggify {
        match self {
            Self::Off => Buggify::Off,
            Self::Bounded => Buggify::WithinBounds,
            Self::LoseTokens => Buggify::LosingTokens,
        }
    }

    /// The flag that asks for them, where they are not the default.
    pub(crate) fn flag(self) -> Option<String> {
        let flag = match self {
            Self::Off => return None,
            Self::Bounded => "--buggify",
            Self::LoseTokens => "--buggify=lose-tokens",
        };
        Some(flag.to_owned())
    }
}

/// Which layers' anomalies end a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Seek {
    /// What the table holds: a slot sold twice, a booking lost
    Effect,
    /// What the lock promised: granted to two holders, both within their validity
    Belief,
    /// Nobody can book for longer than anybody holds: a lock that nobody is left to give back
    Liveness,
    /// Either
    Any,
}

#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// Its name: lower-case letters, digits and dashes
    pub(crate) name: String,

    /// Where to write it
    #[arg(long, default_value = "scenarios")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Which catalog
    #[arg(value_enum)]
    pub(crate) catalog: Catalog,

    /// Where scenarios are looked for
    #[arg(long, default_value = "scenarios")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RedisModelArguments {
    /// Where to listen; port 0 takes a free one and says which
    #[arg(long, env = "LOCKPROOF_LISTEN", default_value = "127.0.0.1:6379")]
    pub(crate) listen: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Catalog {
    Locks,
    Drivers,
    Policies,
    Guards,
    Strategies,
    Faults,
    Toxics,
    Checkers,
    Flows,
    Providers,
    Scenarios,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table per scenario, why, and how it happened
    Text,
    /// The whole report
    Json,
    /// Events, one JSON object a line
    Ndjson,
    /// A page for a pull request
    Markdown,
    /// A row per cell
    Csv,
    /// A page in Markdown: each failure mode, what it breaks and what it does not
    FailureModes,
}

impl Format {
    /// As the catalog of renderings calls it.
    pub(crate) const fn rendering(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
            Self::FailureModes => "failure-modes",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// A bar on a terminal, else a line per cell
    Auto,
    Bar,
    Counter,
    None,
}

fn parse_seed(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    let parsed = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    parsed.map_err(|_| format!("`{text}` is no seed; write a number below 2^64, decimal or 0x…"))
}

fn parse_limit(text: &str) -> Result<Duration, String> {
    let limit = lockproof_faults::parse_duration(text)?;
    if limit.is_zero() { Err("a limit is longer than nothing".to_owned()) } else { Ok(limit) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_format_is_a_rendering() {
        for format in Format::value_variants() {
            let name = format.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(name.as_deref(), Some(format.rendering()));
            assert!(lockproof_report::find(format.rendering()).is_some());
        }
    }

    #[test]
    fn a_seed_is_decimal_or_hexadecimal() {
        assert_eq!(parse_seed("0x5eed"), Ok(0x5eed));
        assert_eq!(parse_seed("24301"), Ok(24301));
        assert!(parse_seed("seed").is_err() && parse_seed("-1").is_err());
    }
}
