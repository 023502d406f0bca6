//! An application's own statements.

use std::error::Error as StdError;

use bytes::BytesMut;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::HolderId;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Error, Row, Statement};

use super::PostgresStore;
use super::connection::PostgresConnection;
use super::dial::Statements;
use crate::{BookingError, Result, SqlConnection, SqlRow, SqlStore, SqlValue};

impl SqlConnection for PostgresConnection {
    fn query<'a>(
        &'a mut self,
        statement: &'static str,
        values: Vec<SqlValue>,
    ) -> BoxFuture<'a, Result<Vec<SqlRow>>> {
        async move {
            let rows = self.statement("run a query", async |client, statements| {
                let prepared = prepared(client, statements, statement).await?;
                client.query(&prepared, &parameters(&values)).await
            });
            rows.await?.iter().map(columns).collect()
        }
        .boxed()
    }

    fn execute<'a>(
        &'a mut self,
        statement: &'static str,
        values: Vec<SqlValue>,
    ) -> BoxFuture<'a, Result<u64>> {
        async move {
            self.statement("run a statement", async |client, statements| {
                let prepared = prepared(client, statements, statement).await?;
                client.execute(&prepared, &parameters(&values)).await
            })
            .await
        }
        .boxed()
    }

    fn batch(&mut self, statements: String) -> BoxFuture<'_, Result<()>> {
        async move {
            self.statement("run statements", async |client, _| {
                client.batch_execute(&statements).await
            })
            .await
        }
        .boxed()
    }
}

impl SqlStore for PostgresStore {
    fn exists(&self) -> BoxFuture<'_, Result<bool>> {
        async {
            let judge = self.judge().await?;
            let table = format!("{}.slots", self.schema);
            let there = "SELECT to_regclass($1::text) IS NOT NULL";
            let row = judge.client().query_one(there, &[&table]).await;
            Ok(row.map_err(|error| BookingError::postgres("look for the tables", error))?.get(0))
        }
        .boxed()
    }

    fn open_sql(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn SqlConnection>>> {
        async move {
            let schema = std::sync::Arc::clone(&self.schema);
            let connection = PostgresConnection::open((self.holders)(holder), schema).await?;
            Ok(Box::new(connection) as Box<dyn SqlConnection>)
        }
        .boxed()
    }
}

/// Prepared at its first use on this connection.
async fn prepared(
    client: &Client,
    statements: &Statements,
    text: &'static str,
) -> Result<Statement, Error> {
    if let Some(statement) = statements.of_application(text) {
        return Ok(statement);
    }
    let statement = client.prepare(text).await?;
    statements.keep_of_application(text, &statement);
    Ok(statement)
}

fn parameters(values: &[SqlValue]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn columns(row: &Row) -> Result<SqlRow> {
    let column = |place| {
        let value: Result<Option<Column>, Error> = row.try_get(place);
        let value = value.map_err(|error| BookingError::postgres("read a column", error))?;
        Ok(value.map_or(SqlValue::Null, |column| column.0))
    };
    (0..row.len()).map(column).collect()
}

/// What a parameter is sent as is the server's to say.
impl ToSql for SqlValue {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT4) => i32::try_from(*number)?.to_sql(kind, out),
            (Self::Integer(number), _) => number.to_sql(kind, out),
            (Self::Text(text), _) => text.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT4, Type::INT8, Type::TEXT, Type::VARCHAR].contains(kind)
    }

    to_sql_checked!();
}

struct Column(SqlValue);

impl<'a> FromSql<'a> for Column {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(match *kind {
            Type::INT8 => SqlValue::Integer(i64::from_sql(kind, raw)?),
            Type::INT4 => SqlValue::Integer(i32::from_sql(kind, raw)?.into()),
            _ => SqlValue::Text(String::from_sql(kind, raw)?),
        }))
    }

    fn accepts(kind: &Type) -> bool {
        SqlValue::accepts(kind)
    }
}
