//! redlock 2.0, which blocks and dials anew for every command.

use ::redlock::RedLock;

use super::{TTL_MILLIS, key};
use crate::measure::Contestant;
use crate::servers::Servers;

/// One holder on `count` servers.
pub(crate) fn lock<'a>(name: &str, servers: &'a Servers, count: usize) -> Contestant<'a> {
    let urls = servers.addresses(count).into_iter().map(|address| format!("redis://{address}/"));
    let manager = RedLock::new(urls.collect());
    let key = key("redlock", 1);
    Contestant::blocking(name, &servers.runtime, move || {
        let lock = manager.lock(key.as_bytes(), TTL_MILLIS as usize).expect("the servers answer");
        manager.unlock(&lock.expect("nobody else wants it"));
    })
}
