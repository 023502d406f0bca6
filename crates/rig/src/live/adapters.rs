//! Programs that speak for a lock: one per holder, beside its tasks or below its process.
//!
//! ```text
//!   lock ─ AdapterLine ─ Adapters ─ a child per holder ──▶ the holder's own links
//!             lines of JSON  │  ▲
//!             over its pipes │  │ SIGSTOP and SIGCONT, SIGKILL with the holder's
//!                            ▼  │
//!                      AdapterAffliction
//! ```
//!
//! What is said is the lock's to know. Where the servers are, passwords included, is said over the pipe by the lock, never
//! by a command line or an environment. What a program writes to its standard error goes to the log, and its last line
//! into the message that says how it ended.
//!
//! Each is the leader of a process group, and what is done is done to the group: whatever it starts is stopped and killed
//! with it. After kill -9 the parent-death signal ends the leader, the end of the pipe whoever still reads, and the kernel
//! those of an orphaned group that stand still.

mod affliction;
mod child;
mod url;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Env;
use lockproof_locks::{AdapterLine, Backends, LockError, RedisConnection};
use lockproof_model::HolderId;
use redis::ConnectionInfo;
use tokio::sync::mpsc;

pub(super) use self::affliction::AdapterAffliction;
use self::child::{Child, Said, hear, write};
use self::url::url;
use super::children::{DeathSignal, Spawner, forget_settings};
use crate::{Adapter, RigError};

/// From the end of its output to its own a program needs no longer, unless the machine has no time for anybody.
const ENDS_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(1);

/// Where a holder finds the Redis servers, by number.
type Servers = dyn Fn(HolderId) -> Vec<ConnectionInfo> + Send + Sync;

/// The programs of a cell's holders. Dropping it ends them.
pub(super) struct Adapters {
    adapter: Adapter,
    env: Env,
    servers: Box<Servers>,
    children: Mutex<BTreeMap<HolderId, Child>>,
    /// After the children: the end of its thread would kill them.
    spawner: Spawner,
}

impl Adapters {
    /// None is started yet. Their pipes are served in `env`, which is no holder's group.
    ///
    /// # Errors
    /// The thread that starts them cannot be started.
    pub(super) fn prepare(
        env: &Env,
        adapter: Adapter,
        servers: impl Fn(HolderId) -> Vec<ConnectionInfo> + Send + Sync + 'static,
    ) -> Result<Arc<Self>, RigError> {
        let spawner = Spawner::start().map_err(|error| {
            RigError::new("cannot start the thread that starts adapters").because(error)
        })?;
        let (env, servers, children) = (env.clone(), Box::new(servers), Mutex::default());
        Ok(Arc::new(Self { adapter, env, servers, children, spawner }))
    }

    pub(super) const fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// Starts one for `holder`; the one before it is ended.
    fn start(self: &Arc<Self>, holder: HolderId) -> Result<AdapterLine, RigError> {
        let redis =
            (self.servers)(holder).iter().map(url).collect::<Result<Vec<String>, RigError>>()?;
        let cannot = |error: io::Error| {
            RigError::new(format!("cannot start {}", self.adapter.name)).because(error)
        };
        let (child, pipes) = Child::of(self.spawn().map_err(cannot)?).map_err(cannot)?;
        let id = child.id();
        drop(self.children().insert(holder, child));
        let (tells, told) = mpsc::unbounded_channel();
        let (says, hears) = mpsc::unbounded_channel();
        drop(self.env.spawn(write(pipes.stdin, told)));
        let (adapters, log) = (Arc::downgrade(self), self.adapter.name.clone());
        drop(self.env.spawn(async move {
            let Said { last_words, broken } =
                hear(pipes.stdout, pipes.stderr, &says, holder, &log).await;
            let ended = match (broken, adapters.upgrade()) {
                (Some(why), _) => why,
                (None, Some(adapters)) => adapters.ended(holder, id).await,
                (None, None) => return,
            };
            let last_words = last_words.map(|words| format!(": {words}")).unwrap_or_default();
            // Where nobody listens any more, nobody wants to know.
            drop(says.send(Err(format!("{ended}{last_words}"))));
        }));
        Ok(AdapterLine { redis, tells, hears })
    }

    fn spawn(&self) -> io::Result<super::children::Running> {
        let Adapter { program, arguments, .. } = &self.adapter;
        self.spawner.spawn(program, None, DeathSignal::Kill, |command| {
            command.args(arguments);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            forget_settings(command);
        })
    }

    /// How process `id` ended, whose output has ended.
    async fn ended(&self, holder: HolderId, id: u32) -> String {
        let deadline = self.env.now() + ENDS_WITHIN;
        loop {
            let sits_here = |child: &&mut Child| child.id() == id;
            let ended = match self.children().get_mut(&holder).filter(sits_here) {
                // Killed on purpose, or replaced.
                None => Some("it was killed".to_owned()),
                Some(child) => child.exited().map(|status| format!("it ended ({status})")),
            };
            if let Some(ended) = ended {
                return ended;
            }
            if self.env.now() >= deadline {
                drop(self.children().remove(&holder));
                return "it closed its output and did not end".to_owned();
            }
            self.env.sleep(POLL).await;
        }
    }

    fn children(&self) -> std::sync::MutexGuard<'_, BTreeMap<HolderId, Child>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Adapters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapters").field("adapter", &self.adapter).finish_non_exhaustive()
    }
}

/// Servers, and programs that speak for a lock on them.
#[derive(Debug)]
pub(super) struct WithAdapters {
    pub(super) servers: Arc<dyn Backends>,
    pub(super) adapters: Arc<Adapters>,
}

impl Backends for WithAdapters {
    fn redis_servers(&self) -> usize {
        self.servers.redis_servers()
    }

    fn redis(
        &self,
        server: usize,
        holder: HolderId,
    ) -> BoxFuture<'_, Result<RedisConnection, LockError>> {
        self.servers.redis(server, holder)
    }

    fn adapter(&self, holder: HolderId) -> BoxFuture<'_, Result<AdapterLine, LockError>> {
        let started = self.adapters.start(holder);
        let started = started.map_err(|error| {
            LockError::definite("the lock's adapter cannot be started").because(error)
        });
        std::future::ready(started).boxed()
    }
}
