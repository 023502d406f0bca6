//! A Redis server of somebody else: whether it can be used, and what it is.

use lockproof_model::ServerInfo;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, FromRedisValue, InfoDict, RedisError, cmd};
use tokio::net::TcpStream;

use super::run_id::RunId;
use super::settings;
use crate::live::straight::dial;
use crate::{RedisUrl, RigError};

/// What was seen of a server.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) info: ServerInfo,
    /// Where it listens, if a proxy can stand in for it.
    pub(super) tcp: Option<std::net::SocketAddr>,
    /// Tells one process from another, whatever they are called.
    pub(super) process: String,
}

/// Looks at the server at `url`, and writes one key under the name of `run` to see whether it takes it.
///
/// # Errors
/// It cannot be used: why, and what to do.
pub(super) async fn look(url: &RedisUrl, run: RunId) -> Result<Seen, RigError> {
    let cannot = |error| explain(url, error);
    let mut connection = dial(url.connection()).await.map_err(cannot)?;
    let info: InfoDict = ask(&mut connection, &cmd("INFO")).await.map_err(cannot)?;
    let field = |name: &str| info.get::<String>(name).unwrap_or_default();
    match field("redis_mode").as_str() {
        "" | "standalone" => {}
        mode => {
            return Err(unusable(
                url,
                &format!(
                    "it runs in {mode} mode, and these locks are for single servers; name a server that holds the data and is no part of a cluster"
                ),
            ));
        }
    }
    if field("role") == "slave" {
        let primary = format!("{}:{}", field("master_host"), field("master_port"));
        return Err(unusable(url, &format!("it is a replica of {primary}; name the primary")));
    }
    try_out(&mut connection, run).await.map_err(cannot)?;
    let settings = settings::of_redis(&mut connection, &info).await;
    let (kind, version) = match field("valkey_version") {
        version if !version.is_empty() => ("valkey", version),
        _ => ("redis-server", field("redis_version")),
    };
    let info = ServerInfo { settings, ..ServerInfo::new(kind, version) };
    let tcp = match url.connection().addr() {
        redis::ConnectionAddr::Tcp(host, port) => place(host, *port).await,
        _ => None,
    };
    Ok(Seen { info, tcp, process: field_of(&mut connection, "run_id").await })
}

/// What the locks and the clearing up need: writing, scripts, and looking through the keys.
async fn try_out(connection: &mut MultiplexedConnection, run: RunId) -> Result<(), RedisError> {
    let key = format!("{}{{probe}}", run.keys_of("0-probe"));
    let mut set = cmd("SET");
    // Should this program die here, the key goes by itself.
    set.arg(&key).arg("probe").arg("PX").arg(10_000);
    let () = ask(connection, &set).await?;
    let mut eval = cmd("EVAL");
    eval.arg("return redis.call('DEL', KEYS[1])").arg(1).arg(&key);
    let _: i64 = ask(connection, &eval).await?;
    let mut scan = cmd("SCAN");
    scan.arg(0).arg("MATCH").arg(&key).arg("COUNT").arg(1);
    let _: redis::Value = ask(connection, &scan).await?;
    Ok(())
}

async fn field_of(connection: &mut MultiplexedConnection, name: &str) -> String {
    let mut info = cmd("INFO");
    info.arg("server");
    let info: Option<InfoDict> = ask(connection, &info).await.ok();
    info.and_then(|info| info.get(name)).unwrap_or_default()
}

async fn ask<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    command: &Cmd,
) -> Result<T, RedisError> {
    command.query_async(connection).await
}

/// The address behind a name that answers: of several, the server may listen on one alone.
pub(super) async fn place(host: &str, port: u16) -> Option<std::net::SocketAddr> {
    TcpStream::connect((host, port)).await.ok()?.peer_addr().ok()
}

pub(super) fn unusable(url: &RedisUrl, why: &str) -> RigError {
    RigError::new(format!("cannot use {url}: {why}"))
}

/// What the server or the connection said, and what to do about it.
pub(super) fn explain(url: &RedisUrl, error: RedisError) -> RigError {
    let said = error.to_string();
    let speaks_tls = matches!(url.connection().addr(), redis::ConnectionAddr::TcpTls { .. });
    let has = |part: &str| said.contains(part);
    let why = match error.code() {
        Some("NOAUTH") => "it asks for a password; put one into the URL: redis://:PASSWORD@HOST",
        Some("WRONGPASS") => WRONG_PASSWORD,
        Some("READONLY") => "it is a read-only replica; name the primary",
        Some("NOPERM") => {
            "its user may not do what locks need; let it: ~lockproof:* +@read +@write +@scripting +info +client"
        }
        Some("OOM") => "its memory is full and it evicts nothing; make room, or raise maxmemory",
        Some("MISCONF" | "NOREPLICAS") => "it takes no writes at present; see its own words",
        Some("LOADING") => "it is still loading its data; try again",
        _ if error.kind() == ErrorKind::AuthenticationFailed => WRONG_PASSWORD,
        _ if has("invalid peer certificate") || has("UnknownIssuer") => {
            "its certificate is not trusted; name its authority in SSL_CERT_FILE, or append #insecure to the URL to use it unverified"
        }
        _ if has("InvalidContentType") || has("corrupt message") => {
            "it does not speak TLS on this port; write redis://"
        }
        _ if (error.is_io_error() || error.is_timeout()) && speaks_tls => {
            "it cannot be reached; see that it runs, and that it speaks TLS on this port (without TLS write redis://)"
        }
        _ if error.is_io_error() || error.is_timeout() => {
            "it cannot be reached; see that it runs, and that the port is right (for TLS write rediss://)"
        }
        _ => "it answered with an error",
    };
    // Its text alone: it names itself as its own cause, and one line would say everything twice.
    unusable(url, why).because(said.as_str())
}

const WRONG_PASSWORD: &str =
    "it refuses the user or the password; correct them in the URL (percent-encoded)";
