//! `fencing-write-only`: a control. Fencing as it is often drawn, with the fence looked at only when
//! writing.
//!
//! It does refuse the old holder that writes *after* the new one. It does not refuse the old holder that
//! writes after the new one has *read*, since nothing has told the slot of the new one yet (failure mode
//! F66):
//!
//! ```text
//!   A 41  0 of 1, paused ─────────────── insert: fence 40 → 41, commit
//!   B 42                   0 of 1 ─────────────────────────────────── insert: fence 41 → 42, commit
//! ```
//!
//! A run under this guard has to find the duplicate, or the run cannot find any.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::Refusal;

use super::Entry;
use crate::guard::{look, write};
use crate::{
    Checked, Connection, Constraints, Guard, Inserted, Raised, Request, Result, RowLock, Seen,
};

pub(super) const ENTRY: Entry = Entry {
    name: "fencing-write-only",
    summary: "the fence is looked at and raised at the insert alone",
    needs_token: true,
    constraints: Constraints::NONE,
    sells_once: None,
    unsupported: &[],
    control: Some("an old holder may write after a new one has read (F66)"),
    guard: &FencingWriteOnly,
};

#[derive(Debug)]
struct FencingWriteOnly;

impl Guard for FencingWriteOnly {
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
            match db.raise_fence(request.slot, request.token()?).await? {
                Raised::Raised => write(db, request, seen).await,
                Raised::Refused { .. } => Ok(Inserted::Refused(Refusal::Fenced)),
            }
        }
        .boxed()
    }
}
