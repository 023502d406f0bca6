use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::shop::{Shop, slot};

#[tokio::test]
async fn a_header_that_does_not_end_closes_its_connection() {
    let shop = Shop::open(&[("HEADER_TIMEOUT", "200")]).await;
    let mut stream = TcpStream::connect(shop.address).await.unwrap();
    stream.write_all(b"POST /api/locks/acquire HTTP/1.1\r\nHost: sh").await.unwrap();
    let mut answer = Vec::new();
    let closed = stream.read_to_end(&mut answer);
    let env = lockproof_env::live::env(1);
    env.timeout(Duration::from_secs(20), closed).await.unwrap().unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let shop = Shop::open(&[("REQUEST_TIMEOUT", "200")]).await;
    let head = "POST /api/locks/acquire HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 9\r\n\r\n";
    let mut stream = TcpStream::connect(shop.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
}

#[tokio::test]
async fn metrics_are_for_prometheus_and_may_be_an_admins() {
    let shop = Shop::open(&[]).await;
    shop.lock(&slot("metrics")).await;
    let text = shop.get("/metrics").await.body;
    assert!(text.contains("lockproof_locks_acquired_total 1\n"), "{text}");
    assert!(
        text.contains("route=\"/api/locks/acquire\",status=\"200\",le=\"+Inf\"} 1\n"),
        "{text}"
    );
    let closed = Shop::open(&[("METRICS_ADMIN", "true")]).await;
    closed.get("/metrics").await.expect(401);
    assert_eq!(closed.admin("GET", "/metrics", "").await.status, 200);
}
