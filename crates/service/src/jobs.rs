//! What goes on beside requests: bookings that expire, keys that grow old, locks whose end nobody has seen.

use std::sync::Arc;
use std::time::Duration;

use lockproof_bookings::SqlValue;
use lockproof_env::Task;
use tokio::sync::mpsc::Receiver;

use crate::app::App;
use crate::ledger::{self, Event};
use crate::locks::now_ms;
use crate::{answer, idempotency};

const EVERY: Duration = Duration::from_secs(1);

/// Starts them; each ends when it is aborted.
pub(crate) fn start(app: &Arc<App>, rows: Option<Receiver<Vec<SqlValue>>>) -> Vec<Task<()>> {
    let mut jobs = vec![app.env.spawn(tick(Arc::clone(app)))];
    if let Some(rows) = rows {
        jobs.push(app.env.spawn(ledger::write(Arc::clone(&app.store), rows)));
    }
    jobs
}

async fn tick(app: Arc<App>) {
    loop {
        app.env.sleep(EVERY).await;
        for slot in app.metrics.take_expired(now_ms()) {
            app.ledger.note(Event::Expired, &slot);
        }
        if let Err(refused) = clean_up(&app).await {
            tracing::debug!(?refused, "cleaning up is put off");
        }
    }
}

/// Of several services on one database each does this: what one has done the others find done.
async fn clean_up(app: &App) -> Result<(), answer::Refused> {
    let expired = app.store.expire(now_ms()).await?;
    let removed = idempotency::remove_expired(app).await?;
    if expired > 0 || removed > 0 {
        tracing::info!(expired, removed, "bookings have expired, idempotency keys were removed");
    }
    Ok(())
}
