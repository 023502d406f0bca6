//! The sign by which others know that a run lives: a session of its name on every server, for as long as it lasts.
//!
//! The operating system closes it however the program ends, so that a sweep right after a kill -9 finds the run dead.
//! A session that is lost is opened again; whoever sweeps looks twice with a pause between (see `sweep.rs`), within
//! which a living run has come back.

use std::collections::BTreeSet;
use std::time::Duration;

use lockproof_env::Env;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use tokio_postgres::Client;

use super::run_id::RunId;
use super::{postgres, redis as server};
use crate::live::straight::dial;
use crate::{DatabaseUrl, RedisUrl, RigError};

/// Often enough for the server never to close the session as idle, and to notice soon that it is gone.
pub(super) const BEAT: Duration = Duration::from_millis(500);

/// Opens the session of `run`, and gives what keeps it open until it is dropped.
///
/// # Errors
/// The server allows no such session.
pub(super) async fn of_redis(
    url: RedisUrl,
    run: RunId,
    env: Env,
) -> Result<impl Future<Output = ()> + Send + 'static, RigError> {
    let mut connection = named(&url, run).await.map_err(|error| server::explain(&url, error))?;
    Ok(async move {
        loop {
            while answers(&mut connection, run).await {
                env.sleep(BEAT).await;
            }
            tracing::warn!(server = %url, "the session that shows that this run lives was lost; opening it again");
            connection = loop {
                match named(&url, run).await {
                    Ok(connection) => break connection,
                    Err(_) => env.sleep(BEAT).await,
                }
            };
        }
    })
}

async fn named(url: &RedisUrl, run: RunId) -> RedisResult<MultiplexedConnection> {
    let mut connection = dial(url.connection()).await?;
    let mut name = cmd("CLIENT");
    name.arg("SETNAME").arg(run.session());
    let () = name.query_async(&mut connection).await?;
    Ok(connection)
}

/// Asked with what a user of few rights may say, and of a proxy that has taken another connection it finds out.
async fn answers(connection: &mut MultiplexedConnection, run: RunId) -> bool {
    let mut name = cmd("CLIENT");
    name.arg("GETNAME");
    let name: RedisResult<Option<String>> = name.query_async(connection).await;
    name.is_ok_and(|name| name == Some(run.session()))
}

/// The runs that have a session on the server of `connection`.
pub(super) async fn living_on_redis(
    connection: &mut MultiplexedConnection,
) -> RedisResult<BTreeSet<RunId>> {
    let mut list = cmd("CLIENT");
    list.arg("LIST");
    let clients: String = list.query_async(connection).await?;
    let names = clients.split_whitespace().filter_map(|field| field.strip_prefix("name="));
    Ok(names.filter_map(RunId::of_session).collect())
}

/// The same for a database: an advisory lock, whose key is the run's number, held by a session of its own.
///
/// # Errors
/// The server allows no such session.
pub(super) async fn of_postgres(
    url: DatabaseUrl,
    run: RunId,
    env: Env,
) -> Result<impl Future<Output = ()> + Send + 'static, RigError> {
    let mut dialled = locked(&url, run).await?;
    Ok(async move {
        loop {
            while dialled.client().batch_execute("SELECT 1").await.is_ok() {
                env.sleep(BEAT).await;
            }
            tracing::warn!(server = %url, "the session that shows that this run lives was lost; opening it again");
            dialled = loop {
                match locked(&url, run).await {
                    Ok(dialled) => break dialled,
                    Err(_) => env.sleep(BEAT).await,
                }
            };
        }
    })
}

async fn locked(url: &DatabaseUrl, run: RunId) -> Result<lockproof_bookings::Dialled, RigError> {
    let dialled = postgres::dial(url, Some(run.session())).await?;
    // Shared, so that the session that takes over need not wait until the server has noticed the other's end.
    let lock = format!("SELECT pg_advisory_lock_shared('{}'::bigint)", run.0.cast_signed());
    let locked = dialled.client().batch_execute(&lock).await;
    locked.map_err(|error| postgres::explain(url, error.into()))?;
    Ok(dialled)
}

/// The runs that have a session on the database of `client`.
pub(super) async fn living_on_postgres(
    client: &Client,
) -> Result<BTreeSet<RunId>, tokio_postgres::Error> {
    let rows = client
        .query(
            "SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            &[],
        )
        .await?;
    let id = |row: &tokio_postgres::Row| {
        RunId((u64::from(row.get::<_, u32>(0)) << 32) | u64::from(row.get::<_, u32>(1)))
    };
    Ok(rows.iter().map(id).collect())
}
