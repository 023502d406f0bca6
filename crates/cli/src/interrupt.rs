//! Ctrl-C and its kin.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::Notify;

use crate::exit::Exit;
use crate::terminal;

/// The first signal asks the run to heal, stop its servers and still write its report; the second stops at once,
/// and the servers with it.
#[derive(Debug)]
pub(crate) struct Interrupt {
    /// Raised by the first signal.
    pub(crate) halt: Arc<AtomicBool>,
    signal: Arc<AtomicI32>,
    told: Arc<Notify>,
}

impl Interrupt {
    /// What a command that writes a report does when it is interrupted.
    pub(crate) const REPORTING: &str = "healing faults, ending attempts, writing the report";

    /// Listens from now on, on a thread that ends with the program. The first signal is answered by `stopping`: what
    /// is being done until the program ends.
    pub(crate) fn listen(stopping: &'static str) -> io::Result<Self> {
        let interrupt = Self { halt: Arc::default(), signal: Arc::default(), told: Arc::default() };
        let (halt, seen) = (Arc::clone(&interrupt.halt), Arc::clone(&interrupt.signal));
        let told = Arc::clone(&interrupt.told);
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        std::thread::Builder::new().name("lockproof-signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                if halt.swap(true, Ordering::Relaxed) {
                    std::process::exit(128 + signal);
                }
                seen.store(signal, Ordering::Relaxed);
                told.notify_one();
                terminal::error(&format!("stopping: {stopping} (again to stop at once)"));
            }
        })?;
        Ok(interrupt)
    }

    /// Completes at the first signal.
    pub(crate) async fn happened(&self) {
        self.told.notified().await;
    }

    /// How the program ends when it was interrupted.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            SIGTERM => Some(Exit::Terminated),
            _ => Some(Exit::Interrupted),
        }
    }
}
