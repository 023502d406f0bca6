//! The holders' sessions at a MariaDB, told apart by a table in which each has noted itself.
//!
//! A session has no name that others could see: what a client says of itself is in the performance schema alone, which
//! is off by default.

use std::time::Duration;

use lockproof_bookings::{MariadbAddress, MariadbDialled};
use lockproof_model::HolderId;

use crate::{RigError, SessionLimits};

/// A session notices within microseconds, unless its process stands still.
const ENDED_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(1);

/// The sessions of one cell's holders.
#[derive(Clone, Debug)]
pub(in crate::live) struct MariadbSessions {
    /// Straight to the server, past every link.
    address: MariadbAddress,
    schema: String,
}

impl MariadbSessions {
    pub(in crate::live) fn new(address: MariadbAddress, schema: &str) -> Self {
        Self { address, schema: schema.to_owned() }
    }

    /// `address` as a holder is to dial it under `limits`.
    ///
    /// # Errors
    /// The server counts in whole seconds.
    pub(in crate::live) fn set_up(
        address: MariadbAddress,
        limits: SessionLimits,
    ) -> Result<MariadbAddress, RigError> {
        let named = [
            ("idle_transaction_timeout", limits.idle_in_transaction),
            ("innodb_lock_wait_timeout", limits.lock),
        ];
        let limits = named.into_iter().filter_map(|(name, limit)| Some((name, limit?)));
        limits.into_iter().try_fold(address, |address, (name, limit)| {
            if !crate::DatabaseEngine::Mariadb.counts(limit) {
                return Err(RigError::new(format!("{name} of {limit:?} is no whole second")));
            }
            Ok(address.saying(format!("SET SESSION {name} = {}", limit.as_secs())))
        })
    }

    /// Has the server end the session of `holder`, and waits until it is gone.
    pub(super) async fn end(&self, holder: HolderId) -> Result<Option<String>, RigError> {
        let dialled = self.address.connect().await.map_err(|error| {
            RigError::new("cannot reach the database to end a session").because(error)
        })?;
        let mut ended = Vec::new();
        for (session, command) in self.of(&dialled, holder).await? {
            // It may have ended by itself since; that it is gone is seen below.
            drop(dialled.run("end a session", format!("KILL CONNECTION {session}")).await);
            ended.push(format!("session {session} of {holder} was ended ({command})"));
        }
        self.gone(&dialled, holder).await?;
        Ok((!ended.is_empty()).then(|| ended.join("; ")))
    }

    /// Sessions that are there and have noted themselves as the holder's. One that uses another database got its number
    /// after a restart, and has not noted itself.
    async fn of(
        &self,
        dialled: &MariadbDialled,
        holder: HolderId,
    ) -> Result<Vec<(u64, String)>, RigError> {
        let Self { schema, .. } = self;
        let rows = format!(
            "SELECT id, command FROM information_schema.processlist
             JOIN {schema}.sessions ON connection = id
             WHERE holder = {} AND db = '{schema}'",
            holder.0
        );
        let rows = dialled.rows("look for a session", rows).await;
        rows.map_err(|error| RigError::new("could not end a session").because(error))
    }

    async fn gone(&self, dialled: &MariadbDialled, holder: HolderId) -> Result<(), RigError> {
        let deadline = tokio::time::Instant::now() + ENDED_WITHIN;
        loop {
            if self.of(dialled, holder).await?.is_empty() {
                return Ok(());
            }
            if tokio::time::Instant::now() >= deadline {
                let what =
                    format!("a session did not end within {ENDED_WITHIN:?} of being told to");
                return Err(RigError::new(what));
            }
            tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await;
        }
    }
}
