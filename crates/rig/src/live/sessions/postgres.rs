//! The holders' sessions at a Postgres, told apart by name, and their end.

use std::time::Duration;

use lockproof_bookings::PostgresAddress;
use lockproof_model::HolderId;
use tokio_postgres::{Client, Config};

use crate::{RigError, SessionLimits};

/// A session notices within microseconds, unless its process stands still.
const ENDED_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(1);
/// What Postgres keeps of an `application_name`.
const NAME_BYTES: usize = 63;

/// The sessions of one cell's holders.
#[derive(Clone, Debug)]
pub(in crate::live) struct PostgresSessions {
    /// Straight to the server, past every link.
    address: PostgresAddress,
    schema: String,
}

impl PostgresSessions {
    pub(in crate::live) fn new(address: PostgresAddress, schema: &str) -> Self {
        Self { address, schema: schema.to_owned() }
    }

    /// What the session of `holder` calls itself. The number comes first, and what tells schemas apart before the rest,
    /// so that no two are called the same, however much is cut off.
    pub(in crate::live) fn name(&self, holder: HolderId) -> String {
        let mut name = format!("{}@{}", holder.0, self.schema);
        name.truncate(NAME_BYTES);
        name
    }

    /// What `holder` says of its session when it opens one.
    pub(in crate::live) fn set_up(
        &self,
        config: &mut Config,
        holder: HolderId,
        limits: SessionLimits,
    ) {
        config.application_name(self.name(holder));
        let limit = |name: &str, limit: Option<Duration>| {
            limit.map(|limit| format!("-c {name}={}", limit.as_millis()))
        };
        let ours = [
            limit("idle_in_transaction_session_timeout", limits.idle_in_transaction),
            limit("lock_timeout", limits.lock),
        ];
        // What a URL asks for stands, and ours comes after it.
        let theirs = config.get_options().map(ToOwned::to_owned);
        let options: Vec<String> = theirs.into_iter().chain(ours.into_iter().flatten()).collect();
        if !options.is_empty() {
            config.options(options.join(" "));
        }
    }

    /// Has the server end the session of `holder`, and waits until it is gone.
    pub(super) async fn end(&self, holder: HolderId) -> Result<Option<String>, RigError> {
        let dialled = self.address.connect().await.map_err(|error| {
            RigError::new("cannot reach the database to end a session").because(error)
        })?;
        let (client, name) = (dialled.client(), self.name(holder));
        let because = |error| RigError::new("could not end a session").because(error);
        let rows = client
            .query(
                "SELECT pid, coalesce(state, 'unknown'), pg_terminate_backend(pid)
                 FROM pg_stat_activity WHERE application_name = $1",
                &[&name],
            )
            .await
            .map_err(because)?;
        let ended: Vec<String> = rows
            .iter()
            .map(|row| {
                let (process, state): (i32, String) = (row.get(0), row.get(1));
                format!("session {process} of {holder} was ended ({state})")
            })
            .collect();
        gone(client, &name).await?;
        Ok((!ended.is_empty()).then(|| ended.join("; ")))
    }
}

async fn gone(client: &Client, name: &str) -> Result<(), RigError> {
    let deadline = tokio::time::Instant::now() + ENDED_WITHIN;
    loop {
        let left = client
            .query("SELECT pid FROM pg_stat_activity WHERE application_name = $1", &[&name])
            .await
            .map_err(|error| RigError::new("could not see whether it ended").because(error))?;
        if left.is_empty() {
            return Ok(());
        }
        if tokio::time::Instant::now() >= deadline {
            let what = format!("a session did not end within {ENDED_WITHIN:?} of being told to");
            return Err(RigError::new(what));
        }
        tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_two_holders_and_of_two_cells_are_told_apart() {
        let long = "lockproof_7_".to_owned() + &"x".repeat(51);
        let name = |schema: &str, holder| {
            PostgresSessions::new(PostgresAddress::from(Config::new()), schema)
                .name(HolderId(holder))
        };
        assert_eq!(name("lockproof_1_a", 12), "12@lockproof_1_a");
        assert!(name(&long, 1234).len() <= NAME_BYTES);
        assert_ne!(name(&long, 1), name(&long, 11));
        assert_ne!(name(&long, 1), name(&long.replace("_7_", "_8_"), 1));
    }
}
