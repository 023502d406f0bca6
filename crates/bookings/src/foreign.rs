//! Rows of somebody else's tables: what a service has written, in whatever tables it has.
//!
//! Nothing is written here, and what comes back is text.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use rusqlite::OpenFlags;
use rusqlite::types::ValueRef;
use tokio_postgres::SimpleQueryMessage;

use crate::postgres::Dialled;
use crate::{BookingError, PostgresAddress, PostgresUrlError, Result};

/// How long a reader waits for somebody who writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Names are looked for in every schema, since which of them its owner likes is not known; unless the URL says where.
const EVERY_SCHEMA: &str =
    "SELECT set_config('search_path', string_agg(quote_ident(nspname), ','), false)
     FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";

/// A row, as text; null where there is none.
pub type ForeignRow = Vec<Option<String>>;

/// A database of somebody else's.
#[derive(Clone, Debug)]
pub struct ForeignDatabase(Place);

#[derive(Clone)]
enum Place {
    Sqlite(PathBuf),
    Postgres(Box<PostgresAddress>),
}

impl ForeignDatabase {
    /// The rows that `statement` gives, which is to read and nothing else.
    ///
    /// # Errors
    /// The database cannot be reached, or takes the statement for none.
    ///
    /// # Panics
    /// When reading panics: a bug.
    ///
    /// # Cancel safety
    /// The statement may be carried out to its end.
    pub async fn rows(&self, statement: &str) -> Result<Vec<ForeignRow>> {
        match &self.0 {
            Place::Sqlite(path) => {
                let (path, statement) = (path.clone(), statement.to_owned());
                let read = tokio::task::spawn_blocking(move || of_sqlite(&path, &statement));
                let read = read.await.expect("reading rows does not panic");
                read.map_err(|error| BookingError::sqlite("read the bookings back", error))
            }
            Place::Postgres(address) => {
                let dialled = Dialled::dial(address).await?;
                let cannot = |error| BookingError::postgres("read the bookings back", error);
                if address.config().get_options().is_none() {
                    dialled.client().batch_execute(EVERY_SCHEMA).await.map_err(cannot)?;
                }
                let answer = dialled.client().simple_query(statement).await.map_err(cannot)?;
                Ok(answer.into_iter().filter_map(of_postgres).collect())
            }
        }
    }
}

fn of_sqlite(path: &PathBuf, statement: &str) -> rusqlite::Result<Vec<ForeignRow>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let mut statement = connection.prepare(statement)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns).map(|column| Ok(as_text(row.get_ref(column)?))).collect()
    })?;
    rows.collect()
}

fn as_text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            Some(String::from_utf8_lossy(text).into_owned())
        }
    }
}

fn of_postgres(message: SimpleQueryMessage) -> Option<ForeignRow> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    Some((0..row.len()).map(|column| row.get(column).map(ToOwned::to_owned)).collect())
}

impl FromStr for ForeignDatabase {
    type Err = PostgresUrlError;

    /// `sqlite:PATH`, also with two slashes after the colon, or a URL of a Postgres.
    fn from_str(text: &str) -> Result<Self, PostgresUrlError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return Ok(Self(Place::Sqlite(path.split('?').next().unwrap_or(path).into())));
        }
        Ok(Self(Place::Postgres(Box::new(text.parse()?))))
    }
}

/// Without a password.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rows_of_a_file_are_text_and_writing_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shop.sqlite");
        let shop = rusqlite::Connection::open(&path).unwrap();
        shop.execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE sold (id TEXT, slot INTEGER, name TEXT);
             INSERT INTO sold VALUES ('b-1', 7, NULL), ('b-2', 7, 'me')",
        )
        .unwrap();
        let database: ForeignDatabase = format!("sqlite://{}", path.display()).parse().unwrap();
        let rows = database.rows("SELECT id, slot, name FROM sold ORDER BY id").await.unwrap();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(rows, [[text("b-1"), text("7"), None], [text("b-2"), text("7"), text("me")]]);
        assert!(database.rows("DELETE FROM sold").await.is_err());
        assert!(database.rows("SELECT nothing").await.is_err());
    }
}
