//! A value that can be made larger or smaller: a length of time, a count, a share.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One value of a field of a scenario. Amounts of one kind are ordered by size; of different kinds there is no telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// A length of time in nanoseconds.
    Nanoseconds(u64),
    /// So many of something.
    Count(u64),
    /// A share, in thousandths.
    Thousandths(u64),
}

impl Amount {
    /// The figure, in the unit of its kind.
    #[must_use]
    pub const fn figure(self) -> u64 {
        match self {
            Self::Nanoseconds(figure) | Self::Count(figure) | Self::Thousandths(figure) => figure,
        }
    }

    /// Another amount of the same kind.
    #[must_use]
    pub const fn with(self, figure: u64) -> Self {
        match self {
            Self::Nanoseconds(_) => Self::Nanoseconds(figure),
            Self::Count(_) => Self::Count(figure),
            Self::Thousandths(_) => Self::Thousandths(figure),
        }
    }

    /// What its kind is called.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Nanoseconds(_) => "a duration",
            Self::Count(_) => "a number",
            Self::Thousandths(_) => "a share",
        }
    }

    /// As a scenario file spells it.
    #[must_use]
    pub fn toml(self) -> String {
        match self {
            Self::Nanoseconds(0) => "\"0ms\"".to_owned(),
            Self::Nanoseconds(nanos) => {
                format!("\"{}\"", humantime::format_duration(Duration::from_nanos(nanos)))
            }
            Self::Count(count) => count.to_string(),
            Self::Thousandths(share) => format!("{}.{:03}", share / 1000, share % 1000),
        }
    }
}

/// As people read it: `271 ms`, `1.25 s`, `12`, `0.05`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Whole units and what is left of one, without zeros at its end.
        fn decimal(figure: u64, unit: u64, digits: usize) -> String {
            let rest = format!("{:0digits$}", figure % unit);
            let rest = rest.trim_end_matches('0');
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{}{dot}{rest}", figure / unit)
        }
        match *self {
            Self::Nanoseconds(nanos) if nanos >= 1_000_000_000 => {
                write!(f, "{} s", decimal(nanos, 1_000_000_000, 9))
            }
            Self::Nanoseconds(nanos) if nanos == 0 || nanos >= 1_000_000 => {
                write!(f, "{} ms", decimal(nanos, 1_000_000, 6))
            }
            Self::Nanoseconds(nanos) => write!(f, "{} µs", decimal(nanos, 1000, 3)),
            Self::Count(count) => count.fmt(f),
            Self::Thousandths(share) => f.write_str(&decimal(share, 1000, 3)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_reads_as_people_and_as_files_spell_it() {
        for (amount, shown, toml) in [
            (Amount::Nanoseconds(0), "0 ms", "\"0ms\""),
            (Amount::Nanoseconds(271_000_000), "271 ms", "\"271ms\""),
            (Amount::Nanoseconds(1_250_000_000), "1.25 s", "\"1s 250ms\""),
            (Amount::Nanoseconds(500_000), "500 µs", "\"500us\""),
            (Amount::Count(12), "12", "12"),
            (Amount::Thousandths(50), "0.05", "0.050"),
            (Amount::Thousandths(1000), "1", "1.000"),
        ] {
            assert_eq!((amount.to_string().as_str(), amount.toml().as_str()), (shown, toml));
        }
    }
}
