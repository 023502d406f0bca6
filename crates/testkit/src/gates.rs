//! A step gate whose keeper is the test: holders stop where the test has put a bar, and nothing depends on time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{HolderId, Point};
use lockproof_workload::{Occurrence, StepGate};
use tokio::sync::{mpsc, oneshot};

/// The gate that a load is given, and the list of everyone who came by.
#[derive(Clone, Debug)]
pub struct Passages(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Where holders have to wait for the keeper; others pass.
    bars: Vec<(HolderId, Point)>,
    passed: Mutex<Vec<Occurrence>>,
    stopped: mpsc::UnboundedSender<Arrival>,
}

/// Sees holders stop, in the order in which they do.
#[derive(Debug)]
pub struct Gatekeeper(mpsc::UnboundedReceiver<Arrival>);

/// A holder that waits at a bar. Dropping it lets the holder go on.
#[derive(Debug)]
pub struct Arrival {
    /// Where, and who.
    pub occurrence: Occurrence,
    /// Dropped, it opens the bar.
    _open: oneshot::Sender<()>,
}

impl Passages {
    /// A gate at which holders stop at `bars`, and who sees them.
    #[must_use]
    pub fn barred(bars: impl IntoIterator<Item = (HolderId, Point)>) -> (Self, Gatekeeper) {
        let (stopped, arrivals) = mpsc::unbounded_channel();
        let (bars, passed) = (bars.into_iter().collect(), Mutex::default());
        (Self(Arc::new(Inner { bars, passed, stopped })), Gatekeeper(arrivals))
    }

    /// Everyone who has come by so far, in order.
    #[must_use]
    pub fn passed(&self) -> Vec<Occurrence> {
        self.list().clone()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Occurrence>> {
        self.0.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StepGate for Passages {
    fn pass<'a>(&'a self, occurrence: &'a Occurrence) -> Option<BoxFuture<'a, ()>> {
        self.list().push(occurrence.clone());
        let place = (occurrence.holder, occurrence.point);
        if !self.0.bars.contains(&place) {
            return None;
        }
        let (open, opened) = oneshot::channel();
        let arrival = Arrival { occurrence: occurrence.clone(), _open: open };
        let wait = async move {
            // A keeper that has gone home bars nobody.
            drop(self.0.stopped.send(arrival));
            drop(opened.await);
        };
        Some(wait.boxed())
    }
}

impl Gatekeeper {
    /// The next holder to stop at a bar.
    ///
    /// # Panics
    /// When the gate is gone, so that none will come.
    pub async fn next(&mut self) -> Arrival {
        self.0.recv().await.expect("the gate is still there")
    }
}
