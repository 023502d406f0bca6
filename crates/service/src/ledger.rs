//! The reservation log: each reservation, conflict, release and expiry is a row, so that the conflict rate can be watched.
//!
//! Rows are written in the background, many by one commit. A log that cannot keep up loses rows and says so; no request
//! waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lockproof_bookings::{Connection, SqlConnection, SqlValue};
use lockproof_env::Env;
use tokio::sync::mpsc;

use crate::app::StartError;
use crate::config::Config;
use crate::locks::now_ms;
use crate::slot::Slot;
use crate::store::{Result, Store};

/// Rows that wait to be written.
const WAITING_MAX: usize = 16_384;
/// Rows of one commit.
const BATCH_MAX: usize = 512;

const INSERT: &str = "INSERT INTO reservation_log (at, event, tenant, resource, date, start_time)
     VALUES ($1, $2, $3, $4, $5, $6)";
const COUNT: &str = "SELECT event, count(*) FROM reservation_log WHERE at > $1 AND at <= $2
     GROUP BY event ORDER BY event";

/// What happened to a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Reserved,
    Conflict,
    Released,
    Expired,
}

impl Event {
    const fn word(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Conflict => "conflict",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Ledger {
    rows: Option<mpsc::Sender<Vec<SqlValue>>>,
    lost: AtomicU64,
}

impl Ledger {
    /// A ledger, and what is to be written of it where rows are kept.
    pub(crate) fn new(config: &Config) -> (Self, Option<mpsc::Receiver<Vec<SqlValue>>>) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let (rows, receiver) =
            if config.log_reservations { (Some(sender), Some(receiver)) } else { (None, None) };
        (Self { rows, lost: AtomicU64::new(0) }, receiver)
    }

    pub(crate) fn note(&self, event: Event, slot: &Slot) {
        let Some(rows) = &self.rows else { return };
        let Slot { tenant_id, resource_id, date, start_time, .. } = slot;
        let at = i64::try_from(now_ms()).unwrap_or(i64::MAX);
        let mut row: Vec<SqlValue> = vec![at.into(), event.word().into()];
        row.extend([tenant_id, resource_id, date, start_time].map(|text| text.as_str().into()));
        if rows.try_send(row).is_err() && self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("the reservation log cannot keep up, and loses rows");
        }
    }

    /// Rows that were not written.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Writes rows until nobody can send any more.
pub(crate) async fn write(store: Arc<Store>, mut rows: mpsc::Receiver<Vec<SqlValue>>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while rows.recv_many(&mut batch, BATCH_MAX).await > 0 {
        if let Err(error) = write_batch(&store, &mut batch).await {
            tracing::warn!(%error, "rows of the reservation log were not written");
            batch.clear();
        }
    }
}

async fn write_batch(store: &Store, batch: &mut Vec<Vec<SqlValue>>) -> Result<()> {
    let mut db = store.begin().await?;
    for row in batch.drain(..) {
        db.execute(INSERT, row).await?;
    }
    db.commit().await
}

/// What a window of the log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reservations {
    /// Locks that were taken.
    pub reserved: u64,
    /// Requests that found the lock held.
    pub conflicts: u64,
    /// Locks that were given back.
    pub released: u64,
    /// Locks that ended by their TTL.
    pub expired: u64,
}

impl Reservations {
    /// Conflicts for each hundred requests; none where nothing was asked for.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with two digits")]
    pub fn conflict_percent(&self) -> Option<f64> {
        let all = self.reserved + self.conflicts;
        (all > 0).then(|| self.conflicts as f64 * 100.0 / all as f64)
    }
}

/// Opens the log of the database of `config`; each call of the answer counts from where the last one ended, and the first
/// the last `window_ms` milliseconds.
///
/// # Errors
/// The database cannot be opened.
pub async fn reservations(
    config: &Config,
    env: &Env,
    window_ms: u64,
) -> std::result::Result<
    impl AsyncFnMut() -> std::result::Result<Reservations, StartError>,
    StartError,
> {
    let store = Store::open_as_it_is(config, env)?;
    let mut since = now_ms().saturating_sub(window_ms);
    Ok(async move || {
        let now = now_ms();
        let counted = count(&store, since, now).await;
        since = now;
        counted.map_err(|error| StartError::new("cannot read the reservation log").because(error))
    })
}

async fn count(store: &Store, since: u64, now: u64) -> Result<Reservations> {
    let instants = [since, now].map(|at| i64::try_from(at).unwrap_or(i64::MAX).into());
    let mut counts = Reservations::default();
    for row in store.query(COUNT, instants.into()).await? {
        let count = row[1].integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        match row[0].text() {
            Some("reserved") => counts.reserved = count,
            Some("conflict") => counts.conflicts = count,
            Some("released") => counts.released = count,
            Some("expired") => counts.expired = count,
            _ => {}
        }
    }
    Ok(counts)
}
