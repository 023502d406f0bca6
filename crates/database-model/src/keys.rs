//! The keys of requests.

use std::collections::btree_map::Entry;

use lockproof_model::AttemptId;

use crate::answer::Answer;
use crate::database::{Database, Step};
use crate::ledger::Stamp;
use crate::waits::Wait;

impl Database {
    /// Writes the key unless it is there: `ON CONFLICT DO NOTHING` waits for whoever has written it and may yet take it
    /// back, and does not let a snapshot pass that cannot see it (`ExecCheckTIDVisible`).
    pub(crate) fn reserve_key(&mut self, at: u32, request: AttemptId) -> Step {
        let horizon = self.horizon(at);
        match self.keys.entry(request) {
            Entry::Occupied(key) => match *key.get() {
                Stamp::By(session) if session != at => {
                    let serial = self.sessions[session as usize].serial;
                    Step::Wait(Wait::Transaction { session, serial })
                }
                written if written.is_seen(at, horizon) => Step::Answer(Answer::Changed(0)),
                _ => Step::SERIALIZATION_FAILURE,
            },
            Entry::Vacant(key) => {
                key.insert(Stamp::By(at));
                self.transaction_mut(at).keys.push(request);
                self.assign_xid(at);
                Step::Answer(Answer::Changed(1))
            }
        }
    }
}
