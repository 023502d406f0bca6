//! Straight to a Redis server, past every link: for faults, clearing up and looking.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use redis::IntoConnectionInfo;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ConnectionInfo, RedisResult};

const DIAL_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Keys looked at, and removed, in one step: large enough to be quick, small enough to hold nobody up.
const AT_ONCE: usize = 500;

pub(super) async fn dial(server: &ConnectionInfo) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(DIAL_WITHIN))
        .set_response_timeout(Some(ANSWER_WITHIN));
    let client = redis::Client::open(server.clone())?;
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// To a server of the run's own.
pub(super) async fn dial_address(address: SocketAddr) -> RedisResult<MultiplexedConnection> {
    dial(&format!("redis://{address}").into_connection_info()?).await
}

/// `CONFIG SET`.
pub(super) async fn set(
    connection: &mut MultiplexedConnection,
    name: &str,
    value: &str,
) -> RedisResult<()> {
    redis::cmd("CONFIG").arg("SET").arg(name).arg(value).query_async(connection).await
}

/// Every key that holds a string, which is all that a lock has, with what it holds.
pub(super) async fn strings(
    connection: &mut MultiplexedConnection,
) -> RedisResult<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut strings = BTreeMap::new();
    for keys in keys_under(connection, "").await?.chunks(AT_ONCE) {
        // One by one, in one step: a node of a cluster gives several slots no common answer.
        let mut pipeline = redis::pipe();
        for key in keys {
            pipeline.get(key);
        }
        let values: Vec<Option<Vec<u8>>> = pipeline.query_async(connection).await?;
        let held = keys.iter().zip(values);
        strings.extend(held.filter_map(|(key, value)| Some((key.clone(), value?))));
    }
    Ok(strings)
}

/// The server's wall clock, in milliseconds since 1970.
pub(super) async fn time_ms(connection: &mut MultiplexedConnection) -> RedisResult<i64> {
    let (seconds, micros): (i64, i64) = redis::cmd("TIME").query_async(connection).await?;
    Ok(seconds * 1000 + micros / 1000)
}

/// Every key that begins with `prefix`, found step by step: `KEYS` would hold the others up.
///
/// `prefix` is taken literally, so it must have no `*`, `?`, `[` or `\`; ours have none.
pub(super) async fn keys_under(
    connection: &mut MultiplexedConnection,
    prefix: &str,
) -> RedisResult<Vec<Vec<u8>>> {
    let (mut keys, mut cursor) = (Vec::new(), 0_u64);
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(format!("{prefix}*")).arg("COUNT").arg(AT_ONCE);
        let (next, found): (u64, Vec<Vec<u8>>) = scan.query_async(connection).await?;
        keys.extend(found);
        if next == 0 {
            break;
        }
        cursor = next;
    }
    // A scan may meet a key twice.
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

/// Removes `keys` and says how many were there.
pub(super) async fn remove(
    connection: &mut MultiplexedConnection,
    keys: &[Vec<u8>],
) -> RedisResult<usize> {
    let mut removed = 0;
    for keys in keys.chunks(AT_ONCE) {
        let there: usize = redis::cmd("DEL").arg(keys).query_async(connection).await?;
        removed += there;
    }
    Ok(removed)
}

/// A key that holds a string.
#[derive(Debug)]
pub(super) struct StringKey {
    pub(super) key: String,
    pub(super) value: String,
    /// Whether it has a TTL.
    pub(super) ends: bool,
}

/// Every key that begins with `prefix` and holds a string.
pub(super) async fn strings_under(
    server: &ConnectionInfo,
    prefix: &str,
) -> RedisResult<Vec<StringKey>> {
    let mut connection = dial(server).await?;
    let mut found = Vec::new();
    for key in keys_under(&mut connection, prefix).await? {
        let (value, ttl): (Option<String>, i64) = redis::pipe()
            .cmd("GET")
            .arg(&key)
            .cmd("PTTL")
            .arg(&key)
            .query_async(&mut connection)
            .await?;
        // It may have ended in between.
        let key = String::from_utf8_lossy(&key).into_owned();
        found.extend(value.map(|value| StringKey { key, value, ends: ttl != -1 }));
    }
    Ok(found)
}

/// Removes every key that begins with `prefix` and says how many there were.
pub(super) async fn remove_keys(server: &ConnectionInfo, prefix: &str) -> RedisResult<usize> {
    let mut connection = dial(server).await?;
    let keys = keys_under(&mut connection, prefix).await?;
    remove(&mut connection, &keys).await
}
