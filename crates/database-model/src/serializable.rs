//! SERIALIZABLE: who has read what somebody else has written, and when that is dangerous.
//!
//! Snapshot isolation with a look-out for two rw-antidependencies in a row between transactions that overlap, the
//! last of which commits first: `T1 ─rw─▶ T2 ─rw─▶ T3`. Every outcome that no serial order explains has such a
//! structure (Fekete et al., TODS 2005); not every such structure is one, so some transactions are refused for
//! nothing (Cahill, Röhm and Fekete, SIGMOD 2008).
//!
//! This follows PostgreSQL's `src/backend/storage/lmgr/predicate.c` closely enough that the same transaction is refused
//! at the same statement: the checks, their order and their approximations are the server's (Ports and Grittner, VLDB
//! 2012). Left out, since they cannot be asked for here: transactions declared READ ONLY, prepared transactions, and
//! what is summarised when there is too little memory.

mod checks;
mod reads;

use std::collections::VecDeque;

/// A serializable transaction. The first is 1; 0 stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SxactId(pub(crate) u32);

/// The serializable transactions that may still matter to one that is open.
#[derive(Debug, Default)]
pub(crate) struct Serializable {
    /// In the order of their beginning.
    sxacts: VecDeque<Sxact>,
    /// How many have been forgotten before the first of them.
    forgotten: u32,
    /// Counts preparations and commits.
    sequence: u64,
    /// Counts locks.
    locks: u64,
    /// Whether a booking's key, and then its slot, have ever been added to an index.
    has_keys: bool,
    has_bookings: bool,
    /// Those that were forgotten, for their memory.
    spare: Vec<Sxact>,
    /// Those who have read what is being written, for its memory as well.
    readers: Vec<(u64, SxactId)>,
}

/// What is known of one of them.
#[derive(Debug)]
struct Sxact {
    state: State,
    /// The last commit that it sees.
    snapshot: u64,
    /// The oldest transaction that was open when it began.
    xmin: u64,
    /// The next transaction's number when it ended.
    finished_before: u64,
    /// How far `sequence` had come when it began, when it was ready to commit and when it did.
    began: u64,
    prepared: u64,
    committed: u64,
    /// The first commit among those that it has an antidependency on and that had committed before it.
    earliest_out: Option<u64>,
    /// Another one needs it to fail; it does so as soon as it notices.
    is_doomed: bool,
    has_written: bool,
    /// Who has written what it has read.
    out: Vec<SxactId>,
    /// Who has read what it has written.
    into: Vec<SxactId>,
    /// What it has read.
    locks: Vec<Lock>,
}

/// A predicate lock, which stops nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lock {
    target: Target,
    /// Readers are looked at in the order in which they took theirs, which can decide who is refused.
    order: u64,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// The version of a slot's row that a commit has made.
    Version { row: u32, commit: u64 },
    /// The bookings of a slot.
    Bookings { slot: u32 },
    /// Whatever keys bookings have.
    Keys,
    /// The booking at this place.
    Booking { place: u32 },
}

/// An index in which there has never been anything has no page: it is locked as a whole, and looked at last.
const WHOLE_INDEX: u64 = 1 << 63;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Committed,
    /// Rolled back, or forgotten: of no interest to anybody.
    Gone,
}

impl Sxact {
    const fn new() -> Self {
        Self {
            state: State::Open,
            snapshot: 0,
            xmin: 0,
            finished_before: 0,
            began: 0,
            prepared: 0,
            committed: 0,
            earliest_out: None,
            is_doomed: false,
            has_written: false,
            out: Vec::new(),
            into: Vec::new(),
            locks: Vec::new(),
        }
    }

    /// The same memory, for another one.
    fn renew(mut self) -> Self {
        self.out.clear();
        self.into.clear();
        self.locks.clear();
        Self { out: self.out, into: self.into, locks: self.locks, ..Self::new() }
    }

    fn is_committed(&self) -> bool {
        self.state == State::Committed
    }

    /// Known only once it has committed.
    fn is_read_only(&self) -> bool {
        self.is_committed() && !self.has_written
    }
}

