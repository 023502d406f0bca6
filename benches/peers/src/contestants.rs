//! Those who take part: one file per library, each used as its documentation says.

pub(crate) mod fred;
pub(crate) mod ours;
pub(crate) mod raw;
pub(crate) mod redlock;
pub(crate) mod rslock;

mod pen;

use std::net::SocketAddr;
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{Client, IntoConnectionInfo as _};

/// One that no sample outlives.
pub(crate) const TTL: Duration = Duration::from_secs(30);
const TTL_MILLIS: u32 = 30_000;

/// By the lock's description: <https://redis.io/docs/latest/develop/use/patterns/distributed-locks/>.
const RELEASE: &str = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

/// A key that nobody else has.
fn key(whose: &str, holder: u32) -> String {
    format!("{whose}:slot-{holder}")
}

/// A client of the library that ours is made with, with ours's `TCP_NODELAY` or the library's default.
fn client(address: SocketAddr, nodelay: bool) -> Client {
    let info = format!("redis://{address}/").into_connection_info().expect("an address is a URL");
    let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(nodelay));
    Client::open(info).expect("it is one")
}
