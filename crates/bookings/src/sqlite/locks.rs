//! Leases in the file, each change a write transaction of its own. A file has no sessions whose locks could end with them.

use std::future::ready;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{FencingToken, Instant, LeaseChange, OwnerValue};
use rusqlite::{OptionalExtension, params};

use super::connection::SqliteConnection;
use crate::columns::token_from;
use crate::error::Kind;
use crate::lock_connection::{millis, ttl_millis};
use crate::{LockConnection, Result};

/// Milliseconds of this machine's clock.
const CLOCK: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

#[derive(Debug)]
pub(super) struct SqliteLocks(pub(super) SqliteConnection);

impl LockConnection for SqliteLocks {
    fn is_closed(&self) -> bool {
        false
    }

    fn change_lease<'a>(
        &'a mut self,
        name: &'a str,
        owner: &'a OwnerValue,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>> {
        async move {
            // What a dropped future left open.
            self.0.undo().await?;
            let (name, owner, now) = (name.to_owned(), owner.clone(), now.map(millis));
            let text = text(change);
            let statement = move |db: &rusqlite::Connection| {
                let values = params![name, owner.as_str(), ttl_millis(change), now];
                let mut statement = db.prepare_cached(&text)?;
                statement.query_row(values, |row| row.get::<_, i64>(0)).optional()
            };
            let token = self.0.write("change the lease", statement).await?;
            Ok(token.map(token_from))
        }
        .boxed()
    }

    fn try_lock<'a>(&'a mut self, _name: &'a str) -> BoxFuture<'a, Result<bool>> {
        ready(Err(no_locks_of_sessions())).boxed()
    }

    fn unlock<'a>(&'a mut self, _name: &'a str) -> BoxFuture<'a, Result<bool>> {
        ready(Err(no_locks_of_sessions())).boxed()
    }
}

fn no_locks_of_sessions() -> crate::BookingError {
    let what = "locks that end with a session";
    crate::BookingError::from(Kind::Unsupported { engine: "SQLite", what }).definite()
}

/// The statement, whose clock is looked at once the file is this connection's to write.
fn text(change: LeaseChange) -> String {
    let now = format!("coalesce(?4, {CLOCK})");
    match change {
        LeaseChange::Take { .. } => format!(
            "INSERT INTO leases (lock, owner, expires, token) VALUES (?1, ?2, {now} + ?3, 1)
             ON CONFLICT (lock) DO UPDATE
                 SET owner = excluded.owner, expires = excluded.expires, token = token + 1
                 WHERE leases.expires < {now} RETURNING token"
        ),
        LeaseChange::Renew { .. } => format!(
            "UPDATE leases SET expires = {now} + ?3
             WHERE lock = ?1 AND owner = ?2 AND expires >= {now} RETURNING token"
        ),
        // There is no TTL here, and no clock says less than nothing, so this has ended by all of them.
        LeaseChange::End => format!(
            "UPDATE leases SET expires = coalesce(?3, -1)
             WHERE lock = ?1 AND owner = ?2 AND expires >= {now} RETURNING token"
        ),
    }
}

/// Who has the lock called `name`.
pub(super) fn owner(db: &rusqlite::Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let owner = format!("SELECT owner FROM leases WHERE lock = ?1 AND expires >= {CLOCK}");
    db.query_row(&owner, [name], |row| row.get(0)).optional()
}

/// Ends it, whoever has it.
pub(super) fn end(db: &rusqlite::Connection, name: &str) -> rusqlite::Result<bool> {
    let end = format!("UPDATE leases SET expires = -1 WHERE lock = ?1 AND expires >= {CLOCK}");
    Ok(db.execute(&end, [name])? > 0)
}