impl Serializable {
    pub(crate) fn clear(&mut self) {
        self.sxacts.clear();
        (self.forgotten, self.sequence, self.locks) = (0, 0, 0);
        (self.has_keys, self.has_bookings) = (false, false);
    }

    /// A transaction takes its snapshot.
    pub(crate) fn begin(&mut self, snapshot: u64, xmin: u64) -> SxactId {
        let fresh = self.spare.pop().map_or_else(Sxact::new, Sxact::renew);
        self.sxacts.push_back(Sxact { snapshot, xmin, began: self.sequence, ..fresh });
        let count = u32::try_from(self.sxacts.len()).expect("each belongs to a session");
        SxactId(self.forgotten + count)
    }

    fn place(&self, id: SxactId) -> Option<usize> {
        Some(id.0.checked_sub(self.forgotten + 1)? as usize)
    }

    fn get(&self, id: SxactId) -> Option<&Sxact> {
        self.sxacts.get(self.place(id)?).filter(|sxact| sxact.state != State::Gone)
    }

    fn get_mut(&mut self, id: SxactId) -> Option<&mut Sxact> {
        let place = self.place(id)?;
        self.sxacts.get_mut(place).filter(|sxact| sxact.state != State::Gone)
    }

    /// `ReleasePredicateLocks` after a commit; `next_xid` is the next transaction's number.
    pub(crate) fn commit(&mut self, id: SxactId, next_xid: u64) {
        self.sequence += 1;
        let sequence = self.sequence;
        let Some(sxact) = self.get_mut(id) else { return };
        sxact.state = State::Committed;
        sxact.finished_before = next_xid;
        sxact.committed = sequence;
        let is_read_only = sxact.is_read_only();
        for out in std::mem::take(&mut sxact.out) {
            let Some((prepared, began, is_committed)) =
                self.get(out).map(|other| (other.prepared, other.began, other.is_committed()))
            else {
                continue;
            };
            let Some(sxact) = self.get_mut(id) else { return };
            if is_committed && !is_read_only {
                let earliest = sxact.earliest_out.map_or(prepared, |other| other.min(prepared));
                sxact.earliest_out = Some(earliest);
            }
            if is_committed || began >= sequence {
                self.forget_conflict(id, out);
            } else {
                sxact.out.push(out);
            }
        }
        let Some(sxact) = self.get_mut(id) else { return };
        for into in std::mem::take(&mut sxact.into) {
            let is_over = self.get(into).is_none_or(Sxact::is_committed);
            if is_over {
                self.forget_conflict(into, id);
            } else if let Some(sxact) = self.get_mut(id) {
                sxact.into.push(into);
            }
        }
        self.forget_old();
    }

    /// The same after a rollback: nothing that it did matters any more.
    pub(crate) fn roll_back(&mut self, id: SxactId) {
        let Some(sxact) = self.get_mut(id) else { return };
        let (out, into) = (std::mem::take(&mut sxact.out), std::mem::take(&mut sxact.into));
        sxact.state = State::Gone;
        for other in out {
            self.forget_conflict(id, other);
        }
        for other in into {
            self.forget_conflict(other, id);
        }
        self.forget_old();
    }

    fn forget_conflict(&mut self, reader: SxactId, writer: SxactId) {
        if let Some(reader) = self.get_mut(reader) {
            reader.out.retain(|&other| other != writer);
        }
        if let Some(writer) = self.get_mut(writer) {
            writer.into.retain(|&other| other != reader);
        }
    }

    /// Forgets those that had ended before any open one began.
    fn forget_old(&mut self) {
        let open = self.sxacts.iter().filter(|sxact| sxact.state == State::Open);
        let oldest = open.map(|sxact| sxact.xmin).min();
        while let Some(first) = self.sxacts.front() {
            let is_old = match first.state {
                State::Open => false,
                State::Gone => true,
                State::Committed => oldest.is_none_or(|xmin| first.finished_before <= xmin),
            };
            if !is_old {
                return;
            }
            self.spare.extend(self.sxacts.pop_front());
            self.forgotten += 1;
        }
    }
}
