//! The slots: their versions, and who has locked them.

use lockproof_model::SlotId;

/// No session, no booking.
pub(crate) const NONE: u32 = u32::MAX;

/// Whose list has the slot's bookings, among so many rows: its own, or the first one's where there is no such slot.
pub(crate) const fn shelf(slot: SlotId, rows: usize) -> usize {
    let number = slot.0 as usize;
    if number < rows { number } else { 0 }
}

/// A slot's row. Rows are made with the table and never go away.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The newest committed version.
    pub(crate) current: Version,
    /// What `owner` has written, if it has.
    pub(crate) pending: Option<Columns>,
    /// The session that has it FOR UPDATE or has changed it.
    pub(crate) owner: u32,
    /// Sessions that have it FOR SHARE.
    pub(crate) sharers: Vec<u32>,
    /// Older versions that a snapshot may still need, oldest first.
    pub(crate) older: Vec<Version>,
    /// Committed bookings.
    pub(crate) confirmed: u32,
    /// The ends of the list of its bookings.
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// The look-through of the waiting in which somebody was found to wait for it still.
    pub(crate) closed: u64,
    /// The same, of somebody who is still in the line of a version that is gone.
    pub(crate) followed: u64,
}

/// The columns that change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) version: i64,
    pub(crate) fence: u64,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Version {
    pub(crate) columns: Columns,
    /// By which commit.
    pub(crate) commit: u64,
    /// By which serializable transaction, or 0.
    pub(crate) writer: u32,
}

/// How a row is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Shared,
    Exclusive,
}

impl Slot {
    pub(crate) const EMPTY: Self = Self {
        current: Version { columns: Columns { version: 0, fence: 0 }, commit: 0, writer: 0 },
        pending: None,
        owner: NONE,
        sharers: Vec::new(),
        older: Vec::new(),
        confirmed: 0,
        first: NONE,
        last: NONE,
        closed: 0,
        followed: 0,
    };

    /// Whether nobody but `session` keeps it from being locked so.
    pub(crate) fn is_free_for(&self, session: u32, mode: Mode) -> bool {
        (self.owner == NONE || self.owner == session)
            && (mode == Mode::Shared || self.sharers.iter().all(|&sharer| sharer == session))
    }

    /// Whether `session` has it locked, in whatever way.
    pub(crate) fn is_held_by(&self, session: u32) -> bool {
        self.owner == session || self.sharers.contains(&session)
    }

    /// The version that `snapshot` sees, and the writer of the one after it.
    pub(crate) fn seen_by(&self, snapshot: u64) -> (Version, Option<u32>) {
        if self.current.commit <= snapshot {
            return (self.current, None);
        }
        let mut next = self.current;
        for version in self.older.iter().rev() {
            if version.commit <= snapshot {
                return (*version, Some(next.writer));
            }
            next = *version;
        }
        // A snapshot keeps what it needs, so this is the version that the table was made with.
        (next, None)
    }

    /// Makes what is pending the current version; `oldest` is the oldest snapshot that is still looked at.
    pub(crate) fn commit(&mut self, commit: u64, writer: u32, oldest: Option<u64>) {
        let Some(columns) = self.pending.take() else { return };
        match oldest {
            None => self.older.clear(),
            Some(oldest) => {
                self.older.push(self.current);
                let needless = self.older.iter().skip(1).take_while(|next| next.commit <= oldest);
                let needless = needless.count();
                self.older.drain(..needless);
            }
        }
        self.current = Version { columns, commit, writer };
    }

    pub(crate) fn release(&mut self, session: u32) {
        if self.owner == session {
            self.owner = NONE;
            self.pending = None;
        }
        self.sharers.retain(|&sharer| sharer != session);
    }
}
