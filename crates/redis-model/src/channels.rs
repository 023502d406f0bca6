//! Who listens to which channel (SUBSCRIBE, PSUBSCRIBE).

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use bytes::Bytes;

use crate::glob;
use crate::mailbox::Mailbox;
use crate::reply::Reply;

/// Subscribers by the session's id, which is also the order in which they are told.
type Subscribers = BTreeMap<u64, Weak<Mailbox>>;

/// Names are forgotten in bulk once there are so many more than at the last look.
const NAMES_BETWEEN_LOOKS: usize = 1_024;

/// The subscriptions of all sessions. One that is gone is forgotten when it is met.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    exact: BTreeMap<Bytes, Subscribers>,
    patterns: BTreeMap<Bytes, Subscribers>,
    look_at: usize,
}

/// A channel by its name, or all that match a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Exact,
    Pattern,
}

impl Channels {
    fn of(&mut self, scope: Scope) -> &mut BTreeMap<Bytes, Subscribers> {
        match scope {
            Scope::Exact => &mut self.exact,
            Scope::Pattern => &mut self.patterns,
        }
    }

    pub(crate) fn subscribe(&mut self, scope: Scope, name: Bytes, id: u64, mailbox: &Arc<Mailbox>) {
        if self.exact.len() + self.patterns.len() >= self.look_at {
            self.exact.retain(|_, subscribers| live_count(subscribers) > 0);
            self.patterns.retain(|_, subscribers| live_count(subscribers) > 0);
            self.look_at = 2 * (self.exact.len() + self.patterns.len()) + NAMES_BETWEEN_LOOKS;
        }
        self.of(scope).entry(name).or_default().insert(id, Arc::downgrade(mailbox));
    }

    pub(crate) fn unsubscribe(&mut self, scope: Scope, name: &Bytes, id: u64) {
        let Some(subscribers) = self.of(scope).get_mut(name) else { return };
        subscribers.remove(&id);
        if subscribers.is_empty() {
            self.of(scope).remove(name);
        }
    }

    /// Tells all who listen, and counts them: first those of the channel, then those of patterns.
    pub(crate) fn publish(&mut self, channel: &Bytes, message: &Bytes) -> usize {
        let mut told = 0;
        if let Some(subscribers) = self.exact.get_mut(channel) {
            told += tell(subscribers, || {
                vec![
                    Reply::bulk("message"),
                    Reply::Bulk(channel.clone()),
                    Reply::Bulk(message.clone()),
                ]
            });
            if subscribers.is_empty() {
                self.exact.remove(channel);
            }
        }
        for (pattern, subscribers) in &mut self.patterns {
            if glob::matches(pattern, channel) {
                told += tell(subscribers, || {
                    vec![
                        Reply::bulk("pmessage"),
                        Reply::Bulk(pattern.clone()),
                        Reply::Bulk(channel.clone()),
                        Reply::Bulk(message.clone()),
                    ]
                });
            }
        }
        told
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.patterns.is_empty()
    }

    /// How many listen to the channel by its name.
    pub(crate) fn subscriber_count(&self, channel: &Bytes) -> usize {
        self.exact.get(channel).map_or(0, live_count)
    }

    /// The channels with listeners.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Bytes> {
        self.exact.iter().filter(|(_, listeners)| live_count(listeners) > 0).map(|(name, _)| name)
    }

    /// How many patterns have listeners.
    pub(crate) fn pattern_count(&self) -> usize {
        self.patterns.values().filter(|subscribers| live_count(subscribers) > 0).count()
    }
}

fn tell(subscribers: &mut Subscribers, push: impl Fn() -> Vec<Reply>) -> usize {
    subscribers.retain(|_, mailbox| {
        let mailbox = mailbox.upgrade();
        mailbox.inspect(|mailbox| mailbox.push(push())).is_some()
    });
    subscribers.len()
}

fn live_count(subscribers: &Subscribers) -> usize {
    subscribers.values().filter(|mailbox| mailbox.strong_count() > 0).count()
}
