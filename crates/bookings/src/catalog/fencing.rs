//! `fencing`: the slot refuses a holder once a later one has been there.
//!
//! The check presents the token before it reads: it raises the slot's fence to its token in a short
//! transaction of its own, and is refused when the fence is higher. The insert locks the slot's row and is
//! refused unless the fence still equals the token.
//!
//! Promises at most `capacity` confirmed bookings of a slot, for any capacity, as long as no token is
//! granted twice (failure mode F56). Say a write with token *t* commits. Its row lock orders it against
//! every raise of the fence. A later holder whose raise came first makes the fence differ from *t*, so
//! the write would have been refused; one whose raise comes after waits for the write's commit, and counts
//! it. So no check that is relied upon misses a write, and none is relied upon twice.
//!
//! The raise must be committed before the read. Presented at the write alone, an old holder still writes
//! after a new one has read: `fencing-write-only` is that mistake, kept as a control (F66). A fence only
//! rises, so after the raise it is the token or higher; the insert asks for equality all the same, so that a
//! row that was restored from an older state refuses as well.
//!
//! ```text
//!   A 41  raise to 41, 0 of 1 ──────────────────────────── insert: fence is 42, refused
//!   B 42                         raise to 42, 0 of 1 ──────────────────── insert, commit
//! ```

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::Refusal;

use super::Entry;
use crate::guard::{look, write};
use crate::{
    Checked, Connection, Constraints, Guard, Inserted, Raised, Request, Result, RowLock, Seen,
    TransactionMode,
};

pub(super) const ENTRY: Entry = Entry {
    name: "fencing",
    summary: "the check raises the slot's fence to its token; the insert is refused unless it still \
              equals the token",
    needs_token: true,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[],
    control: None,
    guard: &Fencing,
};

#[derive(Debug)]
struct Fencing;

impl Guard for Fencing {
    // `begin` is the default: the transaction that it opens becomes the short one that raises the fence.

    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        async move {
            let raised = db.raise_fence(request.slot, request.token()?).await?;
            if raised != Raised::Raised {
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
            let slot = db.read_slot(request.slot, RowLock::ForUpdate).await?;
            if slot.fence != request.token()? {
                return Ok(Inserted::Refused(Refusal::Fenced));
            }
            write(db, request, seen).await
        }
        .boxed()
    }
}
