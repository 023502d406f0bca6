//! Every flow, in documentation order. To add one: its file, and its two lines here.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lockproof_model::{AttemptResult, Step};

use crate::{Holder, Target};

mod check_then_book;
mod compound;
mod compound_unordered;
mod hold_and_extend;
mod hold_and_extend_heedless;
mod lock_and_book;
mod lock_optional;
mod outbox;
mod overlapping_ranges;
mod release_before_commit;
mod reserve_then_confirm;
mod retry_unknown;
mod room_nights;
mod room_nights_keeps_part;
mod side_effect_outside_fence;

/// Every flow that a scenario can name.
pub const ENTRIES: &[FlowEntry] = &[
    lock_and_book::ENTRY,
    retry_unknown::ENTRY,
    reserve_then_confirm::ENTRY,
    hold_and_extend::ENTRY,
    compound::ENTRY,
    room_nights::ENTRY,
    outbox::ENTRY,
    overlapping_ranges::ENTRY,
    check_then_book::ENTRY,
    lock_optional::ENTRY,
    release_before_commit::ENTRY,
    hold_and_extend_heedless::ENTRY,
    compound_unordered::ENTRY,
    room_nights_keeps_part::ENTRY,
    side_effect_outside_fence::ENTRY,
];

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
    /// The steps that it takes, in order, some of them more than once: a fault at any other would never fire.
    pub steps: &'static [Step],
    /// What it can be told beside what every flow is.
    pub fields: &'static [FlowField],
    /// Why some of its checks have no fencing token to present, so that a guard that needs one is refused; `None` where
    /// each has the lease that it stands under.
    pub tokenless: Option<&'static str>,
    /// Why it is unsafe on purpose, for a control that a test must see fail; `None` for a flow to use.
    pub control: Option<&'static str>,
    /// The flow.
    pub flow: &'static dyn Flow,
}

impl FlowEntry {
    /// The next number of slots, from `slots` up, of which every booking finds all that it takes.
    #[must_use]
    pub fn whole_slots(&self, settings: &FlowSettings, slots: u32) -> u32 {
        if self.fields.contains(&FlowField::Segments) {
            slots.max(1).next_multiple_of(settings.parts.max(1))
        } else {
            slots.max(1)
        }
    }
}

/// A field of `[workload]` that only some flows have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowField {
    /// How long the customer thinks.
    Think,
    /// After how long the lease is renewed, each time.
    Refresh,
    /// How many slots a booking takes, next to each other.
    Segments,
    /// How many nights a stay has.
    Nights,
}

impl FlowField {
    /// Every field, in documentation order.
    pub const ALL: [Self; 4] = [Self::Think, Self::Refresh, Self::Segments, Self::Nights];

    /// As scenarios spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Think => "think",
            Self::Refresh => "refresh",
            Self::Segments => "segments",
            Self::Nights => "nights",
        }
    }

    /// What it says, in a few words.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Think => "how long the customer thinks",
            Self::Refresh => {
                "after how long the lease is renewed, each time; a third of the TTL unless said"
            }
            Self::Segments => "how many neighbouring slots a booking takes; 2 unless said",
            Self::Nights => "how many nights a stay has; 2 unless said",
        }
    }
}

/// What a flow is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowSettings {
    /// How long the application works between its check and its write.
    pub work: Duration,
    /// How long the customer thinks.
    pub think: Duration,
    /// After how long the lease is renewed, each time; a third of the TTL where nothing is said, which leaves two more
    /// tries before it ends.
    pub refresh: Option<Duration>,
    /// How many slots a booking takes, in a flow that takes several.
    pub parts: u32,
}

impl Default for FlowSettings {
    fn default() -> Self {
        Self { work: Duration::ZERO, think: Duration::ZERO, refresh: None, parts: 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_flows_share_a_name() {
        for entry in ENTRIES {
            let spelled = ENTRIES.iter().filter(|other| other.name == entry.name).count();
            assert_eq!(spelled, 1, "{}", entry.name);
        }
    }

    #[test]
    fn controls_stand_at_the_end() {
        let controls = ENTRIES.iter().map(|entry| entry.control.is_some());
        assert!(controls.is_sorted(), "whoever reads the list meets what to use first");
    }
}
