//! Who asks.

use std::collections::VecDeque;

use lockproof_model::AttemptId;

use crate::serializable::SxactId;
use crate::statement::{Isolation, Statement};
use crate::waits::Waiting;

/// A session's name. None is used twice by one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(crate) u32);

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) transaction: Transaction,
    /// The statement that waits, and for what.
    pub(crate) waiting: Option<Waiting>,
    /// Sent behind it.
    pub(crate) inbox: VecDeque<Statement>,
    /// Counts its transactions, so that who waits for one notices its end.
    pub(crate) serial: u64,
}

/// Whether anybody still listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Connected,
    /// Gone, which the session will notice when its statement is over.
    Gone,
    /// Gone, and so is the session.
    Ended,
}

/// What a session has in hand. The lists keep their memory from one transaction to the next.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) stage: Stage,
    pub(crate) isolation: Isolation,
    /// The last commit that it sees, from its first statement on; above READ COMMITTED only.
    pub(crate) snapshot: Option<u64>,
    /// Drawn with its first write or row lock.
    pub(crate) xid: Option<u64>,
    /// Rows of slots that it has locked.
    pub(crate) rows: Vec<u32>,
    /// Places of bookings that it has written.
    pub(crate) inserted: Vec<u32>,
    /// Places of bookings that it has deleted.
    pub(crate) deleted: Vec<u32>,
    /// Places of bookings that it has locked.
    pub(crate) locked: Vec<u32>,
    /// Places of bookings that its locking read has found, in the order of the index, and how many of them it is done
    /// with.
    pub(crate) found: Vec<u32>,
    pub(crate) looked_at: usize,
    /// Requests whose keys it has written.
    pub(crate) keys: Vec<AttemptId>,
    /// Whether it may have advisory locks.
    pub(crate) has_advisory: bool,
    pub(crate) sxact: Option<SxactId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// None is open.
    Idle,
    /// One that ends with its statement.
    Single,
    /// One that ends when it is told to.
    Open,
    /// One that can only be ended: a statement of it has failed.
    Failed,
}

impl Session {
    pub(crate) const fn new() -> Self {
        Self {
            client: Client::Connected,
            transaction: Transaction {
                stage: Stage::Idle,
                isolation: Isolation::ReadCommitted,
                snapshot: None,
                xid: None,
                rows: Vec::new(),
                inserted: Vec::new(),
                deleted: Vec::new(),
                locked: Vec::new(),
                found: Vec::new(),
                looked_at: 0,
                keys: Vec::new(),
                has_advisory: false,
                sxact: None,
            },
            waiting: None,
            inbox: VecDeque::new(),
            serial: 0,
        }
    }
}
