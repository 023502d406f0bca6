//! `fred`: a client library that looks after its connections by itself, and sends again what had no answer.
//!
//! Nothing of that is turned off: a `SET NX` that was carried out and whose answer was lost is sent a second time over the
//! next connection, finds the key and comes back as "somebody else has it" (failure mode F19). What is set here is what a
//! client without it could not be used with: that it connects again at all, which a client built without a policy never
//! does. The policy is the library's own default for one.
//!
//! Locks speak the trait of the other library. Here a packed command of that one becomes a custom command of this one, and
//! a frame of this one a value of that one.

use std::io;
use std::sync::Arc;

use fred::prelude::{
    Builder, Client, ClientLike as _, Config, ConnectionConfig, PerformanceConfig, ReconnectPolicy,
    ServerConfig,
};
use fred::types::config::{TcpConfig, UnresponsiveConfig};
use fred::types::{ClusterHash, CustomCommand, Resp3Frame, RespVersion, Value as Argument};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_locks::{Handles, RedisConnection};
use lockproof_model::DriverSetting;
use redis::aio::ConnectionLike;
use redis::{
    Arg, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, Pipeline, ProtocolVersion, RedisError,
    RedisFuture, RedisResult, Value,
};

use super::DriverEntry;

pub(super) const ENTRY: DriverEntry = DriverEntry {
    name: "fred",
    summary: "the crate `fred`: connects again by itself and sends again what had no answer",
    live_only: Some("fred dials by itself and takes no stream, so only real sockets will do"),
    out_of_reach,
    dialler: Some(dial),
    settings,
};

fn out_of_reach(server: &ConnectionInfo) -> Option<&'static str> {
    match server.addr() {
        ConnectionAddr::Tcp(..) => None,
        ConnectionAddr::Unix(_) => Some("fred is built without socket files here"),
        _ => Some("fred is built without TLS here"),
    }
}

fn settings() -> Vec<DriverSetting> {
    let ConnectionConfig { connection_timeout, max_command_attempts, unresponsive, tcp, .. } =
        ConnectionConfig::default();
    let PerformanceConfig { default_command_timeout, max_feed_count, .. } =
        PerformanceConfig::default();
    let UnresponsiveConfig { max_timeout, .. } = unresponsive;
    let TcpConfig { nodelay, .. } = tcp;
    let none_or = |limit: Option<String>| limit.unwrap_or_else(|| "none".to_owned());
    let limit =
        (!default_command_timeout.is_zero()).then(|| format!("{default_command_timeout:?}"));
    [
        ("connections", "two clients per server, shared by all holders".to_owned()),
        (
            "max_command_attempts",
            format!(
                "{max_command_attempts}: a command whose connection broke is sent again (the library's default)"
            ),
        ),
        (
            "reconnect policy",
            format!(
                "{} (the library's default policy; without one it never connects again)",
                said(&ReconnectPolicy::default())
            ),
        ),
        ("connection timeout", format!("{connection_timeout:?} (the library's default)")),
        (
            "command timeout",
            format!("{} (the library's default); the lock's own applies", none_or(limit)),
        ),
        (
            "unresponsive timeout",
            format!(
                "{} (the library's default)",
                none_or(max_timeout.map(|limit| format!("{limit:?}")))
            ),
        ),
        (
            "TCP_NODELAY",
            format!(
                "{} (the library's default)",
                nodelay.map_or("as the system has it: off", |on| if on { "on" } else { "off" })
            ),
        ),
        (
            "pipelining",
            format!("on, up to {max_feed_count} commands in one write (the library's default)"),
        ),
    ]
    .map(|(setting, value)| DriverSetting {
        driver: "fred 10.1 (Rust)".to_owned(),
        setting: setting.to_owned(),
        value,
    })
    .into()
}

fn said(policy: &ReconnectPolicy) -> String {
    match *policy {
        ReconnectPolicy::Constant { max_attempts, delay, jitter, .. } => {
            let tries = match max_attempts {
                0 => "for ever".to_owned(),
                tries => format!("{tries} times"),
            };
            format!("every {delay} ms and up to {jitter} ms more, {tries}")
        }
        ref other => format!("{other:?}"),
    }
}

fn dial(server: ConnectionInfo) -> BoxFuture<'static, RedisResult<Handles>> {
    async move {
        let client = Builder::from_config(config(&server)?)
            .set_policy(ReconnectPolicy::default())
            .build()
            .map_err(|error| failed(&error))?;
        client.init().await.map_err(|error| failed(&error))?;
        let client = Arc::new(Ending(client));
        let handles = move || RedisConnection::new(Fred(Arc::clone(&client)));
        Ok(Arc::new(handles) as Handles)
    }
    .boxed()
}

