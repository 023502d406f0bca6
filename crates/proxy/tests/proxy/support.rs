//! A server that the test plays itself, behind a proxy.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are tests; clippy knows only their callers"
)]

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use lockproof_proxy::{Effect, Proxy, Recipe, ToxicId, ToxicRecord, ToxicSpec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until, timeout};

/// So long that a test that waits for it has failed.
const FOREVER: Duration = Duration::from_secs(30);

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) struct Scene {
    pub(crate) proxy: Proxy,
    server: TcpListener,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with_seed(1).await
    }

    pub(crate) async fn with_seed(seed: u64) -> Self {
        let server = TcpListener::bind(any_port()).await.unwrap();
        let upstream = server.local_addr().unwrap();
        Self { proxy: Proxy::start(any_port(), upstream, seed).await.unwrap(), server }
    }

    /// With a proxy whose port nobody else takes when it becomes free.
    pub(crate) async fn with_own_port(host: u8) -> Self {
        let own = if cfg!(target_os = "linux") { [127, 0, 0, host] } else { [127, 0, 0, 1] };
        let server = TcpListener::bind(any_port()).await.unwrap();
        let upstream = server.local_addr().unwrap();
        Self { proxy: Proxy::start((own, 0).into(), upstream, 1).await.unwrap(), server }
    }

    /// A connection: the client's end, and the server's.
    pub(crate) async fn connect(&self) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(self.proxy.address()).await.unwrap();
        let (served, _) = self.server.accept().await.unwrap();
        (client, served)
    }

    pub(crate) fn add(&self, recipe: impl Recipe) -> ToxicId {
        self.proxy.add_toxic(ToxicSpec::new(recipe))
    }

    pub(crate) fn remove(&self, id: ToxicId) -> ToxicRecord {
        self.proxy.remove_toxic(id).unwrap()
    }

    pub(crate) async fn until(&self, id: ToxicId, done: impl FnMut(&Effect) -> bool) {
        let mut effect = self.proxy.effect(id).unwrap();
        within(effect.wait_for(done)).await.unwrap();
    }
}

pub(crate) fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Fails a test that would wait for ever.
pub(crate) async fn within<T>(happens: impl Future<Output = T>) -> T {
    timeout(FOREVER, happens).await.expect("it never happens")
}

pub(crate) async fn send(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
}

pub(crate) async fn receive(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    within(stream.read_exact(&mut bytes)).await.unwrap();
    bytes
}

pub(crate) async fn receive_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    within(stream.read_to_end(&mut bytes)).await.unwrap();
    bytes
}

/// Waits until the stream says that it was reset, having brought nothing.
pub(crate) async fn receive_reset(stream: &mut TcpStream) {
    let read = within(stream.read_u8()).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// That nothing is here. Proves something only after a step that would have brought it.
pub(crate) fn assert_silent(stream: &TcpStream) {
    let read = stream.try_read(&mut [0]);
    assert_eq!(read.unwrap_err().kind(), ErrorKind::WouldBlock);
}

/// Time for what must not happen to betray itself. A right proxy passes without it.
pub(crate) async fn grace() {
    sleep_until(Instant::now() + 50 * MS).await;
}

/// Bytes of which each place can be told.
pub(crate) fn numbered(length: usize) -> Vec<u8> {
    let numbers = 0..u32::try_from(length.div_ceil(4)).unwrap();
    let mut bytes: Vec<_> = numbers.flat_map(u32::to_be_bytes).collect();
    bytes.truncate(length);
    bytes
}
