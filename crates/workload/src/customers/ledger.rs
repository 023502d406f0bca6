//! What customers note beside the history: whose booking is whose, and how they were answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lockproof_http_target::{Call, Found};
use lockproof_model::{AnswerCount, AttemptId, BookingId, BookingRow, HolderId, SlotId, Span};

use crate::holder::Target;

/// Shared by the customers of one load.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    /// A history counts its bookings; a service names them as it likes.
    numbers: BTreeMap<String, BookingId>,
    sold: BTreeMap<BookingId, AttemptId>,
    /// Of each slot the attempts that were told of a booking, and whether its id was told.
    told: BTreeMap<SlotId, Vec<(AttemptId, bool)>>,
    holders: BTreeMap<AttemptId, HolderId>,
    /// By request and status; none where there was no answer.
    answers: BTreeMap<(Call, Option<u16>), u32>,
}

/// What a row bears that nobody of this run has written, or whose writer cannot be told.
const NOBODY: (AttemptId, HolderId) = (AttemptId(0), HolderId(0));

impl Ledger {
    /// What an attempt calls itself towards the service, in run `run`.
    #[must_use]
    pub fn reference(run: &str, attempt: AttemptId) -> String {
        format!("lockproof-{run}-{}", attempt.0)
    }

    /// How many answers of each status there were, in the order of a booking's requests.
    #[must_use]
    pub fn answers(&self) -> Vec<AnswerCount> {
        let pages = self.pages();
        let count = |(&(call, status), &count): (&(Call, Option<u16>), &u32)| AnswerCount {
            request: call.word().to_owned(),
            status,
            count,
        };
        pages.answers.iter().map(count).collect()
    }

    /// The row of a table that `found` comes to: the `unit`th booking of `slot`, in run `run`.
    #[must_use]
    pub fn row(&self, found: &Found, slot: SlotId, unit: u32, run: &str) -> BookingRow {
        let mut pages = self.pages();
        let id = match &found.id {
            Some(text) => pages.number(text),
            // Bookings that are counted and not named are told apart by their places.
            None => pages.number(&format!("{slot}, unit {unit}")),
        };
        let prefix = format!("lockproof-{run}-");
        let referred = found.reference.as_deref().and_then(|text| {
            let (_, rest) = text.split_once(&prefix)?;
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..end].parse().ok().map(AttemptId)
        });
        // By its id first: of a request that several made it bears the reference of one, and another may have been told.
        let attempt = pages.sold.get(&id).copied().or(referred);
        let attempt = attempt.or_else(|| match &found.reference {
            Some(_) => None,
            None => pages.takes(slot, found.id.is_some()),
        });
        let known = attempt.and_then(|attempt| Some((attempt, *pages.holders.get(&attempt)?)));
        let (attempt, holder) = known.unwrap_or(NOBODY);
        BookingRow { id, slot, span: Span::WHOLE, unit, holder, attempt, fencing_token: None }
    }

    pub(super) fn begins(&self, target: Target, holder: HolderId) {
        self.pages().holders.insert(target.attempt, holder);
    }

    pub(super) fn answered(&self, call: Call, status: Option<u16>) {
        *self.pages().answers.entry((call, status)).or_default() += 1;
    }

    /// The booking that was acknowledged to an attempt, by its id where the answer told one, and whether it is its own.
    /// Of an id that several were told, the first has it: the others repeated its request.
    pub(super) fn sold(&self, target: Target, id: Option<&str>) -> (BookingId, bool) {
        let mut pages = self.pages();
        let number = match id {
            Some(text) => pages.number(text),
            None => pages.number(&target.attempt.to_string()),
        };
        let owner = *pages.sold.entry(number).or_insert(target.attempt);
        let is_own = owner == target.attempt;
        if is_own {
            pages.told.entry(target.slot).or_default().push((target.attempt, id.is_some()));
        }
        (number, is_own)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// Who was told of a booking of `slot` and has no row yet, for one that does not say whose it is. One that `has_id`
    /// is of somebody who was told none.
    fn takes(&mut self, slot: SlotId, has_id: bool) -> Option<AttemptId> {
        let told = self.told.get_mut(&slot)?;
        let next = told.iter().position(|&(_, was_told_id)| !(has_id && was_told_id))?;
        Some(told.remove(next).0)
    }

    /// Its own number, where the service counts; else the next one.
    fn number(&mut self, text: &str) -> BookingId {
        if let Some(&known) = self.numbers.get(text) {
            return known;
        }
        let next = i64::try_from(self.numbers.len()).unwrap_or(i64::MAX).saturating_add(1);
        let number = BookingId(text.parse().unwrap_or(next));
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(attempt: u32) -> Target {
        Target { attempt: AttemptId(attempt), slot: SlotId(1) }
    }

    fn found(id: &str, reference: Option<&str>) -> Found {
        Found { id: Some(id.to_owned()), reference: reference.map(ToOwned::to_owned) }
    }

    #[test]
    fn a_row_is_of_the_attempt_that_it_refers_to_or_that_was_told_its_id() {
        let ledger = Ledger::default();
        (1..=3).for_each(|attempt| ledger.begins(target(attempt), HolderId(10 + attempt)));
        let (told, _) = ledger.sold(target(2), Some("b-uuid"));
        let row = |found: &Found| ledger.row(found, SlotId(1), 1, "ab");
        let by_id = row(&found("b-uuid", None));
        assert_eq!((by_id.id, by_id.attempt, by_id.holder), (told, AttemptId(2), HolderId(12)));
        let by_reference = row(&found("other", Some("for lockproof-ab-3 (web)")));
        assert_eq!((by_reference.attempt, by_reference.holder), (AttemptId(3), HolderId(13)));
        assert_ne!(by_reference.id, told);
        for somebody_elses in [found("x", None), found("y", Some("lockproof-cd-1"))] {
            assert_eq!(row(&somebody_elses).attempt, AttemptId(0));
        }
    }

    #[test]
    fn rows_that_do_not_say_whose_they_are_are_of_those_who_were_told() {
        let ledger = Ledger::default();
        (1..=3).for_each(|attempt| ledger.begins(target(attempt), HolderId(attempt)));
        ledger.sold(target(2), None);
        let attempts = |found: &Found| ledger.row(found, SlotId(1), 1, "ab").attempt;
        assert_eq!(attempts(&found("x", None)), AttemptId(2));
        assert_eq!(attempts(&found("y", None)), AttemptId(0), "nobody is left who was told of it");
        ledger.sold(target(3), Some("z"));
        assert_eq!(attempts(&found("w", None)), AttemptId(0), "another id was told");
        assert_eq!(attempts(&Found::default()), AttemptId(3));
    }

    #[test]
    fn an_id_that_several_are_told_is_the_first_ones() {
        let ledger = Ledger::default();
        (1..=2).for_each(|attempt| ledger.begins(target(attempt), HolderId(attempt)));
        assert_eq!(ledger.sold(target(2), Some("41")), (BookingId(41), true));
        assert_eq!(ledger.sold(target(1), Some("41")), (BookingId(41), false));
        let row = ledger.row(&found("41", None), SlotId(1), 1, "ab");
        assert_eq!(row.attempt, AttemptId(2));
    }
}
