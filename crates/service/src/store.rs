//! Bookings and what belongs to them: the catalog's guard over a connection of a pool, and the service's own tables written
//! by the same commit.

mod pool;
mod reservations;
mod tables;
mod writer;

use std::str::FromStr;
use std::sync::Arc;

use lockproof_bookings::{
    Connection, Constraints, Layout, PostgresStore, RowLock, SchemaName, SlotState, SqlConnection,
    SqlRow, SqlStore, SqlValue, SqliteStore, TransactionMode,
};
use lockproof_env::Env;
use lockproof_model::{SlotId, Span};

use crate::app::StartError;
use crate::config::{Config, DatabasePlace, RedisPlace};

pub(crate) use self::pool::{Pool, Pooled};
pub(crate) use self::reservations::{Order, Placed, Reservation, Status, Unit};

/// Where the tables are on a Postgres.
const SCHEMA: &str = "lockproof_service";

pub(crate) type Result<T, E = lockproof_bookings::BookingError> = std::result::Result<T, E>;

#[derive(Debug)]
pub(crate) struct Store {
    env: Env,
    pool: Pool,
}

impl Store {
    /// Opens the database of `config`, and makes or brings up to date what tables it has.
    pub(crate) async fn open(config: &Config, env: &Env) -> Result<Self, StartError> {
        let sql = sql_store(config, env)?;
        let cannot = |error| StartError::new("cannot open the database").because(error);
        make_tables(&*sql).await.map_err(cannot)?;
        let store = Self { env: env.clone(), pool: Pool::new(sql, config.database_connections) };
        store.migrate(config).await.map_err(cannot)?;
        Ok(store)
    }

    /// The database of `config` as somebody else has made it.
    pub(crate) fn open_as_it_is(config: &Config, env: &Env) -> Result<Self, StartError> {
        let pool = Pool::new(sql_store(config, env)?, config.database_connections);
        Ok(Self { env: env.clone(), pool })
    }

    /// A connection whose transaction is open.
    pub(crate) async fn begin(&self) -> Result<Pooled> {
        let mut db = self.pool.take().await?;
        db.begin(TransactionMode::ReadCommitted).await?;
        Ok(db)
    }

    /// What a statement that only reads finds, in a transaction of its own.
    pub(crate) async fn query(
        &self,
        statement: &'static str,
        values: Vec<SqlValue>,
    ) -> Result<Vec<SqlRow>> {
        let mut db = self.begin().await?;
        let rows = db.query(statement, values).await?;
        db.commit().await?;
        Ok(rows)
    }

    /// Runs a statement that writes, in a transaction of its own.
    pub(crate) async fn execute(
        &self,
        statement: &'static str,
        values: Vec<SqlValue>,
    ) -> Result<u64> {
        let mut db = self.begin().await?;
        let changed = db.execute(statement, values).await?;
        db.commit().await?;
        Ok(changed)
    }

    /// The slot that is called `name`; where there is none it is made, to be sold `capacity` times.
    async fn slot(&self, name: &str, capacity: u32) -> Result<SlotId> {
        if let Some(slot) = self.known_slot(name).await? {
            return Ok(slot);
        }
        let mut db = self.begin().await?;
        db.execute(tables::NAME_SLOT, vec![name.into()]).await?;
        db.execute(tables::MAKE_SLOT, vec![name.into(), i64::from(capacity).into()]).await?;
        db.commit().await?;
        let made = self.known_slot(name).await?;
        Ok(made.expect("what was committed can be read"))
    }

    async fn known_slot(&self, name: &str) -> Result<Option<SlotId>> {
        let rows = self.query(tables::FIND_SLOT, vec![name.into()]).await?;
        let number = rows.first().and_then(|row| row.first()).and_then(SqlValue::integer);
        Ok(number.map(|number| SlotId(u32::try_from(number).expect("slots are counted from 1"))))
    }

    /// Whether the slot that is called `name` is sold out, and its version.
    pub(crate) async fn look(&self, name: &str, capacity: u32) -> Result<Look> {
        let slot = self.slot(name, capacity).await?;
        let mut db = self.begin().await?;
        let SlotState { capacity, version, .. } = db.read_slot(slot, RowLock::None).await?;
        let confirmed = db.count_confirmed(slot, Span::WHOLE).await?;
        db.commit().await?;
        Ok(Look { sold_out: confirmed >= capacity, version })
    }

    async fn migrate(&self, config: &Config) -> Result<()> {
        let mut db = self.begin().await?;
        let engine = self.pool.engine();
        db.batch(tables::versions(engine)).await?;
        let rows = db.query(tables::VERSION, Vec::new()).await?;
        let done = rows.first().and_then(|row| row[0].integer()).unwrap_or(0);
        let done = usize::try_from(done).unwrap_or(0);
        for (number, migration) in tables::MIGRATIONS.iter().enumerate().skip(done) {
            db.batch(tables::for_engine(migration, engine)).await?;
            let number = i64::try_from(number + 1).unwrap_or(i64::MAX);
            db.execute(tables::NOTE_VERSION, vec![number.into()]).await?;
        }
        // What the guard wants the database to enforce; for no other guard, which it would save from itself.
        let unique = config.guard.constraints.unique_unit;
        db.batch((if unique { tables::UNIQUE } else { tables::NOT_UNIQUE }).to_owned()).await?;
        if matches!(config.redis, RedisPlace::Embedded) {
            // Its counters begin again, and no holder of theirs is left.
            db.batch(tables::RESET_FENCES.to_owned()).await?;
        }
        db.commit().await
    }
}

/// A slot as it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) sold_out: bool,
    pub(crate) version: i64,
}

/// Makes the tables of slots and bookings unless they are there; of two services that start at once, one does.
async fn make_tables(sql: &dyn SqlStore) -> Result<()> {
    if sql.exists().await? {
        return Ok(());
    }
    let layout = Layout { slots: 0, capacity: 1, constraints: Constraints::NONE };
    match sql.create(layout).await {
        Err(error) if !sql.exists().await.unwrap_or(false) => Err(error),
        _ => Ok(()),
    }
}

fn sql_store(config: &Config, env: &Env) -> Result<Arc<dyn SqlStore>, StartError> {
    Ok(match &config.database {
        DatabasePlace::Sqlite(path) => Arc::new(SqliteStore::new(env.clone(), path)),
        DatabasePlace::Postgres(address) => {
            let mut address = (**address).clone();
            let given = address.config().get_options().unwrap_or_default().to_owned();
            address.config_mut().options(format!("{given} -c search_path={SCHEMA}"));
            let tls = |error| StartError::new("cannot verify the database").because(error);
            address.prepare().map_err(tls)?;
            let schema = SchemaName::from_str(SCHEMA).expect("it is a name");
            let holders = address.clone();
            Arc::new(PostgresStore::new(schema, address, move |_| holders.clone()))
        }
    })
}
