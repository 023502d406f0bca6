use futures_util::future::join_all;
use serde_json::json;

use crate::shop::{Shop, booking, slot, with};

const CREATE: &str = "/api/bookings/create";
const USER: &str = "2c1b1f1e-7a5c-4a0b-8f55-0d7f4d9f0a11";

#[tokio::test]
async fn a_booking_lives_on_what_is_embedded() {
    lives(&Shop::open(&[]).await).await;
}

#[tokio::test]
async fn a_booking_lives_on_servers() {
    if let Some(shop) = Shop::on_servers(&[]).await {
        lives(&shop).await;
    }
}

async fn lives(shop: &Shop) {
    let slot = slot("life");
    let lock_id = shop.lock(&slot).await;
    let created = shop.post(CREATE, &booking(&slot, &lock_id)).await.expect(201);
    let id = created["bookingId"].as_str().unwrap();
    assert_eq!(
        (&created["status"], &created["appointment"]["status"]),
        (&json!("success"), &json!("confirmed"))
    );
    // The lock went back with the booking.
    let again = shop.post(CREATE, &booking(&slot, &lock_id)).await.expect(409);
    assert_eq!(
        (&again["error"], &again["reason"]),
        (&json!("Lock verification failed"), &json!("lock_not_found"))
    );
    let lock_id = shop.lock(&slot).await;
    let second = shop.post("/api/appointments", &booking(&slot, &lock_id)).await.expect(409);
    assert_eq!(second["reason"], "slot_booked");
    let lock_id = shop.lock(&slot).await;
    let other = booking(&slot, USER);
    assert_eq!(shop.post(CREATE, &other).await.expect(409)["reason"], "lock_mismatch");
    shop.post("/api/locks/release", &with(&slot, json!({"lockId": lock_id}))).await.expect(200);

    let read = shop.get(&format!("/api/bookings/{id}")).await.expect(200)["booking"].clone();
    assert_eq!((&read["status"], &read["price"]), (&json!("CONFIRMED"), &json!(30.5)));
    let checked = shop.post("/api/availability/check", &slot).await.expect(200);
    assert_eq!(checked["reason"], "slot_booked");
    let cancel = format!("/api/bookings/{id}/cancel");
    assert_eq!(shop.post(&cancel, &json!({})).await.expect(200)["status"], "CANCELLED");
    shop.post(&cancel, &json!({})).await.expect(409);
    shop.get("/api/bookings/none").await.expect(404);
    let reserve = with(&slot, json!({"reserve": true}));
    let reserved = shop.post("/api/availability/check", &reserve).await.expect(200);
    assert_eq!(reserved["available"], true);
    assert!(reserved["lock_key"].as_str().unwrap().starts_with("booking_lock:{life-"));
    let again = shop.post("/api/availability/check", &reserve).await.expect(200);
    assert_eq!((&again["available"], &again["reason"]), (&json!(false), &json!("slot_locked")));
    let lock_id = reserved["lockId"].as_str().unwrap();
    shop.post(CREATE, &booking(&slot, lock_id)).await.expect(201);
}

#[tokio::test]
async fn the_same_key_is_one_booking_and_equal_answers() {
    let shop = Shop::open(&[]).await;
    let slot = slot("key");
    let order = booking(&slot, &shop.lock(&slot).await);
    let ask = async || loop {
        let reply = shop.post_once(CREATE, "one", &order).await;
        if reply.status != 409 || reply.json()["error"] != "in_progress" {
            return (reply.status, reply.body);
        }
    };
    let answers = join_all((0..10).map(|_| ask())).await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 201), "{answers:?}");
    let other = with(&order, json!({"customerName": "Grace"}));
    let reused = shop.post_once(CREATE, "one", &other).await.expect(422);
    assert_eq!(reused["error"], "idempotency_key_reused");
}

#[tokio::test]
async fn a_request_that_failed_may_be_tried_again_with_its_key() {
    let shop = Shop::open(&[]).await;
    let slot = slot("again");
    let lock_id = shop.lock(&with(&slot, json!({"startTime": "10:00"}))).await;
    let order = booking(&slot, &lock_id);
    assert_eq!(shop.post_once(CREATE, "two", &order).await.expect(409)["reason"], "lock_not_found");
    assert_eq!(shop.post_once(CREATE, "two", &order).await.expect(409)["reason"], "lock_not_found");
}

