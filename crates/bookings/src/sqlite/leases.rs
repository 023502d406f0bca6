//! Leases in the file, each change a write transaction of its own.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{Claim, FencingToken, Instant, LeaseChange, LockName};
use rusqlite::{OptionalExtension, params};

use super::connection::SqliteConnection;
use crate::leases::{millis, ttl_millis};
use crate::{LeaseTable, Result};

/// Milliseconds of the clock by which leases end. Looked at once the file is this connection's to write.
const NOW: &str = "coalesce(?4, CAST(unixepoch('subsec') * 1000 AS INTEGER))";

#[derive(Debug)]
pub(super) struct SqliteLeases(pub(super) SqliteConnection);

impl LeaseTable for SqliteLeases {
    fn change<'a>(
        &'a mut self,
        claim: &'a Claim,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>> {
        async move {
            // What a dropped future left open.
            self.0.undo().await?;
            let (Claim { lock, owner }, now) = (claim.clone(), now.map(millis));
            let text = text(change);
            let statement = move |db: &rusqlite::Connection| {
                let values = params![lock.as_str(), owner.as_str(), ttl_millis(change), now];
                let mut statement = db.prepare_cached(&text)?;
                statement.query_row(values, |row| row.get::<_, i64>(0)).optional()
            };
            let token = self.0.write("change the lease", statement).await?;
            Ok(token.map(crate::columns::token_from))
        }
        .boxed()
    }
}

fn text(change: LeaseChange) -> String {
    match change {
        LeaseChange::Take { .. } => format!(
            "INSERT INTO leases (lock, owner, expires, token) VALUES (?1, ?2, {NOW} + ?3, 1)
             ON CONFLICT (lock) DO UPDATE
                 SET owner = excluded.owner, expires = excluded.expires, token = token + 1
                 WHERE leases.expires < {NOW} RETURNING token"
        ),
        LeaseChange::Renew { .. } => format!(
            "UPDATE leases SET expires = {NOW} + ?3
             WHERE lock = ?1 AND owner = ?2 AND expires >= {NOW} RETURNING token"
        ),
        // No clock says less than nothing, so this has ended by all of them.
        LeaseChange::End => format!(
            "UPDATE leases SET expires = coalesce(?3, -1)
             WHERE lock = ?1 AND owner = ?2 AND expires >= {NOW} RETURNING token"
        ),
    }
}

/// Ends it, whoever has it.
pub(super) fn expire(db: &rusqlite::Connection, lock: &LockName) -> rusqlite::Result<bool> {
    let stood = "UPDATE leases SET expires = -1
         WHERE lock = ?1 AND expires >= CAST(unixepoch('subsec') * 1000 AS INTEGER)";
    Ok(db.execute(stood, [lock.as_str()])? > 0)
}
