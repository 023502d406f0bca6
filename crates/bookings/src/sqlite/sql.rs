//! An application's own statements.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::HolderId;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection as Db, ToSql};

use super::SqliteStore;
use super::connection::SqliteConnection;
use crate::{Result, SqlConnection, SqlRow, SqlStore, SqlValue};

impl SqlConnection for SqliteConnection {
    fn query<'a>(
        &'a mut self,
        statement: &'static str,
        values: Vec<SqlValue>,
    ) -> BoxFuture<'a, Result<Vec<SqlRow>>> {
        self.run("run a query", move |db| query(db, statement, &values)).boxed()
    }

    fn execute<'a>(
        &'a mut self,
        statement: &'static str,
        values: Vec<SqlValue>,
    ) -> BoxFuture<'a, Result<u64>> {
        async move {
            self.ensure_writing().await?;
            self.run("run a statement", move |db| execute(db, statement, &values)).await
        }
        .boxed()
    }

    fn batch(&mut self, statements: String) -> BoxFuture<'_, Result<()>> {
        async move {
            self.ensure_writing().await?;
            self.run("run statements", move |db| db.execute_batch(&statements)).await
        }
        .boxed()
    }
}

impl SqlStore for SqliteStore {
    fn exists(&self) -> BoxFuture<'_, Result<bool>> {
        async {
            let there =
                "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'slots'";
            let rows = self.connect().await?.query(there, Vec::new()).await?;
            Ok(rows != [[SqlValue::Integer(0)]])
        }
        .boxed()
    }

    fn open_sql(&self, _holder: HolderId) -> BoxFuture<'_, Result<Box<dyn SqlConnection>>> {
        async { Ok(Box::new(self.connect().await?) as Box<dyn SqlConnection>) }.boxed()
    }
}

fn bound<'a>(db: &'a Db, text: &str, values: &[SqlValue]) -> rusqlite::Result<CachedStatement<'a>> {
    let mut statement = db.prepare_cached(text)?;
    for (place, value) in values.iter().enumerate() {
        // `$1` is a name to SQLite, and its number that of its first use.
        if let Some(number) = statement.parameter_index(&format!("${}", place + 1))? {
            statement.raw_bind_parameter(number, value)?;
        }
    }
    Ok(statement)
}

fn query(db: &Db, text: &str, values: &[SqlValue]) -> rusqlite::Result<Vec<SqlRow>> {
    let mut statement = bound(db, text, values)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut answer = Vec::new();
    while let Some(row) = rows.next()? {
        let value = |column| row.get_ref(column).map(of_column);
        answer.push((0..columns).map(value).collect::<rusqlite::Result<_>>()?);
    }
    Ok(answer)
}

fn execute(db: &Db, text: &str, values: &[SqlValue]) -> rusqlite::Result<u64> {
    let changed = bound(db, text, values)?.raw_execute()?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

fn of_column(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(number) => SqlValue::Integer(number),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            SqlValue::Text(String::from_utf8_lossy(text).into_owned())
        }
        ValueRef::Real(number) => SqlValue::Text(number.to_string()),
    }
}

impl ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Integer(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}
