//! Steps whose futures are dropped before their answer, as a time limit does.

use std::time::Duration;

use futures_util::FutureExt;
use lockproof_bookings::Checked;
use lockproof_env::live;
use lockproof_model::FencingToken;

use crate::engines::{Engine, on_each_engine};

on_each_engine!(
    an_abandoned_insert_is_not_booked_and_the_session_goes_on,
    an_abandoned_wait_for_a_lock_does_not_keep_it,
);

async fn an_abandoned_insert_is_not_booked_and_the_session_goes_on(engine: Engine) {
    for entry in engine.guards(1) {
        let shop = engine.shop(entry.name, 1).await;
        let (mut a, mut b) = (shop.buyer(1).await, shop.buyer(2).await);
        a.look_and_find_room().await;
        // Polled once, so that its first statement leaves; a quick engine may have answered by then.
        drop(a.session.insert().now_or_never());
        a.session.rollback().await.unwrap();
        assert_eq!(shop.sold().await, [], "{}", entry.name);
        b.look_and_find_room().await;
        assert_eq!(b.write_and_commit().await, Ok(1), "{}", entry.name);
        // A later lease of the first holder.
        a.request.fencing_token = a.request.fencing_token.map(|token| FencingToken(token.0 + 10));
        assert_eq!(a.look().await, Checked::Taken { confirmed: 1 }, "{}", entry.name);
    }
}

async fn an_abandoned_wait_for_a_lock_does_not_keep_it(engine: Engine) {
    let shop = engine.shop("row-lock", 1).await;
    let (mut a, mut b) = (shop.buyer(1).await, shop.buyer(2).await);
    a.look_and_find_room().await;
    let limit = Duration::from_millis(20);
    live::env(1).timeout(limit, b.look()).await.unwrap_err();
    assert_eq!(a.write_and_commit().await, Ok(1));
    b.session.rollback().await.unwrap();
    assert_eq!(shop.buyer(3).await.look().await, Checked::Taken { confirmed: 1 });
}