fn config(server: &ConnectionInfo) -> RedisResult<Config> {
    let refused = |why: &'static str| RedisError::from((ErrorKind::InvalidClientConfig, why));
    if let Some(why) = out_of_reach(server) {
        return Err(refused(why));
    }
    let ConnectionAddr::Tcp(host, port) = server.addr() else {
        return Err(refused("fred reaches servers over TCP here"));
    };
    let settings = server.redis_settings();
    let database = u8::try_from(settings.db())
        .map_err(|_| refused("fred knows databases up to number 255"))?;
    Ok(Config {
        server: ServerConfig::new_centralized(host, *port),
        username: settings.username().map(ToOwned::to_owned),
        password: settings.password().map(ToOwned::to_owned),
        database: (database > 0).then_some(database),
        version: match settings.protocol() {
            ProtocolVersion::RESP3 => RespVersion::RESP3,
            _ => RespVersion::RESP2,
        },
        ..Config::default()
    })
}

/// A client that ends with the last who uses it: it would go on connecting for ever.
struct Ending(Client);

impl Drop for Ending {
    fn drop(&mut self) {
        let client = self.0.clone();
        // Outside a runtime its tasks are gone already.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(async move { drop(client.quit().await) }));
        }
    }
}

/// A session's handle to a client.
struct Fred(Arc<Ending>);

impl Fred {
    async fn request(&self, command: &Cmd) -> RedisResult<Value> {
        let mut words = command.args_iter().map(|word| bytes_of(&word).to_vec());
        let name = words.next().unwrap_or_default();
        let name = String::from_utf8_lossy(&name).into_owned();
        let command = CustomCommand::new(name, ClusterHash::FirstKey, false);
        let arguments: Vec<Argument> = words.map(|word| Argument::Bytes(word.into())).collect();
        let frame =
            self.0.0.custom_raw(command, arguments).await.map_err(|error| failed(&error))?;
        value(frame)
    }
}

impl ConnectionLike for Fred {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        self.request(cmd).boxed()
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        async move {
            let mut values = Vec::with_capacity(count);
            for command in pipeline.cmd_iter() {
                values.push(self.request(command).await?);
            }
            Ok(values.into_iter().skip(offset).take(count).collect())
        }
        .boxed()
    }

    fn get_db(&self) -> i64 {
        self.0.0.client_config().database.map_or(0, i64::from)
    }
}

fn bytes_of<'a>(word: &Arg<&'a [u8]>) -> &'a [u8] {
    match word {
        Arg::Simple(word) => word,
        _ => b"0", // the cursor of a scan that begins
    }
}

/// No answer, and nobody knows. The client itself lives on, so that the connection is not one to give up.
fn failed(error: &fred::error::Error) -> RedisError {
    (ErrorKind::Client, "fred gave up", error.to_string()).into()
}

fn value(frame: Resp3Frame) -> RedisResult<Value> {
    let all = |frames: Vec<Resp3Frame>| frames.into_iter().map(value).collect::<RedisResult<_>>();
    Ok(match frame {
        Resp3Frame::SimpleString { data, .. } if data == "OK" => Value::Okay,
        Resp3Frame::SimpleString { data, .. } => {
            Value::SimpleString(String::from_utf8_lossy(&data).into_owned())
        }
        // The library makes its errors from bytes alone.
        Resp3Frame::SimpleError { data, .. } => {
            return redis::parse_redis_value(format!("-{data}\r\n").as_bytes());
        }
        Resp3Frame::BlobError { data, .. } => {
            return redis::parse_redis_value(&[b"-", data.as_ref(), b"\r\n"].concat());
        }
        Resp3Frame::BlobString { data, .. }
        | Resp3Frame::BigNumber { data, .. }
        | Resp3Frame::VerbatimString { data, .. }
        | Resp3Frame::ChunkedString(data) => Value::BulkString(data.to_vec()),
        Resp3Frame::Number { data, .. } => Value::Int(data),
        Resp3Frame::Double { data, .. } => Value::Double(data),
        Resp3Frame::Boolean { data, .. } => Value::Boolean(data),
        Resp3Frame::Null => Value::Nil,
        Resp3Frame::Array { data, .. } | Resp3Frame::Push { data, .. } => Value::Array(all(data)?),
        Resp3Frame::Set { data, .. } => Value::Set(all(data.into_iter().collect())?),
        Resp3Frame::Map { data, .. } => {
            let pair = |(name, of): (Resp3Frame, Resp3Frame)| Ok((value(name)?, value(of)?));
            Value::Map(data.into_iter().map(pair).collect::<RedisResult<_>>()?)
        }
        Resp3Frame::Hello { .. } => {
            let what = "a server greets and is not asked to";
            return Err(io::Error::other(what).into());
        }
    })
}
