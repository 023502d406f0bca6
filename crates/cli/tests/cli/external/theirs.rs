//! Servers of somebody else: processes that a test starts, with the keys and tables of others in them.

use std::fmt::Debug;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lockproof_rig::live::{Database, Provider, RedisServer, find_provider, probes};
use lockproof_rig::{ExternalServers, ServerNeeds};
use redis::FromRedisValue;
use tokio::runtime::Runtime;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

use super::PASSWORD;

const PATIENCE: Duration = Duration::from_secs(30);

/// What starts servers, and asks them.
struct Landlord {
    // In this order: servers stop before what they run on.
    provider: Arc<dyn Provider>,
    runtime: Runtime,
}

impl Landlord {
    /// One whose machine has `programs`; none where the tests that need them are to be skipped.
    fn find(programs: &[&str]) -> Option<Self> {
        let found = |what: &&str| probes().iter().any(|it| it.what == *what && it.found.is_some());
        if !programs.iter().all(found) {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "one of {programs:?} is missing");
            return None;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let start = find_provider("process").unwrap().start;
        Some(Self { provider: start(&ExternalServers::default()).unwrap(), runtime })
    }

    /// Waits until `holds`, and panics instead of hanging.
    fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let passed = lockproof_env::live::stopwatch();
        while !holds() {
            assert!(passed() < PATIENCE, "still not: {what}");
            self.runtime.block_on(async {
                lockproof_env::live::env(1).sleep(Duration::from_millis(5)).await;
            });
        }
    }
}

/// Somebody's redis-server, with a password.
pub(crate) struct TheirRedis {
    servers: Vec<RedisServer>,
    landlord: Landlord,
}

impl TheirRedis {
    /// `count` of them.
    pub(crate) fn start(count: usize) -> Option<Self> {
        let landlord = Landlord::find(&["redis-server"])?;
        let start = |number| {
            landlord
                .runtime
                .block_on(landlord.provider.redis(number, ServerNeeds::default()))
                .unwrap()
        };
        let servers: Vec<_> = (0..count).map(start).collect();
        let theirs = Self { servers, landlord };
        for number in 0..count {
            let mut open = redis::Client::open(theirs.address(number)).unwrap();
            let () = command(&["CONFIG", "SET", "requirepass", PASSWORD]).query(&mut open).unwrap();
        }
        Some(theirs)
    }

    /// Ends all of them.
    pub(crate) fn stop(&mut self) {
        self.servers.clear();
    }

    /// Where number `number` is, without a word on passwords.
    pub(crate) fn address(&self, number: usize) -> String {
        format!("redis://127.0.0.1:{}", self.port(number))
    }

    pub(crate) fn port(&self, number: usize) -> u16 {
        self.servers[number].tcp.unwrap().port()
    }

    /// All of them, as `--redis-url` takes them.
    pub(crate) fn urls(&self) -> String {
        let urls = (0..self.servers.len()).map(|number| self.url(number));
        urls.collect::<Vec<_>>().join(",")
    }

    pub(crate) fn url(&self, number: usize) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port(number))
    }

    /// Asks the first.
    pub(crate) fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut client = redis::Client::open(self.url(0)).unwrap();
        command(words).query(&mut client).unwrap()
    }

    /// Every key of the first, sorted.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.ask(&["KEYS", "*"]);
        keys.sort();
        keys
    }

    /// Waits until the server has noticed that every run is gone.
    pub(crate) fn until_alone(&self) {
        self.landlord.until("no run has a session", || {
            !self.ask::<String>(&["CLIENT", "LIST"]).contains("lockproof-run-")
        });
    }

    /// Waits until the fencing counter of some run is there, which stays when the run is killed, and gives the runs'
    /// keys.
    pub(crate) fn keys_of_runs(&self, than: &[String]) -> Vec<String> {
        let mut keys = Vec::new();
        self.landlord.until("a run has left a counter", || {
            keys = self.keys();
            keys.retain(|key| !than.contains(key));
            keys.iter().any(|key| key.ends_with(":fence"))
        });
        keys
    }
}

