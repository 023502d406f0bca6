use rand_chacha::ChaCha8Rng;

use super::{Entry, toxic};
use crate::toxic::{Chunk, Passage, Recipe, Toxic};

pub(super) const ENTRY: Entry = Entry {
    name: "noop",
    summary: "does nothing; what asking a toxic costs",
    attributes: &[],
    make: |_| toxic(Noop),
};

/// Lets everything pass. For what a proxy with a toxic costs beside one without, and for clients that try an API out.
#[derive(Clone, Copy, Debug)]
pub struct Noop;

impl Recipe for Noop {
    fn name(&self) -> &str {
        ENTRY.name
    }

    fn toxic(&self, _: ChaCha8Rng) -> Box<dyn Toxic> {
        Box::new(*self)
    }
}

impl Toxic for Noop {
    fn on_chunk(&mut self, _: &Chunk<'_>) -> Passage {
        Passage::Pass
    }
}
