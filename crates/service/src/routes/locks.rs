//! Locking a slot: acquire, verify, refresh, release.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Shared, unlocked};
use crate::answer::{Answer, Refused, answer};
use crate::app::App;
use crate::fields::Fields;
use crate::ledger::Event;
use crate::locks::{Grant, NotHeld, Taken, millis, now_ms, uuid};
use crate::openapi::{Problem, Problems};
use crate::slot::Slot;

/// Bounds of a TTL that a client may ask for, in milliseconds.
const TTL_MIN: i64 = 1_000;
const TTL_MAX: i64 = 3_600_000;

#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) struct AcquireBody {
    #[serde(flatten)]
    slot: Slot,
    /// Milliseconds.
    #[schema(minimum = 1000, maximum = 3_600_000)]
    ttl: Option<i64>,
}

#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) struct HeldBody {
    #[serde(flatten)]
    slot: Slot,
    #[schema(format = "uuid")]
    lock_id: String,
}

#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) struct RefreshBody {
    #[serde(flatten)]
    slot: Slot,
    #[schema(format = "uuid")]
    lock_id: String,
    /// Milliseconds.
    #[schema(minimum = 1000, maximum = 3_600_000)]
    ttl: Option<i64>,
}

/// The lock is the caller's.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Granted {
    success: bool,
    /// False where locking is switched off, and the lock id proves nothing.
    locked: bool,
    lock_id: String,
    /// Where the guard compares tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    fencing_token: Option<u64>,
    /// Milliseconds.
    expires_in: u64,
    /// Milliseconds since the Unix epoch.
    expires_at: u64,
    metadata: Slot,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verified {
    success: bool,
    valid: bool,
    /// Milliseconds.
    #[serde(rename = "remainingTTL", skip_serializing_if = "Option::is_none")]
    remaining_ttl: Option<u64>,
    /// `lock_not_found` or `lock_mismatch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refreshed {
    success: bool,
    refreshed: bool,
    expires_in: u64,
    expires_at: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Released {
    success: bool,
    released: bool,
}

/// One attempt to lock a slot.
#[utoipa::path(post, path = "/api/locks/acquire", tag = "locks", request_body = AcquireBody,
    responses((status = 200, body = Granted), (status = 409, body = Problem), Problems))]
pub(crate) async fn acquire(State(app): Shared, fields: Fields) -> Answer {
    let slot = Slot::read(&fields)?;
    let ttl = ttl(&fields)?.unwrap_or(app.config.lock_ttl);
    match take(&app, &slot, ttl).await? {
        Took::Granted(grant) => Ok(answer(StatusCode::OK, &granted(grant, slot))),
        Took::Unlocked(grant) => {
            Ok(unlocked(answer(StatusCode::OK, &Granted { locked: false, ..granted(grant, slot) })))
        }
        Took::Held { remaining } => Err(held(remaining)),
    }
}

/// Is this lock id still the holder?
#[utoipa::path(post, path = "/api/locks/verify", tag = "locks", request_body = HeldBody,
    responses((status = 200, body = Verified), Problems))]
pub(crate) async fn verify(State(app): Shared, fields: Fields) -> Answer {
    let (slot, lock_id) = (Slot::read(&fields)?, fields.uuid("lockId")?);
    if !app.config.slot_locking {
        let valid = Verified {
            success: true,
            valid: true,
            remaining_ttl: Some(0),
            reason: None,
            message: None,
        };
        return Ok(unlocked(answer(StatusCode::OK, &valid)));
    }
    let verified = app.locks.verify(&app.config.key_layout.lock(&slot), &lock_id).await?;
    Ok(answer(
        StatusCode::OK,
        &match verified {
            Ok(standing) => Verified {
                success: true,
                valid: true,
                remaining_ttl: standing.remaining.map(millis),
                reason: None,
                message: None,
            },
            Err(why) => Verified {
                success: false,
                valid: false,
                remaining_ttl: None,
                reason: Some(why.reason()),
                message: Some(why.message()),
            },
        },
    ))
}

/// Makes the lock last longer, if the lock id is still the holder.
#[utoipa::path(post, path = "/api/locks/refresh", tag = "locks", request_body = RefreshBody,
    responses((status = 200, body = Refreshed), (status = 409, body = Problem), Problems))]
