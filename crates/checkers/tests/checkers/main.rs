//! Golden histories: each checker accepts a good one and rejects a bad one with its exact witness.

mod availability;
mod builder;
mod duplicate_bookings;
mod duplicate_effects;
mod fairness;
mod fencing_monotonic;
mod mutual_exclusion;
mod oracle;
mod orphaned_locks;
mod overlapping_grants;
mod ranges;
mod refusals;
mod scale;
mod several;
mod stale_writes;
mod story;
