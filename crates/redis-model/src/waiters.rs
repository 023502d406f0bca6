//! Who is blocked on which list (BLPOP, BRPOP).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};

use bytes::Bytes;

use crate::mailbox::Mailbox;

/// Keys are forgotten in bulk once there are so many more than at the last look.
const KEYS_BETWEEN_LOOKS: usize = 1_024;

/// Which end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// The blocked sessions in the order in which they came. One that is gone, or waits no more, is
/// forgotten when it is met.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    by_key: BTreeMap<(usize, Bytes), VecDeque<Waiter>>,
    ready: Vec<(usize, Bytes)>,
    last_ticket: u64,
    look_at: usize,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    mailbox: Weak<Mailbox>,
    side: Side,
}

impl Waiter {
    fn live(&self) -> Option<Arc<Mailbox>> {
        self.mailbox.upgrade().filter(|mailbox| mailbox.is_waiting(self.ticket))
    }
}

impl Waiters {
    /// Lets the session of `mailbox` wait for the first of `keys` that has something.
    pub(crate) fn add(
        &mut self,
        database: usize,
        keys: &[Bytes],
        side: Side,
        mailbox: &Arc<Mailbox>,
    ) {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        mailbox.begin_wait(ticket);
        if self.by_key.len() >= self.look_at {
            self.by_key.retain(|_, waiters| {
                waiters.retain(|waiter| waiter.live().is_some());
                !waiters.is_empty()
            });
            self.look_at = 2 * self.by_key.len() + KEYS_BETWEEN_LOOKS;
        }
        for key in keys {
            let waiters = self.by_key.entry((database, key.clone())).or_default();
            waiters.retain(|waiter| waiter.live().is_some());
            waiters.push_back(Waiter { ticket, mailbox: Arc::downgrade(mailbox), side });
        }
    }

    /// Notes that there may be something in `key` for those who wait.
    pub(crate) fn signal(&mut self, database: usize, key: &Bytes) {
        if self.by_key.is_empty() {
            return;
        }
        let place = (database, key.clone());
        if self.by_key.contains_key(&place) && !self.ready.contains(&place) {
            self.ready.push(place);
        }
    }

    /// The keys signalled since the last call.
    pub(crate) fn take_ready(&mut self) -> Vec<(usize, Bytes)> {
        std::mem::take(&mut self.ready)
    }

    /// The one who has waited longest for `key`, and from which side it pops.
    pub(crate) fn take_first(
        &mut self,
        database: usize,
        key: &Bytes,
    ) -> Option<(Arc<Mailbox>, Side)> {
        let place = (database, key.clone());
        let waiters = self.by_key.get_mut(&place)?;
        while let Some(waiter) = waiters.pop_front() {
            if let Some(mailbox) = waiter.live() {
                return Some((mailbox, waiter.side));
            }
        }
        self.by_key.remove(&place);
        None
    }
}
