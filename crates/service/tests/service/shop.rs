//! A service of a test's own, and a client of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use lockproof_rig::ServerNeeds;
use lockproof_rig::live::{Provider, RedisServer};
use lockproof_service::{App, Config};
use lockproof_testkit::{Mixed, redis_server_is_here};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const ADMIN: &str = "the-admins-token";

/// A service that listens until it is dropped.
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    app: Arc<App>,
    servers: Option<(RedisServer, Mixed)>,
    _files: TempDir,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Json {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }
}

impl Shop {
    /// On what is embedded.
    pub(crate) async fn open(variables: &[(&str, &str)]) -> Self {
        let files = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", files.path().join("bookings.db").display());
        let mut all = BTreeMap::from([("DATABASE_URL", database.as_str()), ("ADMIN_TOKEN", ADMIN)]);
        all.extend(variables.iter().copied());
        let config = Config::read(|name| all.get(name).map(|value| (*value).to_owned())).unwrap();
        let env = lockproof_env::live::env(1);
        let app = App::start(config, env.clone()).await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = lockproof_service::serve(listener, Arc::clone(&app), std::future::pending());
        drop(env.spawn(async move { drop(served.await) }));
        Self { address, app, servers: None, _files: files }
    }

    /// On a Redis of its own and the Postgres that `LOCKPROOF_TEST_POSTGRES_URL` names; says so where one is missing.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so aloud")]
    pub(crate) async fn on_servers(variables: &[(&str, &str)]) -> Option<Self> {
        const POSTGRES: &str = "LOCKPROOF_TEST_POSTGRES_URL";
        let Ok(postgres) = std::env::var(POSTGRES) else {
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "{POSTGRES}, and CI skips nothing"
            );
            eprintln!("skipped: {POSTGRES} names no server");
            return None;
        };
        if let Err(why) = redis_server_is_here() {
            eprintln!("{why}");
            return None;
        }
        let provider = Mixed::start("process").unwrap();
        let server = provider.redis(0, ServerNeeds::default()).await.unwrap();
        let redis = format!("redis://{}/", server.tcp.unwrap());
        let mut all = vec![("REDIS_URLS", redis.as_str()), ("DATABASE_URL", postgres.as_str())];
        all.extend(variables);
        let mut shop = Self::open(&all).await;
        shop.servers = Some((server, provider));
        Some(shop)
    }

    pub(crate) async fn post(&self, path: &str, body: &Json) -> Reply {
        self.send("POST", path, &[], body.to_string().as_bytes()).await
    }

    pub(crate) async fn post_once(&self, path: &str, key: &str, body: &Json) -> Reply {
        self.send("POST", path, &[("Idempotency-Key", key)], body.to_string().as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"").await
    }

    pub(crate) async fn admin(&self, method: &str, path: &str, body: &str) -> Reply {
        let token = format!("Bearer {ADMIN}");
        self.send(method, path, &[("Authorization", &token)], body.as_bytes()).await
    }

    /// One request on a connection of its own.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let length = body.len();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: {length}\r\n"
        );
        for (name, value) in headers {
            head = format!("{head}{name}: {value}\r\n");
        }
        self.raw(&[head.as_bytes(), b"\r\n", body].concat()).await
    }

    pub(crate) async fn raw(&self, bytes: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A service that has refused already may have stopped reading.
        drop(stream.write_all(bytes).await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Reply { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Locks `slot`; the lock id.
    pub(crate) async fn lock(&self, slot: &Json) -> String {
        let granted = self.post("/api/locks/acquire", slot).await.expect(200);
        granted["lockId"].as_str().unwrap().to_owned()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.app.stop();
        drop(self.servers.take());
    }
}

/// A slot that no other test has, on servers that tests share.
pub(crate) fn slot(name: &str) -> Json {
    let tenant = format!("{name}-{:016x}", lockproof_env::live::entropy());
    json!({"tenantId": tenant, "resourceId": "chair 1", "date": "2026-05-01", "startTime": "09:00"})
}

/// `slot` with more members.
pub(crate) fn with(slot: &Json, members: Json) -> Json {
    let mut all = slot.clone();
    for (name, value) in members.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

/// A booking of `slot` under `lock_id`.
pub(crate) fn booking(slot: &Json, lock_id: &str) -> Json {
    let members = json!({"lockId": lock_id, "specialistId": slot["resourceId"], "serviceId": "cut",
        "endTime": "10:00", "customerName": "Ada", "customerEmail": "ada@example.org",
        "customerPhone": "+1 555", "price": 30.5, "duration": 60});
    with(slot, members)
}
