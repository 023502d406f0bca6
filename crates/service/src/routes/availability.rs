//! Is a slot free? Asked with `reserve`, the answer comes with its lock, which lasts from a voice agent's check to its
//! booking.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::locks::{self, Took};
use super::{Shared, unlocked};
use crate::answer::{Answer, answer};
use crate::fields::Fields;
use crate::locks::{Grant, millis};
use crate::openapi::Problems;
use crate::slot::Slot;

#[derive(ToSchema)]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) struct CheckBody {
    #[serde(flatten)]
    slot: Slot,
    /// Whether to lock the slot if it is free.
    reserve: Option<bool>,
    /// Milliseconds that the lock lasts; `SLOT_LOCK_TTL` unless said.
    #[schema(minimum = 1000, maximum = 3_600_000)]
    ttl: Option<i64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Checked {
    success: bool,
    available: bool,
    /// `slot_booked` or `slot_locked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Of the lock that stands in the way, in milliseconds.
    #[serde(rename = "remainingTTL", skip_serializing_if = "Option::is_none")]
    remaining_ttl: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_key: Option<String>,
    #[serde(rename = "lockId", skip_serializing_if = "Option::is_none")]
    lock_id: Option<String>,
    #[serde(rename = "fencingToken", skip_serializing_if = "Option::is_none")]
    fencing_token: Option<u64>,
    #[serde(rename = "expiresAt", skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
}

/// Is the slot free?
#[utoipa::path(post, path = "/api/availability/check", tag = "bookings", request_body = CheckBody,
    responses((status = 200, body = Checked), Problems))]
pub(crate) async fn check(State(app): Shared, fields: Fields) -> Answer {
    let slot = Slot::read(&fields)?;
    let reserve = fields.flag("reserve")?;
    let ttl = locks::ttl(&fields)?.unwrap_or(app.config.slot_lock_ttl);
    if reserve {
        // The lock first: a slot that is seen free before may be booked by the time that it is locked.
        return match locks::take(&app, &slot, ttl).await? {
            Took::Held { remaining } => Ok(answer(StatusCode::OK, &locked(remaining.map(millis)))),
            Took::Unlocked(_) => {
                let booked = app.store.look(&slot.row_name(), 1).await?.sold_out;
                Ok(unlocked(answer(StatusCode::OK, &if booked { taken() } else { free() })))
            }
            Took::Granted(grant) => match app.store.look(&slot.row_name(), 1).await {
                Ok(look) if !look.sold_out => Ok(answer(StatusCode::OK, &reserved(grant))),
                looked => {
                    if locks::give_back(&app, &slot, &grant.lock_id).await.is_err() {
                        tracing::debug!("the lock of a slot that is booked ends by its TTL");
                    }
                    looked?;
                    Ok(answer(StatusCode::OK, &taken()))
                }
            },
        };
    }
    if app.store.look(&slot.row_name(), 1).await?.sold_out {
        return Ok(answer(StatusCode::OK, &taken()));
    }
    if !app.config.slot_locking {
        return Ok(unlocked(answer(StatusCode::OK, &free())));
    }
    let standing = app.locks.standing(&app.config.key_layout.lock(&slot)).await?;
    let checked = standing.map_or_else(free, |standing| locked(standing.remaining.map(millis)));
    Ok(answer(StatusCode::OK, &checked))
}

const fn free() -> Checked {
    Checked {
        success: true,
        available: true,
        reason: None,
        remaining_ttl: None,
        lock_key: None,
        lock_id: None,
        fencing_token: None,
        expires_at: None,
    }
}

fn taken() -> Checked {
    Checked { available: false, reason: Some("slot_booked"), ..free() }
}

fn locked(remaining_ttl: Option<u64>) -> Checked {
    Checked { available: false, reason: Some("slot_locked"), remaining_ttl, ..free() }
}

fn reserved(grant: Grant) -> Checked {
    Checked {
        lock_key: Some(grant.lock.as_str().to_owned()),
        lock_id: Some(grant.lock_id),
        fencing_token: grant.token.map(|token| token.0),
        expires_at: Some(grant.expires_at),
        ..free()
    }
}
