//! Who books, one step at a time.

use std::sync::Arc;

use lockproof_bookings::catalog::Entry;
use lockproof_bookings::{BookingSession, BookingStore, Checked, Committed, Inserted, Request};
use lockproof_model::{
    AttemptId, BookingId, BookingRow, FencingToken, HolderId, Refusal, SlotId, Span,
};

/// The slot that everybody wants, unless a test says otherwise.
pub(crate) const SLOT: SlotId = SlotId(2);

/// Tables under one guard.
pub(crate) struct Shop {
    pub(crate) name: String,
    pub(crate) store: Arc<dyn BookingStore>,
    pub(crate) entry: &'static Entry,
}

/// A holder with its session and the attempt that it is at.
#[derive(Debug)]
pub(crate) struct Buyer {
    pub(crate) session: BookingSession,
    pub(crate) request: Request,
}

impl Shop {
    /// Buyer 1 has attempt 101 and, where the guard asks for one, fencing token 41; and so on.
    pub(crate) async fn buyer(&self, number: u32) -> Buyer {
        let holder = HolderId(number);
        let token = FencingToken(u64::from(40 + number));
        let fencing_token = self.entry.needs_token.then_some(token);
        let request = Request {
            slot: SLOT,
            span: Span::WHOLE,
            holder,
            attempt: AttemptId(100 + number),
            fencing_token,
        };
        let store = self.store.as_ref();
        let session = BookingSession::open(store, self.entry.guard, holder).await.unwrap();
        Buyer { session, request }
    }

    /// The confirmed bookings of the slot.
    pub(crate) async fn sold(&self) -> Vec<BookingRow> {
        self.store.table().await.unwrap().bookings_of(SLOT).cloned().collect()
    }
}

impl Buyer {
    pub(crate) async fn look(&mut self) -> Checked {
        self.session.begin(self.request).await.unwrap();
        self.session.check().await.unwrap()
    }

    pub(crate) async fn look_and_find_room(&mut self) {
        let checked = self.look().await;
        assert!(matches!(checked, Checked::Free(_)), "{checked:?}");
    }

    /// Inserts; the unit, or the refusal.
    pub(crate) async fn write(&mut self) -> Result<u32, Refusal> {
        match self.session.insert().await.unwrap() {
            Inserted::Written { unit, .. } => Ok(unit),
            Inserted::Refused(refusal) => Err(refusal),
        }
    }

    pub(crate) async fn commit(&mut self) -> BookingId {
        match self.session.commit().await.unwrap() {
            Committed::Booked(booking) => booking,
            Committed::Refused(refusal) => panic!("the commit was refused: {refusal:?}"),
        }
    }

    /// Inserts and, unless refused, commits.
    pub(crate) async fn write_and_commit(&mut self) -> Result<u32, Refusal> {
        let unit = self.write().await?;
        self.commit().await;
        Ok(unit)
    }
}
