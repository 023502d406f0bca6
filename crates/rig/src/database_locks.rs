//! Locks that live in the database: the bookings' store, in the words of locks.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{BookingError, BookingStore, Certainty, LockConnection};
use lockproof_locks::{
    AdapterLine, Backends, DatabaseSession, LockError, LockSettings, RedisConnection, Result,
};
use lockproof_model::{FencingToken, HolderId, Instant, LeaseChange, LockName, OwnerValue};

use crate::{Expired, RigError};

/// Servers, and a database in which locks can live.
#[derive(Debug)]
pub(crate) struct WithDatabase {
    pub(crate) servers: Arc<dyn Backends>,
    pub(crate) store: Arc<dyn BookingStore>,
}

impl Backends for WithDatabase {
    fn redis_servers(&self) -> usize {
        self.servers.redis_servers()
    }

    fn redis(&self, server: usize, holder: HolderId) -> BoxFuture<'_, Result<RedisConnection>> {
        self.servers.redis(server, holder)
    }

    fn database(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn DatabaseSession>>> {
        async move {
            let opened = self.store.open_locks(holder).await.map_err(in_words_of_locks)?;
            Ok(Box::new(Session(opened)) as Box<dyn DatabaseSession>)
        }
        .boxed()
    }

    fn adapter(&self, holder: HolderId) -> BoxFuture<'_, Result<AdapterLine>> {
        self.servers.adapter(holder)
    }
}

#[derive(Debug)]
struct Session(Box<dyn LockConnection>);

impl DatabaseSession for Session {
    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn change_lease<'a>(
        &'a mut self,
        name: &'a str,
        owner: &'a OwnerValue,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>> {
        let changed = self.0.change_lease(name, owner, change, now);
        changed.map(|changed| changed.map_err(in_words_of_locks)).boxed()
    }

    fn try_lock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        self.0.try_lock(name).map(|taken| taken.map_err(in_words_of_locks)).boxed()
    }

    fn unlock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        self.0.unlock(name).map(|given| given.map_err(in_words_of_locks)).boxed()
    }
}

fn in_words_of_locks(error: BookingError) -> LockError {
    let what = "the database failed";
    let certain = match error.certainty() {
        Certainty::Definite => LockError::definite(what),
        Certainty::Indefinite => LockError::indefinite(what),
    };
    certain.because(error)
}

/// Ends `lock` where it lives in the database.
pub(crate) async fn expire(
    store: &dyn BookingStore,
    settings: &LockSettings,
    lock: &LockName,
) -> std::result::Result<Expired, RigError> {
    let stood = store.end_lock(&settings.plain_key(lock)).await;
    let stood =
        stood.map_err(|error| RigError::new("cannot end a lock in the database").because(error))?;
    Ok(Expired { held_on: usize::from(stood), servers: 1 })
}
