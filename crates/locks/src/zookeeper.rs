//! A small client of ZooKeeper's protocol: what a lock asks for, and who looks after one.
//!
//! Written here, and not somebody's library, since those send the heartbeats of a session from a task of their own. A
//! holder and the heartbeats of its session are one process: when it stands still, they do. This client has no task:
//! a session is touched by the requests that are made in it, and by nothing else; whoever wants it to last asks for
//! something often enough, as [`KeepAlive`](crate::KeepAlive) does at the third of its timeout that clients keep to.
//!
//! The protocol is that of the server's own `zookeeper.jute`: frames of a length and a record, requests numbered by a
//! session's client, answered in order.

use std::fmt;
use std::fmt::Write;
use std::time::Duration;

use futures_util::FutureExt;
use lockproof_env::Env;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::coordinator::Dial;
use crate::{ByteStream, LockError, Result};

mod jute;

use jute::{Reader, Writer};

/// How long whoever only wants to know that somebody answers waits for it.
const OPEN_LIMIT: Duration = Duration::from_secs(2);
/// No answer that a lock waits for comes near it.
const LONGEST_FRAME: usize = 4 << 20;

/// A session with ZooKeeper. A connection is dialled when it is first needed and again after it broke or was left in the
/// middle of a request, and the session goes on over it; no request is ever sent twice.
pub struct ZooKeeperSession {
    dial: Dial,
    env: Env,
    /// How long to wait for a connection, and then for each answer.
    limit: Duration,
    timeout: Duration,
    /// Until it was begun, and once it has ended.
    granted: Option<Granted>,
    connection: Option<ByteStream>,
    last_request: i32,
    /// What the server had done when it last answered; it must not be behind that.
    seen: i64,
}

/// What a server has said of a session: enough to go on with it over another connection.
struct Granted {
    id: i64,
    password: Vec<u8>,
    timeout: Duration,
}

/// What a server says of a request that it did not carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZooKeeperRefusal {
    /// There is no such node.
    NoNode,
    /// There is one already.
    NodeExists,
    /// The session has ended, and its ephemeral nodes with it.
    SessionEnded,
    /// Another reason, by its code.
    Other(i32),
}

/// What came of a request that was answered.
pub type Answer<T> = std::result::Result<T, ZooKeeperRefusal>;

/// A node, as far as a lock has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZooKeeperNode {
    /// The transaction that made it: those of a cluster are numbered in one sequence.
    pub created: u64,
    /// The session that it ends with; 0 for none.
    pub session: i64,
}

impl ZooKeeperSession {
    /// A session that the server ends `timeout` after it last heard of it, rounded as it sees fit. It is begun by
    /// [`begin`](Self::begin).
    #[must_use]
    pub const fn new(dial: Dial, env: Env, limit: Duration, timeout: Duration) -> Self {
        let (granted, connection) = (None, None);
        Self { dial, env, limit, timeout, granted, connection, last_request: 0, seen: 0 }
    }

    /// Whether it was begun and has not ended, as far as is known.
    #[must_use]
    pub const fn stands(&self) -> bool {
        self.granted.is_some()
    }

