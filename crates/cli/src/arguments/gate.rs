//! What can be said to `lockproof gate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use lockproof_runner::Regression;

use super::{BuggifyName, Format, Progress, ServerArguments, parse_limit, parse_seed};

#[derive(Debug, Args)]
pub(crate) struct GateArguments {
    /// Scenario files, or directories of them
    #[arg(default_value = "scenarios", env = "LOCKPROOF_PATHS", value_delimiter = ':')]
    pub(crate) paths: Vec<PathBuf>,

    /// Only these strategies, where a scenario names them; one that no scenario names runs in all and is expected safe
    #[arg(long, env = "LOCKPROOF_STRATEGY", value_delimiter = ',')]
    pub(crate) strategy: Vec<String>,

    /// Schedules to look at, for each strategy of each scenario
    #[arg(long, env = "LOCKPROOF_SEEDS", default_value = "100", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,

    /// Stop looking after this time, for each strategy of each scenario
    #[arg(long, env = "LOCKPROOF_TIME", value_parser = parse_limit)]
    pub(crate) time: Option<Duration>,

    /// Add random faults to the search, within bounds that the report states [default: off]
    #[arg(long, env = "LOCKPROOF_BUGGIFY", value_enum, value_name = "BOUNDS", num_args = 0..=1, require_equals = true)]
    #[arg(default_value = "off", default_missing_value = "bounded", hide_default_value = true)]
    pub(crate) buggify: BuggifyName,

    /// Live runs of each cell, of which the worst counts [default: 1; 5 with --max-regression]
    #[arg(long, env = "LOCKPROOF_ATTEMPTS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) attempts: Option<u32>,

    /// Hold this gate against the one that is kept there: what held has to hold
    #[arg(long, env = "LOCKPROOF_BASELINE", value_name = "DIR")]
    pub(crate) baseline: Option<PathBuf>,

    /// Keep this gate there for later ones, unless it fails
    #[arg(long, env = "LOCKPROOF_SAVE_BASELINE", value_name = "DIR")]
    pub(crate) save_baseline: Option<PathBuf>,

    /// Let a cell cost so much more than in the baseline and no more: 20% [default: cost is not looked at]
    #[arg(long, env = "LOCKPROOF_MAX_REGRESSION", value_parser = parse_regression, value_name = "SHARE", requires = "baseline")]
    pub(crate) max_regression: Option<Regression>,

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

    /// Decides everything random, decimal or 0x… [default: drawn and printed; the baseline's with --max-regression]
    #[arg(long, env = "LOCKPROOF_SEED", value_parser = parse_seed)]
    pub(crate) seed: Option<u64>,

    /// Threads that search, and cells that run at one time [default: one per processor, and four]
    #[arg(long, env = "LOCKPROOF_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,

    /// Cut a live cell short, and call it inconclusive, after this time
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

fn parse_regression(text: &str) -> Result<Regression, String> {
    let share = text.strip_suffix('%').and_then(|digits| digits.trim().parse::<f64>().ok());
    match share.filter(|share| share.is_finite() && *share > 0.0) {
        Some(share) => Ok(Regression { most: share / 100.0 }),
        None => Err(format!("`{text}` is no share above zero; write it in per cent: 20%")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_in_per_cent_and_above_zero() {
        assert_eq!(parse_regression("20%"), Ok(Regression { most: 0.2 }));
        assert_eq!(parse_regression("150 %"), Ok(Regression { most: 1.5 }));
        for text in ["0.2", "20", "0%", "-5%", "%", "NaN%", "inf%"] {
            assert!(parse_regression(text).is_err(), "{text}");
        }
    }
}
