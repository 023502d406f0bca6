//! Contestants taking turns, and the bars that their ratios are held against.

use std::fmt;

use lockproof_benches::Spread;

use crate::arguments::Arguments;
use crate::measure::{Contestant, Sample};
use crate::say;
use crate::servers::Servers;

/// Contestants that are comparable, and what is asked of ours.
#[derive(Debug)]
pub(crate) struct Contest {
    pub(crate) title: &'static str,
    pub(crate) contestants: fn(&Servers) -> Vec<Contestant<'_>>,
    pub(crate) bars: &'static [Bar],
}

/// What one contestant's figure must be in terms of another's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    pub(crate) ours: &'static str,
    pub(crate) theirs: &'static str,
    pub(crate) limit: Limit,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// Pairs per second: at least so many times theirs.
    Throughput(f64),
    /// Median latency: at most so many times theirs.
    P50(f64),
}

impl Contest {
    /// Holds it and prints what came of it; how many bars were missed.
    pub(crate) fn hold(&self, servers: &Servers, arguments: &Arguments) -> usize {
        let mut contestants = (self.contestants)(servers);
        contestants.retain(|contestant| arguments.admits(&contestant.name));
        let mut results: Vec<Results> =
            contestants.iter().map(|contestant| Results::of(&contestant.name)).collect();
        // Connections are dialled, scripts loaded and memory is touched before anything counts.
        for contestant in &mut contestants {
            contestant.sample(arguments.sample / 4);
        }
        for turn in 0..arguments.turns as usize {
            for place in 0..contestants.len() {
                // Whoever was first is last in the next turn: nobody always runs after the same neighbour.
                let who = (turn + place) % contestants.len();
                results[who].samples.push(contestants[who].sample(arguments.sample));
            }
        }
        let columns =
            ["pairs/s", "p50 µs", "p99 µs", "CPU µs"].map(|column| format!("{column:>10}"));
        say(&format!("\n{:<52}{}", self.title, columns.concat()));
        results.iter().for_each(|row| say(&row.to_string()));
        let missed = self.bars.iter().filter(|bar| !bar.judge(&results));
        missed.count()
    }
}

/// The samples of one contestant, turn by turn.
struct Results {
    name: String,
    samples: Vec<Sample>,
}

impl Results {
    fn of(name: &str) -> Self {
        Self { name: name.to_owned(), samples: Vec::new() }
    }

    fn median(&self, figure: fn(&Sample) -> f64) -> f64 {
        Spread::of(self.samples.iter().map(figure).collect()).median
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pairs, p50) = (self.median(|s| s.pairs_per_second), self.median(|s| s.p50_us));
        let p99 = self.median(|s| s.p99_us);
        let cpu = self.median(|s| s.cpu_us);
        write!(f, "  {:<50}{pairs:>10.0}{p50:>10.1}{p99:>10.1}{cpu:>10.2}", self.name)
    }
}

impl Bar {
    /// Says whether it holds; nothing where one of the two did not take part.
    fn judge(&self, results: &[Results]) -> bool {
        let of = |name| results.iter().find(|row| row.name == name);
        let (Some(ours), Some(theirs)) = (of(self.ours), of(self.theirs)) else {
            return true;
        };
        let (figure, what): (fn(&Sample) -> f64, _) = match self.limit {
            Limit::Throughput(_) => (|sample| sample.pairs_per_second, "pairs/s"),
            Limit::P50(_) => (|sample| sample.p50_us, "p50"),
        };
        let turns = ours.samples.iter().zip(&theirs.samples);
        let ratio = Spread::of(turns.map(|(ours, theirs)| figure(ours) / figure(theirs)).collect());
        let (wanted, holds) = match self.limit {
            Limit::Throughput(least) => (format!("at least {least}"), ratio.median >= least),
            Limit::P50(most) => (format!("at most {most}"), ratio.median <= most),
        };
        let judgement = if holds { "pass" } else { "MISS" };
        let Self { ours, theirs, .. } = self;
        say(&format!("  {judgement}: {what} of {ours} {wanted} × {theirs}: {ratio}"));
        holds
    }
}
