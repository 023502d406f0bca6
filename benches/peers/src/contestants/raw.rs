//! The same commands without a lock around them: what there is to lose.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Script, cmd};

use super::{RELEASE, TTL_MILLIS, client, key};
use crate::measure::{Contestant, Holder};
use crate::servers::Servers;

/// How long the client library waits for each answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Its default: half a second.
    Limited,
    /// For ever, which no lock can afford.
    Endless,
}

/// Tasks that share so many multiplexed connections, with `TCP_NODELAY`.
pub(crate) fn multiplexed<'a>(
    name: &str,
    servers: &'a Servers,
    holders: u32,
    connections: usize,
    patience: Patience,
) -> Contestant<'a> {
    let config = match patience {
        Patience::Limited => AsyncConnectionConfig::new(),
        Patience::Endless => AsyncConnectionConfig::new().set_response_timeout(None),
    };
    let release = Script::new(RELEASE);
    let open = async {
        let client = client(servers.addresses(1)[0], true);
        let mut lanes = Vec::new();
        for _ in 0..connections {
            let lane = client.get_multiplexed_async_connection_with_config(&config).await;
            lanes.push(lane.expect("the server answers"));
        }
        let digest = release.prepare_invoke().load_async(&mut lanes[0]).await.expect("it is Lua");
        let raw = (1..=holders).zip(lanes.iter().cycle()).map(|(holder, lane)| Raw {
            connection: lane.clone(),
            digest: digest.clone(),
            key: key(name, holder),
            owner: format!("{holder:032x}"),
        });
        raw.collect()
    };
    Contestant::of(name, &servers.runtime, servers.runtime.block_on(open))
}

struct Raw {
    connection: MultiplexedConnection,
    digest: String,
    key: String,
    owner: String,
}

impl Holder for Raw {
    async fn pair(&mut self) {
        let mut set = cmd("SET");
        set.arg(&self.key).arg(&self.owner).arg("NX").arg("PX").arg(TTL_MILLIS);
        let set: Option<()> = set.query_async(&mut self.connection).await.expect("an answer");
        assert!(set.is_some(), "{} is wanted by nobody else", self.key);
        let mut release = cmd("EVALSHA");
        release.arg(&self.digest).arg(1).arg(&self.key).arg(&self.owner);
        let gone: i64 = release.query_async(&mut self.connection).await.expect("an answer");
        assert_eq!(gone, 1, "{} expired", self.key);
    }
}

/// One thread on a socket of its own, with `TCP_NODELAY`, sending bytes that it has ready.
pub(crate) fn blocking<'a>(name: &str, servers: &'a Servers) -> Contestant<'a> {
    let mut socket = TcpStream::connect(servers.addresses(1)[0]).expect("the server listens");
    socket.set_nodelay(true).expect("it is a TCP socket");
    let (key, owner, ttl) = (key("raw", 0), format!("{:032x}", 0), TTL_MILLIS.to_string());
    ask(&mut socket, &packed(&["SCRIPT", "LOAD", RELEASE]));
    let set = packed(&["SET", &key, &owner, "NX", "PX", &ttl]);
    let digest = Script::new(RELEASE).get_hash().to_owned();
    let release = packed(&["EVALSHA", &digest, "1", &key, &owner]);
    Contestant::blocking(name, &servers.runtime, move || {
        assert_eq!(ask(&mut socket, &set), *b"+O", "{key} is wanted by nobody else");
        assert_eq!(ask(&mut socket, &release), *b":1", "{key} expired");
    })
}

fn packed(words: &[&str]) -> Vec<u8> {
    let mut command = Cmd::new();
    command.arg(words);
    command.get_packed_command()
}

/// The first two bytes of the answer; none of these comes in two pieces.
fn ask(socket: &mut TcpStream, request: &[u8]) -> [u8; 2] {
    socket.write_all(request).expect("the server listens");
    let mut answer = [0; 64];
    let len = socket.read(&mut answer).expect("the server answers");
    assert!(answer[..len].ends_with(b"\r\n"), "half an answer");
    [answer[0], answer[1]]
}
