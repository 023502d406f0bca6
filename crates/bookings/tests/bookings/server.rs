//! What only a server can do to a booking.

use lockproof_bookings::Certainty;
use lockproof_model::HolderId;

use crate::engines::{Engine, on_each_server};

on_each_server!(
    a_connection_lost_before_the_commit_is_definite_and_dialled_again_by_the_next_begin,
    a_connection_lost_at_the_commit_leaves_the_outcome_unknown,
    the_server_says_its_version_and_the_driver_its_settings,
    many_slots_are_made_by_one_statement,
);

async fn a_connection_lost_before_the_commit_is_definite_and_dialled_again_by_the_next_begin(
    engine: Engine,
) {
    let shop = engine.shop("row-lock", 1).await;
    let mut buyer = shop.buyer(1).await;
    buyer.look_and_find_room().await;
    engine.kill_backends(&shop).await;
    let error = buyer.session.insert().await.unwrap_err();
    assert_eq!(error.certainty(), Certainty::Definite, "{}", lockproof_model::in_full(&error));
    buyer.look_and_find_room().await;
    assert_eq!(buyer.write_and_commit().await, Ok(1));
    assert_eq!(shop.sold().await.len(), 1);
}

async fn a_connection_lost_at_the_commit_leaves_the_outcome_unknown(engine: Engine) {
    let shop = engine.shop("none", 1).await;
    let mut buyer = shop.buyer(1).await;
    buyer.look_and_find_room().await;
    buyer.write().await.unwrap();
    engine.kill_backends(&shop).await;
    let error = buyer.session.commit().await.unwrap_err();
    assert_eq!(error.certainty(), Certainty::Indefinite, "{}", lockproof_model::in_full(&error));
    assert_eq!(error.refusal(), None);
    buyer.look_and_find_room().await;
}

async fn the_server_says_its_version_and_the_driver_its_settings(engine: Engine) {
    let shop = engine.shop("none", 1).await;
    let version = shop.store.version().await.unwrap();
    assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{version}");
    assert!(shop.store.driver_settings().iter().any(|row| row.setting == "tcp_nodelay"));
}

async fn many_slots_are_made_by_one_statement(engine: Engine) {
    let shop = engine.shop("none", 5).await;
    shop.store.drop_tables().await.unwrap();
    let layout = lockproof_bookings::Layout {
        slots: 20_000,
        capacity: 5,
        constraints: shop.entry.constraints,
    };
    shop.store.create(layout).await.unwrap();
    assert_eq!(shop.store.table().await.unwrap().slots.len(), 20_000);
    drop(shop.store.open(HolderId(1)).await.unwrap());
}
