//! Locking the bookings that there are, and finding one.

use lockproof_model::{AttemptId, BookingId, SlotId, Span};

use crate::answer::Answer;
use crate::database::{Database, Step};
use crate::ledger::Stamp;
use crate::slots::NONE;
use crate::statement::Isolation;
use crate::waits::Wait;

impl Database {
    /// Finds the rows that the statement sees, to be locked one after the other as the index has them.
    pub(crate) fn lock_confirmed(&mut self, at: u32, slot: SlotId, span: Span) -> Step {
        if self.transaction(at).isolation == Isolation::Serializable
            && let Err(error) = self.read_bookings(at, slot, span)
        {
            return Step::Error(error);
        }
        let mut found: Vec<_> = self.overlapping(at, slot, span).collect();
        found.sort_by_key(|&place| {
            let values = &self.ledger.at(place).values;
            (values.span, values.unit, place)
        });
        let transaction = self.transaction_mut(at);
        (transaction.found, transaction.looked_at) = (found, 0);
        self.lock_confirmed_again(at)
    }

    /// Locks those that are left, or waits for one of them. A row that was deleted meanwhile is none any more.
    pub(crate) fn lock_confirmed_again(&mut self, at: u32) -> Step {
        while let Some(&place) = self.transaction(at).found.get(self.transaction(at).looked_at) {
            if let Some(wait) = self.locker(at, place) {
                return Step::Wait(wait);
            }
            match self.ledger.at(place).deleted {
                Stamp::By(other) if other != at => {
                    let serial = self.sessions[other as usize].serial;
                    return Step::Wait(Wait::Transaction { session: other, serial });
                }
                Stamp::At(_) if self.transaction(at).snapshot.is_some() => {
                    return Step::SERIALIZATION_FAILURE;
                }
                Stamp::At(_) | Stamp::By(_) => {
                    let transaction = self.transaction_mut(at);
                    transaction.found.remove(transaction.looked_at);
                }
                Stamp::Never => {
                    let locker = &mut self.ledger.at_mut(place).locker;
                    if std::mem::replace(locker, at) == NONE {
                        self.transaction_mut(at).locked.push(place);
                    }
                    self.assign_xid(at);
                    self.transaction_mut(at).looked_at += 1;
                }
            }
        }
        let count = u32::try_from(self.transaction(at).looked_at).unwrap_or(u32::MAX);
        Step::Answer(Answer::Count(count))
    }

    /// What another session's lock on the row makes this one wait for.
    pub(crate) fn locker(&self, at: u32, place: u32) -> Option<Wait> {
        let session = self.ledger.at(place).locker;
        let is_other = session != NONE && session != at;
        is_other
            .then(|| Wait::Transaction { session, serial: self.sessions[session as usize].serial })
    }

    /// The first booking of the attempt that the statement sees, by a scan of the table.
    pub(crate) fn find_by_attempt(&mut self, at: u32, attempt: AttemptId) -> Step {
        let horizon = self.horizon(at);
        let mut rows = (1_i64..).zip(self.ledger.rows());
        let found = rows.find(|(_, row)| {
            row.values.attempt == attempt
                && row.created.is_seen(at, horizon)
                && !row.deleted.is_seen(at, horizon)
        });
        Step::Answer(Answer::Booking(found.map(|(id, _)| BookingId(id))))
    }
}
