//! A booking that commits between the two reads of a check, on a store that takes two statements for it.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{
    Bumped, Checked, Connection, Inserted, InsertedRow, NewBooking, Raised, Reserved, Result,
    RowLock, SlotState, TransactionMode, TryLock,
};
use lockproof_model::{AttemptId, FencingToken, SlotId, Span};

use crate::buyers::Buyer;
use crate::engines::{Engine, on_each_engine};

on_each_engine!(a_booking_between_the_two_reads_of_a_check_is_never_missed);

/// At READ COMMITTED each read sees a state of its own, so their order decides: the other way round,
/// `version` would trust a version that is newer than its count.
async fn a_booking_between_the_two_reads_of_a_check_is_never_missed(engine: Engine) {
    for guard in ["version", "unique"] {
        let shop = engine.shop(guard, 1).await;
        let mut other = shop.buyer(2).await;
        other.look_and_find_room().await;
        let Buyer { request, session: _ } = shop.buyer(1).await;
        let inner = shop.store.open(request.holder).await.unwrap();
        let mut db = Interrupted { inner, other: Some(other) };
        let guard = shop.entry.guard;
        guard.begin(&mut db, &request).await.unwrap();
        let Checked::Free(seen) = guard.check(&mut db, &request).await.unwrap() else { continue };
        match guard.insert(&mut db, &request, &seen).await.unwrap() {
            Inserted::Written { .. } => db.commit().await.unwrap(),
            Inserted::Refused(_) => db.rollback().await.unwrap(),
        }
        assert_eq!(shop.sold().await.len(), 1, "{}", shop.entry.name);
    }
}

/// Lets another buyer write and commit right after the first read.
#[derive(Debug)]
struct Interrupted {
    inner: Box<dyn Connection>,
    other: Option<Buyer>,
}

impl Interrupted {
    async fn interrupt(&mut self) {
        if let Some(mut other) = self.other.take() {
            other.write_and_commit().await.unwrap();
        }
    }
}

impl Connection for Interrupted {
    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        self.inner.begin(mode)
    }

    fn read_slot(&mut self, slot: SlotId, lock: RowLock) -> BoxFuture<'_, Result<SlotState>> {
        async move {
            let state = self.inner.read_slot(slot, lock).await;
            self.interrupt().await;
            state
        }
        .boxed()
    }

    fn try_lock_slot(
        &mut self,
        slot: SlotId,
        how: TryLock,
    ) -> BoxFuture<'_, Result<Option<SlotState>>> {
        self.inner.try_lock_slot(slot, how)
    }

    fn count_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        async move {
            let count = self.inner.count_confirmed(slot, span).await;
            self.interrupt().await;
            count
        }
        .boxed()
    }

    fn lock_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        self.inner.lock_confirmed(slot, span)
    }

    fn lock_advisory(&mut self, slot: SlotId) -> BoxFuture<'_, Result<()>> {
        self.inner.lock_advisory(slot)
    }

    fn reserve_key(&mut self, request: AttemptId) -> BoxFuture<'_, Result<Reserved>> {
        self.inner.reserve_key(request)
    }

    fn raise_fence(&mut self, slot: SlotId, token: FencingToken) -> BoxFuture<'_, Result<Raised>> {
        self.inner.raise_fence(slot, token)
    }

    fn bump_version(&mut self, slot: SlotId, expected: i64) -> BoxFuture<'_, Result<Bumped>> {
        self.inner.bump_version(slot, expected)
    }

    fn insert(&mut self, booking: NewBooking) -> BoxFuture<'_, Result<InsertedRow>> {
        self.inner.insert(booking)
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        self.inner.commit()
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        self.inner.rollback()
    }
}
