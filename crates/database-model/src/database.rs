//! The door: sessions come in, statements are answered or wait.

use std::collections::BTreeMap;

use lockproof_model::{
    AttemptId, BookingId, BookingRow, BookingTable, FencingToken, Instant, SlotId, SlotRow,
};

use crate::advisory::AdvisoryLock;
use crate::answer::{Answer, Executed, SqlError};
use crate::layout::Layout;
use crate::leases::LeaseRow;
use crate::ledger::{Ledger, Stamp};
use crate::serializable::Serializable;
use crate::session::{Client, Session, SessionId, Stage};
use crate::slots::{Slot, Version};
use crate::statement::{Isolation, Statement};

/// Two tables and the sessions that use them.
#[derive(Debug)]
pub struct Database {
    pub(crate) layout: Layout,
    /// By number. The first, which no table has, keeps the bookings of all slots that there are not.
    pub(crate) slots: Vec<Slot>,
    pub(crate) ledger: Ledger,
    /// Requests whose keys are written, by whom or when.
    pub(crate) keys: BTreeMap<AttemptId, Stamp>,
    /// By the hash of the lock's name.
    pub(crate) leases: BTreeMap<u64, LeaseRow>,
    /// What it was last told.
    pub(crate) now: Instant,
    pub(crate) sessions: Vec<Session>,
    /// The number of the first of them; those before belonged to tables that are gone.
    first_session: u32,
    /// Commits that wrote something, so far.
    pub(crate) commits: u64,
    /// What open transactions see, by the last commit, oldest first.
    pub(crate) snapshots: Vec<u64>,
    pub(crate) next_xid: u64,
    /// Open transactions that have written, oldest first.
    pub(crate) xids: Vec<u64>,
    pub(crate) advisory: Vec<AdvisoryLock>,
    /// Sessions that wait, in the order in which they came.
    pub(crate) blocked: Vec<u32>,
    /// Counts how often these were looked through.
    pub(crate) looks: u64,
    /// Whether something was let go since they were.
    pub(crate) has_released: bool,
    pub(crate) woken: Vec<(SessionId, Result<Answer, SqlError>)>,
    pub(crate) serializable: Serializable,
}

/// How a statement goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Answer(Answer),
    Error(SqlError),
    Wait(crate::waits::Wait),
}

impl Step {
    pub(crate) const SERIALIZATION_FAILURE: Self = Self::Error(SqlError::SerializationFailure);
}

impl Database {
    /// Whose behaviour it has.
    pub const VERSION: &str = "15, modelled";

