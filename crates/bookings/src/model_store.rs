//! The model database, over whatever way its statements travel.
//!
//! The simulated world has no server and no socket: a [`Wire`] takes statements to a [`Database`] in memory, after a
//! delay or never, and brings the answers back, or loses them. What a holder does with them is the same as over
//! tokio-postgres, since the same statements are sent in the same order and each error means the same.
//!
//! [`Direct`] is the wire that does nothing: for tests, and for programs that want a database that is gone when they
//! are.

mod connection;
mod direct;
mod locks;
mod wire;

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_database_model::{Database, Layout as Tables, PredicateLocks};
use lockproof_model::{BookingTable, DriverSetting, HolderId, fnv1a};

use self::connection::ModelConnection;
pub use self::direct::{Direct, DirectSession};
use self::locks::ModelLocks;
pub use self::wire::{NoAnswer, Reply, Wire, WireSession};
use crate::{BookingStore, Connection, Layout, LockConnection, Result};

/// Slots and bookings in a model database.
#[derive(Clone, Debug)]
pub struct ModelStore<W> {
    wire: Arc<W>,
}

impl<W: Wire> ModelStore<W> {
    /// A store whose holders reach the database by `wire`.
    #[must_use]
    pub const fn new(wire: Arc<W>) -> Self {
        Self { wire }
    }

    fn reset(&self, layout: Layout) {
        let tables = Tables {
            slots: layout.slots,
            capacity: layout.capacity,
            unique_unit: layout.constraints.unique_unit,
            exclude_overlap: layout.constraints.exclude_overlap,
            predicate_locks: PredicateLocks::Exact,
        };
        self.wire.administer(&mut |database| database.reset(tables));
    }
}

impl<W: Wire> BookingStore for ModelStore<W> {
    fn engine(&self) -> &'static str {
        "model"
    }

    fn version(&self) -> BoxFuture<'_, Result<String>> {
        async { Ok(Database::VERSION.to_owned()) }.boxed()
    }

    fn driver_settings(&self) -> Vec<DriverSetting> {
        let settings = [
            ("isolation", "READ COMMITTED, said at each BEGIN"),
            ("answer timeout", "none"),
            ("retries", "none; a lost connection is dialled again at the next begin"),
        ];
        settings
            .map(|(setting, value)| DriverSetting {
                driver: "database-model".to_owned(),
                setting: setting.to_owned(),
                value: value.to_owned(),
            })
            .into()
    }

    fn create(&self, layout: Layout) -> BoxFuture<'_, Result<()>> {
        async move {
            self.reset(layout);
            Ok(())
        }
        .boxed()
    }

    fn open(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        async move {
            let connection = ModelConnection::open(Arc::clone(&self.wire), holder).await?;
            Ok(Box::new(connection) as Box<dyn Connection>)
        }
        .boxed()
    }

    fn open_locks(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn LockConnection>>> {
        async move {
            let locks = ModelLocks::open(self.wire.as_ref(), holder).await?;
            Ok(Box::new(locks) as Box<dyn LockConnection>)
        }
        .boxed()
    }

    fn lock_owner<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>>> {
        async move {
            let (lease, advisory, mut owner) = (fnv1a(name.bytes()), locks::key(name), None);
            self.wire.administer(&mut |database| {
                let of_lease = database.lease_owner(lease).map(|owner| format!("{owner:016x}"));
                let session = || Some(format!("{:?}", database.advisory_session(advisory)?));
                owner = of_lease.or_else(session);
            });
            Ok(owner)
        }
        .boxed()
    }

    fn end_lock<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        async move {
            let (lease, advisory, mut stood) = (fnv1a(name.bytes()), locks::key(name), false);
            self.wire.administer(&mut |database| {
                stood = database.expire_lease(lease) | database.end_holder_of(advisory);
            });
            Ok(stood)
        }
        .boxed()
    }

    fn table(&self) -> BoxFuture<'_, Result<BookingTable>> {
        async {
            let mut table = BookingTable::default();
            self.wire.administer(&mut |database| table = database.table());
            Ok(table)
        }
        .boxed()
    }

    fn drop_tables(&self) -> BoxFuture<'_, Result<()>> {
        async {
            self.reset(Layout { slots: 0, capacity: 0, constraints: crate::Constraints::NONE });
            Ok(())
        }
        .boxed()
    }
}
