//! One contestant, in a process of its own.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use lockproof_proxy::{Choice, Deed, Pattern, Protocol, Proxy, Rule, ToxicSpec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::arguments::Role;

/// Says on stdout where it listens, and ends when stdin does: with its parent, however that ends.
pub(super) fn play(role: Role, upstream: SocketAddr) -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("the operating system grants an event loop");
    let ended = std::thread::spawn(|| {
        io::stdin().read_to_end(&mut Vec::new()).map(|_| std::process::exit(0))
    });
    runtime.block_on(async {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        match role {
            Role::Copy => copy(listen, upstream).await.expect("loopback has free ports"),
            Role::Proxy | Role::Rules => {
                let proxy = Proxy::start(listen, upstream, 1).await;
                let proxy = proxy.expect("loopback has free ports");
                if role == Role::Rules {
                    proxy.add_toxic(ToxicSpec::rule(Arc::new(rule())));
                }
                announce(proxy.address());
                std::future::pending::<()>().await;
            }
        }
    });
    drop(ended);
    ExitCode::SUCCESS
}

/// Every request is read for it, and none is meant.
fn rule() -> Rule {
    let pattern =
        Pattern::any(Protocol::Redis).named("DEL").and_then(|del| del.with_key("never:*"));
    Rule::new(pattern.expect("DEL has keys"), Choice::Every(1), Deed::DropReply)
}

#[expect(clippy::print_stdout, reason = "its parent reads it there")]
fn announce(address: SocketAddr) {
    println!("{address}");
    io::stdout().flush().expect("its parent reads");
}

/// The least that a proxy does.
async fn copy(listen: SocketAddr, upstream: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    announce(listener.local_addr()?);
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await?;
        connections.spawn(async move {
            let server = TcpStream::connect(upstream).await?;
            client.set_nodelay(true)?;
            server.set_nodelay(true)?;
            let (client, server) = (client.into_split(), server.into_split());
            tokio::try_join!(one_way(client.0, server.1), one_way(server.0, client.1)).map(drop)
        });
    }
}

async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}
