//! Why a slot was sold twice, as far as the history shows it.

use std::fmt;
use std::time::Duration;

use lockproof_model::{AttemptId, Effect, HolderId, Instant, Operation, OperationId, Step};

use crate::sale::{Oversold, Sale};
use crate::words;

/// The reason, the attempts that it speaks of, and the operation at which it shows.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) at: Option<OperationId>,
    pub(crate) attempts: Vec<AttemptId>,
    pub(crate) why: Why,
}

/// The reasons, from the most fundamental: the first that applies is the one that is told.
#[derive(Clone, Debug)]
pub(crate) enum Why {
    /// One attempt wrote more than one row.
    WroteTwice { writer: HolderId },
    /// A writer had not been granted the lock.
    NoLock { writer: HolderId },
    /// Two writers were inside, both by promise.
    Together { first: HolderId, second: HolderId, overlap: Duration },
    /// A writer's lease had ended.
    LeaseEnded { writer: HolderId, late: Late },
    /// A writer gave the lock back before its row stood.
    ReleasedEarly { writer: HolderId },
    /// A writer's check had found no room.
    IgnoredCheck { writer: HolderId },
    /// A writer had checked before it was granted the lock.
    CheckedBefore { writer: HolderId, by: Duration },
    /// A writer's check did not see rows that stood.
    StaleCheck { writer: HolderId, seen: u32, stood: usize },
    /// The history does not show it.
    Hidden,
}

/// Of a slot sold thousands of times, so many sales are compared with all others. The reason shows in those.
const COMPARED: usize = 100;

/// Where the end of the lease fell.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Late {
    BeforeInsert(Duration),
    BeforeCommit(Duration),
    DuringCommit,
}

impl Cause {
    /// Looks for the reason.
    pub(crate) fn of(oversold: &Oversold<'_>) -> Self {
        let sales = &oversold.sales;
        wrote_twice(oversold)
            .or_else(|| sales.iter().find_map(no_lock))
            .or_else(|| together(sales))
            .or_else(|| sales.iter().rev().take(COMPARED).find_map(|sale| lease_ended(sale, sales)))
            .or_else(|| sales.iter().find_map(released_early))
            .or_else(|| sales.iter().find_map(ignored_check))
            .or_else(|| sales.iter().rev().find_map(checked_before))
            .or_else(|| sales.iter().take(COMPARED).find_map(|sale| stale_check(sale, sales)))
            .unwrap_or(Self { at: None, attempts: Vec::new(), why: Why::Hidden })
    }

    fn by(sale: &Sale<'_>, at: Option<&Operation>, why: Why) -> Self {
        let at = at.map(|operation| operation.id);
        Self { at, attempts: vec![sale.row.attempt], why }
    }

    /// The same in the few words that fit beside a step of a time line.
    pub(crate) fn note(&self) -> String {
        match &self.why {
            Why::WroteTwice { .. } => "a second row of one attempt".to_owned(),
            Why::NoLock { .. } => "it held no lock".to_owned(),
            Why::Together { first, .. } => format!("{first} was still inside"),
            Why::LeaseEnded { late, .. } => format!("its lease ended {}", late.note()),
            Why::ReleasedEarly { .. } => "released before its row stood".to_owned(),
            Why::IgnoredCheck { .. } => "its check had found no room".to_owned(),
            Why::CheckedBefore { by, .. } => {
                format!("its check came {} before", words::duration(*by))
            }
            Why::StaleCheck { seen, stood, .. } => format!("it saw {seen} of {stood}"),
            Why::Hidden => String::new(),
        }
    }
}

/// The reason as the second half of a sentence.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::WroteTwice { writer } => {
                write!(f, "{writer} wrote more than one row for one attempt")
            }
            Why::NoLock { writer } => write!(f, "{writer} wrote without holding the lock"),
            Why::Together { first, second, overlap } => {
                let overlap = words::duration(*overlap);
                write!(f, "nothing kept {first} and {second} apart, both inside for {overlap}")
            }
            Why::LeaseEnded { writer, late } => write!(f, "{writer}'s lease ended {late}"),
            Why::ReleasedEarly { writer } => {
                write!(f, "{writer} released the lock before its row stood")
            }
            Why::IgnoredCheck { writer } => {
                write!(f, "{writer} wrote although its check had found no room")
            }
            Why::CheckedBefore { writer, by } => {
                let by = words::duration(*by);
                write!(f, "{writer} had checked {by} before it was granted the lock")
            }
            Why::StaleCheck { writer, seen, stood } => {
                write!(f, "{writer}'s check saw {seen} of {stood} bookings that stood before it")
            }
            Why::Hidden => f.write_str("the history does not show why"),
        }
    }
}

impl Late {
    fn note(self) -> String {
        match self {
            Self::BeforeInsert(by) | Self::BeforeCommit(by) => {
                format!("{} before", words::duration(by))
            }
            Self::DuringCommit => "meanwhile".to_owned(),
        }
    }
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeInsert(by) => write!(f, "{} before it wrote", words::duration(*by)),
            Self::BeforeCommit(by) => write!(f, "{} before it committed", words::duration(*by)),
            Self::DuringCommit => f.write_str("while its commit was under way"),
        }
    }
}