fn command(words: &[&str]) -> redis::Cmd {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command
}

/// Somebody's Postgres, which asks `lockproof` for no password and everybody else for one.
pub(crate) struct TheirPostgres {
    place: (String, u16),
    landlord: Landlord,
}

impl TheirPostgres {
    pub(crate) fn start() -> Option<Self> {
        let landlord = Landlord::find(&["postgres", "initdb"])?;
        let database =
            landlord.runtime.block_on(landlord.provider.database("theirs", None)).unwrap();
        let Database::Postgres { tcp: Some(address), .. } = database else {
            panic!("{database:?}")
        };
        let theirs = Self { place: (address.ip().to_string(), address.port()), landlord };
        theirs.admit(
            "host all lockproof 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
        );
        theirs.say(&format!("CREATE ROLE me LOGIN PASSWORD '{PASSWORD}'"));
        theirs.say("GRANT CREATE ON DATABASE postgres TO me");
        Some(theirs)
    }

    /// The URL of `user`, who has the password.
    pub(crate) fn url(&self, user: &str) -> String {
        format!("postgres://{user}:{PASSWORD}@127.0.0.1:{}/postgres", self.place.1)
    }

    pub(crate) fn port(&self) -> u16 {
        self.place.1
    }

    /// Lets in whom `lines` of `pg_hba.conf` let in.
    pub(crate) fn admit(&self, lines: &str) {
        let file = self.say("SHOW hba_file").remove(0);
        std::fs::write(file, lines).unwrap();
        self.reload();
    }

    pub(crate) fn reload(&self) {
        let loaded = "SELECT pg_conf_load_time()";
        let before = self.say(loaded);
        self.say("SELECT pg_reload_conf()");
        self.landlord.until("the configuration is read again", || self.say(loaded) != before);
    }

    /// Its directory.
    pub(crate) fn directory(&self) -> PathBuf {
        self.say("SHOW data_directory").remove(0).into()
    }

    /// As its owner says it, past every password; the first column of the answer.
    pub(crate) fn say(&self, statement: &str) -> Vec<String> {
        let mut config = Config::new();
        config.host(&self.place.0).port(self.place.1).user("lockproof").dbname("postgres");
        self.landlord.runtime.block_on(async {
            let (client, connection) = config.connect(NoTls).await.unwrap();
            let asked = async { client.simple_query(statement).await.unwrap() };
            let answer = tokio::select! {
                answer = asked => answer,
                ended = connection => panic!("{ended:?}"),
            };
            let row = |message: &SimpleQueryMessage| match message {
                SimpleQueryMessage::Row(row) => row.get(0).map(ToOwned::to_owned),
                _ => None,
            };
            answer.iter().filter_map(row).collect()
        })
    }

    /// The schemas that begin as runs' do.
    pub(crate) fn schemas(&self) -> Vec<String> {
        self.say("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lockproof%' ORDER BY 1")
    }

    /// Waits until the server has noticed that every run is gone.
    pub(crate) fn until_alone(&self) {
        let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
        self.landlord.until("no run has a session", || self.say(locks) == ["0"]);
    }

    /// Waits until `count` schemas beside `others` are there, and gives them.
    pub(crate) fn schemas_of_runs(&self, count: usize, others: &[String]) -> Vec<String> {
        let mut schemas = Vec::new();
        self.landlord.until("a run has made its schema", || {
            schemas = self.schemas();
            schemas.retain(|schema| !others.contains(schema));
            schemas.len() == count
        });
        schemas
    }
}

/// A loopback port that nobody listens on just now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Asserts that nothing is left but what `others` had.
#[track_caller]
pub(crate) fn only<T: Debug + PartialEq>(left: &[T], others: &[T]) {
    assert_eq!(left, others, "what is there, and what others had");
}
