//! The lock's way to the table of leases: the bookings' store, in the words of locks.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{BookingError, BookingStore, Certainty, LeaseTable};
use lockproof_locks::{AdapterLine, Backends, LeaseDatabase, LockError, RedisConnection, Result};
use lockproof_model::{Claim, FencingToken, HolderId, Instant, LeaseChange};

/// Servers, and a database whose leases locks can be.
#[derive(Debug)]
pub(crate) struct WithLeases {
    pub(crate) servers: Arc<dyn Backends>,
    pub(crate) store: Arc<dyn BookingStore>,
}

impl Backends for WithLeases {
    fn redis_servers(&self) -> usize {
        self.servers.redis_servers()
    }

    fn redis(&self, server: usize, holder: HolderId) -> BoxFuture<'_, Result<RedisConnection>> {
        self.servers.redis(server, holder)
    }

    fn leases(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn LeaseDatabase>>> {
        async move {
            let opened = self.store.open_leases(holder).await.map_err(|error| {
                LockError::definite("cannot reach the database of leases").because(error)
            });
            Ok(Box::new(Leases(opened?)) as Box<dyn LeaseDatabase>)
        }
        .boxed()
    }

    fn adapter(&self, holder: HolderId) -> BoxFuture<'_, Result<AdapterLine>> {
        self.servers.adapter(holder)
    }
}

#[derive(Debug)]
struct Leases(Box<dyn LeaseTable>);

impl LeaseDatabase for Leases {
    fn change<'a>(
        &'a mut self,
        claim: &'a Claim,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>> {
        self.0.change(claim, change, now).map(|changed| changed.map_err(in_words_of_locks)).boxed()
    }
}

fn in_words_of_locks(error: BookingError) -> LockError {
    let what = "the database of leases failed";
    let certain = match error.certainty() {
        Certainty::Definite => LockError::definite(what),
        Certainty::Indefinite => LockError::indefinite(what),
    };
    certain.because(error)
}
