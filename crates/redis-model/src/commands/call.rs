//! All that a handler may touch.

use bytes::Bytes;

use super::Command;
use crate::clock::WallClock;
use crate::core::{Core, Event};
use crate::keyspace::Entry;
use crate::reply::Refusal;
use crate::scripts::Scripts;
use crate::session::Session;
use crate::value::{Kind, Value};

/// One command under way.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) core: &'a mut Core,
    /// Absent when a script is the caller: a script cannot start another.
    pub(crate) scripts: Option<&'a mut Scripts>,
    pub(crate) session: &'a mut Session,
    pub(crate) now: WallClock,
    /// What is being carried out: one handler may serve several names.
    pub(crate) command: &'static Command,
    /// Set by a handler whose reply does not count.
    pub(crate) special: Option<Special>,
    /// Not inside a transaction.
    pub(crate) may_block: bool,
}

/// What stands in for a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    Pushed,
    Blocked,
}

impl Call<'_> {
    pub(crate) fn entry(&self, key: &Bytes) -> Option<&Entry> {
        self.core.keyspace.get(self.session.database, key)
    }

    /// The value of `key`, of the type that the command is about.
    pub(crate) fn read<K: Kind>(&self, key: &Bytes) -> Result<Option<&K>, Refusal> {
        self.entry(key).map(|entry| K::view(&entry.value)).transpose()
    }

    /// As [`read`](Self::read), to be changed in place.
    pub(crate) fn edit<K: Kind>(&mut self, key: &Bytes) -> Result<Option<&mut K>, Refusal> {
        self.core.keyspace.get_mut(self.session.database, key).map(K::view_mut).transpose()
    }

    /// As [`edit`](Self::edit); a missing value begins empty, and is to be filled.
    pub(crate) fn write<K: Kind>(&mut self, key: &Bytes) -> Result<&mut K, Refusal> {
        let database = self.session.database;
        let value = self.core.keyspace.get_or_insert(database, key, || K::default().into_value());
        K::view_mut(value)
    }

    pub(crate) fn store(&mut self, key: &Bytes, value: Value, expires_at_ms: Option<i64>) {
        self.core.keyspace.insert(self.session.database, key, value, expires_at_ms);
    }

    /// Whether there was such a key.
    pub(crate) fn delete(&mut self, key: &Bytes) -> bool {
        let existed = self.core.keyspace.remove(self.session.database, key).is_some();
        if existed {
            self.changed(key, Event::DEL);
        }
        existed
    }

    /// To be called once for each change of a key.
    pub(crate) fn changed(&mut self, key: &Bytes, event: Event) {
        self.core.changed(self.session.database, key, event);
    }

    /// For what is told besides a change.
    pub(crate) fn notify(&mut self, key: &Bytes, event: Event) {
        self.core.notify(self.session.database, key, event);
    }

    /// To be called after something was taken out of a key.
    pub(crate) fn shrunk(&mut self, key: &Bytes, event: Event) {
        self.changed(key, event);
        self.core.remove_if_empty(self.session.database, key);
    }
}
