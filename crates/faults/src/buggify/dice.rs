//! What draws of faults have in common.

use std::time::Duration;

use lockproof_env::Random;
use lockproof_model::{Moment, Point, Step};

use super::Ground;

/// Fields of a `[[fault]]`: a name and a TOML value.
type Fields = Vec<(&'static str, String)>;

/// At most so many times a TTL does a fault last.
const LONGEST: u32 = 3;
/// More holders than this are not named one by one.
const NAMED: u32 = 64;

/// Draws, in terms of faults.
#[derive(Debug)]
pub(crate) struct Dice<'a>(&'a Random);

impl<'a> Dice<'a> {
    pub(crate) const fn new(random: &'a Random) -> Self {
        Self(random)
    }

    /// Uniform in `0..bound`; 0 where that is empty.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        // Widening multiplication: its bias is far under what a run can show.
        let drawn = (u128::from(self.0.bits()) * u128::from(bound)) >> 64;
        u64::try_from(drawn).unwrap_or_default()
    }

    /// True `times` times in `of`.
    pub(crate) fn chance(&self, times: u64, of: u64) -> bool {
        self.below(of) < times
    }

    /// One of several, none of them likelier. There must be one.
    pub(crate) fn pick<T: Copy>(&self, things: &[T]) -> T {
        let count = u64::try_from(things.len()).unwrap_or(u64::MAX);
        things[usize::try_from(self.below(count)).unwrap_or_default()]
    }

    /// The text of the fault of that kind.
    pub(crate) fn fault(
        &self,
        kind: &str,
        own: impl IntoIterator<Item = (&'static str, String)>,
        when: Fields,
    ) -> String {
        let kind = ("kind", quoted(kind));
        let fields = std::iter::once(kind).chain(when).chain(own);
        let lines: Vec<_> = fields.map(|(name, value)| format!("{name} = {value}")).collect();
        lines.join("\n")
    }

    /// Any point of the flow.
    pub(crate) fn step(&self, ground: &Ground) -> Point {
        let moments =
            [Moment::Before, Moment::Before, Moment::After, Moment::After, Moment::Answer];
        Point { moment: self.pick(&moments), step: self.pick(ground.steps) }
    }

    /// A point between the grant and the write, where what happens to a lease matters; any, where the flow has none.
    pub(crate) fn step_inside(&self, ground: &Ground) -> Point {
        let points = [
            Point::after(Step::Acquire),
            Point::after(Step::Check),
            Point::before(Step::Insert),
            Point::before(Step::Commit),
        ];
        let known = |point: &Point| ground.steps.contains(&point.step);
        let points: Vec<_> = points.into_iter().filter(known).collect();
        if points.is_empty() { self.step(ground) } else { self.pick(&points) }
    }

    /// At a step, for a time.
    pub(crate) fn at(&self, point: Point, ground: &Ground) -> Fields {
        [self.at_once(point, ground), self.until(ground)].concat()
    }

    /// At a step, for what is over at once.
    pub(crate) fn at_once(&self, point: Point, ground: &Ground) -> Fields {
        let mut fields = vec![("at", quoted(&point.to_string()))];
        fields.extend(self.nth(ground));
        fields
    }

    /// The same, or sometimes at a time.
    pub(crate) fn at_once_or_from(&self, point: Point, ground: &Ground) -> Fields {
        if self.chance(4, 5) {
            return self.at_once(point, ground);
        }
        vec![("from", text(self.length(ground.span)))]
    }

    /// At any step, or sometimes in a window of time.
    pub(crate) fn lasting(&self, ground: &Ground) -> Fields {
        if self.chance(3, 4) { self.at(self.step(ground), ground) } else { self.window(ground) }
    }

    /// The same, but half of the time over so soon that the leases of before still stand.
    pub(crate) fn brief_or_lasting(&self, ground: &Ground) -> Fields {
        if self.chance(1, 2) {
            return self.lasting(ground);
        }
        let mut fields = self.at_once(self.step_inside(ground), ground);
        fields.push(("for", text(self.length(ground.ttl / 4))));
        fields
    }

    /// A window of time.
    pub(crate) fn window(&self, ground: &Ground) -> Fields {
        let from = self.length(ground.span);
        vec![("from", text(from)), ("until", text(from + self.about(ground.ttl)))]
    }

    /// At which of the times that holders come to a point: every order of magnitude is as likely, so that the early
    /// ones, which every schedule has, come up often.
    pub(crate) fn nth(&self, ground: &Ground) -> Fields {
        let most = u64::from(ground.bookings.max(1));
        let least = 1 << self.below(u64::from(most.ilog2()) + 1);
        let nth = least + self.below(least.min(most - least + 1));
        vec![("nth", nth.to_string())]
    }

    /// For how long; sometimes until somebody else has come to a step.
    pub(crate) fn until(&self, ground: &Ground) -> Fields {
        let mut fields = vec![("for", text(self.about(ground.ttl)))];
        if self.chance(1, 4) {
            let steps = [Step::Acquire, Step::Check, Step::Commit, Step::Commit];
            let step = self.pick(&steps);
            if ground.steps.contains(&step) {
                fields.push(("until-event", quoted(&format!("another-{step}"))));
            }
        }
        fields
    }

    /// About a TTL, mostly a little more, at most three.
    pub(crate) fn about(&self, ttl: Duration) -> Duration {
        let drawn = match self.below(5) {
            0 => self.0.up_to(ttl),
            1 => ttl + self.0.up_to(ttl * (LONGEST - 1)),
            _ => ttl * 4 / 5 + self.0.up_to(ttl * 4 / 5),
        };
        rounded(drawn)
    }

    /// Up to `longest`.
    pub(crate) fn length(&self, longest: Duration) -> Duration {
        rounded(self.0.up_to(longest))
    }

    /// Links, as `links` takes them.
    pub(crate) fn links(&self, ground: &Ground) -> Option<String> {
        if ground.has_database_link && self.chance(1, 3) {
            return Some("[\"database\"]".to_owned());
        }
        self.servers(ground)
    }

    /// Names every holder: a fault on links at a step is then one of the links of the holder that came to it.
    pub(crate) fn own_links(&self, ground: &Ground) -> Option<(&'static str, String)> {
        let names = (ground.holders <= NAMED && self.chance(1, 2)).then_some(1..=ground.holders)?;
        let names: Vec<_> = names.map(|holder| holder.to_string()).collect();
        Some(("holders", format!("[{}]", names.join(", "))))
    }

    /// Redis servers, as `servers` and `links` take them: one, a minority, a majority or all.
    pub(crate) fn servers(&self, ground: &Ground) -> Option<String> {
        let several = ground.redis_servers > 2;
        match self.below(5) {
            0 if several => Some("[\"redis-minority\"]".to_owned()),
            1 if several => Some("[\"redis-majority\"]".to_owned()),
            2 if several => Some("[\"redis\"]".to_owned()),
            _ => self.one_server(ground),
        }
    }

    /// One Redis server.
    pub(crate) fn one_server(&self, ground: &Ground) -> Option<String> {
        let servers = u64::try_from(ground.redis_servers).ok().filter(|&servers| servers > 0)?;
        Some(format!("[\"redis-{}\"]", 1 + self.below(servers)))
    }
}

/// A TOML string of a text without quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// A duration as scenarios write it.
pub(crate) fn text(duration: Duration) -> String {
    quoted(&humantime::format_duration(duration).to_string())
}

/// Short to write: three digits or so.
fn rounded(duration: Duration) -> Duration {
    let grain = if duration >= Duration::from_millis(10) {
        Duration::from_millis(1)
    } else {
        Duration::from_micros(10)
    };
    let grains = duration.as_nanos() / grain.as_nanos();
    grain * u32::try_from(grains).unwrap_or(u32::MAX).max(1)
}
