//! What can be said to `lockproof compare`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Progress, ServerArguments, parse_limit, parse_seed};

#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// Scenario files, or directories of them
    #[arg(default_value = "scenarios", env = "LOCKPROOF_PATHS", value_delimiter = ':')]
    pub(crate) paths: Vec<PathBuf>,

    /// Only these strategies, controls included; one that no scenario names is tried in all [default: all but controls]
    #[arg(long, env = "LOCKPROOF_STRATEGY", value_delimiter = ',')]
    pub(crate) strategy: Vec<String>,

    /// Schedules to look at, for each strategy of each scenario
    #[arg(long, env = "LOCKPROOF_SEEDS", default_value = "50", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,

    /// Threads that search [default: one per processor]
    #[arg(long, env = "LOCKPROOF_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,

    /// Decides everything random, decimal or 0x…; drawn and printed when not given
    #[arg(long, env = "LOCKPROOF_SEED", value_parser = parse_seed)]
    pub(crate) seed: Option<u64>,

    /// Rank only what keeps the table right under all of these failure modes: F01,F28
    #[arg(long, env = "LOCKPROOF_REQUIRE", value_delimiter = ',', value_name = "MODE")]
    pub(crate) require: Vec<String>,

    /// Rank only what takes no longer to be alone than this, at the 99th percentile
    #[arg(long, env = "LOCKPROOF_MAX_P99", value_parser = parse_limit, value_name = "TIME", conflicts_with = "no_cost")]
    pub(crate) max_p99: Option<Duration>,

    /// Do not measure cost: nothing live is started
    #[arg(long, env = "LOCKPROOF_NO_COST")]
    pub(crate) no_cost: bool,

    /// Where the servers come from by which cost is measured: embedded, process, container, external
    #[arg(long, env = "LOCKPROOF_PROVIDER", default_value = "embedded")]
    pub(crate) provider: String,

    #[command(flatten)]
    pub(crate) servers: ServerArguments,

    /// How to show the comparison on stdout
    #[arg(long, env = "LOCKPROOF_FORMAT", value_enum, default_value_t = CompareFormat::Text)]
    pub(crate) format: CompareFormat,

    /// How to show progress on stderr
    #[arg(long, env = "LOCKPROOF_SHOW_PROGRESS", value_enum, default_value_t = Progress::Auto)]
    pub(crate) show_progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompareFormat {
    Text,
    Markdown,
    Json,
}
