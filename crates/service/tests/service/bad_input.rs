//! A client's fault is a 4xx.

use serde_json::{Value as Json, json};

use crate::shop::{Shop, booking, slot, with};

#[tokio::test]
async fn what_a_key_is_made_of_comes_in_by_no_field() {
    let shop = Shop::open(&[]).await;
    let good = slot("bad");
    let long = "x".repeat(1 << 14);
    for bad in ["a{b", "a}b", "a|b", "a:b", "a\r\nSET x y", "a\0b", "", &long] {
        for field in ["tenantId", "resourceId"] {
            let body = with(&good, json!({field: bad}));
            for path in ["acquire", "verify", "refresh", "release"] {
                let refused = shop.post(&format!("/api/locks/{path}"), &body).await.expect(400);
                assert_eq!(
                    (&refused["error"], &refused["field"]),
                    (&json!("validation_failed"), &json!(field))
                );
            }
        }
        let seat = bad.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        if seat.len() < 4_096 {
            let hold = json!({"userId": "2c1b1f1e-7a5c-4a0b-8f55-0d7f4d9f0a11"});
            let status = shop.post(&format!("/api/seats/{seat}/hold"), &hold).await.status;
            assert!((400..500).contains(&status), "{bad:?}: {status}");
        }
    }
}

#[tokio::test]
async fn the_field_that_is_wrong_is_named() {
    let shop = Shop::open(&[]).await;
    let good = slot("named");
    for (field, bad) in [
        ("date", json!("2026-02-30")),
        ("startTime", json!("9:00")),
        ("duration", json!(0)),
        ("ttl", json!(999)),
        ("ttl", json!(3_600_001)),
        ("tenantId", json!(7)),
        ("date", Json::Null),
    ] {
        let refused = shop.post("/api/locks/acquire", &with(&good, json!({field: bad}))).await;
        assert_eq!(refused.expect(400)["field"], field, "{bad}");
    }
    let lock_id = shop.lock(&good).await;
    for (field, bad) in [
        ("customerName", json!("a\u{0}b")),
        ("price", json!(-1)),
        ("endTime", json!("25:00")),
        ("lockId", json!("mine")),
    ] {
        let order = with(&booking(&good, &lock_id), json!({field: bad}));
        let refused = shop.post("/api/bookings/create", &order).await.expect(400);
        assert_eq!(refused["field"], field);
    }
}

#[tokio::test]
async fn what_is_no_json_or_too_much_of_it_is_refused() {
    let shop = Shop::open(&[]).await;
    let deep = [vec![b'['; 50_000], vec![b']'; 10]].concat();
    let huge = vec![b' '; 1 << 20];
    for (body, status) in
        [(&b"{"[..], 400), (b"[]", 400), (b"\xff", 400), (&deep, 400), (&huge, 413)]
    {
        let reply = shop.send("POST", "/api/locks/acquire", &[], body).await;
        assert!([status, 0].contains(&reply.status) && reply.status < 500, "{reply:?}");
    }
    let key = [("Idempotency-Key", "x".repeat(256))];
    let key: Vec<_> = key.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let order = booking(&slot("k"), "2c1b1f1e-7a5c-4a0b-8f55-0d7f4d9f0a11").to_string();
    shop.send("POST", "/api/bookings/create", &key, order.as_bytes()).await.expect(400);
    shop.get("/nowhere").await.expect(404);
    shop.get("/api/locks/acquire").await.expect(405);
}
