//! A connection that writes, with each booking, what the service keeps of it: by the same commit, or not at all.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{
    Bumped, Connection, InsertedRow, NewBooking, Raised, Reserved, Result, RowLock, SlotState,
    SqlConnection, SqlValue, TransactionMode, TryLock,
};
use lockproof_model::{AttemptId, BookingId, FencingToken, SlotId, Span};

use super::tables;
use super::{Order, Pooled};
use crate::locks::now_ms;

#[derive(Debug)]
pub(super) struct Writer {
    db: Pooled,
    order: Order,
    /// Units that are written in the open transaction.
    written: usize,
}

impl Writer {
    pub(super) const fn new(db: Pooled, order: Order) -> Self {
        Self { db, order, written: 0 }
    }

    async fn write_beside(&mut self, booking: BookingId) -> Result<()> {
        let Self { db, order, written } = self;
        if *written == 0 {
            let Order { id, kind, tenant, resource, service, date, .. } = order.clone();
            let Order { start_time, end_time, customer_name, customer_email, .. } = order.clone();
            let Order { customer_phone, price, duration, expires_at, request_key, .. } =
                order.clone();
            let now = i64::try_from(now_ms()).unwrap_or(i64::MAX);
            let values: Vec<SqlValue> = vec![
                id.into(),
                kind.into(),
                tenant.into(),
                resource.into(),
                service.into(),
                date.into(),
                start_time.into(),
                end_time.into(),
                customer_name.into(),
                customer_email.into(),
                customer_phone.into(),
                price.into(),
                duration.into(),
                expires_at.into(),
                request_key.into(),
                now.into(),
            ];
            db.execute(tables::INSERT_RESERVATION, values).await?;
        }
        let night = order.units[*written].night.clone();
        let (room, date) = night.clone().unzip();
        let values = vec![order.id.as_str().into(), booking.0.into(), room.into(), date.into()];
        db.execute(tables::INSERT_UNIT, values).await?;
        if let Some((room, date)) = night {
            db.execute(tables::BOOK_NIGHT, vec![room.into(), date.into()]).await?;
        }
        *written += 1;
        Ok(())
    }
}

impl Connection for Writer {
    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        self.written = 0;
        self.db.begin(mode)
    }

    fn read_slot(&mut self, slot: SlotId, lock: RowLock) -> BoxFuture<'_, Result<SlotState>> {
        self.db.read_slot(slot, lock)
    }

    fn try_lock_slot(
        &mut self,
        slot: SlotId,
        how: TryLock,
    ) -> BoxFuture<'_, Result<Option<SlotState>>> {
        self.db.try_lock_slot(slot, how)
    }

    fn count_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        self.db.count_confirmed(slot, span)
    }

    fn lock_confirmed(&mut self, slot: SlotId, span: Span) -> BoxFuture<'_, Result<u32>> {
        self.db.lock_confirmed(slot, span)
    }

    fn lock_advisory(&mut self, slot: SlotId) -> BoxFuture<'_, Result<()>> {
        self.db.lock_advisory(slot)
    }

    fn reserve_key(&mut self, request: AttemptId) -> BoxFuture<'_, Result<Reserved>> {
        self.db.reserve_key(request)
    }

    fn raise_fence(&mut self, slot: SlotId, token: FencingToken) -> BoxFuture<'_, Result<Raised>> {
        self.db.raise_fence(slot, token)
    }

    fn bump_version(&mut self, slot: SlotId, expected: i64) -> BoxFuture<'_, Result<Bumped>> {
        self.db.bump_version(slot, expected)
    }

    fn insert(&mut self, booking: NewBooking) -> BoxFuture<'_, Result<InsertedRow>> {
        async move {
            let inserted = self.db.insert(booking).await?;
            if let InsertedRow::Row(booking) = inserted {
                self.write_beside(booking).await?;
            }
            Ok(inserted)
        }
        .boxed()
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        self.db.commit()
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        self.db.rollback()
    }
}