#[tokio::test]
async fn old_callers_need_no_lock_where_the_service_says_so() {
    let slot = slot("old");
    let mut order = booking(&slot, USER);
    order.as_object_mut().unwrap().remove("lockId");
    let strict = Shop::open(&[]).await;
    assert_eq!(strict.post(CREATE, &order).await.expect(400)["field"], "lockId");
    let shop = Shop::open(&[("LOCK_OPTIONAL", "true")]).await;
    let replies = join_all((0..8).map(|_| shop.post(CREATE, &order))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1, "{replies:?}");
    assert!(replies.iter().all(|reply| [201, 409].contains(&reply.status)), "{replies:?}");
}

#[tokio::test]
async fn twenty_want_the_last_room_and_one_has_it() {
    let shop = Shop::open(&[]).await;
    let stay = json!({"roomId": slot("room")["tenantId"], "checkIn": "2026-05-01",
        "checkOut": "2026-05-03", "userId": USER});
    let replies = join_all((0..20).map(|_| shop.post("/api/rooms/book", &stay))).await;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [&[201][..], &[409; 19]].concat(), "{replies:?}");
    // The inventory is given back with the booking.
    let booked = replies.iter().find(|reply| reply.status == 201).unwrap().json();
    let id = booked["bookingId"].as_str().unwrap();
    shop.post(&format!("/api/bookings/{id}/cancel"), &json!({})).await.expect(200);
    shop.post("/api/rooms/book", &stay).await.expect(201);
    let backwards = with(&stay, json!({"checkOut": "2026-05-01"}));
    assert_eq!(shop.post("/api/rooms/book", &backwards).await.expect(400)["field"], "checkOut");
}

#[tokio::test]
async fn fifty_want_a_seat_and_one_holds_and_confirms_it() {
    let shop = Shop::open(&[]).await;
    let seat = |verb| format!("/api/seats/A1/{verb}");
    let (hold, user) = (seat("hold"), json!({"userId": USER}));
    let replies = join_all((0..50).map(|_| shop.post(&hold, &user))).await;
    let held: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(held.len(), 1, "{replies:?}");
    assert!(replies.iter().all(|reply| [201, 409].contains(&reply.status)), "{replies:?}");
    let held = held[0].json();
    let confirm = json!({"userId": USER, "lockId": held["lockId"], "version": held["version"]});
    let stale = with(&confirm, json!({"version": 7}));
    assert_eq!(shop.post(&seat("confirm"), &stale).await.expect(409)["reason"], "stale_version");
    shop.post(&seat("confirm"), &confirm).await.expect(201);
    assert_eq!(shop.post(&hold, &user).await.expect(409)["reason"], "slot_booked");

    let other = shop.post("/api/seats/A2/hold", &user).await.expect(201);
    let mine = json!({"lockId": other["lockId"]});
    assert_eq!(shop.post("/api/seats/A2/release", &mine).await.expect(200)["released"], true);
    shop.post("/api/seats/A2/release", &mine).await.expect(409);
}

#[tokio::test]
async fn a_booking_that_expires_frees_its_slot() {
    let shop = Shop::open(&[]).await;
    let slot = slot("expires");
    let order = booking(&slot, &shop.lock(&slot).await);
    let order = with(&order, json!({"expiresAt": 1}));
    let created = shop.post(CREATE, &order).await.expect(201);
    let path = format!("/api/bookings/{}", created["bookingId"].as_str().unwrap());
    let env = lockproof_env::live::env(1);
    let give_up = env.now() + std::time::Duration::from_secs(20);
    while shop.get(&path).await.expect(200)["booking"]["status"] != "EXPIRED" {
        assert!(env.now() < give_up, "no job has ended it");
        env.sleep(std::time::Duration::from_millis(50)).await;
    }
    shop.post(CREATE, &booking(&slot, &shop.lock(&slot).await)).await.expect(201);
}
