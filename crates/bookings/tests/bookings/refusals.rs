//! Answers that are no, and what they leave behind: nothing.

use lockproof_bookings::{Certainty, Checked};
use lockproof_model::{FencingToken, Refusal, SlotId};

use crate::engines::{Engine, on_each_engine};

on_each_engine!(
    a_token_that_is_older_than_the_fence_is_refused_at_the_check,
    the_control_refuses_an_old_token_at_the_write,
    a_token_that_equals_the_fence_is_admitted,
    a_refusal_leaves_no_transaction_open,
    a_guard_that_needs_a_token_says_so,
    a_slot_that_does_not_exist_is_a_definite_error,
    the_largest_token_that_fits_is_stored_and_a_larger_one_refused,
);

async fn a_token_that_is_older_than_the_fence_is_refused_at_the_check(engine: Engine) {
    let shop = engine.shop("fencing", 2).await;
    let (mut old, mut new) = (shop.buyer(1).await, shop.buyer(2).await);
    new.look_and_find_room().await;
    assert_eq!(old.look().await, Checked::Refused(Refusal::Fenced));
    assert_eq!(new.write_and_commit().await, Ok(1));
}

async fn the_control_refuses_an_old_token_at_the_write(engine: Engine) {
    let shop = engine.shop("fencing-write-only", 2).await;
    let (mut old, mut new) = (shop.buyer(1).await, shop.buyer(2).await);
    old.look_and_find_room().await;
    new.look_and_find_room().await;
    assert_eq!(new.write_and_commit().await, Ok(1));
    assert_eq!(old.write_and_commit().await, Err(Refusal::Fenced));
    assert_eq!(shop.sold().await.len(), 1);
}

/// A lease that books twice presents one token twice.
async fn a_token_that_equals_the_fence_is_admitted(engine: Engine) {
    for guard in ["fencing", "fencing-write-only"] {
        let shop = engine.shop(guard, 2).await;
        let mut buyer = shop.buyer(1).await;
        for unit in 1..=2 {
            buyer.look_and_find_room().await;
            assert_eq!(buyer.write_and_commit().await, Ok(unit), "{guard}");
        }
    }
}

/// Shown by another holder that would have to wait for it.
async fn a_refusal_leaves_no_transaction_open(engine: Engine) {
    for (guard, expected) in
        [("unique", Refusal::Taken), ("version", Refusal::Stale), ("fencing", Refusal::Fenced)]
    {
        let shop = engine.shop(guard, 3).await;
        let (mut a, mut b) = (shop.buyer(2).await, shop.buyer(1).await);
        if guard == "fencing" {
            b.look_and_find_room().await;
            a.look_and_find_room().await;
        } else {
            a.look_and_find_room().await;
            b.look_and_find_room().await;
        }
        assert_eq!(a.write_and_commit().await, Ok(1), "{guard}");
        assert_eq!(b.write().await, Err(expected), "{guard}");
        let mut c = shop.buyer(3).await;
        c.look_and_find_room().await;
        assert_eq!(c.write_and_commit().await, Ok(2), "{guard}");
    }
}

async fn a_guard_that_needs_a_token_says_so(engine: Engine) {
    let shop = engine.shop("fencing", 1).await;
    let mut buyer = shop.buyer(1).await;
    buyer.request.fencing_token = None;
    buyer.session.begin(buyer.request).await.unwrap();
    let error = buyer.session.check().await.unwrap_err();
    assert_eq!(error.certainty(), Certainty::Definite);
    assert!(error.to_string().contains("use a lock that draws them"), "{error}");
}

async fn a_slot_that_does_not_exist_is_a_definite_error(engine: Engine) {
    for guard in ["none", "row-lock", "fencing"] {
        let shop = engine.shop(guard, 1).await;
        let mut buyer = shop.buyer(1).await;
        buyer.request.slot = SlotId(4);
        buyer.session.begin(buyer.request).await.unwrap();
        let error = buyer.session.check().await.unwrap_err();
        assert_eq!(error.certainty(), Certainty::Definite);
        assert!(error.to_string().starts_with("slot 4 is not in the slots table"), "{error}");
    }
}

async fn the_largest_token_that_fits_is_stored_and_a_larger_one_refused(engine: Engine) {
    let shop = engine.shop("fencing", 2).await;
    let mut buyer = shop.buyer(1).await;
    let largest = FencingToken(u64::try_from(i64::MAX).unwrap());
    buyer.request.fencing_token = Some(largest);
    buyer.look_and_find_room().await;
    assert_eq!(buyer.write_and_commit().await, Ok(1));
    assert_eq!(shop.sold().await[0].fencing_token, Some(largest));
    buyer.request.fencing_token = Some(FencingToken(largest.0 + 1));
    buyer.session.begin(buyer.request).await.unwrap();
    let error = buyer.session.check().await.unwrap_err();
    assert!(error.to_string().contains("does not fit"), "{error}");
}
