//! Guards with a bug.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_bookings::catalog::Entry;
use lockproof_bookings::guard::{look, write};
use lockproof_bookings::{
    Checked, Connection, Constraints, Guard, Inserted, Raised, Request, Result, RowLock, Seen,
    TransactionMode,
};
use lockproof_model::Refusal;

/// A guard with a bug, and a trial that must fail on it.
#[derive(Clone, Copy, Debug)]
pub struct PlantedGuard {
    /// The guard.
    pub entry: &'static Entry,
    /// The trial's name.
    pub rejected_by: &'static str,
}

/// Guards that the catalog does not have. (Its controls are bugs as well.)
pub const GUARDS: &[PlantedGuard] = &[
    PlantedGuard { entry: &UNLOCKED_FENCE, rejected_by: "a_write_on_its_way_is_not_overlooked" },
    PlantedGuard { entry: &EARLY_COMMIT, rejected_by: "what_was_undone_leaves_its_room" },
];

/// `fencing` whose insert looks at the fence without locking the slot's row: a raise need not wait for its commit.
pub static UNLOCKED_FENCE: Entry = Entry {
    name: "unlocked-fence",
    summary: "looks at the fence at the insert, and does not keep it there",
    needs_token: true,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[],
    control: Some("a later holder may raise the fence and count before the write is committed"),
    guard: &UnlockedFence,
};

#[derive(Debug)]
struct UnlockedFence;

impl Guard for UnlockedFence {
    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        async move {
            if db.raise_fence(request.slot, request.token()?).await? != Raised::Raised {
                return Ok(Checked::Refused(Refusal::Fenced));
            }
            db.commit().await?;
            db.begin(TransactionMode::ReadCommitted).await?;
            look(db, request, RowLock::None).await
        }
        .boxed()
    }

    fn insert<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
        seen: &'a Seen,
    ) -> BoxFuture<'a, Result<Inserted>> {
        async move {
            let slot = db.read_slot(request.slot, RowLock::None).await?;
            if slot.fence != request.token()? {
                return Ok(Inserted::Refused(Refusal::Fenced));
            }
            write(db, request, seen).await
        }
        .boxed()
    }
}

/// Commits as soon as it has written, so that nothing can be undone any more.
pub static EARLY_COMMIT: Entry = Entry {
    name: "early-commit",
    summary: "commits at the insert",
    needs_token: false,
    constraints: Constraints::UNIQUE_UNIT,
    sells_once: None,
    unsupported: &[],
    control: Some("a booking that is given up stands all the same"),
    guard: &EarlyCommit,
};

#[derive(Debug)]
struct EarlyCommit;

impl Guard for EarlyCommit {
    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        look(db, request, RowLock::None)
    }

    fn insert<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
        seen: &'a Seen,
    ) -> BoxFuture<'a, Result<Inserted>> {
        async move {
            let written = write(db, request, seen).await?;
            db.commit().await?;
            db.begin(TransactionMode::ReadCommitted).await?;
            Ok(written)
        }
        .boxed()
    }
}
