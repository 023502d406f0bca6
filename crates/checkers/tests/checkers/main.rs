//! Golden histories: each checker accepts a good one and rejects a bad one with its exact witness.

mod builder;
mod duplicate_bookings;
mod duplicate_effects;
mod fencing_monotonic;
mod mutual_exclusion;
mod oracle;
mod orphaned_locks;
mod ranges;
mod scale;
mod several;
mod story;
