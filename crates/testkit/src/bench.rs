//! A lock on servers of its own, ready for trials.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lockproof_bookings::{Constraints, Layout};
use lockproof_env::Env;
use lockproof_locks::{
    AnyLock, AnySession, Driver, Lock, LockEntry, LockSettings, Needs, Policy, Tokens, Wait,
};
use lockproof_model::{Claim, HolderId, LockName, OwnerValue};
use lockproof_rig::live::{CoordinatorView, LiveRig};
use lockproof_rig::{
    Adapter, DatabaseEngine, DatabasePlan, Link, LinkSelector, LinkUse, RigError, RigPlan,
    ServerNeeds, System,
};

use crate::Mixed;

/// No answer within this means that none will come: an upper limit that ends a hang, and no more.
const PATIENCE: Duration = Duration::from_secs(60);
const HOLDERS: u32 = 8;

/// A lock as it is put to the test.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Which.
    pub entry: &'static LockEntry,
    /// Whether it is built to draw fencing tokens.
    pub draw_tokens: bool,
    /// The program that speaks for it, where one does.
    pub adapter: Option<fn() -> Adapter>,
    /// The database server that it lives in, where it is one that tests were told of.
    pub database: Option<DatabaseEngine>,
}

impl Subject {
    /// Every way in which `entry` can be built that makes a difference: a coordination service numbers its grants whether
    /// or not anybody asks.
    pub fn all_of(entry: &'static LockEntry) -> impl Iterator<Item = Self> {
        let always = entry.needs.coordinator().is_some();
        let draws = [false, true].into_iter();
        draws
            .filter(move |&draw_tokens| match draw_tokens {
                true => entry.tokens == Tokens::Drawn,
                false => !always,
            })
            .map(move |draw_tokens| Self { entry, draw_tokens, adapter: None, database: None })
    }

    /// Its name in those of its trials.
    #[must_use]
    pub fn name(&self) -> String {
        let suffix = if self.draw_tokens { "-with-tokens" } else { "" };
        format!("{}{suffix}", self.entry.name)
    }
}

/// One lock on servers of its own.
#[derive(Debug)]
pub struct Bench {
    /// What is put to the test.
    pub subject: Subject,
    /// Time and randomness of the trial.
    pub env: Env,
    /// Its servers and links.
    pub rig: LiveRig,
    settings: LockSettings,
    servers: Vec<SocketAddr>,
    /// Keeps the rig's servers running.
    _provider: Arc<Mixed>,
}

impl Bench {
    /// Starts the servers that `subject` runs on, from the provider called `redis`.
    ///
    /// # Errors
    /// A server could not be started.
    pub async fn start(subject: Subject, redis: &str, links: LinkUse) -> Result<Self, RigError> {
        Self::start_needing(subject, redis, links, ServerNeeds::default()).await
    }

    /// The same with servers that are ready for what faults need of them.
    ///
    /// # Errors
    /// A server could not be started.
    pub async fn start_needing(
        subject: Subject,
        redis: &str,
        links: LinkUse,
        needs: ServerNeeds,
    ) -> Result<Self, RigError> {
        let env = lockproof_env::live::env(lockproof_env::live::entropy());
        let provider = Arc::new(Mixed::start(redis)?);
        let settings = LockSettings {
            draw_tokens: subject.draw_tokens,
            time_limit: PATIENCE,
            server_time_limit: PATIENCE,
            ..LockSettings::default()
        };
        // One is enough for most; bookings of several slots take both.
        let layout = Layout { slots: 2, capacity: 1, constraints: Constraints::NONE };
        let replicas = u32::from(subject.entry.needs == Needs::ReplicatedRedis);
        let plan = RigPlan {
            needs: needs.and(ServerNeeds { replicas, ..ServerNeeds::default() }),
            name: "conformance".to_owned(),
            holders: HOLDERS,
            redis_servers: subject.entry.needs.redis_servers(),
            links,
            lock: settings.clone(),
            coordinator: subject.entry.needs.coordinator(),
            topology: lockproof_rig::Topology::default(),
            database: DatabasePlan { engine: subject.database, ..DatabasePlan::default() },
            layout,
            seed: 1,
        };
        let rig = LiveRig::start(&env, provider.as_ref(), plan).await?;
        let rig = match subject.adapter {
            Some(adapter) => rig.with_adapter(&env, adapter())?,
            None => rig,
        };
        let servers = provider.addresses();
        Ok(Self { subject, env, rig, settings, servers, _provider: provider })
    }

    /// The lock, patient with its servers: no answer comes too late by accident.
    #[must_use]
    pub fn lock(&self) -> AnyLock {
        self.lock_with(self.settings.clone())
    }

    /// The lock with another limit to its patience, for trials in which servers do not answer.
    #[must_use]
    pub fn lock_within(&self, limit: Duration) -> AnyLock {
        let settings = self.settings.clone();
        self.lock_with(LockSettings { time_limit: limit, server_time_limit: limit, ..settings })
    }

    fn lock_with(&self, settings: LockSettings) -> AnyLock {
        (self.subject.entry.build)(settings, self.rig.backends(), self.env.fork("lock"))
    }

