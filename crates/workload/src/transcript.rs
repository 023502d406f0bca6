//! The history as far as it is written, for whoever looks while the load goes on.
//!
//! Nothing is buffered for a reader and nobody waits for it: what a reader has not seen yet is on the recorders' own pages,
//! where it stays whether or not anybody looks. A holder is held up for no longer than its newest operations take to be
//! copied.

use std::sync::Arc;

use lockproof_model::{Attempt, Operation};

use crate::recorder::{Mark, Recorder};

/// The pages of all holders of a load. Once the load has ended they are empty.
#[derive(Clone, Debug)]
pub struct Transcript(Arc<[Recorder]>);

/// How far a reader has read.
#[derive(Clone, Debug, Default)]
pub struct Bookmark(Vec<Mark>);

/// What a reader had not seen.
///
/// What has begun and not ended is told as it would stand if nothing more came, and once more when it has ended: the later
/// one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// Operations, each holder's in their order.
    pub operations: Vec<Operation>,
    /// Attempts, each holder's in their order.
    pub attempts: Vec<Attempt>,
}

impl Excerpt {
    /// Whether there is nothing new.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.attempts.is_empty()
    }
}

impl Transcript {
    pub(crate) fn of(recorders: impl IntoIterator<Item = Recorder>) -> Self {
        Self(recorders.into_iter().collect())
    }

    pub(crate) fn recorders(&self) -> &[Recorder] {
        &self.0
    }

    /// What was written since `bookmark` was moved last.
    #[must_use]
    pub fn since(&self, bookmark: &mut Bookmark) -> Excerpt {
        bookmark.0.resize_with(self.0.len(), Mark::default);
        let mut excerpt = Excerpt::default();
        for (recorder, mark) in self.0.iter().zip(&mut bookmark.0) {
            recorder.since(mark, &mut excerpt);
        }
        excerpt
    }
}
