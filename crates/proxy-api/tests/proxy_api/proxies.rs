use lockproof_proxy_api::API_VERSION;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Api, echoes, within};

#[tokio::test]
async fn a_proxy_is_made_seen_and_removed() {
    let api = Api::new().await;
    let wanted =
        json!({ "name": "redis", "listen": "localhost:0", "upstream": api.echo.to_string() });
    let (status, made) = api.post("/proxies", wanted).await;
    assert_eq!(status, 201);
    let listen = made["listen"].as_str().unwrap();
    let expected = json!({
        "name": "redis", "listen": listen, "upstream": api.echo.to_string(), "enabled": true, "toxics": [],
    });
    assert_eq!(made, expected);
    assert!(echoes(&mut TcpStream::connect(listen).await.unwrap()).await);
    assert_eq!(api.get("/proxies/redis").await, (200, expected.clone()));
    assert_eq!(api.get("/proxies").await, (200, json!({ "redis": expected })));
    assert_eq!(api.delete("/proxies/redis").await, 204);
    assert_eq!(api.get("/proxies").await, (200, json!({})));
    TcpListener::bind(listen).await.expect("its port is free");
}

#[tokio::test]
async fn what_cannot_be_is_answered_as_toxiproxy_answers_it() {
    let api = Api::new().await;
    let listen = api.proxy("there").await;
    let upstream = api.echo.to_string();
    let error = |status: u16, what: &str| (status, json!({ "error": what, "status": status }));
    let refused = [
        (json!({ "upstream": "x:1" }), error(400, "missing required field: name")),
        (json!({ "name": "x" }), error(400, "missing required field: upstream")),
        (json!({ "name": "there", "upstream": upstream }), error(409, "proxy already exists")),
        (
            json!({ "name": 5 }),
            error(400, "bad request body: name takes a string, not a number (5)"),
        ),
        (json!([]), error(400, "bad request body: the body takes an object, not an array ([])")),
        (Value::Null, error(400, "bad request body: EOF")),
    ];
    for (body, answer) in refused {
        assert_eq!(api.post("/proxies", body).await, answer);
    }
    let taken = json!({ "name": "other", "upstream": upstream, "listen": listen });
    let (status, answer) = api.post("/proxies", taken).await;
    assert_eq!(status, 500);
    assert!(answer["error"].as_str().unwrap().starts_with(&format!("cannot listen on {listen}: ")));
    for path in ["/proxies/none", "/proxies/none/toxics", "/proxies/none/toxics/x"] {
        assert_eq!(api.get(path).await, error(404, "proxy not found"));
    }
    assert_eq!(api.delete("/proxies/none").await, 404);
    assert_eq!(api.post("/proxies/none", Value::Null).await, error(404, "proxy not found"));
    assert_eq!(api.get("/nowhere").await.0, 404);
    assert_eq!(api.delete("/proxies").await, 405);
}

#[tokio::test]
async fn a_proxy_that_is_switched_off_breaks_its_connections_and_keeps_its_port_and_toxics() {
    let api = Api::new().await;
    let listen = api.proxy("p").await;
    let mut client = TcpStream::connect(&listen).await.unwrap();
    assert!(echoes(&mut client).await);
    let limit = json!({ "type": "limit_data", "attributes": { "bytes": 5 } });
    let toxic = json!({ "type": "latency", "name": "slow" });
    assert_eq!(api.post("/proxies/p/toxics", toxic).await.0, 200);
    let (status, off) = api.post("/proxies/p", json!({ "enabled": false })).await;
    assert_eq!((status, &off["enabled"], &off["listen"]), (200, &json!(false), &json!(listen)));
    assert_eq!(within(client.read(&mut [0])).await.unwrap(), 0);
    assert!(TcpStream::connect(&listen).await.is_err());
    assert_eq!(api.post("/proxies/p/toxics", limit).await.0, 200);
    let (status, on) = api.ask("PATCH", "/proxies/p", &json!({ "enabled": true })).await;
    assert_eq!(
        (status, &on["listen"], on["toxics"].as_array().unwrap().len()),
        (200, &json!(listen), 2)
    );
    let mut client = TcpStream::connect(&listen).await.unwrap();
    assert!(echoes(&mut client).await);
    assert_eq!(within(client.read(&mut [0])).await.unwrap(), 0, "the limit is in force");
}

