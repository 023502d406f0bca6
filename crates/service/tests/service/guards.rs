//! The lock ends between the check and the insert: what each guard makes of it.

use futures_util::future::join;
use serde_json::json;

use crate::shop::{Shop, booking, slot};

/// How many of two who booked a slot got it: the first's lock is taken away while its booking is under way.
async fn sold(guard: &str) -> usize {
    let shop = Shop::open(&[("GUARD", guard), ("BOOKING_WORK", "1500")]).await;
    let slot = slot(guard);
    let (create, first) = ("/api/bookings/create", shop.lock(&slot).await);
    let order = booking(&slot, &first);
    let late = async {
        // It has begun once its slot has a name; what comes after it is its check.
        lockproof_env::live::env(1).sleep(std::time::Duration::from_millis(300)).await;
        let released =
            shop.admin("POST", "/api/locks/admin/force-release", &slot.to_string()).await;
        assert_eq!(released.expect(200)["released"], json!(true));
        let second = shop.lock(&slot).await;
        shop.post(create, &booking(&slot, &second)).await
    };
    let (one, other) = join(shop.post(create, &order), late).await;
    let statuses = [one.status, other.status];
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{one:?} {other:?}");
    statuses.iter().filter(|status| **status == 201).count()
}

#[tokio::test]
async fn without_a_guard_the_slot_is_sold_twice() {
    assert_eq!(sold("none").await, 2);
}

#[tokio::test]
async fn every_guard_sells_it_once() {
    for guard in ["fencing", "unique", "version", "row-lock"] {
        assert_eq!(sold(guard).await, 1, "{guard}");
    }
}
