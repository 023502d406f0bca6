//! How statements travel.

use std::fmt::{self, Debug};

use futures_util::future::BoxFuture;
use lockproof_database_model::{Answer, Database, SqlError, Statement};
use lockproof_model::HolderId;

/// What came back: the database's answer, or the news that none will come.
pub type Reply = Result<Result<Answer, SqlError>, NoAnswer>;

/// How holders reach a model database.
pub trait Wire: Debug + Send + Sync + 'static {
    /// What a holder keeps open.
    type Session: WireSession;

    /// Opens a session for `holder`, whatever the delay.
    ///
    /// # Errors
    /// The database cannot be reached.
    ///
    /// # Cancel safety
    /// Dropping the future drops the session that it may have opened.
    fn connect(&self, holder: HolderId) -> BoxFuture<'_, Result<Self::Session, NoAnswer>>;

    /// Lets `visit` at the database itself, at once: for the judge, whom no fault reaches. Where that lets a waiting
    /// statement go on, the wire delivers its answer as it would have otherwise.
    fn administer(&self, visit: &mut dyn FnMut(&mut Database));
}

/// One holder's connection to a model database. Dropping it closes it, as the death of its process would: what was
/// sent has been sent, and once the database notices it undoes what is open.
pub trait WireSession: Debug + Send + 'static {
    /// Sends a statement, and answers with what comes back.
    ///
    /// It is sent by this call, not by the first poll of what it answers with: statements of one session are executed
    /// in the order of the calls.
    ///
    /// # Cancel safety
    /// Dropping the future drops the answer and nothing else.
    fn send(&mut self, statement: Statement) -> impl Future<Output = Reply> + Send + use<Self>;

    /// Whether it is known to be lost, so that nothing can be sent by it any more.
    fn is_closed(&self) -> bool;
}

/// The connection was lost before an answer came: what was asked for may have been done or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was lost before an answer came")
    }
}

impl std::error::Error for NoAnswer {}