    /// Its number; 0 where there is none.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.granted.as_ref().map_or(0, |granted| granted.id)
    }

    /// How long the server keeps it after a request.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.granted.as_ref().map_or(self.timeout, |granted| granted.timeout)
    }

    /// Begins a session, unless this one stands.
    ///
    /// # Errors
    /// Nobody answers. Definite: a session that was begun and that nobody knows of holds nothing.
    ///
    /// # Cancel safety
    /// As for an error.
    pub async fn begin(&mut self) -> Result<()> {
        if self.granted.is_some() {
            return Ok(());
        }
        self.seen = 0;
        self.connect().await
    }

    /// Ends the session, and its ephemeral nodes with it.
    ///
    /// # Errors
    /// No answer.
    pub async fn end(&mut self) -> Result<()> {
        if self.granted.is_some() {
            // That it had ended already is as good.
            let _ = self.ask(CLOSE_SESSION, &[]).await?;
            (self.granted, self.connection) = (None, None);
        }
        Ok(())
    }

    /// Makes an ephemeral node whose name ends in the next number of its parent; its path, and what it is.
    ///
    /// # Errors
    /// No answer.
    pub async fn create_ephemeral_sequential(
        &mut self,
        path: &str,
    ) -> Result<Answer<(String, ZooKeeperNode)>> {
        const EPHEMERAL_SEQUENTIAL: i32 = 3;
        let answer = self.ask(CREATE, &creation(path, EPHEMERAL_SEQUENTIAL)).await?;
        read(answer, |reader| Some((reader.text()?, node(reader)?)))
    }

    /// Makes a node that the server removes by itself once it has had children and has none.
    ///
    /// # Errors
    /// No answer.
    pub async fn create_container(&mut self, path: &str) -> Result<Answer<()>> {
        const CONTAINER: i32 = 4;
        let answer = self.ask(CREATE_CONTAINER, &creation(path, CONTAINER)).await?;
        Ok(answer.map(drop))
    }

    /// The names of the children of `path`.
    ///
    /// # Errors
    /// No answer.
    pub async fn children(&mut self, path: &str) -> Result<Answer<Vec<String>>> {
        let answer = self.ask(GET_CHILDREN, &Writer::new().text(path).flag(false).done()).await?;
        read(answer, |reader| (0..reader.count()?).map(|_| reader.text()).collect())
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// No answer.
    pub async fn look(&mut self, path: &str) -> Result<Answer<ZooKeeperNode>> {
        let answer = self.ask(EXISTS, &Writer::new().text(path).flag(false).done()).await?;
        read(answer, node)
    }

    /// Removes the node at `path`.
    ///
    /// # Errors
    /// No answer.
    pub async fn delete(&mut self, path: &str) -> Result<Answer<()>> {
        const ANY_VERSION: i32 = -1;
        let request = Writer::new().text(path).int(ANY_VERSION).done();
        Ok(self.ask(DELETE, &request).await?.map(drop))
    }

    /// Sends one request in the session; what it is answered with.
    ///
    /// # Cancel safety
    /// Dropped, the request may have been sent. Its connection is left behind; when the session goes on over the next
    /// one, the server has closed the old one, and what it had not read from there is never carried out.
    async fn ask(&mut self, kind: i32, request: &[u8]) -> Result<Answer<Vec<u8>>> {
        if self.granted.is_none() {
            return Ok(Err(ZooKeeperRefusal::SessionEnded));
        }
        // A server that has ended a session hangs up, which is no answer to what was never sent.
        if self.connection.as_mut().is_none_or(is_closed) {
            self.connect().await?;
            if self.granted.is_none() {
                return Ok(Err(ZooKeeperRefusal::SessionEnded));
            }
        }
        let Some(mut connection) = self.connection.take() else { unreachable!("just connected") };
        self.last_request = self.last_request.wrapping_add(1) & i32::MAX;
        let number = self.last_request;
        let frame = Writer::new().int(number).int(kind).raw(request).done();
        let exchange = async {
            send(&mut connection, &frame).await?;
            loop {
                let answer = receive(&mut connection).await?;
                let mut reader = Reader::new(&answer);
                let head = reader.int().zip(reader.long()).zip(reader.int());
                let ((answered, seen), code) = head.ok_or_else(malformed)?;
                // What it says unasked is not for us: nothing is watched.
                if answered == number {
                    return Ok((seen, code, reader.rest().to_vec()));
                }
            }
        };
        let unanswered = || LockError::indefinite("ZooKeeper did not answer");
        let answer: std::io::Result<_> = self
            .env
            .timeout(self.limit, exchange)
            .await
            .map_err(|elapsed| unanswered().because(elapsed))?;
        let (seen, code, body) = answer.map_err(|error| unanswered().because(error))?;
        self.seen = self.seen.max(seen);
        match ZooKeeperRefusal::of(code) {
            None => {
                self.connection = Some(connection);
                Ok(Ok(body))
            }
            Some(ZooKeeperRefusal::SessionEnded) => {
                self.granted = None;
                Ok(Err(ZooKeeperRefusal::SessionEnded))
            }
            Some(refusal) => {
                self.connection = Some(connection);
                Ok(Err(refusal))
            }
        }
    }

    /// Dials, and begins the session or goes on with it. A session that has ended meanwhile is none afterwards.
    async fn connect(&mut self) -> Result<()> {
        let unreachable = || LockError::definite("could not reach ZooKeeper");
        let asked = self.granted.as_ref().map_or(self.timeout, |granted| granted.timeout);
        let millis = i32::try_from(asked.as_millis()).unwrap_or(i32::MAX);
        let (id, password) = match &self.granted {
            Some(granted) => (granted.id, granted.password.as_slice()),
            None => (0, [0_u8; 16].as_slice()),
        };
        let (version, read_only) = (0, false);
        let hello = Writer::new().int(version).long(self.seen).int(millis).long(id);
        let hello = hello.buffer(password).flag(read_only).done();
        let dial = &self.dial;
        let exchange = async {
            let mut connection = dial.connect().await?;
            send(&mut connection, &hello).await.map_err(|error| unreachable().because(error))?;
            let answer = receive(&mut connection).await;
            Ok((connection, answer.map_err(|error| unreachable().because(error))?))
        };
        let answer = self.env.timeout(self.limit, exchange).await;
        let answer: Result<_> = answer.map_err(|elapsed| unreachable().because(elapsed))?;
        let (connection, answer) = answer?;
        let mut reader = Reader::new(&answer);
        let said =
            reader.int().and_then(|_| Some((reader.int()?, reader.long()?, reader.buffer()?)));
        let (millis, id, password) = said.ok_or_else(|| unreachable().because(malformed()))?;
        // A session that has ended is given no time.
        self.granted = u64::try_from(millis).ok().filter(|&millis| millis > 0).map(|millis| {
            Granted { id, password: password.to_vec(), timeout: Duration::from_millis(millis) }
        });
        self.connection = self.granted.is_some().then_some(connection);
        Ok(())
    }
}

