//! What is to be done when the program is killed, and cannot do it itself.
//!
//! A parent-death signal reaches one process, and not one that stands still: it stays pending. Whoever can leave more
//! behind than that, such as a Postgres whose backends were stopped one by one, starts a guardian: a shell that reads
//! from a pipe whose other end is the program's alone. The pipe ends with the program, however that ends.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Stdio};
use std::sync::{Mutex, PoisonError};

use super::children::{DeathSignal, Running, Spawner};
use crate::RigError;

/// A shell that waits for the end of the program. Dropping it ends it without a deed.
#[derive(Debug)]
pub(super) struct Guardian {
    /// What it reads.
    orders: Mutex<Option<ChildStdin>>,
    running: Running,
}

impl Guardian {
    /// One that keeps the last line it was told in `$last`, and runs `deed` when the program is gone.
    pub(super) fn start(spawner: &Spawner, deed: &str) -> Result<Self, RigError> {
        let cannot = |error| RigError::new("cannot start a guardian").because(error);
        let script = format!("last=; while read -r line; do last=$line; done\n{deed}");
        let mut running = spawner
            .spawn(Path::new("/bin/sh"), None, DeathSignal::None, |command| {
                command.arg("-c").arg(&script).stdin(Stdio::piped());
                command.stdout(Stdio::null()).stderr(Stdio::null());
                // Out of the terminal's reach: Ctrl-C is what it may be needed after.
                command.process_group(0);
            })
            .map_err(cannot)?;
        let orders = Mutex::new(running.stdin());
        Ok(Self { orders, running })
    }

    /// Tells it what `$last` is from now on.
    pub(super) fn tell(&self, line: &str) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(orders) = orders.as_mut()
            && let Err(error) = writeln!(orders, "{line}")
        {
            tracing::warn!(%error, "a guardian is gone");
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        // Before the pipe ends, or it would take that for the program's end.
        drop(self.running.kill());
    }
}
