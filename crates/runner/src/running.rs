//! A window to a cell while it runs.

use std::sync::{Arc, OnceLock};

use lockproof_faults::{FaultBookmark, FaultLog};
use lockproof_model::FaultRecord;
use lockproof_workload::{Bookmark, Excerpt, Transcript};

/// What a live cell has written so far. It shows nothing before the load begins, and nothing after it has ended, when
/// everything is in what came of it.
///
/// It keeps nothing alive but what was written: no server, no connection.
#[derive(Clone, Debug, Default)]
pub struct Running(Arc<OnceLock<(Transcript, FaultLog)>>);

/// How far a reader has read.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    written: Bookmark,
    injected: FaultBookmark,
}

/// What a reader had not seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glimpse {
    /// What holders did.
    pub excerpt: Excerpt,
    /// What faults did, each injection with its place in the cell's log.
    pub injections: Vec<(usize, FaultRecord)>,
}

impl Running {
    pub(crate) fn show(&self, transcript: &Transcript, log: FaultLog) {
        // A cell has one load.
        let _ = self.0.set((transcript.clone(), log));
    }

    /// What was written since `seen` was moved last.
    #[must_use]
    pub fn since(&self, seen: &mut Seen) -> Glimpse {
        let Some((transcript, log)) = self.0.get() else { return Glimpse::default() };
        Glimpse {
            excerpt: transcript.since(&mut seen.written),
            injections: log.since(&mut seen.injected),
        }
    }
}