fn wrote_twice(oversold: &Oversold<'_>) -> Option<Cause> {
    let mut sales: Vec<_> = oversold.sales.iter().collect();
    sales.sort_by_key(|sale| sale.row.attempt);
    sales.dedup_by_key(|sale| sale.row.attempt);
    // Without the second rows there would be no excess, so that they alone are the reason.
    if u32::try_from(sales.len()).is_ok_and(|attempts| attempts > oversold.capacity) {
        return None;
    }
    let twice = oversold.duplicates().first()?;
    let at = twice.commit.or(twice.insert);
    Some(Cause::by(twice, at, Why::WroteTwice { writer: twice.row.holder }))
}

fn no_lock(sale: &Sale<'_>) -> Option<Cause> {
    let write = sale.insert.or(sale.commit)?;
    let is_locked = sale.hold.is_some_and(|hold| hold.granted <= write.invoked);
    (!is_locked).then(|| Cause::by(sale, Some(write), Why::NoLock { writer: sale.row.holder }))
}

fn together(sales: &[Sale<'_>]) -> Option<Cause> {
    let mut holds: Vec<_> = sales.iter().filter_map(|sale| sale.hold).collect();
    holds.sort_by_key(|hold| (hold.granted, hold.acquire.id));
    let (first, rest) = holds.split_first()?;
    let mut longest = first;
    for hold in rest {
        let is_other = hold.holder() != longest.holder();
        if is_other && longest.is_trusted_at(hold.granted) && hold.is_trusted_at(hold.granted) {
            let end = longest.trusted_until.min(hold.trusted_until);
            let overlap = end.saturating_since(hold.granted);
            let (first, second) = (longest.holder(), hold.holder());
            let attempts = vec![longest.acquire.attempt, hold.acquire.attempt];
            let why = Why::Together { first, second, overlap };
            return Some(Cause { at: Some(hold.acquire.id), attempts, why });
        }
        if hold.trusted_until > longest.trusted_until {
            longest = hold;
        }
    }
    None
}

fn lease_ended(sale: &Sale<'_>, sales: &[Sale<'_>]) -> Option<Cause> {
    let end = sale.hold?.valid_until;
    let commit = sale.commit;
    let stood =
        commit.map_or(sale.stood(), |commit| commit.completed).unwrap_or(Instant::FAR_FUTURE);
    let after = |instant: Instant| instant.saturating_since(end);
    let (at, late) = match (sale.insert, commit) {
        (Some(insert), _) if insert.invoked > end => {
            (insert, Late::BeforeInsert(after(insert.invoked)))
        }
        (_, Some(commit)) if commit.invoked > end => {
            (commit, Late::BeforeCommit(after(commit.invoked)))
        }
        (_, Some(commit)) if stood > end => (commit, Late::DuringCommit),
        _ => return None,
    };
    // A late write harms only when somebody else was at it between the end of the lease and the write.
    let was_there = |other: &Sale<'_>| {
        other.row.attempt != sale.row.attempt
            && other.entered().is_some_and(|entered| entered <= stood)
            && other.stood().is_some_and(|other_stood| other_stood >= end)
    };
    let other = sales.iter().find(|other| was_there(other))?;
    let why = Why::LeaseEnded { writer: sale.row.holder, late };
    let attempts = vec![sale.row.attempt, other.row.attempt];
    Some(Cause { at: Some(at.id), attempts, why })
}

fn released_early(sale: &Sale<'_>) -> Option<Cause> {
    let release = sale.hold?.last;
    let is_early = release.step == Step::Release && sale.stood()? > release.invoked;
    let why = Why::ReleasedEarly { writer: sale.row.holder };
    is_early.then(|| Cause::by(sale, Some(release), why))
}

fn ignored_check(sale: &Sale<'_>) -> Option<Cause> {
    let Effect::Checked { free: false, .. } = sale.check?.outcome.effect()? else { return None };
    let at = sale.insert.or(sale.commit);
    Some(Cause::by(sale, at, Why::IgnoredCheck { writer: sale.row.holder }))
}

fn checked_before(sale: &Sale<'_>) -> Option<Cause> {
    let (check, hold) = (sale.check?, sale.hold?);
    let by = hold.granted.saturating_since(check.invoked);
    let why = Why::CheckedBefore { writer: sale.row.holder, by };
    let at = sale.insert.or(sale.commit);
    (!by.is_zero()).then(|| Cause::by(sale, at, why))
}

fn stale_check(sale: &Sale<'_>, sales: &[Sale<'_>]) -> Option<Cause> {
    let check = sale.check?;
    let Effect::Checked { confirmed: seen, .. } = *check.outcome.effect()? else { return None };
    let stood_before = |other: &&Sale<'_>| {
        let committed = other.commit.filter(|commit| commit.outcome.is_ok());
        committed.and_then(|commit| commit.completed).is_some_and(|end| end < check.invoked)
    };
    let stood = sales.iter().filter(stood_before).count();
    let why = Why::StaleCheck { writer: sale.row.holder, seen, stood };
    let is_stale = usize::try_from(seen).is_ok_and(|seen| seen < stood);
    is_stale.then(|| Cause::by(sale, Some(check), why))
}
