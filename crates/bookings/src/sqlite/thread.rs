//! A connection on a thread of its own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::Kind;
use crate::{BookingError, Result};

type Job = Box<dyn FnOnce(&mut Worker) + Send>;

/// The way to a connection's thread. Jobs are done in the order in which they are sent, to the end, whether
/// or not anybody still waits for the answer. Dropping this ends the thread after the jobs that were sent,
/// which closes the connection and so rolls back what is open.
pub(super) struct Thread {
    jobs: mpsc::Sender<Job>,
}

/// What lives on the thread.
pub(super) struct Worker {
    // Dropped in this order: the file is closed before the turn passes on.
    pub(super) connection: rusqlite::Connection,
    turn: Option<OwnedSemaphorePermit>,
}

impl Thread {
    /// Starts a thread and opens the file on it.
    pub(super) async fn start(path: PathBuf) -> Result<Self> {
        let (jobs, receiver) = mpsc::channel::<Job>();
        let (opened, answer) = oneshot::channel();
        let file = path.clone();
        let body = move || match open(&file) {
            Ok(connection) => {
                let mut worker = Worker { connection, turn: None };
                drop(opened.send(Ok(())));
                for job in receiver {
                    job(&mut worker);
                }
            }
            Err(error) => drop(opened.send(Err(error))),
        };
        std::thread::Builder::new()
            .name("lockproof-sqlite".to_owned())
            .spawn(body)
            .map_err(|source| Kind::Thread { path, source })?;
        answer
            .await
            .map_err(|_| Kind::ThreadStopped)?
            .map_err(|error| BookingError::sqlite("open the file", error))?;
        Ok(Self { jobs })
    }

    /// Does `job` on the thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Result<T> {
        let (sender, answer) = oneshot::channel();
        // Nobody waiting for the answer is what a dropped future leaves behind.
        let job: Job = Box::new(move |worker| drop(sender.send(job(worker))));
        self.jobs.send(job).map_err(|_| Kind::ThreadStopped)?;
        answer.await.map_err(|_| Kind::ThreadStopped.into())
    }
}

impl Worker {
    /// Keeps the turn to write until the transaction has ended. It is kept here, not by the future that
    /// waits, so that a dropped future cannot pass it on while its transaction still stands.
    pub(super) fn keep_turn(&mut self, turn: OwnedSemaphorePermit) {
        self.turn = Some(turn);
    }

    /// Commits. A transaction that could not be committed is rolled back if it still stands.
    pub(super) fn commit(&mut self) -> rusqlite::Result<()> {
        let committed = self.connection.execute_batch("COMMIT");
        if committed.is_err() {
            drop(self.rollback());
        }
        self.turn = None;
        committed
    }

    /// Rolls back what is open, if anything is.
    pub(super) fn rollback(&mut self) -> rusqlite::Result<()> {
        let open = !self.connection.is_autocommit();
        let undone = if open { self.connection.execute_batch("ROLLBACK") } else { Ok(()) };
        self.turn = None;
        undone
    }
}

fn open(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path)?;
    // Waiting is the store's business: SQLite would sleep on this thread, unfairly and out of sight.
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread").finish_non_exhaustive()
    }
}
