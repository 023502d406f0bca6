//! The same commands through fred 10.

use ::fred::prelude::{
    Builder, Client, ClientLike as _, Config, Expiration, KeysInterface as _, LuaInterface as _,
    ServerConfig, SetOptions, TcpConfig,
};

use super::{RELEASE, TTL_MILLIS, key};
use crate::measure::{Contestant, Holder};
use crate::servers::Servers;

/// Tasks that share one client, with `TCP_NODELAY`.
pub(crate) fn multiplexed<'a>(name: &str, servers: &'a Servers, holders: u32) -> Contestant<'a> {
    let address = servers.addresses(1)[0];
    let open = async {
        let server = ServerConfig::new_centralized(address.ip().to_string(), address.port());
        let client = Builder::from_config(Config { server, ..Config::default() })
            .with_connection_config(|connection| {
                connection.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() };
            })
            .build()
            .expect("the configuration is whole");
        client.init().await.expect("the server answers");
        let digest: String = client.script_load(RELEASE).await.expect("it is Lua");
        let theirs = (1..=holders).map(|holder| Theirs {
            client: client.clone(),
            digest: digest.clone(),
            key: key("fred", holder),
            owner: format!("{holder:032x}"),
        });
        theirs.collect()
    };
    Contestant::of(name, &servers.runtime, servers.runtime.block_on(open))
}

struct Theirs {
    client: Client,
    digest: String,
    key: String,
    owner: String,
}

impl Holder for Theirs {
    async fn pair(&mut self) {
        let (key, owner) = (self.key.as_str(), self.owner.as_str());
        let ends = Some(Expiration::PX(TTL_MILLIS.into()));
        let set = self.client.set(key, owner, ends, Some(SetOptions::NX), false).await;
        let set: Option<String> = set.expect("the server answers");
        assert!(set.is_some(), "{key} is wanted by nobody else");
        let gone = self.client.evalsha(self.digest.as_str(), key, owner).await;
        let gone: i64 = gone.expect("the server answers");
        assert_eq!(gone, 1, "{key} expired");
    }
}
