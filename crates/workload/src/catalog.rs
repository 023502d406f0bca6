//! Every flow, in documentation order. To add one: its file, and its two lines here.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Step};

use crate::{Holder, Target};

mod lock_and_book;
mod retry_unknown;

/// Every flow that a scenario can name.
pub const ENTRIES: &[FlowEntry] = &[lock_and_book::ENTRY, retry_unknown::ENTRY];

/// The flow of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static FlowEntry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

/// The order of steps of one booking.
pub trait Flow: Debug + Send + Sync {
    /// Takes one attempt from its first step to its last.
    ///
    /// # Cancel safety
    /// When the future is dropped, the step that was under way ends as *info*. A claim whose grant was not yet seen is
    /// withdrawn; one that was granted stands until its TTL ends, as when a holder dies.
    fn book<'a>(&'a self, holder: &'a mut Holder, target: Target) -> BoxFuture<'a, AttemptResult>;
}

/// What the rest of the program knows of a flow.
#[derive(Clone, Copy, Debug)]
pub struct FlowEntry {
    /// As scenarios spell it.
    pub name: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// The steps that it takes, in order: a fault at any other would never fire.
    pub steps: &'static [Step],
    /// The flow.
    pub flow: &'static dyn Flow,
}
