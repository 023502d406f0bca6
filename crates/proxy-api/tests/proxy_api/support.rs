//! A client of the API, and a server behind its proxies that says back what it hears.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are tests; clippy knows only their callers"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lockproof_proxy::Protocol;
use lockproof_proxy_api::{Fleet, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub(crate) struct Api {
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) echo: SocketAddr,
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Api {
    pub(crate) async fn new() -> Self {
        Self::following(None).await
    }

    pub(crate) async fn following(protocol: Option<Protocol>) -> Self {
        let fleet = Arc::new(Fleet::new(7, protocol));
        let (api, server) = (bound().await, bound().await);
        let (address, echo) = (api.local_addr().unwrap(), server.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        let served = Arc::clone(&fleet);
        tasks.spawn(async move { serve(api, served).await.unwrap() });
        tasks.spawn(async move {
            let mut echoes = JoinSet::new();
            loop {
                let (mut stream, _) = server.accept().await.unwrap();
                echoes.spawn(async move {
                    let (mut from, mut to) = stream.split();
                    drop(copy(&mut from, &mut to).await);
                });
            }
        });
        Self { fleet, echo, address, _tasks: tasks }
    }

    /// Status and body of the answer; null where it has none.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, answer) = self.say(method, path, "a-client/1.0", &body).await;
        (status, serde_json::from_str(&answer).unwrap_or_default())
    }

    /// The same, word by word.
    pub(crate) async fn say(
        &self,
        method: &str,
        path: &str,
        agent: &str,
        body: &str,
    ) -> (u16, String) {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        within(stream.read_to_string(&mut answer)).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask("POST", path, &body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> u16 {
        self.ask("DELETE", path, &Value::Null).await.0
    }

    /// A proxy of that name in front of the echo; where it listens.
    pub(crate) async fn proxy(&self, name: &str) -> String {
        let wanted =
            json!({ "name": name, "listen": "127.0.0.1:0", "upstream": self.echo.to_string() });
        let (status, proxy) = self.post("/proxies", wanted).await;
        assert_eq!(status, 201, "{proxy}");
        proxy["listen"].as_str().unwrap().to_owned()
    }
}

/// Whether what is said comes back.
pub(crate) async fn echoes(stream: &mut TcpStream) -> bool {
    let said = stream.write_all(b"hello").await;
    let mut heard = [0; 5];
    said.is_ok() && within(stream.read_exact(&mut heard)).await.is_ok() && &heard == b"hello"
}

/// Fails a test that would wait for ever.
pub(crate) async fn within<T>(happens: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), happens).await.expect("it never happens")
}

async fn bound() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}
