//! The model on loopback, as another program sees it.

use std::net::{Ipv4Addr, TcpListener};
use std::thread::JoinHandle;
use std::time::UNIX_EPOCH;

use lockproof_redis_model::{Options, Server, SharedServer, WallClock, serve};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Servers that know nothing of each other, on a thread of their own. They stop when this is dropped.
#[derive(Debug)]
pub(crate) struct Models {
    pub(crate) ports: Vec<u16>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Models {
    pub(crate) fn serve(count: usize) -> Self {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
        let listeners: Vec<_> = (0..count).map(|_| bind()).collect();
        let port = |listener: &TcpListener| listener.local_addr().expect("it is bound").port();
        let ports = listeners.iter().map(port).collect();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || serve_until(stopped, listeners));
        Self { ports, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.ports.iter().map(|port| format!("redis://127.0.0.1:{port}/")).collect()
    }
}

impl Drop for Models {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve_until(stopped: oneshot::Receiver<()>, listeners: Vec<TcpListener>) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("an event loop");
    runtime.block_on(async {
        let mut servers = JoinSet::new();
        for listener in listeners {
            listener.set_nonblocking(true).expect("a socket");
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            let server = SharedServer::new(Server::new(Options::default()));
            servers.spawn(serve(listener, server, clock));
        }
        drop(stopped.await);
    });
}

#[expect(clippy::disallowed_methods, reason = "other programs measure leases by the wall clock")]
fn clock() -> WallClock {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallClock::default().after(since)
}
