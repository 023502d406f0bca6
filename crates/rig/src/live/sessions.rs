//! The holders' sessions at a database server, told apart, and their end.

mod mariadb;
mod postgres;

use lockproof_model::HolderId;

pub(super) use self::mariadb::MariadbSessions;
pub(super) use self::postgres::PostgresSessions;
use crate::RigError;

/// The sessions of one cell's holders.
#[derive(Clone, Debug)]
pub(super) enum Sessions {
    Postgres(Box<PostgresSessions>),
    Mariadb(MariadbSessions),
}

impl Sessions {
    /// Has the server end the session of `holder`, and waits until it is gone.
    pub(super) async fn end(&self, holder: HolderId) -> Result<Option<String>, RigError> {
        match self {
            Self::Postgres(sessions) => sessions.end(holder).await,
            Self::Mariadb(sessions) => sessions.end(holder).await,
        }
    }
}
