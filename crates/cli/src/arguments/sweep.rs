//! What can be said to `lockproof sweep`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Progress, ServerArguments, parse_seed};

#[derive(Debug, Args)]
pub(crate) struct SweepArguments {
    /// A scenario file
    pub(crate) path: PathBuf,

    /// What to vary, and from where to where, twice for a second field: fault.for=0ms..2s, fault.2.for=…, lock.ttl=100ms..1s/10ms in steps of 10 ms
    #[arg(long, required = true, value_parser = parse_vary, value_name = "FIELD=LOW..HIGH[/STEP]")]
    pub(crate) vary: Vec<Vary>,

    /// Only these strategies, controls included [default: all of the scenario but controls]
    #[arg(long, env = "LOCKPROOF_STRATEGY", value_delimiter = ',')]
    pub(crate) strategy: Vec<String>,

    /// Schedules to look at for each value: it survives when none of them breaks the table
    #[arg(long, env = "LOCKPROOF_SEEDS", default_value = "50", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,

    /// Run the values beside each boundary on real sockets as well
    #[arg(long, env = "LOCKPROOF_CONFIRM_LIVE")]
    pub(crate) confirm_live: bool,

    /// Where the servers come from by which it is confirmed: embedded, process, container, external
    #[arg(long, env = "LOCKPROOF_PROVIDER", default_value = "embedded")]
    pub(crate) provider: String,

    #[command(flatten)]
    pub(crate) servers: ServerArguments,

    /// Threads that search [default: one per processor]
    #[arg(long, env = "LOCKPROOF_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,

    /// Decides everything random, decimal or 0x…; drawn and printed when not given
    #[arg(long, env = "LOCKPROOF_SEED", value_parser = parse_seed)]
    pub(crate) seed: Option<u64>,

    /// Where report directories are made
    #[arg(long, env = "LOCKPROOF_OUT", default_value = "reports")]
    pub(crate) out: PathBuf,

    /// How to show the results on stdout
    #[arg(long, env = "LOCKPROOF_FORMAT", value_enum, default_value_t = SweepFormatName::Text)]
    pub(crate) format: SweepFormatName,

    /// How to show progress on stderr
    #[arg(long, env = "LOCKPROOF_SHOW_PROGRESS", value_enum, default_value_t = Progress::Auto)]
    pub(crate) show_progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SweepFormatName {
    Text,
    Json,
}

/// `fault.for=0ms..2s/5ms`, its values not yet read: what they are depends on the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vary {
    pub(crate) field: String,
    pub(crate) low: String,
    pub(crate) high: String,
    pub(crate) step: Option<String>,
}

impl Vary {
    /// As it was typed.
    pub(crate) fn typed(&self) -> String {
        let step = self.step.as_ref().map(|step| format!("/{step}")).unwrap_or_default();
        format!("{}={}..{}{step}", self.field, self.low, self.high)
    }
}

fn parse_vary(text: &str) -> Result<Vary, String> {
    let wrong = || format!("`{text}` is no field with a range; write fault.for=0ms..2s");
    let (field, range) = text.split_once('=').ok_or_else(wrong)?;
    let (range, step) = match range.split_once('/') {
        Some((range, step)) => (range, Some(step.to_owned())),
        None => (range, None),
    };
    let (low, high) = range.split_once("..").ok_or_else(wrong)?;
    let is_empty = [field, low, high].iter().any(|part| part.is_empty());
    if is_empty || step.as_ref().is_some_and(String::is_empty) {
        return Err(wrong());
    }
    let [field, low, high] = [field, low, high].map(ToOwned::to_owned);
    Ok(Vary { field, low, high, step })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_two_ends_and_perhaps_a_step() {
        let vary = parse_vary("lock.ttl=100ms..1s/10ms").unwrap();
        assert_eq!((vary.field.as_str(), vary.step.as_deref()), ("lock.ttl", Some("10ms")));
        for text in ["lock.ttl=100ms..1s/10ms", "fault.2.probability=0.0..0.5"] {
            assert_eq!(parse_vary(text).unwrap().typed(), text);
        }
        for text in ["lock.ttl", "lock.ttl=1s", "=1s..2s", "lock.ttl=..2s", "lock.ttl=1s..2s/"] {
            assert!(parse_vary(text).is_err(), "{text}");
        }
    }
}
