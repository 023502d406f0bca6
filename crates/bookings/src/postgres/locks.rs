//! Locks of a session and leases in the run's schema. Each change is a transaction of its own.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::try_join;
use lockproof_model::{FencingToken, Instant, LeaseChange, OwnerValue};
use tokio_postgres::{Client, Statement};

use super::answer::committing_error;
use super::dial::Dialled;
use super::{PostgresAddress, SchemaName};
use crate::columns::token_from;
use crate::lock_connection::{millis, ttl_millis};
use crate::{BookingError, LockConnection, Result};

/// Milliseconds of the server's clock. Not `now()`, which stands still while a statement waits for the row.
const NOW: &str = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
/// Where an advisory lock with the key `$1` is listed: its halves in two columns, and 1 for a key of one number.
const ADVISORY: &str = "pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND classid = (($1::bigint >> 32) & 4294967295)::oid AND objid = ($1::bigint & 4294967295)::oid";

#[derive(Debug)]
pub(super) struct PostgresLocks {
    schema: Arc<SchemaName>,
    dialled: Dialled,
    statements: Statements,
}

impl PostgresLocks {
    pub(super) async fn open(address: &PostgresAddress, schema: Arc<SchemaName>) -> Result<Self> {
        let dialled = Dialled::dial(address).await?;
        let statements = Statements::prepare(&dialled.client, &schema).await?;
        Ok(Self { schema, dialled, statements })
    }

    async fn ask(&self, doing: &'static str, how: &Statement, name: &str) -> Result<bool> {
        let key = self.schema.key_of_lock(name);
        let row = self.dialled.client.query_one(how, &[&key]).await;
        Ok(row.map_err(|error| committing_error(doing, error))?.get(0))
    }
}

impl LockConnection for PostgresLocks {
    fn is_closed(&self) -> bool {
        self.dialled.client.is_closed()
    }

    fn change_lease<'a>(
        &'a mut self,
        name: &'a str,
        owner: &'a OwnerValue,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>> {
        async move {
            let (owner, now) = (owner.as_str(), now.map(millis));
            let (client, statements) = (&self.dialled.client, &self.statements);
            let row = match (change, ttl_millis(change)) {
                (LeaseChange::Take { .. }, ttl) => {
                    client.query_opt(&statements.take, &[&name, &owner, &now, &ttl]).await
                }
                (LeaseChange::Renew { .. }, ttl) => {
                    client.query_opt(&statements.renew, &[&name, &owner, &now, &ttl]).await
                }
                (LeaseChange::End, _) => {
                    client.query_opt(&statements.end, &[&name, &owner, &now]).await
                }
            };
            let row = row.map_err(|error| committing_error("change the lease", error))?;
            Ok(row.map(|row| token_from(row.get(0))))
        }
        .boxed()
    }

    fn try_lock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        self.ask("take the advisory lock", &self.statements.try_lock, name).boxed()
    }

    fn unlock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        self.ask("give the advisory lock back", &self.statements.unlock, name).boxed()
    }
}

/// Prepared once per connection.
struct Statements {
    take: Statement,
    renew: Statement,
    end: Statement,
    try_lock: Statement,
    unlock: Statement,
}

impl Statements {
    async fn prepare(client: &Client, schema: &SchemaName) -> Result<Self> {
        let now = format!("coalesce($3::bigint, {NOW})");
        let take = format!(
            "INSERT INTO {schema}.leases AS held (lock, owner, expires, token)
             VALUES ($1, $2, {now} + $4::bigint, 1)
             ON CONFLICT (lock) DO UPDATE
                 SET owner = excluded.owner, expires = {now} + $4::bigint, token = held.token + 1
                 WHERE held.expires < {now} RETURNING token"
        );
        let mine = format!("lock = $1 AND owner = $2 AND expires >= {now} RETURNING token");
        let renew = format!("UPDATE {schema}.leases SET expires = {now} + $4::bigint WHERE {mine}");
        // No clock says less than nothing, so this has ended by all of them.
        let end = format!("UPDATE {schema}.leases SET expires = -1 WHERE {mine}");
        let prepared = try_join!(
            client.prepare(&take),
            client.prepare(&renew),
            client.prepare(&end),
            client.prepare("SELECT pg_try_advisory_lock($1)"),
            client.prepare("SELECT pg_advisory_unlock($1)")
        );
        let (take, renew, end, try_lock, unlock) =
            prepared.map_err(|error| BookingError::postgres("prepare the statements", error))?;
        Ok(Self { take, renew, end, try_lock, unlock })
    }
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statements").finish_non_exhaustive()
    }
}

/// Who has the lock called `name`.
pub(super) async fn owner(
    client: &Client,
    schema: &SchemaName,
    name: &str,
) -> Result<Option<String>> {
    let owner = format!(
        "SELECT owner FROM {schema}.leases WHERE lock = $2 AND expires >= {NOW}
         UNION ALL SELECT pid::text FROM {ADVISORY}"
    );
    let rows = client.query(&owner, &[&schema.key_of_lock(name), &name]).await;
    let rows = rows.map_err(|error| BookingError::postgres("look for a lock", error))?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// Ends it, whoever has it.
pub(super) async fn end(client: &Client, schema: &SchemaName, name: &str) -> Result<bool> {
    let lease =
        format!("UPDATE {schema}.leases SET expires = -1 WHERE lock = $1 AND expires >= {NOW}");
    // It returns once the session is gone.
    let session = format!("SELECT pg_terminate_backend(pid, 5000) FROM {ADVISORY}");
    let failed = |error| committing_error("end a lock", error);
    let leases = client.execute(&lease, &[&name]).await.map_err(failed)?;
    let sessions = client.query(&session, &[&schema.key_of_lock(name)]).await.map_err(failed)?;
    Ok(leases > 0 || !sessions.is_empty())
}
