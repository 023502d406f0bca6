//! Coordination services, and the way to one.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::HolderId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Backends, Result};

/// A coordination service: one log that every member agrees on, with grants that end unless they are kept alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coordinator {
    /// etcd, by the JSON gateway of its v3 interface.
    Etcd,
    /// `ZooKeeper`.
    ZooKeeper,
}

impl Coordinator {
    /// Each of them, in documentation order.
    pub const ALL: [Self; 2] = [Self::Etcd, Self::ZooKeeper];

    /// As scenarios spell it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ZooKeeper => "zookeeper",
        }
    }

    /// What a TTL is counted in: a shorter one cannot be asked for, nor a fraction of it.
    #[must_use]
    pub const fn ttl_unit(self) -> Duration {
        match self {
            Self::Etcd => Duration::from_secs(1),
            Self::ZooKeeper => Duration::from_millis(1),
        }
    }
}

impl fmt::Display for Coordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A way to a coordination service: a new connection each time it is gone.
#[derive(Clone)]
pub struct Dial(Arc<dyn Fn() -> BoxFuture<'static, Result<ByteStream>> + Send + Sync>);

impl Dial {
    /// The way that `dial` goes.
    pub fn new<F>(dial: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<ByteStream>> + Send + 'static,
    {
        Self(Arc::new(move || dial().boxed()))
    }

    /// That of `holder`.
    pub(crate) fn of(backends: &Arc<dyn Backends>, holder: HolderId) -> Self {
        let backends = Arc::clone(backends);
        Self::new(move || {
            let backends = Arc::clone(&backends);
            async move { backends.coordinator(holder).await }
        })
    }

    /// Goes it.
    ///
    /// # Errors
    /// Nobody is there; definite.
    ///
    /// # Cancel safety
    /// A connection that was made is closed.
    pub async fn connect(&self) -> Result<ByteStream> {
        (self.0)().await
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dial").finish_non_exhaustive()
    }
}

/// A connection: bytes both ways, of whatever kind.
pub struct ByteStream(Box<dyn Stream>);

/// The two traits that a connection needs, as one, since a box takes one.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl ByteStream {
    /// Forgets what kind of connection this is.
    pub fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self(Box::new(stream))
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream").finish_non_exhaustive()
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
