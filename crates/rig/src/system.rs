//! What a load needs of the system under test.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use lockproof_bookings::BookingStore;
use lockproof_env::Group;
use lockproof_locks::Backends;
use lockproof_model::{DriverSetting, LockLeft, ServerInfo};

use crate::{Rig, RigError};

/// A rig with its servers up and its tables made: one cell's, in either world. Dropping it stops what is its own.
pub trait System: Rig + Debug + 'static {
    /// The same thing, as faults see it.
    fn as_rig(self: Arc<Self>) -> Arc<dyn Rig>;

    /// The lock's way to its servers.
    fn backends(&self) -> Arc<dyn Backends>;

    /// Where bookings are kept.
    fn store(&self) -> Arc<dyn BookingStore>;

    /// The holders' groups, by number.
    fn groups(&self) -> Vec<Group>;

    /// The servers that take part.
    fn servers(&self) -> Vec<ServerInfo>;

    /// The settings of the drivers in use that can change an outcome.
    fn drivers(&self) -> Vec<DriverSetting>;

    /// The locks that stand at the servers now; empty where this rig cannot look.
    fn locks_left(&self) -> BoxFuture<'_, Vec<LockLeft>>;

    /// Removes what the cell left at shared servers. Its own servers stop when it is dropped.
    ///
    /// # Errors
    /// A server could not be reached.
    fn clear(&self) -> BoxFuture<'_, Result<(), RigError>>;
}
