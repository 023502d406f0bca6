use std::time::Duration;

use serde_json::json;

use crate::shop::{Shop, slot, with};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn a_lock_is_its_holders_on_what_is_embedded() {
    its_holders(&Shop::open(&[]).await).await;
}

#[tokio::test]
async fn a_lock_is_its_holders_on_servers() {
    if let Some(shop) = Shop::on_servers(&[]).await {
        its_holders(&shop).await;
    }
}

async fn its_holders(shop: &Shop) {
    let slot = slot("lock");
    let granted = shop.post("/api/locks/acquire", &slot).await.expect(200);
    assert_eq!((&granted["locked"], &granted["expiresIn"]), (&json!(true), &json!(120_000)));
    assert_eq!(granted["fencingToken"], 1);
    assert_eq!(granted["metadata"], with(&slot, json!({"duration": 60})));
    let held = shop.post("/api/locks/acquire", &slot).await.expect(409);
    assert_eq!((&held["reason"], &held["locked"]), (&json!("slot_locked"), &json!(false)));
    assert!((1..=120_000).contains(&held["remainingTTL"].as_u64().unwrap()), "{held}");

    let mine = with(&slot, json!({"lockId": granted["lockId"]}));
    let others = with(&slot, json!({"lockId": NOBODY}));
    let elsewhere = with(&mine, json!({"startTime": "10:00"}));
    assert_eq!(shop.post("/api/locks/verify", &mine).await.expect(200)["valid"], true);
    for (body, reason) in [(&others, "lock_mismatch"), (&elsewhere, "lock_not_found")] {
        let verified = shop.post("/api/locks/verify", body).await.expect(200);
        assert_eq!((&verified["valid"], &verified["reason"]), (&json!(false), &json!(reason)));
        for path in ["/api/locks/refresh", "/api/locks/release"] {
            assert_eq!(shop.post(path, body).await.expect(409)["reason"], reason, "{path}");
        }
    }
    let longer = with(&mine, json!({"ttl": 500_000}));
    assert_eq!(shop.post("/api/locks/refresh", &longer).await.expect(200)["expiresIn"], 500_000);
    assert_eq!(shop.post("/api/locks/release", &mine).await.expect(200)["released"], true);
    assert_eq!(
        shop.post("/api/locks/release", &mine).await.expect(409)["reason"],
        "lock_not_found"
    );
    assert_eq!(shop.post("/api/locks/acquire", &slot).await.expect(200)["fencingToken"], 2);
}

