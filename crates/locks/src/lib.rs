//! Ways to be alone.
//!
//! A [`Lock`] is a value per configured backend, a [`LockSession`] what one holder keeps open to it. Each way
//! of locking is one file under `catalog/` that reads as its algorithm; what all of them need (drawing
//! claims, waiting with jitter, judging validity, cleaning up after unknown answers) is the [`Driver`]'s,
//! once, so that locks compare fairly.
//!
//! ```text
//!   Driver ──claim──▶ AnySession ──▶ catalog/redis_set_nx.rs ──▶ RedisLink ──▶ Backends (the rig's, or yours)
//!      │                                   an algorithm            one server      dials
//!      └─ after an unknown answer: withdraw by owner value, surviving the caller's cancellation
//! ```
//!
//! **Three outcomes.** Granted and held are answers. An error is *indefinite* unless the code can prove that
//! the request never took effect ([`Certainty`]); `?` never turns "nobody knows" into "no".
//!
//! **Architecture invariant:** this code does not know that it is tested. It names no fault, no scenario
//! and no simulator, and can be lifted into any program that implements [`Backends`].

//! # In an application
//!
//! This runs, on three models of a Redis server; `examples/` has longer ones, which take the URLs of real servers.
//!
//! ```
//! # use lockproof_redis_model::{Options, Server, SharedServer, WallClock, serve};
//! # async fn book() {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use lockproof_locks::{
//!     Acquisition, Drift, Driver, KeepAlive, LockSettings, Policy, Released, SharedConnections, Wait,
//!     find,
//! };
//! use lockproof_model::{HolderId, LockName};
//!
//! // Time, randomness and tasks: here tokio's and the operating system's.
//! let env = lockproof_env::live::env(lockproof_env::live::entropy());
//! let servers = ["redis://10.0.0.1/", "redis://10.0.0.2/", "redis://10.0.0.3/"];
//! # let mut models = Vec::new();
//! # for _ in servers {
//! #     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! #     models.push(format!("redis://{}/", listener.local_addr()?));
//! #     let (server, env) = (SharedServer::new(Server::new(Options::default())), env.clone());
//! #     let clock = move || WallClock::default().after(env.now().since_start());
//! #     tokio::spawn(serve(listener, server, clock));
//! # }
//! # let servers: Vec<&str> = models.iter().map(String::as_str).collect();
//! let backends = Arc::new(SharedConnections::to(env.clone(), &servers)?);
//! let redlock = find("redlock").expect("it is in the catalog");
//! let lock = (redlock.build)(LockSettings::default(), backends, env.clone());
//!
//! // One driver per task that books: it draws owner values, waits, and cleans up after lost answers.
//! let policy = Policy {
//!     ttl: Duration::from_secs(10),
//!     wait: Wait { tries: 20, delay: Duration::from_millis(50), jitter: Duration::from_millis(50) },
//!     drift: Drift::default(),
//! };
//! let salt = lockproof_env::live::entropy();
//! let mut driver = Driver::open(env, &lock, HolderId(1), policy, salt).await?;
//! match driver.acquire(&LockName::new("room-12:2026-05-01")).await? {
//!     Acquisition::Held { .. } => println!("somebody else is booking it"),
//!     Acquisition::Granted { lease, .. } => {
//!         let mut kept = driver.keep_alive(lease, KeepAlive::for_ttl(policy.ttl));
//!         tokio::select! {
//!             () = book() => {}
//!             () = kept.lost() => println!("the lock was lost: do not write"),
//!         }
//!         let released = driver.release_kept(kept).await?;
//!         assert_eq!(released, Released::Owned);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! No lock with a lease protects a holder that is paused past it: guard the write as well (a unique index, a version,
//! a fencing token), and let the workbench show you why.

mod any;
mod backends;
mod catalog;
mod coordinator;
mod database;
mod driver;
mod error;
pub mod etcd;
mod external;
mod fan_out;
mod inspect;
mod keep_alive;
mod lock;
pub mod policies;
mod redis_link;
mod scripts;
mod session_lock;
mod settings;
mod shared_clients;
mod shared_connections;
mod withdrawal;
pub mod zookeeper;

pub use any::{AnyLock, AnySession};
pub use backends::{Backends, RedisConnection};
pub use catalog::{ENTRIES, EXTERNAL, LockEntry, Needs, Tokens, find};
pub use coordinator::{ByteStream, Coordinator, Dial};
pub use database::{DatabaseSession, InDatabase};
pub use driver::{Acquisition, Driver, Policy, Wait};
pub use error::{LockError, Result};
pub use external::{ADAPTER_PROTOCOL, AdapterLine, Answer, AnswerWord, Hello, Request};
pub use inspect::{Inspect, Standing};
pub use keep_alive::{KeepAlive, Kept};
pub use lock::{Acquired, Lock, LockSession, Released, Renewed};
pub use lockproof_model::Certainty;
pub use settings::{Drift, KeyNames, LockSettings, Replication};
pub use shared_connections::{Dialler, Handles, SharedConnections};
