//! Who books, one step at a time.

use std::time::Duration;

use lockproof_bookings::catalog::Entry;
use lockproof_bookings::{BookingSession, BookingStore, Checked, Committed, Inserted, Request};
use lockproof_env::live;
use lockproof_model::{AttemptId, FencingToken, HolderId, SlotId, Span};

/// The slot that everybody wants.
pub(super) const SLOT: SlotId = SlotId(2);

/// Who has not got this far by then waits for another buyer. One that is only slow makes a trial prove less, and never
/// fail.
const WAITS_AFTER: Duration = Duration::from_millis(150);

/// A holder with its session and its request: buyer 1 has fencing token 41, and so on.
#[derive(Debug)]
pub(super) struct Buyer {
    session: BookingSession,
    pub(super) request: Request,
    /// How far it has come.
    found_room: bool,
}

impl Buyer {
    pub(super) async fn open(store: &dyn BookingStore, entry: &Entry, number: u32) -> Self {
        let holder = HolderId(number);
        let fencing_token = entry.needs_token.then_some(FencingToken(u64::from(40 + number)));
        let (attempt, span) = (AttemptId(100 + number), Span::WHOLE);
        let request = Request { slot: SLOT, span, holder, attempt, fencing_token };
        let session = BookingSession::open(store, entry.guard, holder).await;
        Self { session: session.expect("the database can be reached"), request, found_room: false }
    }

    /// Begins and checks; whether there was room.
    pub(super) async fn look(&mut self) -> bool {
        self.session.begin(self.request).await.expect("the database answers");
        let checked = self.session.check().await.expect("the database answers");
        self.found_room = matches!(checked, Checked::Free(_));
        self.found_room
    }

    /// Looks, and lets `other` happen where the guard makes it wait for that; whether it did.
    pub(super) async fn look_or_wait<T>(&mut self, other: impl Future<Output = T>) -> bool {
        let mut look = std::pin::pin!(self.look());
        let waited = live::env(1).timeout(WAITS_AFTER, look.as_mut()).await.is_err();
        if waited {
            futures_util::join!(look, other);
        }
        waited
    }

    /// Inserts, if there was room; whether the row is written.
    pub(super) async fn write(&mut self) -> bool {
        if !std::mem::take(&mut self.found_room) {
            return false;
        }
        let inserted = self.session.insert().await.expect("the database answers");
        matches!(inserted, Inserted::Written { .. })
    }

    /// Commits what was written; whether it stands.
    pub(super) async fn commit(&mut self) -> bool {
        let committed = self.session.commit().await.expect("the database answers");
        matches!(committed, Committed::Booked(_))
    }

    /// Inserts and commits, if there was room; whether it booked.
    pub(super) async fn book(&mut self) -> bool {
        self.write().await && self.commit().await
    }

    pub(super) async fn undo(&mut self) {
        self.session.rollback().await.expect("the database answers");
    }
}
