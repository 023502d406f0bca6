//! What the server remembers of one connection.

use std::sync::Arc;

use bytes::Bytes;

/// One connection's state: the selected database, the client's name.
///
/// Opened by [`Server::open_session`](crate::Server::open_session); dropping it is disconnecting.
#[derive(Debug)]
pub struct Session {
    pub(crate) id: u64,
    pub(crate) database: usize,
    pub(crate) name: Bytes,
    /// Set by QUIT: the connection ends once the reply is written.
    pub(crate) closing: bool,
    /// Counts the open sessions by its clones, so that a forgotten hand-back cannot make INFO lie;
    /// a script's session is not one.
    _presence: Option<Arc<()>>,
}

impl Session {
    pub(crate) const fn new(id: u64, presence: Arc<()>) -> Self {
        Self { id, database: 0, name: Bytes::new(), closing: false, _presence: Some(presence) }
    }

    /// The identity that CLIENT ID and HELLO report, unique within the server.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The session of a script: it starts in its caller's database, and its own SELECT does not
    /// move the caller.
    pub(crate) const fn of_script(id: u64, database: usize) -> Self {
        Self { id, database, name: Bytes::new(), closing: false, _presence: None }
    }

    /// Back to what it was when the connection opened: RESET.
    pub(crate) fn reset(&mut self) {
        self.database = 0;
        self.name = Bytes::new();
    }
}
