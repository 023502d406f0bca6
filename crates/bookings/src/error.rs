//! Errors that say whether the booking may stand all the same.
//!
//! An error is indefinite unless the code claims otherwise. Three places claim: an engine that can rule
//! its commit out, [`BookingSession`](crate::BookingSession) for everything before COMMIT is sent, and
//! the few kinds that are noticed before anything is sent.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use lockproof_database_model::{Answer, SqlError};
use lockproof_model::{AttemptId, Certainty, FencingToken, Refusal, SlotId};

use crate::NoAnswer;

/// The crate's result.
pub type Result<T, E = BookingError> = std::result::Result<T, E>;

/// The database, or the way to it, failed.
pub struct BookingError {
    certainty: Certainty,
    refusal: Option<Refusal>,
    kind: Box<Kind>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("cannot {doing} in SQLite")]
    Sqlite {
        doing: &'static str,
        #[source]
        source: rusqlite::Error,
    },
    #[error("cannot start a thread for the database file {}", path.display())]
    Thread {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the thread of the SQLite connection has stopped")]
    ThreadStopped,
    #[error("cannot {doing} in PostgreSQL")]
    Postgres {
        doing: &'static str,
        #[source]
        source: tokio_postgres::Error,
    },
    #[error("cannot open a connection to PostgreSQL")]
    Tls(#[source] crate::TlsError),
    #[error("the connection to PostgreSQL was lost; the next begin dials again")]
    ConnectionLost,
    #[error("cannot {doing} in MariaDB")]
    Mariadb {
        doing: &'static str,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("cannot open a connection to MariaDB: it did not let us in within {0:?}")]
    MariadbDialTimedOut(Duration),
    #[error("the connection to MariaDB was lost; the next begin dials again")]
    MariadbConnectionLost,
    #[error("MariaDB drew no key for a booking")]
    NoKey,
    #[error("MariaDB answered with no lease to the statement that takes one")]
    NoLease,
    #[error("cannot {doing} in the model database")]
    Model {
        doing: &'static str,
        #[source]
        source: SqlError,
    },
    #[error("cannot {doing} in the model database")]
    NoAnswer {
        doing: &'static str,
        #[source]
        source: NoAnswer,
    },
    #[error("the connection to the model database was lost; the next begin dials again")]
    ModelConnectionLost,
    #[error("the model database answered {0:?}, which is no answer to what was asked")]
    Unexpected(Answer),
    #[error(
        "an earlier statement of this transaction failed or was abandoned; it was not committed"
    )]
    Doomed,
    #[error(
        "`{0}` is no schema name; use up to 63 of a-z, 0-9 and _, beginning with a letter or _"
    )]
    SchemaName(String),
    #[error("{engine} has no {what}; the strategy is not for it")]
    Unsupported { engine: &'static str, what: &'static str },
    #[error("{0} is not in the slots table; slots are numbered from 1")]
    NoSlot(SlotId),
    #[error("the key of {0} is used and no booking stands for it; was one removed?")]
    KeyWithoutBooking(AttemptId),
    #[error("the guard compares fencing tokens and the lease has none; use a lock that draws them")]
    NoFencingToken,
    #[error("{0} does not fit the database's 64-bit column")]
    FencingTokenTooLarge(FencingToken),
    #[error("the tables hold {0}, which Lockproof never writes; was the schema shared?")]
    OutOfRange(i64),
}

impl BookingError {
    pub(crate) fn sqlite(doing: &'static str, source: rusqlite::Error) -> Self {
        Kind::Sqlite { doing, source }.into()
    }

    pub(crate) fn postgres(doing: &'static str, source: tokio_postgres::Error) -> Self {
        Kind::Postgres { doing, source }.into()
    }

    /// The driver's error without its wrappings, which repeat what they wrap.
    pub(crate) fn mariadb(doing: &'static str, error: mysql_async::Error) -> Self {
        use mysql_async::{Error, IoError};
        let source = match error {
            Error::Server(error) => error.into(),
            Error::Io(IoError::Io(error)) => error.into(),
            Error::Driver(error) => error.into(),
            Error::Url(error) => error.into(),
            Error::Other(error) => error,
        };
        Kind::Mariadb { doing, source }.into()
    }

    /// The same error, with the claim that the booking does not stand.
    #[must_use]
    pub(crate) const fn definite(mut self) -> Self {
        self.certainty = Certainty::Definite;
        self
    }

    /// The same error, with the claim that the database ended the transaction to keep its promise.
    #[must_use]
    pub(crate) const fn aborted(mut self) -> Self {
        self.refusal = Some(Refusal::Aborted);
        self.definite()
    }

    /// What the model database said, where it did.
    pub(crate) fn model_error(&self) -> Option<SqlError> {
        match *self.kind {
            Kind::Model { source, .. } => Some(source),
            _ => None,
        }
    }

    /// Whether the booking may stand all the same.
    #[must_use]
    pub const fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// The refusal that this error really is: [`Refusal::Aborted`] when the database ended the
    /// transaction to keep its promise, else `None`. A session hands such an error out as that refusal.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }
}

impl From<Kind> for BookingError {
    fn from(kind: Kind) -> Self {
        Self { certainty: Certainty::Indefinite, refusal: None, kind: Box::new(kind) }
    }
}

impl fmt::Debug for BookingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.certainty, self.kind)
    }
}

impl fmt::Display for BookingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Error for BookingError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.kind.source()
    }
}

#[cfg(test)]
mod tests {
    use lockproof_model::in_full;

    use super::*;

    #[test]
    fn an_error_is_indefinite_until_somebody_claims_otherwise() {
        let error = BookingError::from(Kind::ConnectionLost);
        assert_eq!(error.certainty(), Certainty::Indefinite);
        assert_eq!(error.definite().certainty(), Certainty::Definite);
    }

    #[test]
    fn an_error_in_full_names_its_causes_once() {
        let error = BookingError::sqlite("read the slot", rusqlite::Error::QueryReturnedNoRows);
        assert_eq!(error.to_string(), "cannot read the slot in SQLite");
        assert_eq!(in_full(&error), "cannot read the slot in SQLite: Query returned no rows");
    }

    #[test]
    fn an_error_that_is_no_abort_is_no_refusal() {
        assert_eq!(BookingError::from(Kind::ConnectionLost).definite().refusal(), None);
    }
}
