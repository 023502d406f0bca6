//! Model servers that are used again.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use lockproof_redis_model::{Options, ScriptLimits, Server};

thread_local! {
    /// A Lua machine takes longer to set up than a whole schedule takes to run.
    static SPARE: RefCell<Vec<Server>> = const { RefCell::new(Vec::new()) };
}

/// More than any scenario has at one time.
const MOST: usize = 32;

/// A server that goes back to its thread's spares when dropped. Nothing tells it from a new one.
#[derive(Debug)]
pub(super) struct Pooled(Option<Server>);

impl Pooled {
    pub(super) fn take() -> Self {
        let spare = SPARE.with_borrow_mut(Vec::pop);
        let mut server = spare.unwrap_or_else(|| Server::new(options()));
        server.start_over();
        Self(Some(server))
    }
}

/// The scripts are the locks' own, so their memory needs no bound.
fn options() -> Options {
    Options {
        scripts: ScriptLimits { memory_bytes: 0, ..ScriptLimits::default() },
        ..Options::default()
    }
}

impl Deref for Pooled {
    type Target = Server;

    fn deref(&self) -> &Server {
        self.0.as_ref().expect("there until it is dropped")
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Server {
        self.0.as_mut().expect("there until it is dropped")
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let Some(server) = self.0.take() else { return };
        // At a thread's end there is nowhere to go, and nothing is lost.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < MOST {
                spare.push(server);
            }
        });
    }
}
