//! A TCP proxy that can do harm on purpose: bytes between clients and one server, and toxics that delay them, hold
//! them or cut the connection.
//!
//! ```text
//!              ┌───────────────── connection ─────────────────┐
//!   client ──▶ │ pump upstream:   read ▸ ask toxics ▸ write   │ ──▶ server
//!          ◀── │ pump downstream: write ◂ ask toxics ◂ read   │ ◀──
//!              └──────────────────────────────────────────────┘
//! ```
//!
//! A [`Toxic`] is a policy: it is shown each chunk of bytes and answers with a [`Passage`]. It never touches a socket
//! or a timer; the one pump does, so that what holds for one toxic holds for all of them:
//!
//! - **A stream is never robbed of bytes and left alive.** Bytes are delivered whole and in order, or the connection
//!   ends. What a toxic holds is delivered when the toxic is removed, and the connection lives on.
//! - **The end of a stream travels like a byte.** A half-close is carried through, after the bytes before it; a
//!   partition holds it too, so the server behind one does not learn that its client died.
//! - **Toxics apply to open connections**, and to bytes that the proxy already keeps.
//! - **Memory is bounded**: a direction that keeps [`KEPT_LIMIT`] bytes stops reading, and the sender feels it.
//! - **Effects are counted**, per toxic, in an [`Effect`]: a fault can prove that it bit.
//! - **A seed decides every draw** of a toxic, by connection, direction and toxic.
//!
//! A [`Rule`] is a policy about requests instead of bytes: a command of Redis or a message of Postgres, by name, key and
//! count, is delayed, held, dropped, sent twice, or its reply is. The proxy then follows the conversation:
//!
//! ```text
//!   bytes ─▶ follow: which request or reply they are ─▶ rules: which of them are meant ─▶ marks ─▶ the pump
//! ```
//!
//! - **Whatever the chunks**, the decisions are the same; bytes that no rule means are passed on as they came.
//! - **A request is judged when it is whole**, before its last byte leaves, so that one that is dropped never runs.
//! - **A reply is dropped once the server speaks**, so that its request did run, and the connection ends with it.
//! - **What cannot be read is passed on unchanged** and counted ([`Connections::not_followed`]); rules leave it alone.
//! - Where no rule marks anything, following costs no copy.
//!
//! What is absent: the proxy knows nothing of locks. Names and attributes of toxics are Toxiproxy's; where behaviour
//! differs, the toxic's own page says so. [`CATALOG`] lists them all, with those that are ours.
//!
//! | module | what it is |
//! |---|---|
//! | `toxic`, `catalog/` | what a toxic answers; each toxic |
//! | `rule` | what a rule means and does |
//! | `follow/` | requests and replies out of bytes; which reply is whose |
//! | `board`, `spec`, `effect` | what is in force on a proxy, and what it did |
//! | `present`, `kept`, `pump` | one direction of a connection: its toxics and rules, its bytes, the mechanism |
//! | `proxy`, `connection` | the listener and its connections |
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use lockproof_proxy::{Direction, Latency, Proxy, Timeout, ToxicSpec};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::{TcpListener, TcpStream};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = TcpListener::bind("127.0.0.1:0").await?;
//! let proxy = Proxy::start("127.0.0.1:0".parse().expect("an address"), server.local_addr()?, 42).await?;
//! proxy.add_toxic(ToxicSpec::new(Latency::new(Duration::from_millis(5))).only(Direction::Downstream));
//!
//! let mut client = TcpStream::connect(proxy.address()).await?;
//! let (mut served, _) = server.accept().await?;
//!
//! // A partition: bytes are held until it is healed.
//! let partition = proxy.add_toxic(ToxicSpec::new(Timeout::forever()));
//! let mut effect = proxy.effect(partition).expect("it is installed");
//! client.write_all(b"hello").await?;
//! effect.wait_for(|effect| effect.held_bytes == 5).await.expect("the proxy lives");
//!
//! let record = proxy.remove_toxic(partition).expect("it was installed");
//! assert!(record.effect.bit());
//! let mut greeting = [0; 5];
//! served.read_exact(&mut greeting).await?;
//! assert_eq!(&greeting, b"hello");
//! proxy.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod board;
mod catalog;
mod connection;
mod effect;
mod follow;
mod kept;
mod present;
mod proxy;
mod pump;
mod rule;
mod seed;
mod spec;
mod toxic;

pub use catalog::{
    Attribute, AttributeError, Attributes, Bandwidth, CATALOG, Entry, Kind, Latency, LimitData,
    Noop, PacketLoss, ResetPeer, Slicer, SlowClose, Timeout, Value, find,
};
pub use effect::{Effect, ToxicRecord};
pub use follow::Protocol;
pub use proxy::{Connections, Proxy, Resetting};
pub use pump::KEPT_LIMIT;
pub use rule::{Choice, Deed, Pattern, Rule, RuleError, Spoken};
pub use spec::{ToxicId, ToxicSpec, Upstream};
pub use toxic::{Chunk, Cut, Direction, Ending, Passage, Recipe, Toxic};
