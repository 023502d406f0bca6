//! What a holder has one of, however often it opens a lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use lockproof_model::HolderId;
use tokio::sync::Mutex as AsyncMutex;

/// One client per holder, as a process has one: a withdrawal goes the way of the request that it undoes, behind it.
///
/// They are those that somebody uses: a holder that was killed takes its own along, and the next life begins another.
#[derive(Debug)]
pub(crate) struct SharedClients<C>(Mutex<BTreeMap<HolderId, Weak<AsyncMutex<C>>>>);

impl<C> SharedClients<C> {
    /// That of `holder`, made by `make` where it has none.
    pub(crate) fn of(&self, holder: HolderId, make: impl FnOnce() -> C) -> Arc<AsyncMutex<C>> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&holder).and_then(Weak::upgrade) {
            return client;
        }
        let client = Arc::new(AsyncMutex::new(make()));
        clients.insert(holder, Arc::downgrade(&client));
        client
    }
}

impl<C> Default for SharedClients<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}
