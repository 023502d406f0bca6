//! Random faults within stated bounds.
//!
//! Each is drawn as the text of a `[[fault]]`, so that what broke a lock is a scenario like any other: it is kept,
//! replayed and shrunk as text. Kinds are chosen by swarm testing (Groce et al., 2012): each schedule allows a random
//! half of them, since what one kind of fault breaks another kind, present everywhere, can hide.

use std::fmt;
use std::time::Duration;

use lockproof_env::Random;
use lockproof_model::Step;

use crate::catalog::ENTRIES;

mod dice;

pub(crate) use dice::{Dice, quoted, text};

/// At most so many faults in a schedule.
const MOST: u64 = 4;
/// Some kinds find nothing to do on a ground; so often in all one is drawn.
const TRIES: usize = 64;

/// What [`draw`] keeps to, for a report's reader …
const BOUNDS: &str = "1 to 4 faults a schedule, of a random half of the kinds; at a random step, \
    the early occurrences likelier; lasting up to 3 TTLs, most about one, some until another holder's step; \
    clocks jump by up to 3 TTLs and run at half to four times their rate; a crash, a failover or an eviction \
    is one server's, half of the crashed back within a quarter of a TTL, a replica up to 8 ms behind; \
    messages are delayed by up to 5/8 of a TTL, and one is lost at a time";
/// … and with what becomes of fencing tokens.
const KEPT: &str =
    "nothing that loses a server's data where the strategy counts fencing tokens on it";
const LOSABLE: &str = "servers may lose a counter of fencing tokens";

/// What becomes of the counters of fencing tokens: a strategy that counts them relies on their lasting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// Nothing that loses a server's data happens to a strategy that counts tokens on it.
    Kept,
    /// They are lost with the server's other data (failure mode F56).
    Losable,
}

impl Tokens {
    /// What [`draw`] keeps to then, for a report's reader.
    #[must_use]
    pub fn bounds(self) -> String {
        let tokens = match self {
            Self::Kept => KEPT,
            Self::Losable => LOSABLE,
        };
        format!("{BOUNDS}; {tokens}")
    }
}

/// Where faults are drawn for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// The steps of the flow, in order.
    pub steps: &'static [Step],
    /// How many holders there are.
    pub holders: u32,
    /// How many attempts there are, about.
    pub bookings: u32,
    /// How long a lock's grant is kept.
    pub ttl: Duration,
    /// How many Redis servers the strategy runs on.
    pub redis_servers: usize,
    /// Whether faults can come between a holder and the database.
    pub has_database_link: bool,
    /// Whether the strategy relies on what Redis counts, so that losing its data is out of bounds.
    pub keeps_tokens: bool,
    /// How long the load takes, about.
    pub span: Duration,
}

/// How one kind of fault is drawn.
#[derive(Clone, Copy)]
pub struct Draw {
    /// How much likelier than a kind of weight 1.
    pub weight: u64,
    /// The text of its `[[fault]]`; none where the ground has nothing that it could do.
    pub(crate) fields: fn(&Ground, &Dice<'_>) -> Option<String>,
}

impl fmt::Debug for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draw").field("weight", &self.weight).finish_non_exhaustive()
    }
}

/// Draws the faults of one schedule: the text of a `[[fault]]` each, as [`Tokens::bounds`] says. The same ground and stream of
/// randomness give the same faults.
#[must_use]
pub fn draw(ground: &Ground, random: &Random) -> Vec<String> {
    let dice = Dice::new(random);
    let all: Vec<_> = ENTRIES.iter().filter_map(|entry| entry.draw).collect();
    let swarm: Vec<_> = all.iter().filter(|_| dice.chance(1, 2)).copied().collect();
    let wanted = usize::try_from(1 + dice.below(MOST)).unwrap_or(1);
    let faults = of(&swarm, wanted, ground, &dice);
    // A swarm may have nothing for this ground: servers alone, where there are none.
    if faults.is_empty() { of(&all, 1, ground, &dice) } else { faults }
}

/// Up to so many faults of those kinds.
fn of(kinds: &[Draw], wanted: usize, ground: &Ground, dice: &Dice<'_>) -> Vec<String> {
    let total: u64 = kinds.iter().map(|kind| kind.weight).sum();
    let weighted = || {
        let mut left = dice.below(total);
        kinds.iter().find(|kind| {
            let found = left < kind.weight;
            left = left.saturating_sub(kind.weight);
            found
        })
    };
    let tries = (0..TRIES).filter_map(|_| (weighted()?.fields)(ground, dice));
    tries.take(wanted).collect()
}
