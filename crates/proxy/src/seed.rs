//! One seed, and from it a stream of random numbers for every use, so that no use disturbs another.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::toxic::Direction;

/// The numbers of one toxic on one connection: in one direction, or for what it draws once for both.
pub(crate) fn rng(
    seed: u64,
    connection: u64,
    toxic: u64,
    direction: Option<Direction>,
) -> ChaCha8Rng {
    let way: u64 = match direction {
        None => 0,
        Some(Direction::Upstream) => 1,
        Some(Direction::Downstream) => 2,
    };
    let mut key = [0; 32];
    for (part, number) in key.chunks_exact_mut(8).zip([seed, connection, toxic, way]) {
        part.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}
