//! Named locks and leases in the run's database. Each change is a transaction of its own.
//!
//! An `INSERT … ON DUPLICATE KEY UPDATE` has no WHERE, so that taking a lease assigns to each column what it should have or
//! has already. Assignments are made from left to right: what decides, the end, comes last. `NOW(3)` is when the statement
//! began, before it waited for the row: at worst a lease that ended meanwhile is held for one more try, and one that is
//! taken ends early by the wait, but never before its TTL has passed since it was asked for.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{FencingToken, HolderId, Instant, LeaseChange, OwnerValue, fnv1a};
use mysql_async::prelude::FromRow;
use mysql_async::{Params, Statement, Value};

use super::dial::{self, Dialled, read};
use super::{MariadbAddress, answer};
use crate::columns::token_from;
use crate::error::Kind;
use crate::lock_connection::{millis, ttl_millis};
use crate::{LockConnection, Result, SchemaName};

/// Milliseconds of the server's clock.
const CLOCK: &str = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";

#[derive(Debug)]
pub(super) struct MariadbLocks {
    schema: Arc<SchemaName>,
    dialled: Dialled,
    statements: Statements,
}

impl MariadbLocks {
    pub(super) async fn open(
        address: &MariadbAddress,
        schema: Arc<SchemaName>,
        holder: HolderId,
    ) -> Result<Self> {
        let dialled = dial::dial_as(address, &schema, holder).await?;
        let statements = Statements::prepare(&dialled, &schema).await?;
        Ok(Self { schema, dialled, statements })
    }

    async fn ask(&self, doing: &'static str, how: &Statement, name: &str) -> Result<bool> {
        let values = Params::from(vec![("name", name_of(&self.schema, name))]);
        let answer = self.first(doing, how, values).await?;
        // NULL where there is no such lock at all.
        Ok(answer.and_then(|(said,): (Option<i64>,)| said) == Some(1))
    }

    async fn first<T: FromRow>(
        &self,
        doing: &'static str,
        how: &Statement,
        values: Params,
    ) -> Result<Option<T>> {
        let row = self.dialled.first(how.clone(), values).await;
        let row = row.map_err(|error| answer::statement_error(doing, error))?;
        row.map(|row| read(doing, row)).transpose()
    }
}

impl LockConnection for MariadbLocks {
    fn is_closed(&self) -> bool {
        self.dialled.is_closed()
    }

    fn change_lease<'a>(
        &'a mut self,
        name: &'a str,
        owner: &'a OwnerValue,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>> {
        async move {
            const DOING: &str = "change the lease";
            let (owner, statements) = (owner.as_str(), &self.statements);
            let values = Params::from(vec![
                ("name", Value::from(name)),
                ("owner", Value::from(owner)),
                ("now", Value::from(now.map(millis))),
                ("ttl", Value::from(ttl_millis(change))),
            ]);
            let how = match change {
                LeaseChange::Take { .. } => {
                    let row = self.first(DOING, &statements.take, values).await?;
                    let (owns, token): (String, i64) = row.ok_or(Kind::NoLease)?;
                    return Ok((owns == owner).then(|| token_from(token)));
                }
                LeaseChange::Renew { .. } => &statements.renew,
                LeaseChange::End => &statements.end,
            };
            let done = self.dialled.execute(how.clone(), values).await;
            let done = done.map_err(|error| answer::statement_error(DOING, error))?;
            Ok(done.key.filter(|_| done.rows > 0).map(FencingToken))
        }
        .boxed()
    }

    fn try_lock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        self.ask("take the named lock", &self.statements.try_lock, name).boxed()
    }

    fn unlock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        self.ask("give the named lock back", &self.statements.unlock, name).boxed()
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
    async fn prepare(dialled: &Dialled, schema: &SchemaName) -> Result<Self> {
        let now = format!("COALESCE(:now, {CLOCK})");
        let take = format!(
            "INSERT INTO {schema}.leases (name, owner, expires, token)
             VALUES (:name, :owner, {now} + :ttl, 1)
             ON DUPLICATE KEY UPDATE
                 token = IF(expires < {now}, token + 1, token),
                 owner = IF(expires < {now}, VALUES(owner), owner),
                 expires = IF(expires < {now}, VALUES(expires), expires)
             RETURNING owner, token"
        );
        // The only way to have a column of a row that was updated in the answer to the update.
        let mine = format!(
            "token = LAST_INSERT_ID(token) WHERE name = :name AND owner = :owner AND expires >= {now}"
        );
        let renew = format!("UPDATE {schema}.leases SET expires = {now} + :ttl, {mine}");
        // There is no TTL here, and no clock says less than nothing, so this has ended by all of them.
        let end = format!("UPDATE {schema}.leases SET expires = COALESCE(:ttl, -1), {mine}");
        Ok(Self {
            take: dialled.prepare(take).await?,
            renew: dialled.prepare(renew).await?,
            end: dialled.prepare(end).await?,
            try_lock: dialled.prepare("SELECT GET_LOCK(:name, 0)".to_owned()).await?,
            unlock: dialled.prepare("SELECT RELEASE_LOCK(:name)".to_owned()).await?,
        })
    }
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statements").finish_non_exhaustive()
    }
}

/// What a named lock is called on the server, which all schemas share; longer than 64 characters it may not be.
fn name_of(schema: &SchemaName, name: &str) -> String {
    const LENGTH_MAX: usize = 64;
    let full = format!("{schema}.{name}");
    if full.chars().count() <= LENGTH_MAX {
        return full;
    }
    format!("lockproof {:016x}", fnv1a(full.bytes()))
}

/// Who has the lock called `name`.
pub(super) async fn owner(
    judge: &Dialled,
    schema: &SchemaName,
    name: &str,
) -> Result<Option<String>> {
    let owner = format!(
        "SELECT owner FROM {schema}.leases WHERE name = :name AND expires >= {CLOCK}
         UNION ALL SELECT CONVERT(IS_USED_LOCK(:called), CHAR)"
    );
    let values = Params::from(vec![("name", name.to_owned()), ("called", name_of(schema, name))]);
    let rows: Vec<(Option<String>,)> = judge.rows_of("look for a lock", &owner, values).await?;
    Ok(rows.into_iter().find_map(|(owner,)| owner))
}

/// Ends it, whoever has it.
pub(super) async fn end(judge: &Dialled, schema: &SchemaName, name: &str) -> Result<bool> {
    const DOING: &str = "end a lock";
    /// A session that was killed notices within microseconds, unless its server stands still.
    const LOOKS: u32 = 10_000;
    let stood = owner(judge, schema, name).await?.is_some();
    let lease = format!("UPDATE {schema}.leases SET expires = -1 WHERE name = ?");
    judge.rows_of::<(i64,)>(DOING, &lease, (name,)).await?;
    let used = judge.rows_of("look for a lock", "SELECT IS_USED_LOCK(?)", (name_of(schema, name),));
    for (session,) in used.await? {
        let session: Option<i64> = session;
        let Some(session) = session else { continue };
        judge.run(DOING, format!("KILL CONNECTION {session}")).await?;
    }
    for _ in 0..LOOKS {
        if owner(judge, schema, name).await?.is_none() {
            break;
        }
    }
    Ok(stood)
}
