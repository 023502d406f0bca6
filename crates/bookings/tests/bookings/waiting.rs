//! Who waits for whom.

use lockproof_bookings::Checked;
use tokio::join;

use crate::engines::{Engine, on_each_engine};

on_each_engine!(
    a_second_check_under_row_lock_waits_for_the_first_commit,
    a_second_check_under_row_lock_goes_on_when_the_first_rolls_back,
    four_buyers_under_row_lock_sell_three_units,
    a_raise_of_the_fence_waits_for_the_write_that_it_would_have_refused,
    a_dropped_session_gives_up_what_it_locked,
);

async fn a_second_check_under_row_lock_waits_for_the_first_commit(engine: Engine) {
    let shop = engine.shop("row-lock", 1).await;
    let (mut a, mut b) = (shop.buyer(1).await, shop.buyer(2).await);
    a.look_and_find_room().await;
    {
        let mut second = Box::pin(b.look());
        engine.until_blocked(&shop, &mut second).await;
        assert_eq!(a.write().await, Ok(1));
        engine.until_blocked(&shop, &mut second).await;
        let (checked, _) = join!(second, a.commit());
        assert_eq!(checked, Checked::Taken { confirmed: 1 });
    }
    assert_eq!(shop.sold().await.len(), 1);
}

async fn a_second_check_under_row_lock_goes_on_when_the_first_rolls_back(engine: Engine) {
    let shop = engine.shop("row-lock", 1).await;
    let (mut a, mut b) = (shop.buyer(1).await, shop.buyer(2).await);
    a.look_and_find_room().await;
    assert_eq!(a.write().await, Ok(1));
    {
        let mut second = Box::pin(b.look_and_find_room());
        engine.until_blocked(&shop, &mut second).await;
        let ((), undone) = join!(second, a.session.rollback());
        undone.unwrap();
    }
    assert_eq!(b.write_and_commit().await, Ok(1));
}

/// All four want in at once; each waits for the one before.
async fn four_buyers_under_row_lock_sell_three_units(engine: Engine) {
    let shop = engine.shop("row-lock", 3).await;
    let one = async |number| {
        let mut buyer = shop.buyer(number).await;
        match buyer.look().await {
            Checked::Free(_) => buyer.write_and_commit().await.ok(),
            Checked::Taken { .. } | Checked::Done { .. } | Checked::Refused(_) => None,
        }
    };
    let (a, b, c, d) = join!(one(1), one(2), one(3), one(4));
    let mut units = [a, b, c, d];
    units.sort_unstable();
    assert_eq!(units, [None, Some(1), Some(2), Some(3)]);
}

/// The other half of fencing's soundness: a write that is not refused is counted by the next check.
async fn a_raise_of_the_fence_waits_for_the_write_that_it_would_have_refused(engine: Engine) {
    let shop = engine.shop("fencing", 1).await;
    let (mut a, mut b) = (shop.buyer(1).await, shop.buyer(2).await);
    a.look_and_find_room().await;
    assert_eq!(a.write().await, Ok(1));
    let mut second = Box::pin(b.look());
    engine.until_blocked(&shop, &mut second).await;
    let (checked, _) = join!(second, a.commit());
    assert_eq!(checked, Checked::Taken { confirmed: 1 });
}

async fn a_dropped_session_gives_up_what_it_locked(engine: Engine) {
    let shop = engine.shop("row-lock", 1).await;
    let (mut a, mut b) = (shop.buyer(1).await, shop.buyer(2).await);
    a.look_and_find_room().await;
    assert_eq!(a.write().await, Ok(1));
    drop(a);
    b.look_and_find_room().await;
    assert_eq!(b.write_and_commit().await, Ok(1));
    assert_eq!(shop.sold().await.len(), 1);
}