pub(crate) async fn refresh(State(app): Shared, fields: Fields) -> Answer {
    let (slot, lock_id) = (Slot::read(&fields)?, fields.uuid("lockId")?);
    let ttl = ttl(&fields)?.unwrap_or(app.config.lock_ttl);
    let refreshed = |expires_at| Refreshed {
        success: true,
        refreshed: true,
        expires_in: millis(ttl),
        expires_at,
    };
    if !app.config.slot_locking {
        let expires_at = now_ms() + millis(ttl);
        return Ok(unlocked(answer(StatusCode::OK, &refreshed(expires_at))));
    }
    let lock = app.config.key_layout.lock(&slot);
    let grant = app.locks.refresh(&lock, &lock_id, ttl).await?;
    let grant = grant.map_err(|why| not_held("refreshed", why))?;
    app.metrics.refreshed(&lock_id, grant.expires_at);
    Ok(answer(StatusCode::OK, &refreshed(grant.expires_at)))
}

/// Gives the lock back, if the lock id is still the holder.
#[utoipa::path(post, path = "/api/locks/release", tag = "locks", request_body = HeldBody,
    responses((status = 200, body = Released), (status = 409, body = Problem), Problems))]
pub(crate) async fn release(State(app): Shared, fields: Fields) -> Answer {
    let (slot, lock_id) = (Slot::read(&fields)?, fields.uuid("lockId")?);
    let released = answer(StatusCode::OK, &Released { success: true, released: true });
    if !app.config.slot_locking {
        return Ok(unlocked(released));
    }
    give_back(&app, &slot, &lock_id).await?.map_err(|why| not_held("released", why))?;
    Ok(released)
}

/// What an attempt to lock a slot came to.
pub(super) enum Took {
    Granted(Grant),
    /// Locking is switched off.
    Unlocked(Grant),
    Held {
        remaining: Option<Duration>,
    },
}

/// Takes the lock of `slot`, counted and logged.
pub(super) async fn take(app: &App, slot: &Slot, ttl: Duration) -> Result<Took, Refused> {
    let lock = app.config.key_layout.lock(slot);
    if !app.config.slot_locking {
        let (lock_id, expires_at) = (uuid(&app.env), now_ms() + millis(ttl));
        return Ok(Took::Unlocked(Grant { lock, lock_id, token: None, ttl, expires_at }));
    }
    Ok(match app.locks.acquire(&lock, ttl).await? {
        Taken::Granted(grant) => {
            app.metrics.acquired(&grant.lock_id, grant.expires_at, slot);
            app.ledger.note(Event::Reserved, slot);
            Took::Granted(grant)
        }
        Taken::Held { remaining } => {
            app.metrics.failed();
            app.ledger.note(Event::Conflict, slot);
            Took::Held { remaining }
        }
    })
}

/// Gives the lock of `slot` back, counted and logged.
pub(super) async fn give_back(
    app: &App,
    slot: &Slot,
    lock_id: &str,
) -> Result<Result<(), NotHeld>, Refused> {
    let released = app.locks.release(&app.config.key_layout.lock(slot), lock_id).await?;
    if released.is_ok() {
        app.metrics.released(lock_id);
        app.ledger.note(Event::Released, slot);
    }
    Ok(released)
}

pub(super) fn ttl(fields: &Fields) -> Result<Option<Duration>, Refused> {
    let ttl = fields.integer("ttl", TTL_MIN..=TTL_MAX)?;
    Ok(ttl.map(|ttl| Duration::from_millis(ttl.unsigned_abs())))
}

pub(super) fn granted(grant: Grant, slot: Slot) -> Granted {
    Granted {
        success: true,
        locked: true,
        lock_id: grant.lock_id,
        fencing_token: grant.token.map(|token| token.0),
        expires_in: millis(grant.ttl),
        expires_at: grant.expires_at,
        metadata: slot,
    }
}

pub(super) fn held(remaining: Option<Duration>) -> Refused {
    let body = json!({
        "success": false,
        "locked": false,
        "reason": "slot_locked",
        "message": "somebody else is booking this slot; try again when the lock ends",
        "remainingTTL": remaining.map_or(0, millis),
    });
    Refused::body(StatusCode::CONFLICT, body)
}

pub(super) fn not_held(what: &str, why: NotHeld) -> Refused {
    let mut body = json!({"success": false, "reason": why.reason(), "message": why.message()});
    body[what] = false.into();
    Refused::body(StatusCode::CONFLICT, body)
}
