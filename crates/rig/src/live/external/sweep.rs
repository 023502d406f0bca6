//! What killed runs left on servers that they shared, and how it goes.
//!
//! Nothing is removed that does not bear a run's name in every part (see `run_id.rs`), nor anything of a run that
//! lives. What is there is listed before it is asked who lives, and a run shows that it lives before it writes
//! anything, so no run can be born in between; and a run must look dead twice, with a pause between, since a living one may
//! have to open its session again.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use lockproof_env::Env;

use super::pulse::{BEAT, living_on_postgres, living_on_redis};
use super::run_id::RunId;
use super::{postgres, redis as server};
use crate::live::straight::{dial, keys_under, remove};
use crate::{DatabaseUrl, RedisUrl, RigError};

/// Long enough for a living run to notice that its session is gone and to open another.
const BETWEEN_LOOKS: Duration = BEAT.saturating_mul(6);

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Keys removed.
    pub keys: usize,
    /// Schemas removed.
    pub schemas: usize,
    /// What could not be removed, a sentence each.
    pub left: Vec<String>,
}

impl Swept {
    /// Whether it found nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.keys += other.keys;
        self.schemas += other.schemas;
        self.left.extend(other.left);
    }
}

impl fmt::Display for Swept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {one}s"),
        };
        let (keys, schemas) = (noun(self.keys, "key"), noun(self.schemas, "schema"));
        write!(f, "removed {keys} and {schemas} that killed runs had left")?;
        self.left.iter().try_for_each(|left| write!(f, "; {left}"))
    }
}

/// Removes the keys of dead runs.
///
/// # Errors
/// The server cannot be reached.
pub(super) async fn redis(url: &RedisUrl, mine: RunId, env: &Env) -> Result<Swept, RigError> {
    let cannot = |error| server::explain(url, error);
    let mut connection = dial(url.connection()).await.map_err(cannot)?;
    let found = keys_under(&mut connection, &RunId::keys_of_all()).await.map_err(cannot)?;
    let mut of_runs: BTreeMap<RunId, Vec<Vec<u8>>> = BTreeMap::new();
    for key in found {
        if let Some(run) = RunId::of_key(&key).filter(|&run| run != mine) {
            of_runs.entry(run).or_default().push(key);
        }
    }
    let mut swept = Swept::default();
    for look in 0..2 {
        if of_runs.is_empty() {
            return Ok(swept);
        }
        if look > 0 {
            env.sleep(BETWEEN_LOOKS).await;
        }
        let living = living_on_redis(&mut connection).await.unwrap_or_default();
        // A server that does not even show this run's own session cannot tell who lives.
        if !living.contains(&mine) {
            swept.left.push(format!(
                "{url} does not tell which runs live (CLIENT LIST), so what {} runs left there stays",
                of_runs.len()
            ));
            return Ok(swept);
        }
        of_runs.retain(|run, _| !living.contains(run));
    }
    for keys in of_runs.values() {
        swept.keys += remove(&mut connection, keys).await.map_err(cannot)?;
    }
    Ok(swept)
}

/// Removes the schemas of dead runs.
///
/// # Errors
/// The server cannot be reached.
pub(super) async fn postgres(url: &DatabaseUrl, mine: RunId, env: &Env) -> Result<Swept, RigError> {
    let dialled = postgres::dial(url, None).await?;
    let cannot = |error: tokio_postgres::Error| postgres::explain(url, error.into());
    let client = dialled.client();
    let mut found = schemas(client).await.map_err(cannot)?;
    found.retain(|(run, _)| *run != mine);
    let mut swept = Swept::default();
    for look in 0..2 {
        if found.is_empty() {
            return Ok(swept);
        }
        if look > 0 {
            env.sleep(BETWEEN_LOOKS).await;
        }
        let living = living_on_postgres(client).await.map_err(cannot)?;
        if !living.contains(&mine) {
            swept.left.push(format!(
                "{url} does not tell which runs live (pg_locks), so {} schemas there stay; is a pooler between?",
                found.len()
            ));
            return Ok(swept);
        }
        found.retain(|(run, _)| !living.contains(run));
    }
    swept.add(drop_schemas(url, client, found).await?);
    Ok(swept)
}

/// Removes what `run` itself has left, at its end.
///
/// # Errors
/// The server cannot be reached.
pub(super) async fn own_schemas(url: &DatabaseUrl, run: RunId) -> Result<Swept, RigError> {
    let dialled = postgres::dial(url, None).await?;
    let found = schemas(dialled.client()).await;
    let mut found = found.map_err(|error| postgres::explain(url, error.into()))?;
    found.retain(|(of, _)| *of == run);
    drop_schemas(url, dialled.client(), found).await
}

async fn schemas(
    client: &tokio_postgres::Client,
) -> Result<Vec<(RunId, String)>, tokio_postgres::Error> {
    let names = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'lockproof\\_%'";
    let rows = client.query(names, &[]).await?;
    let names = rows.iter().map(|row| row.get::<_, String>(0));
    Ok(names.filter_map(|name| Some((RunId::of_schema(&name)?, name))).collect())
}

async fn drop_schemas(
    url: &DatabaseUrl,
    client: &tokio_postgres::Client,
    schemas: Vec<(RunId, String)>,
) -> Result<Swept, RigError> {
    let mut swept = Swept::default();
    for (_, schema) in schemas {
        // The name has passed `of_schema`, so it needs no quotes and has none.
        let statements =
            format!("SET lock_timeout = '10s'; DROP SCHEMA IF EXISTS {schema} CASCADE");
        match client.batch_execute(&statements).await {
            Ok(()) => swept.schemas += 1,
            Err(error) if error.as_db_error().is_some() => {
                let why = lockproof_model::in_full(&error);
                swept.left.push(format!("schema {schema} of {url} stays: {why}"));
            }
            Err(error) => return Err(postgres::explain(url, error.into())),
        }
    }
    Ok(swept)
}
