//! Which schedules each guard survives.

use lockproof_bookings::Checked;
use lockproof_model::{AttemptId, FencingToken, HolderId, Refusal};
use tokio::join;

use crate::engines::{Engine, on_each_engine};

on_each_engine!(
    both_check_before_either_writes,
    an_old_holder_writes_after_a_new_one_has_read,
    four_buyers_of_three_units_one_after_the_other,
    four_buyers_of_three_units_who_all_check_first,
    a_rollback_frees_the_unit,
    a_booking_is_stored_with_who_wrote_it,
    bookings_of_other_slots_do_not_count,
);

/// Check, check, insert, insert, commit, commit. A second insert that the database makes wait goes on
/// when the first has committed.
async fn both_check_before_either_writes(engine: Engine) {
    for (guard, second, sold) in [
        ("none", Ok(1), 2),
        ("fencing-write-only", Ok(1), 2),
        ("unique", Err(Refusal::Taken), 1),
        ("version", Err(Refusal::Stale), 1),
    ] {
        let shop = engine.shop(guard, 1).await;
        let (mut a, mut b) = (shop.buyer(1).await, shop.buyer(2).await);
        a.look_and_find_room().await;
        b.look_and_find_room().await;
        assert_eq!(a.write().await, Ok(1), "{guard}");
        let (outcome, _) = join!(b.write(), a.commit());
        assert_eq!(outcome, second, "{guard}");
        if outcome.is_ok() {
            b.commit().await;
        }
        assert_eq!(shop.sold().await.len(), sold, "{guard}");
    }
}

/// Failure mode F66, against fencing and against its write-only control.
async fn an_old_holder_writes_after_a_new_one_has_read(engine: Engine) {
    for (guard, old, sold) in
        [("fencing", Err(Refusal::Fenced), 1), ("fencing-write-only", Ok(1), 2)]
    {
        let shop = engine.shop(guard, 1).await;
        let (mut a, mut b) = (shop.buyer(1).await, shop.buyer(2).await);
        a.look_and_find_room().await;
        b.look_and_find_room().await;
        assert_eq!(a.write_and_commit().await, old, "{guard}");
        assert_eq!(b.write_and_commit().await, Ok(1), "{guard}");
        assert_eq!(shop.sold().await.len(), sold, "{guard}");
    }
}

async fn four_buyers_of_three_units_one_after_the_other(engine: Engine) {
    for entry in engine.guards(3) {
        let shop = engine.shop(entry.name, 3).await;
        for number in 1..=3 {
            let mut buyer = shop.buyer(number).await;
            buyer.look_and_find_room().await;
            assert_eq!(buyer.write_and_commit().await, Ok(number), "{}", entry.name);
        }
        let mut late = shop.buyer(4).await;
        assert_eq!(late.look().await, Checked::Taken { confirmed: 3 }, "{}", entry.name);
        let units: Vec<_> = shop.sold().await.iter().map(|row| row.unit).collect();
        assert_eq!(units, [1, 2, 3], "{}", entry.name);
    }
}

/// All four see 0 of 3. (Under `row-lock` they cannot: see `waiting`.)
async fn four_buyers_of_three_units_who_all_check_first(engine: Engine) {
    let refused = |refusal| [Ok(1), Err(refusal), Err(refusal), Err(refusal)];
    let fenced = Err(Refusal::Fenced);
    for (guard, expected) in [
        ("none", [Ok(1); 4]),
        ("fencing-write-only", [Ok(1); 4]),
        ("unique", refused(Refusal::Taken)),
        ("version", refused(Refusal::Stale)),
        ("fencing", [fenced, fenced, fenced, Ok(1)]),
    ] {
        let shop = engine.shop(guard, 3).await;
        let mut buyers = Vec::new();
        for number in 1..=4 {
            let mut buyer = shop.buyer(number).await;
            buyer.look_and_find_room().await;
            buyers.push(buyer);
        }
        let mut outcomes = Vec::new();
        for buyer in &mut buyers {
            outcomes.push(buyer.write_and_commit().await);
        }
        assert_eq!(outcomes, expected, "{guard}");
        let sold = expected.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(shop.sold().await.len(), sold, "{guard}");
    }
}

async fn a_rollback_frees_the_unit(engine: Engine) {
    for entry in engine.guards(1) {
        let shop = engine.shop(entry.name, 1).await;
        let (mut a, mut b) = (shop.buyer(1).await, shop.buyer(2).await);
        a.look_and_find_room().await;
        assert_eq!(a.write().await, Ok(1), "{}", entry.name);
        a.session.rollback().await.unwrap();
        b.look_and_find_room().await;
        assert_eq!(b.write_and_commit().await, Ok(1), "{}", entry.name);
        let attempts: Vec<_> = shop.sold().await.iter().map(|row| row.attempt).collect();
        assert_eq!(attempts, [AttemptId(102)], "{}", entry.name);
    }
}

async fn a_booking_is_stored_with_who_wrote_it(engine: Engine) {
    let shop = engine.shop("fencing", 2).await;
    let mut buyer = shop.buyer(7).await;
    buyer.look_and_find_room().await;
    buyer.write().await.unwrap();
    let booking = buyer.commit().await;
    let table = shop.store.table().await.unwrap();
    let [row] = table.bookings.as_slice() else { panic!("{table:?}") };
    assert_eq!((row.id, row.slot, row.unit), (booking, buyer.request.slot, 1));
    assert_eq!((row.holder, row.attempt), (HolderId(7), AttemptId(107)));
    assert_eq!(row.fencing_token, Some(FencingToken(47)));
    let fences: Vec<_> = table.slots.iter().map(|slot| (slot.slot.0, slot.fence.0)).collect();
    assert_eq!(fences, [(1, 0), (2, 47), (3, 0)]);
    assert!(table.slots.iter().all(|slot| slot.capacity == 2 && slot.version == 0));
}

async fn bookings_of_other_slots_do_not_count(engine: Engine) {
    for entry in engine.guards(1) {
        let shop = engine.shop(entry.name, 1).await;
        for slot in 1..=3 {
            let mut buyer = shop.buyer(1).await;
            buyer.request.slot.0 = slot;
            buyer.request.attempt.0 += slot;
            buyer.look_and_find_room().await;
            assert_eq!(buyer.write_and_commit().await, Ok(1), "{}", entry.name);
        }
    }
}
