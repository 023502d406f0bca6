//! Plain SQL beside the primitives, for a program that keeps more than bookings in one transaction.
//!
//! Guards are written against [`Connection`]; an application has tables of its own (a customer, an inventory), and wants
//! them written by the same commit. [`SqlConnection`] runs its statements in the transaction that the guard has opened,
//! with the same rules: one statement at a time, none sent twice, and after a failed one only a rollback.
//!
//! Parameters are `$1`, `$2` … on every engine. Table names are bare; a [`PostgresStore`](crate::PostgresStore) whose
//! address sets a `search_path` finds them in its schema.

use futures_util::future::BoxFuture;
use lockproof_model::HolderId;

use crate::{BookingStore, Connection, Result};

/// A value of a parameter or a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlValue {
    /// None.
    Null,
    /// A number of 64 bits.
    Integer(i64),
    /// A text.
    Text(String),
}

impl SqlValue {
    /// The number, if it is one.
    #[must_use]
    pub const fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Null | Self::Text(_) => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Integer(_) => None,
        }
    }
}

impl From<i64> for SqlValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<String> for SqlValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<T: Into<Self>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row, by column.
pub type SqlRow = Vec<SqlValue>;

/// A connection that runs an application's own statements, too.
///
/// # Cancel safety
/// As for [`Connection`].
pub trait SqlConnection: Connection {
    /// Runs a statement that only reads, in the open transaction. Columns are numbers and texts.
    fn query<'a>(
        &'a mut self,
        statement: &'static str,
        values: Vec<SqlValue>,
    ) -> BoxFuture<'a, Result<Vec<SqlRow>>>;

    /// Runs a statement that writes, in the open transaction; says how many rows it has changed.
    fn execute<'a>(
        &'a mut self,
        statement: &'static str,
        values: Vec<SqlValue>,
    ) -> BoxFuture<'a, Result<u64>>;

    /// Runs several statements that answer with nothing, in the open transaction.
    fn batch(&mut self, statements: String) -> BoxFuture<'_, Result<()>>;
}

/// A store whose connections run an application's own statements, too.
pub trait SqlStore: BookingStore {
    /// Whether the tables are there already.
    fn exists(&self) -> BoxFuture<'_, Result<bool>>;

    /// Opens a connection.
    fn open_sql(&self, holder: HolderId) -> BoxFuture<'_, Result<Box<dyn SqlConnection>>>;
}
