//! The thread on which embedded servers and proxies run.

use std::future::Future;
use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// A runtime on a thread of its own, apart from the holders': a server that shared their event loop would answer
/// only when no holder runs, which is not how servers behave.
#[derive(Debug)]
pub(super) struct Background {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread =
            std::thread::Builder::new().name("lockproof-servers".to_owned()).spawn(move || {
                // Ends when the sender is used or dropped; the runtime then drops every task.
                drop(runtime.block_on(stopped));
            })?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Runs `future` there and awaits its output here.
    ///
    /// # Panics
    /// When `future` panics.
    ///
    /// # Cancel safety
    /// Dropped, the future goes on there.
    pub(super) async fn run<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future).await.expect("a server's start neither panics nor is aborted")
    }

    /// Runs `future` there and stands still here until it has ended.
    ///
    /// # Panics
    /// When `future` panics.
    pub(super) fn wait<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (sender, output) = mpsc::channel();
        self.handle.spawn(async move { drop(sender.send(future.await)) });
        output.recv().expect("what is waited for neither panics nor is aborted")
    }

    pub(super) const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; there is nothing to add while being dropped.
            drop(thread.join());
        }
    }
}