#[tokio::test]
async fn a_proxy_can_be_sent_to_another_server() {
    let (api, other) = (Api::new().await, Api::new().await);
    let listen = api.proxy("p").await;
    let there = other.proxy("q").await;
    assert_eq!(other.delete("/proxies/q").await, 204);
    let (_, moved) = api.post("/proxies/p", json!({ "upstream": there })).await;
    assert_eq!((&moved["upstream"], &moved["enabled"]), (&json!(there), &json!(true)));
    let mut client = TcpStream::connect(&listen).await.unwrap();
    assert!(!echoes(&mut client).await, "nobody is there");
}

#[tokio::test]
async fn populating_makes_what_is_missing_and_replaces_what_differs() {
    let api = Api::new().await;
    let listen = api.proxy("kept").await;
    let toxic = json!({ "type": "latency" });
    assert_eq!(api.post("/proxies/kept/toxics", toxic.clone()).await.0, 200);
    let upstream = api.echo.to_string();
    let wanted = json!([
        { "name": "kept", "listen": listen, "upstream": upstream },
        { "name": "off", "listen": "127.0.0.1:0", "upstream": upstream, "enabled": false },
    ]);
    let (status, made) = api.post("/populate", wanted).await;
    assert_eq!(status, 201);
    let made = made["proxies"].as_array().unwrap();
    assert_eq!(made[0]["toxics"].as_array().unwrap().len(), 1, "it was left as it was");
    assert_eq!((&made[1]["enabled"], &made[1]["listen"]), (&json!(false), &json!("127.0.0.1:0")));

    let elsewhere = json!([{ "name": "kept", "listen": listen, "upstream": "localhost:1" }]);
    let (status, made) = api.post("/populate", elsewhere).await;
    assert_eq!((status, &made["proxies"][0]["toxics"]), (201, &json!([])));

    let wrong = json!([{ "name": "fine", "upstream": upstream }, { "name": "x" }]);
    let (status, answer) = api.post("/populate", wrong).await;
    let what = "missing required field: upstream at proxy 2";
    assert_eq!((status, answer), (400, json!({ "error": what, "status": 400, "proxies": [] })));
    assert_eq!(api.get("/proxies/fine").await.0, 404);
}

#[tokio::test]
async fn a_reset_switches_all_on_and_removes_their_toxics() {
    let api = Api::new().await;
    let listen = api.proxy("p").await;
    let limit = json!({ "type": "limit_data", "stream": "upstream" });
    assert_eq!(api.post("/proxies/p/toxics", limit).await.0, 200);
    assert_eq!(api.post("/proxies/p", json!({ "enabled": false })).await.0, 200);
    assert_eq!(api.post("/reset", Value::Null).await, (204, Value::Null));
    assert_eq!(api.get("/proxies/p/toxics").await, (200, json!([])));
    assert!(echoes(&mut TcpStream::connect(&listen).await.unwrap()).await);
}

#[tokio::test]
async fn a_version_is_told_and_browsers_are_not_served() {
    let api = Api::new().await;
    assert_eq!(api.get("/version").await, (200, json!({ "version": API_VERSION })));
    let (status, _) = api.say("GET", "/proxies", "Mozilla/5.0 (X11)", "").await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn json_is_read_as_go_reads_it() {
    let api = Api::new().await;
    let body =
        format!(r#"{{"Name":"p","UPSTREAM":"{}","enabled":null,"more":[1]}} and more"#, api.echo);
    let (status, made) = api.say("POST", "/proxies", "x", &body).await;
    assert_eq!(status, 201, "{made}");
    assert!(
        made.contains(r#""enabled":true"#) && made.contains(r#""listen":"127.0.0.1:"#),
        "{made}"
    );
}

#[tokio::test]
async fn a_fleet_that_shuts_down_frees_its_ports() {
    let api = Api::new().await;
    let listen = api.proxy("p").await;
    let mut client = TcpStream::connect(&listen).await.unwrap();
    assert!(echoes(&mut client).await);
    api.fleet.shutdown().await;
    assert_eq!(within(client.read(&mut [0])).await.unwrap(), 0);
    TcpListener::bind(listen).await.expect("its port is free");
}