    /// A session of holder number `holder`.
    ///
    /// # Panics
    /// The backend cannot be reached.
    pub async fn session(&self, holder: u32) -> AnySession {
        self.lock().open(HolderId(holder)).await.expect("the backend answers")
    }

    /// A driver of holder number `holder` that waits as `wait` says.
    ///
    /// # Panics
    /// The backend cannot be reached.
    pub async fn driver(&self, holder: u32, ttl: Duration, wait: Wait) -> Driver {
        let policy = Policy { ttl, wait, drift: self.settings.drift };
        let env = self.env.fork(&format!("holder {holder}"));
        Driver::open(env, &self.lock(), HolderId(holder), policy, lockproof_env::live::entropy())
            .await
            .expect("the backend answers")
    }

    /// A claim that nobody has made before.
    #[must_use]
    pub fn claim(&self, lock: &LockName) -> Claim {
        let owner = OwnerValue::from_bits(self.env.random().wide_bits());
        Claim { lock: lock.clone(), owner }
    }

    /// The allowance that the lock takes off a validity of `ttl`, for clocks that disagree.
    #[must_use]
    pub fn allowance(&self, ttl: Duration) -> Duration {
        self.settings.drift.allowance(ttl)
    }

    /// How many servers it runs on.
    #[must_use]
    pub fn servers(&self) -> usize {
        if self.lives_in_the_database() { 1 } else { self.servers.len() }
    }

    /// Whether what a trial looks at is in the database.
    #[must_use]
    pub fn lives_in_the_database(&self) -> bool {
        self.subject.entry.needs.database().is_some()
    }

    /// The links to all of them.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        match self.subject.entry.needs.coordinator() {
            Some(service) => vec![Link::Coordinator(service)],
            None if self.lives_in_the_database() => vec![Link::Database],
            None => LinkSelector::AllRedis.resolve(self.servers()),
        }
    }

    /// The shortest TTL that its servers can keep, and multiples of it.
    #[must_use]
    pub fn brief(&self) -> [Duration; 4] {
        let unit = self.subject.entry.needs.ttl_unit();
        [1, 4, 16, 64].map(|factor| unit.max(Duration::from_millis(50)) * factor)
    }

    /// The owner values that each server keeps for `lock`, among them those of claims that wait or were refused.
    async fn standing(&self, lock: &LockName) -> Option<Vec<String>> {
        let service = self.subject.entry.needs.coordinator()?;
        let view = CoordinatorView::new(service, self.servers[0], self.env.clone());
        Some(view.owners(&self.settings, lock).await.expect("the server answers"))
    }

    /// What each server keeps for `lock`: an owner value, or nothing.
    ///
    /// # Panics
    /// A server cannot be reached.
    pub async fn owners(&self, lock: &LockName) -> Vec<Option<String>> {
        if let Some(standing) = self.standing(lock).await {
            return standing.into_iter().map(Some).collect();
        }
        if self.lives_in_the_database() {
            let name = self.settings.plain_key(lock);
            return vec![self.rig.store().lock_owner(&name).await.expect("the database answers")];
        }
        let key = self.settings.redis_key(lock);
        let mut owners = Vec::new();
        for server in 0..self.servers.len() {
            let mut get = redis::cmd("GET");
            get.arg(&key);
            owners.push(self.ask(server, &get).await);
        }
        owners
    }

    /// On how many servers something is left of `lock`.
    ///
    /// # Panics
    /// A server cannot be reached.
    pub async fn left_over(&self, lock: &LockName) -> usize {
        self.owners(lock).await.into_iter().flatten().count()
    }

    /// How many keys there are at one server, of locks or otherwise; in a database, where there is much else, of `seat-1`.
    ///
    /// # Panics
    /// The server cannot be reached.
    pub async fn keys(&self, server: usize) -> u64 {
        if self.lives_in_the_database() {
            return self.left_over(&LockName::new("seat-1")).await as u64;
        }
        let Some(service) = self.subject.entry.needs.coordinator() else {
            return self.ask(server, &redis::cmd("DBSIZE")).await;
        };
        let view = CoordinatorView::new(service, self.servers[server], self.env.clone());
        view.size().await.expect("the server answers")
    }

    /// Makes every server forget the scripts that it was taught, where it knows of any.
    ///
    /// # Panics
    /// A server cannot be reached.
    pub async fn forget_scripts(&self) {
        for server in 0..self.subject.entry.needs.redis_servers() {
            let _: () = self.ask(server, redis::cmd("SCRIPT").arg("FLUSH")).await;
        }
    }

    /// Makes one server forget `lock`.
    ///
    /// # Panics
    /// The server cannot be reached.
    pub async fn forget(&self, server: usize, lock: &LockName) {
        let mut del = redis::cmd("DEL");
        del.arg(self.settings.redis_key(lock));
        let _: i64 = self.ask(server, &del).await;
    }

    /// Asks a Redis server directly, past every link.
    ///
    /// # Panics
    /// It cannot be reached.
    pub async fn ask<T: redis::FromRedisValue>(&self, server: usize, command: &redis::Cmd) -> T {
        let address = self.servers[server];
        let client = redis::Client::open(format!("redis://{address}")).expect("a valid address");
        let connection = client.get_multiplexed_async_connection().await;
        let mut connection = connection.expect("the server listens");
        command.query_async(&mut connection).await.expect("the server answers")
    }
}
