//! Those who take part, each used as its documentation says.

pub(crate) mod ours;
pub(crate) mod paused_clock;
pub(crate) mod turmoil;

use std::collections::BTreeMap;
use std::time::Duration;

/// How long a message of the others takes, one way, in milliseconds: the resolution that both have.
const LATENCY_MS: std::ops::RangeInclusive<u64> = 1..=5;

/// One booking, as a client asks for it.
const REQUESTS: [Ask; 6] = [
    Ask::SetIfAbsent,
    Ask::Statement,
    Ask::Statement,
    Ask::Statement,
    Ask::Statement,
    Ask::CompareAndDelete,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    SetIfAbsent,
    /// Begin, check, insert and commit, of which the others have no model.
    Statement,
    CompareAndDelete,
}

/// All of their server.
#[derive(Debug, Default)]
struct Keys(BTreeMap<u64, u64>);

impl Keys {
    fn answer(&mut self, ask: Ask, key: u64, owner: u64) -> bool {
        match ask {
            Ask::SetIfAbsent if self.0.contains_key(&key) => false,
            Ask::SetIfAbsent => {
                self.0.insert(key, owner);
                true
            }
            Ask::Statement => true,
            Ask::CompareAndDelete => {
                self.0.get(&key) == Some(&owner) && self.0.remove(&key).is_some()
            }
        }
    }
}

/// The key of one of a client's bookings, which nobody else wants.
fn key(client: u64, booking: u32) -> u64 {
    client * 1000 + u64::from(booking)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
