//! The MariaDB that tests share, when none is named: the one that `--provider process` starts.

use std::sync::Arc;

use lockproof_bookings::MariadbAddress;
use lockproof_rig::live::{Database, Provider, find_provider};
use lockproof_rig::{DatabaseEngine, ExternalServers};

use crate::Failure;

/// A running server; dropping it stops it and removes its files.
#[derive(Debug)]
pub(super) struct Mariadb {
    url: String,
    _provider: Arc<dyn Provider>,
}

impl Mariadb {
    /// Starts one on a free port, with its files in a temporary folder.
    ///
    /// # Errors
    /// It cannot be installed there, or does not answer.
    pub(super) async fn start() -> Result<Self, Failure> {
        let entry = find_provider("process").ok_or("there is no provider `process`")?;
        let provider = (entry.start)(&ExternalServers::default())?;
        let started = provider.database("tests", Some(DatabaseEngine::Mariadb)).await?;
        let Database::Mariadb { address, .. } = started else {
            return Err("what was started is no MariaDB".into());
        };
        Ok(Self { url: address.url().to_owned(), _provider: provider })
    }

    /// Where tests find it.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

/// Whether the server at `url` answers: a misspelt name should not look like a failing test.
///
/// # Errors
/// It does not.
pub(super) async fn answers(url: &str) -> Result<(), Failure> {
    let address: MariadbAddress = url.parse()?;
    drop(address.connect().await?);
    Ok(())
}
