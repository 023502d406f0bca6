//! `idempotency-key`: a request is carried out once, however often it is sent.
//!
//! The check first writes the request's key, in the booking's own transaction: a key that is there already belongs to a
//! request that was carried out, and its booking is the answer. Only then it looks and writes, as `unique` does, which is
//! what keeps two *different* requests apart.
//!
//! Promises at most one booking per request, and at most `capacity` of a slot. The key and the booking are committed
//! together or not at all, so there is no moment at which one of them stands alone. Whoever retries a commit whose
//! outcome nobody knows finds the key exactly if it happened (failure mode F53):
//!
//! ```text
//!   A  key 7: new, 0 of 2, insert, COMMIT ─ answer lost ─ again: key 7 used ─▶ the first booking
//! ```
//!
//! The key is reserved *first*, and by an insert that waits for one of the same key that is under way. Weakened to a
//! look whether the key is there, two of one request both find it missing and both book (F54):
//!
//! ```text
//!   A  key 7? no ─────────── insert, commit
//!   A' key 7? no ─────────────────────────── insert, commit
//! ```

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::Entry;
use crate::error::Kind;
use crate::guard::{look, write};
use crate::{
    Checked, Connection, Constraints, Guard, Inserted, Request, Reserved, Result, RowLock, Seen,
};

pub(super) const ENTRY: Entry = Entry {
    name: "idempotency-key",
    summary: "the request's key is written first, in the same transaction; a used one answers with its booking",
    needs_token: false,
    constraints: Constraints::UNIQUE_UNIT,
    sells_once: None,
    unsupported: &[],
    control: None,
    guard: &IdempotencyKey,
};

#[derive(Debug)]
struct IdempotencyKey;

impl Guard for IdempotencyKey {
    fn check<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
    ) -> BoxFuture<'a, Result<Checked>> {
        async move {
            match db.reserve_key(request.attempt).await? {
                Reserved::New => look(db, request, RowLock::None).await,
                Reserved::Used(Some(booking)) => Ok(Checked::Done { booking }),
                Reserved::Used(None) => Err(Kind::KeyWithoutBooking(request.attempt).into()),
            }
        }
        .boxed()
    }

    fn insert<'a>(
        &'a self,
        db: &'a mut dyn Connection,
        request: &'a Request,
        seen: &'a Seen,
    ) -> BoxFuture<'a, Result<Inserted>> {
        write(db, request, seen)
    }
}
