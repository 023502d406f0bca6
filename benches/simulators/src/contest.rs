//! Contestants taking turns, and the bars that they are held against.

use std::fmt;

use lockproof_benches::Spread;

use crate::arguments::Arguments;
use crate::measure::{Contestant, Sample};
use crate::say;

/// Contestants that are comparable, and what is asked of ours.
#[derive(Debug)]
pub(crate) struct Contest {
    pub(crate) title: &'static str,
    pub(crate) contestants: fn() -> Vec<Contestant>,
    pub(crate) bars: &'static [Bar],
}

/// What one contestant's figure must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    pub(crate) ours: &'static str,
    pub(crate) limit: Limit,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// At least so many in a second of processor time, which depends on the machine.
    SchedulesPerSecond(f64),
    /// At least so many times the bookings of another in a second of processor time.
    Speed(f64, &'static str),
    /// At least so many times the bookings of another in a second of real time.
    RealSpeed(f64, &'static str),
    /// At most so many times another's processor time for one booking, in a schedule of another size.
    TimePerBooking(f64, &'static str),
}

impl Contest {
    /// Holds it and prints what came of it; how many bars were missed.
    pub(crate) fn hold(&self, arguments: &Arguments) -> usize {
        let mut contestants = (self.contestants)();
        contestants.retain(|contestant| arguments.admits(contestant.name));
        let mut results: Vec<Results> =
            contestants.iter().map(|contestant| Results::of(contestant.name)).collect();
        if let Some(schedules) = arguments.schedules {
            for contestant in &mut contestants {
                contestant.make(schedules);
            }
            return 0;
        }
        // Memory is touched and caches are warm before anything counts.
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
        let columns = ["schedules/s", "µs/booking", "CPU µs"].map(|column| format!("{column:>12}"));
        say(&format!("\n{:<46}{}", self.title, columns.concat()));
        results.iter().for_each(|row| say(&row.to_string()));
        let missed = self.bars.iter().filter(|bar| !bar.judge(&results));
        missed.count()
    }
}

/// The samples of one contestant, turn by turn.
struct Results {
    name: &'static str,
    samples: Vec<Sample>,
}

impl Results {
    const fn of(name: &'static str) -> Self {
        Self { name, samples: Vec::new() }
    }

    fn spread(&self, figure: fn(&Sample) -> f64) -> Spread {
        Spread::of(self.samples.iter().map(figure).collect())
    }

    /// The ratios of a figure of ours to theirs, turn by turn.
    fn over(&self, theirs: &Self, figure: fn(&Sample) -> f64) -> Spread {
        let turns = self.samples.iter().zip(&theirs.samples);
        Spread::of(turns.map(|(ours, theirs)| figure(ours) / figure(theirs)).collect())
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schedules = self.spread(|sample| sample.schedules_per_second).median;
        let time = self.spread(|sample| sample.us_per_booking).median;
        let cpu = self.spread(|sample| sample.cpu_us_per_booking).median;
        write!(f, "  {:<44}{schedules:>12.1}{time:>12.2}{cpu:>12.2}", self.name)
    }
}

impl Bar {
    /// Says whether it holds; nothing where somebody did not take part.
    fn judge(&self, results: &[Results]) -> bool {
        let of = |name: &str| results.iter().find(|row| row.name == name);
        let Self { ours: name, limit } = self;
        let Some(ours) = of(name) else { return true };
        let (figure, wanted, holds) = match *limit {
            Limit::SchedulesPerSecond(least) => {
                let figure = ours.spread(Sample::schedules_per_cpu_second);
                (figure, format!("at least {least} schedules/s"), figure.median >= least)
            }
            Limit::Speed(least, whose) => {
                let Some(theirs) = of(whose) else { return true };
                let figure = theirs.over(ours, |sample| sample.cpu_us_per_booking);
                (figure, format!("at least {least} × {whose}"), figure.median >= least)
            }
            Limit::RealSpeed(least, whose) => {
                let Some(theirs) = of(whose) else { return true };
                let figure = theirs.over(ours, |sample| sample.us_per_booking);
                (figure, format!("in real time at least {least} × {whose}"), figure.median >= least)
            }
            Limit::TimePerBooking(most, whose) => {
                let Some(theirs) = of(whose) else { return true };
                let figure = ours.over(theirs, |sample| sample.cpu_us_per_booking);
                let wanted = format!("µs/booking at most {most} × {whose}");
                (figure, wanted, figure.median <= most)
            }
        };
        let judgement = if holds { "pass" } else { "MISS" };
        say(&format!("  {judgement}: {name}: {wanted}: {figure}"));
        holds
    }
}
