use lockproof_proxy::{CATALOG, Protocol};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Api, echoes, within};

#[tokio::test]
async fn a_toxic_takes_toxiproxy_s_defaults_and_is_seen_with_them() {
    let api = Api::new().await;
    api.proxy("p").await;
    let expected = json!({
        "attributes": { "latency": 0, "jitter": 0 },
        "name": "latency_downstream", "type": "latency", "stream": "downstream", "toxicity": 1,
    });
    let added = api.post("/proxies/p/toxics", json!({ "type": "latency" })).await;
    assert_eq!(added, (200, expected.clone()));
    assert_eq!(api.get("/proxies/p/toxics/latency_downstream").await, (200, expected.clone()));
    let named = json!({
        "type": "slicer", "name": "s", "stream": "Upstream", "toxicity": 0.5,
        "attributes": { "average_size": 64, "size_variation": 32, "delay": 10 },
    });
    let (_, named) = api.post("/proxies/p/toxics", named).await;
    assert_eq!((&named["toxicity"], &named["stream"]), (&json!(0.5), &json!("upstream")));
    assert_eq!(named["attributes"]["delay"], json!(10));
    let both = json!([named, expected]);
    assert_eq!(api.get("/proxies/p/toxics").await, (200, both.clone()));
    assert_eq!(api.get("/proxies/p").await.1["toxics"], both);
}

#[tokio::test]
async fn every_toxic_of_the_catalog_can_be_added_changed_and_removed() {
    let api = Api::new().await;
    let listen = api.proxy("p").await;
    for entry in CATALOG {
        let (status, added) = api.post("/proxies/p/toxics", json!({ "type": entry.name })).await;
        assert_eq!(status, 200, "{added}");
        let path = format!("/proxies/p/toxics/{}_downstream", entry.name);
        assert_eq!(api.post(&path, json!({ "toxicity": 0 })).await.1["toxicity"], json!(0));
        assert!(echoes(&mut TcpStream::connect(&listen).await.unwrap()).await, "{}", entry.name);
        assert_eq!(api.delete(&path).await, 204);
        assert_eq!(api.delete(&path).await, 404);
    }
}

#[tokio::test]
async fn a_toxic_is_in_force_when_it_was_added_and_changed_and_not_when_it_was_removed() {
    let api = Api::new().await;
    let listen = api.proxy("p").await;
    let mut client = TcpStream::connect(&listen).await.unwrap();
    let hold = json!({ "type": "timeout", "name": "hold", "stream": "upstream" });
    api.post("/proxies/p/toxics", hold).await;
    client.write_all(b"held").await.unwrap();
    let change = json!({ "attributes": { "timeout": 3_600_000 } });
    let (status, changed) = api.ask("PATCH", "/proxies/p/toxics/hold", &change).await;
    assert_eq!((status, &changed["attributes"]["timeout"]), (200, &json!(3_600_000)));
    assert_eq!(changed["stream"], json!("upstream"));
    assert_eq!(api.delete("/proxies/p/toxics/hold").await, 204);
    let mut heard = [0; 4];
    within(client.read_exact(&mut heard)).await.unwrap();
    assert_eq!(&heard, b"held", "nothing was lost on the way");

    let close = json!({ "type": "timeout", "attributes": { "timeout": 1 } });
    api.post("/proxies/p/toxics", close).await;
    assert_eq!(within(client.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_wrong_with_a_toxic_is_said() {
    let api = Api::new().await;
    api.proxy("p").await;
    api.post("/proxies/p/toxics", json!({ "type": "latency" })).await;
    let bad = |why: &str| (400, format!("bad request body: {why}"));
    let cases = [
        (json!({ "type": "latency" }), (409, "toxic already exists".to_owned())),
        (json!({ "type": "latncy" }), (400, "invalid toxic type".to_owned())),
        (
            json!({ "type": "latency", "stream": "sideways" }),
            (400, "stream was invalid, can be either upstream or downstream".to_owned()),
        ),
        (
            json!({ "type": "bandwidth", "attributes": { "rate": 1.5 } }),
            bad("attributes.rate takes a whole number, not below zero, not a number (1.5)"),
        ),
        (
            json!({ "type": "bandwidth", "attributes": { "rat": 1 } }),
            bad("toxic `bandwidth` has no attribute `rat`; it has: rate"),
        ),
        (
            json!({ "type": "redis_rule", "attributes": { "command": "GTE" } }),
            bad("`GTE` is no command of Redis 7; did you mean `GET`?"),
        ),
    ];
    for (body, (status, error)) in cases {
        let answer = api.post("/proxies/p/toxics", body).await;
        assert_eq!(answer, (status, json!({ "error": error, "status": status })));
    }
    let (status, answer) = api.post("/proxies/p/toxics/none", json!({})).await;
    assert_eq!((status, &answer["error"]), (404, &json!("toxic not found")));
    assert_eq!(api.get("/proxies/p/toxics/none").await.0, 404);
    assert_eq!(api.post("/proxies/p/toxics/latency_downstream", Value::Null).await.0, 400);
}

#[tokio::test]
async fn a_rule_applies_to_what_is_said_on_a_connection_that_is_followed() {
    let api = Api::following(Some(Protocol::Redis)).await;
    let listen = api.proxy("p").await;
    let mut client = TcpStream::connect(&listen).await.unwrap();
    let rule = json!({
        "type": "redis_rule", "attributes": { "command": "set", "key": "seat:*", "then": "drop-request" },
    });
    let (status, other) = api.post("/proxies/p/toxics", json!({ "type": "postgres_rule" })).await;
    let why = "bad request body: connections are followed as redis, so this rule could never match";
    assert_eq!((status, &other["error"]), (400, &json!(why)));
    let (_, added) = api.post("/proxies/p/toxics", rule).await;
    let every = json!({ "command": "set", "key": "seat:*", "nth": 0, "every": 1, "then": "drop-request", "delay": 0 });
    assert_eq!(added["attributes"], every);
    // What the echo says back is a reply as well.
    let get = b"*2\r\n$3\r\nGET\r\n$6\r\nseat:1\r\n";
    client.write_all(get).await.unwrap();
    let mut heard = [0; 25];
    within(client.read_exact(&mut heard)).await.unwrap();
    client.write_all(b"SET seat:1 x\r\n").await.unwrap();
    assert_eq!(within(client.read(&mut [0])).await.unwrap(), 0);
}
