//! Leases in the run's schema, each change a transaction of its own.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::try_join;
use lockproof_model::{Claim, FencingToken, Instant, LeaseChange, LockName};
use tokio_postgres::{Client, Statement};

use super::answer::committing_error;
use super::dial::Dialled;
use super::{PostgresAddress, SchemaName};
use crate::leases::{millis, ttl_millis};
use crate::{BookingError, LeaseTable, Result};

/// Milliseconds of the server's clock. Not `now()`, which stands still while a statement waits for the row.
const NOW: &str = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

#[derive(Debug)]
pub(super) struct PostgresLeases {
    address: PostgresAddress,
    schema: Arc<SchemaName>,
    live: Option<(Dialled, Statements)>,
}

impl PostgresLeases {
    pub(super) async fn open(address: PostgresAddress, schema: Arc<SchemaName>) -> Result<Self> {
        let mut leases = Self { address, schema, live: None };
        leases.live().await?;
        Ok(leases)
    }

    /// The connection, dialled anew where it was lost. Nothing has been sent when this fails.
    async fn live(&mut self) -> Result<&(Dialled, Statements)> {
        let lost = |(dialled, _): &mut (Dialled, Statements)| !dialled.client.is_closed();
        let live = match self.live.take_if(lost) {
            Some(live) => live,
            None => {
                let dialled = Dialled::dial(&self.address).await;
                let dialled = dialled.map_err(BookingError::definite)?;
                let statements = Statements::prepare(&dialled.client, &self.schema).await;
                (dialled, statements.map_err(BookingError::definite)?)
            }
        };
        Ok(self.live.insert(live))
    }
}

impl LeaseTable for PostgresLeases {
    fn change<'a>(
        &'a mut self,
        claim: &'a Claim,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>> {
        async move {
            let (lock, owner, now) = (claim.lock.as_str(), claim.owner.as_str(), now.map(millis));
            let (dialled, statements) = self.live().await?;
            let client = &dialled.client;
            let row = match (change, ttl_millis(change)) {
                (LeaseChange::Take { .. }, ttl) => {
                    client.query_opt(&statements.take, &[&lock, &owner, &now, &ttl]).await
                }
                (LeaseChange::Renew { .. }, ttl) => {
                    client.query_opt(&statements.renew, &[&lock, &owner, &now, &ttl]).await
                }
                (LeaseChange::End, _) => {
                    client.query_opt(&statements.end, &[&lock, &owner, &now]).await
                }
            };
            let row = row.map_err(|error| committing_error("change the lease", error))?;
            Ok(row.map(|row| crate::columns::token_from(row.get(0))))
        }
        .boxed()
    }
}

/// Prepared once per connection.
struct Statements {
    take: Statement,
    renew: Statement,
    end: Statement,
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
        let prepared =
            try_join!(client.prepare(&take), client.prepare(&renew), client.prepare(&end));
        let (take, renew, end) =
            prepared.map_err(|error| BookingError::postgres("prepare the statements", error))?;
        Ok(Self { take, renew, end })
    }
}

impl std::fmt::Debug for Statements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statements").finish_non_exhaustive()
    }
}

/// Ends it, whoever has it.
pub(super) async fn expire(client: &Client, schema: &SchemaName, lock: &LockName) -> Result<bool> {
    let stood =
        format!("UPDATE {schema}.leases SET expires = -1 WHERE lock = $1 AND expires >= {NOW}");
    let ended = client.execute(&stood, &[&lock.as_str()]).await;
    Ok(ended.map_err(|error| committing_error("end a lease", error))? > 0)
}
