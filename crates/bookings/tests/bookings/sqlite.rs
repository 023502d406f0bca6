//! What only a file can do to a booking.

use std::sync::Arc;

use futures_util::FutureExt;
use lockproof_bookings::{BookingStore, Checked, Layout, SqliteStore, catalog};
use lockproof_env::live;
use tokio::join;

use crate::buyers::Shop;

/// Two stores on one file share no queue, as two processes do not.
#[tokio::test]
async fn another_process_that_writes_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let entry = catalog::find("row-lock").unwrap();
    let shop = || {
        let store: Arc<dyn BookingStore> =
            Arc::new(SqliteStore::new(live::env(1), dir.path().join("bookings.db")));
        Shop { name: String::new(), store, entry }
    };
    let (here, there) = (shop(), shop());
    let layout = Layout { slots: 3, capacity: 1, constraints: entry.constraints };
    here.store.create(layout).await.unwrap();
    let (mut a, mut b) = (here.buyer(1).await, there.buyer(2).await);
    a.look_and_find_room().await;
    {
        let mut second = Box::pin(b.look());
        assert!((&mut second).now_or_never().is_none());
        let ((), checked) = join!(
            async {
                assert_eq!(a.write_and_commit().await, Ok(1));
            },
            second
        );
        assert_eq!(checked, Checked::Taken { confirmed: 1 });
    }
    assert_eq!(there.sold().await.len(), 1);
}

#[tokio::test]
async fn many_slots_are_made_by_one_statement() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::new(live::env(1), dir.path().join("bookings.db"));
    let constraints = catalog::find("unique").unwrap().constraints;
    store.create(Layout { slots: 20_000, capacity: 5, constraints }).await.unwrap();
    let table = store.table().await.unwrap();
    assert_eq!(table.slots.len(), 20_000);
    assert_eq!(table.slots[19_999].slot.0, 20_000);
    assert!(table.slots.iter().all(|slot| slot.capacity == 5));
}

#[tokio::test]
async fn a_store_in_a_directory_that_does_not_exist_is_an_error_that_says_so() {
    let store = SqliteStore::new(live::env(1), "/nowhere/at/all/bookings.db");
    let error = store.table().await.unwrap_err();
    assert!(
        lockproof_model::in_full(&error).starts_with("cannot open the file in SQLite: "),
        "{}",
        lockproof_model::in_full(&error)
    );
}

#[tokio::test]
async fn the_engine_says_its_version_and_the_driver_its_settings() {
    let store = SqliteStore::new(live::env(1), "unused.db");
    assert!(store.version().await.unwrap().starts_with("3."));
    assert!(store.driver_settings().iter().any(|row| row.setting == "busy_timeout"));
}
