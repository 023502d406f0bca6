//! Limits that the model database keeps sessions to: `lock_timeout` and `idle_in_transaction_session_timeout`.
//!
//! Who sends nothing for too long inside a transaction, and who waits too long for a lock, is found by looking again
//! when the time is over: it is the same turn then only if nothing has come of it since.

use std::collections::BTreeMap;
use std::rc::Rc;

use lockproof_database_model::SessionId;

use super::database::{Desk, Exchange};
use crate::SessionLimits;

/// The limits, and at which turn each session is.
#[derive(Debug)]
pub(super) struct Limited {
    limits: SessionLimits,
    /// Counts what was sent and what was answered; empty without a limit.
    turns: BTreeMap<SessionId, u64>,
}

impl Limited {
    pub(super) const fn to(limits: SessionLimits) -> Self {
        Self { limits, turns: BTreeMap::new() }
    }

    /// A session goes on: it is another turn of its.
    pub(super) fn goes_on(&mut self, session: SessionId) {
        if self.limits.is_set() {
            *self.turns.entry(session).or_default() += 1;
        }
    }

    /// A session has ended.
    pub(super) fn forget(&mut self, session: SessionId) {
        self.turns.remove(&session);
    }

    fn turn(&self, session: SessionId) -> Option<u64> {
        self.turns.get(&session).copied()
    }
}

impl Desk {
    /// A statement begins to wait.
    pub(super) fn waits(&self, exchange: &Exchange) {
        let Some(limit) = self.limited.limits.lock else { return };
        let (server, session) = (Rc::clone(&exchange.server), exchange.session);
        let turn = self.limited.turn(session);
        exchange.server.network.after(limit, move || {
            let mut desk = server.desk.borrow_mut();
            if desk.limited.turn(session) == turn {
                desk.database.give_up(session);
                let woken = desk.woken();
                drop(desk);
                server.deliver(woken);
            }
        });
    }

    /// A statement is answered.
    pub(super) fn answers(&mut self, exchange: &Exchange) {
        self.limited.goes_on(exchange.session);
        let Some(limit) = self.limited.limits.idle_in_transaction else { return };
        let (server, session) = (Rc::clone(&exchange.server), exchange.session);
        if !self.database.is_in_transaction(session) {
            return;
        }
        let turn = self.limited.turn(session);
        exchange.server.network.after(limit, move || {
            if server.desk.borrow().limited.turn(session) == turn {
                server.terminate(|_, open| open == session);
            }
        });
    }
}
