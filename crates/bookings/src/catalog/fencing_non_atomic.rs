//! `fencing-non-atomic`: a control. The token is compared in one statement and written in another.
//!
//! The check reads the fence and compares it, in the application; the insert writes the row and raises the fence without
//! another look. Between the two lies all that the application does (failure mode F57):
//!
//! ```text
//!   A 41  fence 40: fine, 0 of 1, paused ─────────────────────── insert, fence stays 42, commit
//!   B 42                                  fence 40: fine, 0 of 1, insert, fence 42, commit
//! ```
//!
//! `fencing` compares and raises in one statement before it reads, and looks again under the row's lock before it writes.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::Refusal;

use super::Entry;
use crate::guard::{look, write};
use crate::{Checked, Connection, Constraints, Guard, Inserted, Request, Result, RowLock, Seen};

pub(super) const ENTRY: Entry = Entry {
    name: "fencing-non-atomic",
    summary: "the fence is compared at the check and raised at the insert, without another look",
    needs_token: true,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[],
    control: Some("a later holder may come between the comparison and the write (F57)"),
    guard: &FencingNonAtomic,
};

#[derive(Debug)]
struct FencingNonAtomic;

impl Guard for FencingNonAtomic {
    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        async move {
            let token = request.token()?;
            Ok(match look(db, request, RowLock::None).await? {
                Checked::Free(seen) if seen.fence > token => Checked::Refused(Refusal::Fenced),
                checked => checked,
            })
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
            // Whether it was raised is what nobody looks at.
            db.raise_fence(request.slot, request.token()?).await?;
            write(db, request, seen).await
        }
        .boxed()
    }
}
