//! The line to an adapter.

use std::fmt;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// Both ends of a line to a program that was started for one holder.
pub struct AdapterLine {
    /// Where that holder finds the Redis servers, by number: URLs, which may carry passwords.
    pub redis: Vec<String>,
    /// Lines for the program. Closed when nobody holds it any more; the program is to end then.
    pub tells: UnboundedSender<String>,
    /// Lines of the program; the last is an error that says how it ended.
    pub hears: UnboundedReceiver<Result<String, String>>,
}

impl fmt::Debug for AdapterLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdapterLine").field("redis", &self.redis.len()).finish_non_exhaustive()
    }
}
