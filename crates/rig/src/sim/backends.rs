//! The lock's way to the model servers.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_locks::{Backends, LockError, RedisConnection, Result};
use lockproof_model::HolderId;
use lockproof_redis_model::Reply;
use lockproof_sim::Shared;
use redis::aio::ConnectionLike;
use redis::{Arg, Cmd, Pipeline, RedisError, RedisFuture, RedisResult, Value};

use super::exchange::{Exchange, Request};
use super::network::{Network, Wire};
use super::redis_server::ModelRedis;
use super::ticket::{Answered, Broken};
use crate::{Direction, Link, SpokenRequest};

/// A connection of each holder to each server, dialled when it is first needed and again after it broke.
#[derive(Debug)]
pub(super) struct SimBackends {
    network: Shared<Network>,
    servers: Vec<Shared<ModelRedis>>,
    /// By server, then by holder.
    wires: Shared<Vec<Known>>,
}

/// The connections to one server.
type Known = RefCell<Vec<Option<Rc<Wire>>>>;

impl SimBackends {
    pub(super) fn new(network: Shared<Network>, servers: Vec<Shared<ModelRedis>>) -> Self {
        let wires = Shared::new(servers.iter().map(|_| RefCell::default()).collect());
        Self { network, servers, wires }
    }

    fn known(&self, server: usize, place: usize) -> Option<Shared<Wire>> {
        let wires = self.wires[server].borrow();
        let wire = wires.get(place)?.clone().filter(|wire| !wire.is_closed())?;
        Some(Shared::from(wire))
    }

    fn keep(&self, server: usize, place: usize, wire: &Shared<Wire>) {
        let mut wires = self.wires[server].borrow_mut();
        if wires.len() <= place {
            wires.resize(place + 1, None);
        }
        wires[place] = Some(Rc::clone(wire.as_rc()));
    }
}

impl Backends for SimBackends {
    fn redis_servers(&self) -> usize {
        self.servers.len()
    }

    fn redis(&self, server: usize, holder: HolderId) -> BoxFuture<'_, Result<RedisConnection>> {
        let place = usize::try_from(holder.0).unwrap_or_default();
        let model = self.servers[server].clone();
        let network = self.network.clone();
        async move {
            if let Some(wire) = self.known(server, place) {
                return Ok(RedisConnection::new(SimConnection { network, model, wire }));
            }
            let wire = network.open(Link::Redis(server), holder);
            ModelRedis::greet(&model, &wire).await.map_err(|Broken| {
                let what = format!("could not reach redis server {}", server + 1);
                LockError::definite(what).because(io::Error::from(io::ErrorKind::ConnectionRefused))
            })?;
            self.keep(server, place, &wire);
            Ok(RedisConnection::new(SimConnection { network, model, wire }))
        }
        .boxed()
    }
}

/// What the client library's trait asks of a connection, answered over the network.
#[derive(Clone, Debug)]
struct SimConnection {
    network: Shared<Network>,
    model: Shared<ModelRedis>,
    wire: Shared<Wire>,
}

impl SimConnection {
    /// Sends at once, so that a request whose future is dropped is on its way all the same.
    fn send(&self, command: Vec<Bytes>) -> Option<Answered<Exchange>> {
        if self.wire.is_closed() {
            return None;
        }
        if self.network.has_rules() {
            let words: Vec<&[u8]> = command.iter().map(AsRef::as_ref).collect();
            self.network.announce(&self.wire, self.wire.awaited(), SpokenRequest::Redis(&words));
        }
        let exchange = Exchange::new(&self.model, &self.wire, Request::Command(command));
        let request = Rc::clone(exchange.as_rc());
        self.network.send(self.wire.as_rc(), Direction::ToServer, request);
        Some(Answered(exchange))
    }
}

impl ConnectionLike for SimConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        async move {
            let answered = self.send(words(cmd)).ok_or_else(reset)?;
            to_value(answered.await.map_err(|Broken| reset())?)
        }
        .boxed()
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        async move {
            let answers: Vec<_> = pipeline.cmd_iter().map(|cmd| self.send(words(cmd))).collect();
            let mut values = Vec::with_capacity(count);
            for answered in answers {
                let answered = answered.ok_or_else(reset)?;
                values.push(to_value(answered.await.map_err(|Broken| reset())?)?);
            }
            Ok(values.into_iter().skip(offset).take(count).collect())
        }
        .boxed()
    }

    fn get_db(&self) -> i64 {
        0
    }
}

/// Bytes of a request that takes or gives back a lock, at most.
const TYPICAL_COMMAND: usize = 192;

fn words(cmd: &Cmd) -> Vec<Bytes> {
    // One buffer for all, since a schedule sends thousands.
    let mut buffer = Vec::with_capacity(TYPICAL_COMMAND);
    for word in cmd.args_iter() {
        buffer.extend_from_slice(bytes_of(&word));
    }
    let mut rest = Bytes::from(buffer);
    let mut words = Vec::with_capacity(8);
    words.extend(cmd.args_iter().map(|word| rest.split_to(bytes_of(&word).len())));
    words
}

fn bytes_of<'a>(word: &Arg<&'a [u8]>) -> &'a [u8] {
    match word {
        Arg::Simple(word) => word,
        _ => b"0", // the cursor of a scan that begins
    }
}

fn reset() -> RedisError {
    io::Error::from(io::ErrorKind::ConnectionReset).into()
}

/// The library makes its errors from bytes alone, which takes it as long as ten requests: the last is kept.
fn error_value(text: &[u8]) -> RedisResult<Value> {
    thread_local! {
        static LAST: RefCell<Option<(Vec<u8>, Value)>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| {
        if let Some((known, value)) = last
            && known == text
        {
            return Ok(value.clone());
        }
        let value = redis::parse_redis_value(&[b"-", text, b"\r\n"].concat())?;
        *last = Some((text.to_vec(), value.clone()));
        Ok(value)
    })
}

fn to_value(reply: Reply) -> RedisResult<Value> {
    let all = |items: Vec<Reply>| items.into_iter().map(to_value).collect::<RedisResult<Vec<_>>>();
    Ok(match reply {
        Reply::Status(text) if text.as_ref() == b"OK" => Value::Okay,
        Reply::Status(text) => Value::SimpleString(String::from_utf8_lossy(&text).into_owned()),
        Reply::Error(text) => return error_value(&text),
        Reply::Integer(number) => Value::Int(number),
        Reply::Bulk(bytes) => Value::BulkString(bytes.into()),
        Reply::NullBulk | Reply::NullArray => Value::Nil,
        Reply::Array(items) | Reply::Push(items) => Value::Array(all(items)?),
        Reply::Set(items) => Value::Set(all(items)?),
        Reply::Map(pairs) => {
            let pair = |(name, value)| Ok((to_value(name)?, to_value(value)?));
            Value::Map(pairs.into_iter().map(pair).collect::<RedisResult<_>>()?)
        }
        Reply::Boolean(truth) => Value::Boolean(truth),
        Reply::Double(digits) | Reply::BigNumber(digits) | Reply::Verbatim(_, digits) => {
            Value::BulkString(digits.into())
        }
    })
}
