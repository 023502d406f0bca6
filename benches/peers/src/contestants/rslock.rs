//! rslock 0.10.

use ::rslock::LockManager;

use super::{TTL, client, key};
use crate::measure::{Contestant, Holder};
use crate::servers::Servers;

/// `holders` that share its manager, and so its connections, on `count` servers.
pub(crate) fn lock<'a>(
    name: &str,
    servers: &'a Servers,
    count: usize,
    holders: u32,
    nodelay: bool,
) -> Contestant<'a> {
    let clients = servers.addresses(count).into_iter().map(|address| client(address, nodelay));
    let manager = LockManager::from_clients(clients.collect());
    let theirs =
        (1..=holders).map(|holder| Theirs { manager: manager.clone(), key: key("rslock", holder) });
    Contestant::of(name, &servers.runtime, theirs.collect())
}

struct Theirs {
    manager: LockManager,
    key: String,
}

impl Holder for Theirs {
    async fn pair(&mut self) {
        let lock = self.manager.lock(self.key.as_str(), TTL).await.expect("nobody else wants it");
        self.manager.unlock(&lock).await;
    }
}
