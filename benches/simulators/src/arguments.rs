//! The command line.

use std::time::Duration;

use clap::Parser;

/// Our simulated world beside other people's
#[derive(Debug, Parser)]
#[command(name = "simulators", disable_version_flag = true)]
pub(crate) struct Arguments {
    /// Only contests whose title contains this
    filter: Option<String>,
    /// Only contestants whose name contains this, for a profiler; bars that lack one are not judged
    #[arg(long)]
    only: Option<String>,
    /// So many schedules of each contestant, once and without bars: for a counter of instructions
    #[arg(long)]
    pub(crate) schedules: Option<u64>,
    /// Samples of each contestant
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(5..))]
    pub(crate) turns: u32,
    /// How long a sample takes
    #[arg(long = "sample-ms", default_value = "500", value_parser = millis)]
    pub(crate) sample: Duration,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

impl Arguments {
    pub(crate) fn from_command_line() -> Self {
        Self::parse()
    }

    pub(crate) fn wants(&self, title: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| title.contains(filter.as_str()))
    }

    pub(crate) fn admits(&self, contestant: &str) -> bool {
        self.only.as_ref().is_none_or(|only| contestant.contains(only.as_str()))
    }
}

fn millis(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}
