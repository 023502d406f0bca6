//! The same request twice is one booking: states of an `Idempotency-Key`.
//!
//! ```text
//!            ┌── answered 2xx ──▶ SUCCESS   its answer comes back, byte for byte
//!  IN_PROGRESS
//!            └── anything else, or no end within its TTL ──▶ FAILED   may be tried again
//! ```
//!
//! A key belongs to a route and a tenant. What a request asked for is compared by the SHA-256 of its canonical payload: a
//! key with another payload is a slip of the client's, and refused. Each change of state is one statement that names the
//! state it was decided on, so of two requests that take up a failed one, one does.
//!
//! A request that was cut off may have booked all the same. So a booking remembers its request, and who takes that up
//! looks for it first.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use lockproof_bookings::{Connection, SqlConnection, SqlValue};
use sha2::{Digest, Sha256};

use crate::answer::{Answer, Refused, json_text};
use crate::app::App;
use crate::fields::Fields;
use crate::locks::{millis, now_ms};

const HEADER: &str = "idempotency-key";
/// Longest key, in bytes.
const KEY_MAX: usize = 255;

const START: &str = "INSERT INTO idempotency_keys (scope, key, digest, state, updated_at)
     VALUES ($1, $2, $3, 'IN_PROGRESS', $4) ON CONFLICT (scope, key) DO NOTHING";
const FIND: &str = "SELECT digest, state, status, body, updated_at FROM idempotency_keys
     WHERE scope = $1 AND key = $2";
const TAKE_UP: &str =
    "UPDATE idempotency_keys SET state = 'IN_PROGRESS', digest = $3, updated_at = $4
     WHERE scope = $1 AND key = $2 AND state = $5 AND updated_at = $6";
const FINISH: &str =
    "UPDATE idempotency_keys SET state = $3, status = $4, body = $5, updated_at = $6
     WHERE scope = $1 AND key = $2 AND state = 'IN_PROGRESS' AND updated_at = $7";
const REMOVE: &str = "DELETE FROM idempotency_keys WHERE updated_at < $1";

/// A request that may come again.
#[derive(Debug)]
pub(crate) struct Once {
    scope: String,
    key: String,
    digest: String,
    started: i64,
}

/// What is known of a request that begins.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It has no key: nothing is remembered.
    Unkeyed,
    /// It is to be carried out.
    First(Once),
    /// It was carried out before; this is what was answered.
    Done(Response),
}

impl Begun {
    /// By what a booking remembers the request.
    pub(crate) fn request_key(&self) -> Option<String> {
        match self {
            Self::First(once) => Some(format!("{} {}", once.scope, once.key)),
            Self::Unkeyed | Self::Done(_) => None,
        }
    }
}

/// Begins a request of `route` by `tenant`.
pub(crate) async fn begin(
    app: &App,
    headers: &HeaderMap,
    route: &str,
    tenant: &str,
    fields: &Fields,
) -> Result<Begun, Refused> {
    let Some(key) = headers.get(HEADER) else { return Ok(Begun::Unkeyed) };
    let is_good = |key: &&str| !key.is_empty() && key.len() <= KEY_MAX;
    let key = key.to_str().ok().filter(is_good).ok_or_else(|| {
        Refused::field("Idempotency-Key", format!("it is 1 to {KEY_MAX} visible ASCII characters"))
    })?;
    let digest = Sha256::digest(fields.canonical().as_bytes());
    let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let scope = format!("{route} {tenant}");
    let once = Once { scope, key: key.to_owned(), digest, started: now() };
    once.start(app).await
}

impl Once {
    async fn start(self, app: &App) -> Result<Begun, Refused> {
        let mut db = app.store.begin().await?;
        let [scope, key, digest] = self.names();
        let values = vec![scope.clone(), key.clone(), digest.clone(), self.started.into()];
        if db.execute(START, values).await? > 0 {
            db.commit().await?;
            return Ok(Begun::First(self));
        }
        let rows = db.query(FIND, vec![scope.clone(), key.clone()]).await?;
        // One that was removed in between is as good as one in progress: the client asks again.
        let Some(row) = rows.first() else { return Err(in_progress()) };
        let (state, updated) = (row[1].text().unwrap_or_default(), row[4].integer().unwrap_or(0));
        if row[0] != digest {
            db.rollback().await?;
            let message = "this Idempotency-Key came with another payload before; draw a new one";
            return Err(Refused::with(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                message,
            ));
        }
        let limit = i64::try_from(millis(app.config.in_progress_ttl)).unwrap_or(i64::MAX);
        match state {
            "SUCCESS" => {
                db.rollback().await?;
                let status = row[2].integer().and_then(|status| u16::try_from(status).ok());
                let status = status.and_then(|status| StatusCode::from_u16(status).ok());
                let body = row[3].text().unwrap_or_default().to_owned();
                Ok(Begun::Done(json_text(status.unwrap_or(StatusCode::OK), body)))
            }
            "IN_PROGRESS" if self.started - updated < limit => {
                db.rollback().await?;
                Err(in_progress())
            }
            _ => {
                // Later than what it takes up, by which its end is told from the other's.
                let started = self.started.max(updated + 1);
                let values = vec![scope, key, digest, started.into(), state.into(), updated.into()];
                let taken = db.execute(TAKE_UP, values).await? > 0;
                db.commit().await?;
                if taken { Ok(Begun::First(Self { started, ..self })) } else { Err(in_progress()) }
            }
        }
    }

    async fn finish(&self, app: &App, status: StatusCode, body: &str) -> Result<(), Refused> {
        let [scope, key, _] = self.names();
        let succeeded = status.is_success();
        let state = if succeeded { "SUCCESS" } else { "FAILED" };
        let (status, body) = (i64::from(status.as_u16()), succeeded.then_some(body));
        // No earlier than its begin, whatever the wall clock did.
        let ended = now().max(self.started);
        let values = vec![
            scope,
            key,
            state.into(),
            status.into(),
            body.into(),
            ended.into(),
            self.started.into(),
        ];
        app.store.execute(FINISH, values).await?;
        Ok(())
    }

    fn names(&self) -> [SqlValue; 3] {
        [&self.scope, &self.key, &self.digest].map(|text| text.as_str().into())
    }
}

/// Ends a request that was begun: remembers what was answered, if that is to come back.
pub(crate) async fn finish(app: &App, begun: Begun, answer: Answer) -> Answer {
    let Begun::First(once) = begun else { return answer };
    match answer {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            // The booking stands: that its answer could not be kept is no reason to deny it.
            if let Err(error) = once.finish(app, parts.status, &text).await {
                tracing::warn!(?error, "an answer was not kept for its idempotency key");
            }
            Ok(Response::from_parts(parts, text.into()))
        }
        Err(refused) => {
            if let Err(error) = once.finish(app, StatusCode::CONFLICT, "").await {
                tracing::debug!(?error, "a failed request counts as in progress until its TTL");
            }
            Err(refused)
        }
    }
}

/// Removes what is older than its TTL; how many.
pub(crate) async fn remove_expired(app: &App) -> Result<u64, Refused> {
    let oldest =
        now().saturating_sub(i64::try_from(millis(app.config.idempotency_ttl)).unwrap_or(0));
    Ok(app.store.execute(REMOVE, vec![oldest.into()]).await?)
}

fn in_progress() -> Refused {
    let message = "a request with this Idempotency-Key is being worked on; ask again";
    Refused::with(StatusCode::CONFLICT, "in_progress", message)
}

fn now() -> i64 {
    i64::try_from(now_ms()).unwrap_or(i64::MAX)
}