impl fmt::Debug for ZooKeeperSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZooKeeperSession").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// Asks a server one of its words of four letters (`srvr`), beside every session; all that it says.
///
/// # Errors
/// Nobody answers; definite, since nothing was asked for.
pub async fn word(dial: &Dial, env: &Env, word: &str) -> Result<String> {
    let unreachable = || LockError::definite("could not reach ZooKeeper");
    let asking = async {
        let mut connection = dial.connect().await?;
        let mut said = String::new();
        let asked = async {
            connection.write_all(word.as_bytes()).await?;
            connection.flush().await?;
            connection.read_to_string(&mut said).await
        };
        asked.await.map_err(|error| unreachable().because(error))?;
        Ok(said)
    };
    let said: Result<String> =
        env.timeout(OPEN_LIMIT, asking).await.map_err(|elapsed| unreachable().because(elapsed))?;
    said.and_then(|said| if said.is_empty() { Err(unreachable()) } else { Ok(said) })
}

/// The path of the node that belongs to `key`: one level, whatever is in the key.
#[must_use]
pub fn node_of(key: &str) -> String {
    let mut path = "/".to_owned();
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_:".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(path, "%{byte:02x}");
        }
    }
    path
}

const CREATE: i32 = 15;
const DELETE: i32 = 2;
const EXISTS: i32 = 3;
const GET_CHILDREN: i32 = 8;
const CREATE_CONTAINER: i32 = 19;
const CLOSE_SESSION: i32 = -11;

impl ZooKeeperRefusal {
    const fn of(code: i32) -> Option<Self> {
        match code {
            0 => None,
            -101 => Some(Self::NoNode),
            -110 => Some(Self::NodeExists),
            -112 | -118 => Some(Self::SessionEnded),
            other => Some(Self::Other(other)),
        }
    }
}

impl fmt::Display for ZooKeeperRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNode => f.write_str("there is no such node"),
            Self::NodeExists => f.write_str("there is such a node already"),
            Self::SessionEnded => f.write_str("the session has ended"),
            Self::Other(code) => write!(f, "ZooKeeper refused it (code {code})"),
        }
    }
}

impl std::error::Error for ZooKeeperRefusal {}

/// A node without data that anybody may do anything to.
fn creation(path: &str, flags: i32) -> Vec<u8> {
    const EVERYTHING: i32 = 31;
    let request = Writer::new().text(path).buffer(&[]);
    request.int(1).int(EVERYTHING).text("world").text("anyone").int(flags).done()
}

/// The members of a node's `Stat`, as far as they are looked at: six to skip over between the two.
fn node(reader: &mut Reader<'_>) -> Option<ZooKeeperNode> {
    let created = u64::try_from(reader.long()?).ok()?;
    let (_modified, _ctime, _mtime) = (reader.long()?, reader.long()?, reader.long()?);
    let (_version, _cversion, _aversion) = (reader.int()?, reader.int()?, reader.int()?);
    Some(ZooKeeperNode { created, session: reader.long()? })
}

fn read<T>(
    answer: Answer<Vec<u8>>,
    parse: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<Answer<T>> {
    match answer {
        Err(refusal) => Ok(Err(refusal)),
        Ok(body) => match parse(&mut Reader::new(&body)) {
            Some(read) => Ok(Ok(read)),
            None => Err(LockError::indefinite("ZooKeeper's answer").because(malformed())),
        },
    }
}

fn malformed() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, "it cannot be read")
}

/// Whether the server has hung up, or says something that nobody asked for; as far as it is known by now.
fn is_closed(connection: &mut ByteStream) -> bool {
    connection.read_u8().now_or_never().is_some()
}

async fn send(connection: &mut ByteStream, record: &[u8]) -> std::io::Result<()> {
    connection.write_all(&Writer::new().buffer(record).done()).await?;
    connection.flush().await
}

async fn receive(connection: &mut ByteStream) -> std::io::Result<Vec<u8>> {
    let length = usize::try_from(connection.read_i32().await?).map_err(|_| malformed())?;
    if length > LONGEST_FRAME {
        return Err(malformed());
    }
    let mut record = vec![0; length];
    connection.read_exact(&mut record).await?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_differ_have_nodes_that_differ_and_are_one_level_deep() {
        let keys = ["a", "a/b", "a%2fb", "a%2Fb", "..", ".", "{a}", "é", "zookeeper/"];
        let mut nodes: Vec<_> = keys.iter().map(|key| node_of(key)).collect();
        assert!(nodes.iter().all(|node| node.rfind('/') == Some(0) && !node.contains('.')));
        nodes.sort();
        nodes.dedup();
        assert_eq!(nodes.len(), keys.len());
    }
}
