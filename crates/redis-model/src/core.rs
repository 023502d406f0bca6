//! All of a server but its scripts.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::channels::Channels;
use crate::clock::WallClock;
use crate::keyspace::Keyspace;
use crate::reply::{Refusal, Reply};
use crate::server::Options;
use crate::settings::Settings;
use crate::value::{Kind as _, List, Value};
use crate::waiters::{Side, Waiters};
use crate::watches::Watches;

/// What a script's own commands may reach while it runs. It moves into the run and back, which is
/// why it has a default.
#[derive(Debug, Default)]
pub(crate) struct Core {
    pub(crate) keyspace: Keyspace,
    pub(crate) options: Options,
    pub(crate) settings: Settings,
    pub(crate) commands_processed: u64,
    pub(crate) watches: Watches,
    pub(crate) channels: Channels,
    pub(crate) waiters: Waiters,
    /// How far behind each replica is, the best first.
    pub(crate) replica_lags: Vec<Duration>,
    /// Counts the open sessions by its clones.
    pub(crate) presence: Arc<()>,
}

/// What happened to a key, as keyspace notifications tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// The letter in `notify-keyspace-events`.
    class: u8,
    name: &'static str,
}

impl Event {
    pub(crate) const DEL: Self = Self::generic("del");
    pub(crate) const EXPIRE: Self = Self::generic("expire");
    pub(crate) const PERSIST: Self = Self::generic("persist");
    pub(crate) const EXPIRED: Self = Self { class: b'x', name: "expired" };

    pub(crate) const fn generic(name: &'static str) -> Self {
        Self { class: b'g', name }
    }

    pub(crate) const fn string(name: &'static str) -> Self {
        Self { class: b'$', name }
    }

    pub(crate) const fn hash(name: &'static str) -> Self {
        Self { class: b'h', name }
    }

    pub(crate) const fn set(name: &'static str) -> Self {
        Self { class: b's', name }
    }

    pub(crate) const fn sorted_set(name: &'static str) -> Self {
        Self { class: b'z', name }
    }

    pub(crate) const fn list(name: &'static str) -> Self {
        Self { class: b'l', name }
    }
}

impl Core {
    pub(crate) fn new(options: Options) -> Self {
        let replica_lags = vec![Duration::ZERO; options.replicas as usize];
        let keyspace = Keyspace::new(options.databases);
        Self { keyspace, options, replica_lags, ..Self::default() }
    }

    /// How many replicas have at `now` what was written by `written`, and have said so.
    pub(crate) fn acknowledged(&self, written: WallClock, now: WallClock) -> i64 {
        let have = self.replica_lags.iter().filter(|lag| written.after(**lag) <= now);
        i64::try_from(have.count()).unwrap_or(i64::MAX)
    }

    /// How many sessions are open.
    pub(crate) fn session_count(&self) -> usize {
        Arc::strong_count(&self.presence) - 1
    }

    /// Tells watchers and subscribers that `key` has changed.
    pub(crate) fn changed(&mut self, database: usize, key: &Bytes, event: Event) {
        self.watches.touch(database, key);
        self.notify(database, key, event);
    }

    /// Tells subscribers only.
    pub(crate) fn notify(&mut self, database: usize, key: &Bytes, event: Event) {
        let wanted = self.settings.notifications;
        if !wanted.has(event.class) || self.channels.is_empty() {
            return;
        }
        let name = Bytes::from_static(event.name.as_bytes());
        if wanted.has(b'K') {
            let channel = [format!("__keyspace@{database}__:").as_bytes(), key].concat();
            self.channels.publish(&channel.into(), &name);
        }
        if wanted.has(b'E') {
            let channel = format!("__keyevent@{database}__:{}", event.name);
            self.channels.publish(&channel.into(), key);
        }
    }

    /// Reaps what has expired, and counts it.
    pub(crate) fn expire_due(&mut self, now: WallClock) -> usize {
        let mut reaped = 0;
        while let Some((database, key)) = self.keyspace.take_due(now) {
            self.changed(database, &key, Event::EXPIRED);
            reaped += 1;
        }
        reaped
    }

    /// Empties a database; who watched one of its keys is told.
    pub(crate) fn clear(&mut self, database: usize) {
        let keyspace = &self.keyspace;
        self.watches.touch_all(database, |key| keyspace.get(database, key).is_some());
        self.keyspace.clear(database);
    }

    /// Takes `key` away when nothing is left in it.
    pub(crate) fn remove_if_empty(&mut self, database: usize, key: &Bytes) {
        if self.keyspace.get(database, key).is_some_and(|entry| entry.value.is_empty()) {
            self.keyspace.remove(database, key);
            self.notify(database, key, Event::DEL);
        }
    }

    /// Takes the outermost element of a list.
    pub(crate) fn pop(
        &mut self,
        database: usize,
        key: &Bytes,
        side: Side,
    ) -> Result<Option<Bytes>, Refusal> {
        let Some(value) = self.keyspace.get_mut(database, key) else { return Ok(None) };
        let list = List::view_mut(value)?;
        let (element, event) = match side {
            Side::Left => (list.pop_front(), "lpop"),
            Side::Right => (list.pop_back(), "rpop"),
        };
        self.changed(database, key, Event::list(event));
        self.remove_if_empty(database, key);
        Ok(element)
    }

    /// Gives what has come into lists to those who wait for it, first come, first served.
    pub(crate) fn serve_waiters(&mut self) {
        for (database, key) in self.waiters.take_ready() {
            while let Some(Value::List(_)) =
                self.keyspace.get(database, &key).map(|entry| &entry.value)
            {
                let Some((mailbox, side)) = self.waiters.take_first(database, &key) else { break };
                if let Ok(Some(element)) = self.pop(database, &key, side) {
                    let reply = vec![Reply::Bulk(key.clone()), Reply::Bulk(element)];
                    mailbox.answer(Reply::Array(reply));
                }
            }
        }
    }
}
