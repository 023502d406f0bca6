//! What a wire can do to a booking in the model database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use lockproof_bookings::{
    BookingStore, Certainty, Direct, Layout, ModelStore, NoAnswer, Reply, Wire, WireSession,
    catalog,
};
use lockproof_database_model::{Database, Layout as Tables, PredicateLocks, Statement};
use lockproof_model::HolderId;

use crate::buyers::Shop;

const WELL: u8 = 0;
/// The next COMMIT arrives, its answer does not.
const LOSE_ANSWER: u8 = 1;
/// The next statement of any kind finds the connection cut.
const CUT: u8 = 2;

/// A wire that loses things, once each time it is told to.
#[derive(Debug)]
struct Lossy {
    inner: Direct,
    mood: Arc<AtomicU8>,
}

#[derive(Debug)]
struct LossySession {
    inner: Option<<Direct as Wire>::Session>,
    mood: Arc<AtomicU8>,
}

impl Wire for Lossy {
    type Session = LossySession;

    fn connect(&self, holder: HolderId) -> BoxFuture<'_, Result<LossySession, NoAnswer>> {
        async move {
            let inner = Some(self.inner.connect(holder).await?);
            Ok(LossySession { inner, mood: Arc::clone(&self.mood) })
        }
        .boxed()
    }

    fn administer(&self, visit: &mut dyn FnMut(&mut Database)) {
        self.inner.administer(visit);
    }
}

impl WireSession for LossySession {
    fn send(&mut self, statement: Statement) -> impl Future<Output = Reply> + Send + use<> {
        let mood = self.mood.load(Ordering::Relaxed);
        if mood == CUT {
            self.inner = None;
        }
        let Some(inner) = &mut self.inner else { return ready(Err(NoAnswer)).boxed() };
        let answered = inner.send(statement);
        if mood == LOSE_ANSWER && statement == Statement::Commit {
            self.inner = None;
            return ready(Err(NoAnswer)).boxed();
        }
        answered.boxed()
    }

    fn is_closed(&self) -> bool {
        self.inner.as_ref().is_none_or(WireSession::is_closed)
    }
}

async fn lossy_shop(guard: &str) -> (Shop, Arc<AtomicU8>) {
    let tables = Tables {
        slots: 0,
        capacity: 0,
        unique_unit: false,
        exclude_overlap: false,
        predicate_locks: PredicateLocks::Exact,
    };
    let mood = Arc::new(AtomicU8::new(WELL));
    let inner = Direct::to(Database::new(tables));
    let store = ModelStore::new(Arc::new(Lossy { inner, mood: Arc::clone(&mood) }));
    let entry = catalog::find(guard).unwrap();
    let layout = Layout { slots: 3, capacity: 1, constraints: entry.constraints };
    store.create(layout).await.unwrap();
    (Shop { name: String::new(), store: Arc::new(store), entry }, mood)
}

#[tokio::test]
async fn a_lost_answer_to_a_commit_is_indefinite_and_the_booking_may_stand() {
    let (shop, mood) = lossy_shop("none").await;
    let mut buyer = shop.buyer(1).await;
    buyer.look_and_find_room().await;
    buyer.write().await.unwrap();
    mood.store(LOSE_ANSWER, Ordering::Relaxed);
    let error = buyer.session.commit().await.unwrap_err();
    assert_eq!((error.certainty(), error.refusal()), (Certainty::Indefinite, None));
    assert_eq!(shop.sold().await.len(), 1);
}

#[tokio::test]
async fn a_commit_that_did_not_arrive_is_indefinite_too_and_the_booking_does_not_stand() {
    let (shop, mood) = lossy_shop("none").await;
    let mut buyer = shop.buyer(1).await;
    buyer.look_and_find_room().await;
    buyer.write().await.unwrap();
    mood.store(CUT, Ordering::Relaxed);
    let error = buyer.session.commit().await.unwrap_err();
    assert_eq!((error.certainty(), error.refusal()), (Certainty::Indefinite, None));
    mood.store(WELL, Ordering::Relaxed);
    assert_eq!(shop.sold().await, []);
    buyer.look_and_find_room().await;
}

#[tokio::test]
async fn a_connection_lost_before_the_commit_is_definite_and_dialled_again_by_the_next_begin() {
    let (shop, mood) = lossy_shop("row-lock").await;
    let mut buyer = shop.buyer(1).await;
    buyer.look_and_find_room().await;
    mood.store(CUT, Ordering::Relaxed);
    let error = buyer.session.insert().await.unwrap_err();
    assert_eq!(error.certainty(), Certainty::Definite, "{}", lockproof_model::in_full(&error));
    mood.store(WELL, Ordering::Relaxed);
    buyer.look_and_find_room().await;
    assert_eq!(buyer.write_and_commit().await, Ok(1));
    assert_eq!(shop.sold().await.len(), 1);
}
