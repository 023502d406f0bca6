//! Transactions that the database ends.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::{
    BookingSession, Checked, Connection, Guard, Inserted, Request, Result, RowLock, Seen,
};
use lockproof_model::{AttemptId, FencingToken, HolderId, Refusal, SlotId, Span};
use tokio::join;

use crate::engines::{Engine, on_mariadb, on_model, on_postgres};

/// Locks its own slot at the check and the other one at the insert: the order of failure mode F51.
#[derive(Debug)]
struct Crossing;

impl Guard for Crossing {
    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        async move {
            let slot = db.read_slot(request.slot, RowLock::ForUpdate).await?;
            let (capacity, fence) = (slot.capacity, FencingToken(0));
            Ok(Checked::Free(Seen { confirmed: 0, capacity, version: 0, fence }))
        }
        .boxed()
    }

    fn insert<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
        _seen: &'a Seen,
    ) -> BoxFuture<'a, Result<Inserted>> {
        async move {
            db.read_slot(SlotId(3 - request.slot.0), RowLock::ForUpdate).await?;
            // Only the victim matters here.
            Ok(Inserted::Refused(Refusal::Held))
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_deadlock_is_a_refusal_of_one_and_lets_the_other_go_on() {
    on_model(deadlock).await;
    on_postgres(deadlock).await;
    on_mariadb(deadlock).await;
}

async fn deadlock(engine: Engine) {
    let shop = engine.shop("none", 1).await;
    let open = async |number| {
        let store = shop.store.as_ref();
        let holder = HolderId(number);
        let mut session = BookingSession::open(store, &Crossing, holder).await.unwrap();
        let attempt = AttemptId(number);
        let request = Request {
            slot: SlotId(number),
            span: Span::WHOLE,
            holder,
            attempt,
            fencing_token: None,
        };
        session.begin(request).await.unwrap();
        session.check().await.unwrap();
        session
    };
    let (mut a, mut b) = (open(1).await, open(2).await);
    let (first, second) = join!(a.insert(), b.insert());
    let mut outcomes = [first.unwrap(), second.unwrap()];
    outcomes.sort_by_key(|outcome| *outcome == Inserted::Refused(Refusal::Aborted));
    assert_eq!(outcomes, [Refusal::Held, Refusal::Aborted].map(Inserted::Refused));
}