    /// Tables with every slot free, and nobody connected.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        let mut database = Self {
            layout,
            slots: Vec::new(),
            ledger: Ledger::default(),
            keys: BTreeMap::new(),
            leases: BTreeMap::new(),
            now: Instant::from_nanos(0),
            sessions: Vec::new(),
            first_session: 0,
            commits: 0,
            snapshots: Vec::new(),
            next_xid: 1,
            xids: Vec::new(),
            advisory: Vec::new(),
            blocked: Vec::new(),
            looks: 0,
            has_released: false,
            woken: Vec::new(),
            serializable: Serializable::default(),
        };
        database.reset(layout);
        database
    }

    /// Makes the tables anew, in the memory of the old ones. Every session ends: whoever uses one afterwards is told
    /// that there is no such connection, and nobody who waits is answered.
    pub fn reset(&mut self, layout: Layout) {
        self.layout = layout;
        self.slots.clear();
        self.slots.resize_with(layout.slots as usize + 1, || Slot::EMPTY);
        self.ledger.clear();
        self.keys.clear();
        self.leases.clear();
        self.first_session = self.name(self.sessions.len()).0;
        self.sessions.clear();
        self.commits = 0;
        self.snapshots.clear();
        self.next_xid = 1;
        self.xids.clear();
        self.advisory.clear();
        self.blocked.clear();
        self.looks = 0;
        self.has_released = false;
        self.woken.clear();
        self.serializable.clear();
    }

    /// Opens a session.
    pub fn connect(&mut self) -> SessionId {
        self.sessions.push(Session::new());
        self.name(self.sessions.len() - 1)
    }

    /// The client goes away. An open transaction is undone and every lock is freed, session locks too; but a statement
    /// that waits is noticed to have no client only once it is over, so its session stays in line until then (and one
    /// that stands alone, outside a transaction, is then committed). No effect on a session that has ended.
    pub fn disconnect(&mut self, session: SessionId) {
        let Some(at) = self.find(session) else { return };
        let session = &mut self.sessions[at as usize];
        if session.waiting.is_some() {
            // What was sent behind it has arrived, and is executed as well.
            session.client = Client::Gone;
        } else {
            self.end(at);
            self.wake();
        }
    }

    /// The server ends the session, as an administrator's `pg_terminate_backend` does: at once, also while it waits.
    /// What it was waiting for is not answered. This reaches a session whose client has gone, too; no effect on one that
    /// has ended.
    pub fn terminate(&mut self, session: SessionId) {
        if let Some(at) = self.place(session) {
            self.end(at);
            self.wake();
        }
    }

    /// The statement for which the session waits fails: the server lets it wait no longer (`lock_timeout`). No effect on
    /// a session that does not wait.
    pub fn give_up(&mut self, session: SessionId) {
        let Some(at) = self.place(session) else { return };
        if self.sessions[at as usize].waiting.take().is_some() {
            self.blocked.retain(|&other| other != at);
            self.fail(at);
            // Whoever stood in line behind it may go on.
            self.has_released = true;
            self.go_on(at, Executed::Done(Err(SqlError::LockNotAvailable)));
            self.wake();
        }
    }

    /// Executes a statement, as far as it comes. Behind one of its session that waits it waits too: statements of one
    /// session are executed in the order in which they were sent.
    pub fn execute(&mut self, session: SessionId, statement: Statement) -> Executed {
        let Some(at) = self.find(session) else {
            return Executed::Done(Err(SqlError::NoConnection));
        };
        let session = &mut self.sessions[at as usize];
        if session.waiting.is_some() {
            session.inbox.push_back(statement);
            return Executed::Blocked;
        }
        let executed = self.start(at, statement);
        self.wake();
        executed
    }

    /// What came of statements that had been waiting, in the order in which they went on, since this was asked last.
    /// One session's answers are in the order of its statements.
    pub fn take_woken(&mut self) -> Vec<(SessionId, Result<Answer, SqlError>)> {
        std::mem::take(&mut self.woken)
    }

    /// Whether the session is open, and its client there.
    #[must_use]
    pub fn is_connected(&self, session: SessionId) -> bool {
        self.find(session).is_some()
    }

    /// Whether the session has a transaction open, or one that has failed and was not ended.
    #[must_use]
    pub fn is_in_transaction(&self, session: SessionId) -> bool {
        let stage = self.find(session).map(|at| self.transaction(at).stage);
        matches!(stage, Some(Stage::Open | Stage::Failed))
    }

    /// Whether a statement of the session waits.
    #[must_use]
    pub fn is_blocked(&self, session: SessionId) -> bool {
        self.find(session).is_some_and(|at| self.sessions[at as usize].waiting.is_some())
    }

    /// What is committed.
    #[must_use]
    pub fn table(&self) -> BookingTable {
        let slots = (0_u32..).zip(&self.slots).skip(1);
        let confirmed = (1_i64..).zip(self.ledger.rows()).filter(|(_, row)| {
            matches!(row.created, Stamp::At(_)) && !matches!(row.deleted, Stamp::At(_))
        });
        BookingTable {
            slots: slots.map(|(slot, row)| self.slot_row(slot, &row.current)).collect(),
            bookings: confirmed
                .map(|(id, row)| BookingRow {
                    id: BookingId(id),
                    slot: row.values.slot,
                    span: row.values.span,
                    unit: row.values.unit,
                    holder: row.values.holder,
                    attempt: row.values.attempt,
                    fencing_token: row.values.fencing_token,
                })
                .collect(),
        }
    }

    pub(crate) fn slot_row(&self, slot: u32, version: &Version) -> SlotRow {
        SlotRow {
            slot: SlotId(slot),
            capacity: self.layout.capacity,
            version: version.columns.version,
            fence: FencingToken(version.columns.fence),
        }
    }

    /// Begins a statement of a session that does not wait.
    pub(crate) fn start(&mut self, at: u32, statement: Statement) -> Executed {
        let stage = self.transaction(at).stage;
        match statement {
            Statement::Commit => return Executed::Done(self.commit(at)),
            Statement::Rollback => {
                self.roll_back(at);
                return Executed::Done(Ok(Answer::RolledBack));
            }
            _ if stage == Stage::Failed => {
                return Executed::Done(Err(SqlError::InFailedTransaction));
            }
            Statement::Begin(isolation) => {
                if stage == Stage::Idle {
                    self.begin(at, isolation, Stage::Open);
                }
                return Executed::Done(Ok(Answer::Done));
            }
            _ if stage == Stage::Idle => self.begin(at, Isolation::ReadCommitted, Stage::Single),
            _ => {}
        }
        self.take_snapshot(at);
        let step = self.run(at, statement);
        self.conclude(at, statement, step)
    }

    fn run(&mut self, at: u32, statement: Statement) -> Step {
        match statement {
            Statement::ReadSlot { slot, lock } => self.read_slot(at, slot, lock),
            Statement::CountConfirmed { slot, span } => self.count_confirmed(at, slot, span),
            Statement::ReadSlotAndCount { slot, span } => self.read_slot_and_count(at, slot, span),
            Statement::LockConfirmed { slot, span } => self.lock_confirmed(at, slot, span),
            Statement::FindBooking { attempt } => self.find_by_attempt(at, attempt),
            Statement::ReserveKey { request } => self.reserve_key(at, request),
            Statement::RaiseFence { .. }
            | Statement::BumpVersion { .. }
            | Statement::SetVersion { .. }
            | Statement::AddVersion { .. } => self.update(at, statement),
            Statement::Insert(values) => self.insert(at, values),
            Statement::Delete { booking } => self.delete(at, booking),
            Statement::AdvisoryLock { key, scope } => self.lock_advisory(at, key, scope),
            Statement::TryAdvisoryLock { key, scope } => self.try_advisory(at, key, scope),
            Statement::AdvisoryUnlock { key } => self.unlock_advisory(at, key),
            Statement::AdvisoryUnlockAll => self.unlock_all_advisory(at),
            Statement::Lease(change) => self.change_lease(change),
            Statement::Begin(_) | Statement::Commit | Statement::Rollback => {
                Step::Answer(Answer::Done)
            }
        }
    }

    /// Goes on with a statement that had to wait.
    pub(crate) fn resume(&mut self, at: u32, statement: Statement) -> Step {
        match statement {
            Statement::ReadSlot { slot, lock } => self.read_slot_again(at, slot, lock),
            Statement::RaiseFence { .. }
            | Statement::BumpVersion { .. }
            | Statement::SetVersion { .. }
            | Statement::AddVersion { .. } => self.update_again(at, statement),
            Statement::Insert(values) => self.insert_again(at, values),
            Statement::LockConfirmed { .. } => self.lock_confirmed_again(at),
            Statement::Delete { booking } => self.delete_again(at, booking),
            // Never seen its row, or has none: from the top.
            _ => self.run(at, statement),
        }
    }

    /// Where a session is that has not ended.
    fn place(&self, session: SessionId) -> Option<u32> {
        let at = session.0.checked_sub(self.first_session)?;
        let known = self.sessions.get(at as usize)?;
        (known.client != Client::Ended).then_some(at)
    }

    /// The same, if its client is there.
    fn find(&self, session: SessionId) -> Option<u32> {
        let is_there = |&at: &u32| self.sessions[at as usize].client == Client::Connected;
        self.place(session).filter(is_there)
    }

    pub(crate) fn name(&self, at: usize) -> SessionId {
        let at = u32::try_from(at).expect("fewer than four thousand million sessions are opened");
        SessionId(self.first_session + at)
    }
}
