//! Writes down what live cells do while they do it, on a thread of its own.
//!
//! ```text
//!   holders ─▶ their own pages (in memory)           the run's thread: encodes, compresses, writes
//!                    ▲──────────── every 100 ms ──────────── scribe ─▶ histories/….unfinished.ndjson.zst, faults.ndjson
//! ```
//!
//! Holders never wait for it and nothing is ever dropped: what it has not seen yet is on the holders' pages, which are kept
//! to the end of the cell anyway. A disk that is too slow makes the tail that a kill can lose longer, and nothing else;
//! otherwise that is what happened since the last look: [`EVERY`], and what one look takes.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use lockproof_env::live::stopwatch;
use lockproof_report::{CellName, HistoryStream, LineStream};
use lockproof_runner::{Glimpse, Running, Seen};

use crate::terminal;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(100);

/// The thread, and a way to tell it which cells there are. It ends with this.
#[derive(Debug)]
pub(crate) struct Scribe {
    /// None once it has been dismissed.
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// A cell that is looked at.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) scenario: String,
    pub(crate) strategy: String,
    pub(crate) running: Running,
    pub(crate) stream: HistoryStream,
}

#[derive(Debug)]
enum Order {
    Follow(usize, Box<Followed>),
    /// It has ended: what it did is told elsewhere. The answer is what could not be written of it, the first time.
    Leave(usize, Sender<Option<io::Error>>),
}

impl Scribe {
    pub(crate) fn start(faults: LineStream) -> io::Result<Self> {
        let (orders, received) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("lockproof-scribe".to_owned())
            .spawn(move || Desk { faults, cells: BTreeMap::new() }.work(&received))?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Looks at the cell number `index` from now on.
    pub(crate) fn follow(&self, index: usize, cell: Followed) {
        // Gone only where it panicked; a run goes on without.
        let _ =
            self.orders.as_ref().map(|orders| orders.send(Order::Follow(index, Box::new(cell))));
    }

    /// Looks at it no longer.
    ///
    /// # Errors
    /// What it did could not be written as it happened.
    pub(crate) fn leave(&self, index: usize) -> io::Result<()> {
        let (answer, told) = mpsc::channel();
        let sent = self.orders.as_ref().map(|orders| orders.send(Order::Leave(index, answer)));
        match sent.and_then(|_| told.recv().ok()).flatten() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Waits until it writes nothing any more.
    pub(crate) fn dismiss(&mut self) {
        self.orders = None;
        // A panic of it was told by the panic hook.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.dismiss();
    }
}

/// What the thread has before it.
#[derive(Debug)]
struct Desk {
    faults: LineStream,
    cells: BTreeMap<usize, Open>,
}

#[derive(Debug)]
struct Open {
    cell: Followed,
    seen: Seen,
    /// Nothing more is written of a cell once something could not be: what follows would not fit what is there.
    trouble: Option<io::Error>,
}

impl Desk {
    fn work(mut self, orders: &Receiver<Order>) {
        let (now, mut looked) = (stopwatch(), Duration::ZERO);
        loop {
            let next = (looked + EVERY).saturating_sub(now());
            match orders.recv_timeout(next) {
                Ok(Order::Follow(index, cell)) => {
                    let open = Open { cell: *cell, seen: Seen::default(), trouble: None };
                    self.cells.insert(index, open);
                }
                Ok(Order::Leave(index, answer)) => {
                    let left = self.cells.remove(&index);
                    // Whoever asked may be gone by a panic of its own.
                    let _ = answer.send(left.and_then(|open| open.trouble));
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.look();
                    looked = now();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn look(&mut self) {
        for open in self.cells.values_mut().filter(|open| open.trouble.is_none()) {
            if let Err(error) = open.look(&mut self.faults) {
                terminal::error(&format!("{error}; the run goes on"));
                open.trouble = Some(error);
            }
        }
    }
}

impl Open {
    fn look(&mut self, faults: &mut LineStream) -> io::Result<()> {
        let Followed { scenario, strategy, running, stream } = &mut self.cell;
        let Glimpse { excerpt, injections } = running.since(&mut self.seen);
        for (number, injection) in &injections {
            faults.append_fault(CellName { scenario, strategy }, *number, injection)?;
        }
        if excerpt.is_empty() {
            return Ok(());
        }
        stream.append(&excerpt.operations, &excerpt.attempts)
    }
}