#[tokio::test]
async fn a_lock_ends_by_its_ttl_and_is_counted() {
    let shop = Shop::open(&[]).await;
    let slot = slot("ends");
    let lock_id = shop.lock(&with(&slot, json!({"ttl": 1_000}))).await;
    let mine = with(&slot, json!({"lockId": lock_id}));
    let env = lockproof_env::live::env(1);
    let give_up = env.now() + Duration::from_secs(20);
    // Until both the server and the job that counts have seen it.
    loop {
        let metrics = shop.admin("GET", "/api/locks/metrics", "").await.expect(200);
        if metrics["metrics"]["locksExpired"] == 1 {
            break;
        }
        assert!(env.now() < give_up, "{metrics}");
        env.sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(shop.post("/api/locks/verify", &mine).await.expect(200)["reason"], "lock_not_found");
}

#[tokio::test]
async fn no_tenant_reaches_anothers_lock() {
    let shop = Shop::open(&[]).await;
    let slot = slot("mine");
    let lock_id = shop.lock(&slot).await;
    // Even one who has come by the lock id.
    let stolen = with(&slot, json!({"lockId": lock_id, "tenantId": "another"}));
    assert_eq!(shop.post("/api/locks/verify", &stolen).await.expect(200)["valid"], false);
    for path in ["/api/locks/refresh", "/api/locks/release"] {
        assert_eq!(
            shop.post(path, &stolen).await.expect(409)["reason"],
            "lock_not_found",
            "{path}"
        );
    }
    let another = with(&slot, json!({"tenantId": "another"}));
    shop.post("/api/locks/acquire", &another).await.expect(200);
    let active =
        shop.admin("GET", "/api/locks/admin/active?tenantId=another", "").await.expect(200);
    assert_eq!((&active["count"], &active["locks"][0]["tenantId"]), (&json!(1), &json!("another")));
}

#[tokio::test]
async fn compound_locks_are_all_or_none() {
    let shop = Shop::open(&[]).await;
    let nine = slot("compound");
    let [ten, eleven] = ["10:00", "11:00"].map(|time| with(&nine, json!({"startTime": time})));
    shop.lock(&eleven).await;
    let all = json!({"segments": [eleven, nine, ten]});
    shop.post("/api/locks/acquire-compound", &all).await.expect(409);
    let two = json!({"segments": [ten, nine]});
    let locks = shop.post("/api/locks/acquire-compound", &two).await.expect(200)["locks"].clone();
    assert_eq!(locks[0]["metadata"]["startTime"], "10:00");
    let held = json!({"segments": [
        with(&ten, json!({"lockId": locks[0]["lockId"]})),
        with(&nine, json!({"lockId": locks[1]["lockId"]})),
    ]});
    assert_eq!(shop.post("/api/locks/release-compound", &held).await.expect(200)["count"], 2);
    shop.post("/api/locks/release-compound", &held).await.expect(409);
    let twice = json!({"segments": [nine, nine]});
    shop.post("/api/locks/acquire-compound", &twice).await.expect(400);
}

#[tokio::test]
async fn admins_say_their_token() {
    let shop = Shop::open(&[]).await;
    let slot = slot("admin");
    let lock_id = shop.lock(&slot).await;
    for path in ["/api/locks/metrics", "/api/locks/admin/active"] {
        shop.get(path).await.expect(401);
        let wrong = [("Authorization", "Bearer the-admins-tokeN")];
        shop.send("GET", path, &wrong, b"").await.expect(403);
        shop.admin("GET", path, "").await.expect(200);
    }
    shop.admin("GET", "/api/locks/admin/active?limit=1001", "").await.expect(400);
    let force = "/api/locks/admin/force-release";
    shop.post(force, &slot).await.expect(401);
    assert_eq!(shop.admin("POST", force, &slot.to_string()).await.expect(200)["released"], true);
    let mine = with(&slot, json!({"lockId": lock_id}));
    assert_eq!(shop.post("/api/locks/verify", &mine).await.expect(200)["reason"], "lock_not_found");

    let closed = Shop::open(&[("ADMIN_TOKEN", "")]).await;
    closed.admin("GET", "/api/locks/metrics", "").await.expect(503);
}

#[tokio::test]
async fn locking_can_be_off_and_says_so() {
    let shop = Shop::open(&[("FEATURE_SLOT_LOCKING", "false")]).await;
    let slot = slot("off");
    for _ in 0..2 {
        let reply = shop.post("/api/locks/acquire", &slot).await;
        assert!(reply.head.contains("x-slot-locking: off"), "{reply:?}");
        assert_eq!(reply.expect(200)["locked"], false);
    }
    assert_eq!(shop.get("/api/locks/health").await.expect(200)["slotLocking"], false);
}

#[tokio::test]
async fn a_service_without_its_redis_says_when_to_ask_again() {
    // A server that is there for the start, and gone after it.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("redis://{}/", listener.local_addr().unwrap());
    let server = lockproof_redis_model::SharedServer::new(lockproof_redis_model::Server::new(
        lockproof_redis_model::Options::default(),
    ));
    let clock = || lockproof_redis_model::WallClock::default();
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { drop(lockproof_redis_model::serve(listener, server, clock).await) });
    let shop = Shop::open(&[("REDIS_URLS", &url)]).await;
    shop.post("/api/locks/acquire", &slot("up")).await.expect(200);
    serving.shutdown().await;
    let env = lockproof_env::live::env(1);
    let give_up = env.now() + Duration::from_secs(20);
    loop {
        let reply = shop.post("/api/locks/acquire", &slot("down")).await;
        if reply.status == 503 {
            assert!(reply.head.contains("retry-after: 1"), "{reply:?}");
            break;
        }
        assert!(env.now() < give_up, "{reply:?}");
    }
}
