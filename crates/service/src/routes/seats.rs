//! A seat: held for a while, then confirmed or given back.
//!
//! The hold is the lock. Who confirms extends it first, so that it cannot end in the middle; the write is guarded by the
//! seat's version all the same, at READ COMMITTED, since no lease is proof against a holder that stands still.

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::bookings::not_placed;
use super::{Shared, unlocked};
use crate::answer::{Answer, Refused, answer};
use crate::app::App;
use crate::config::named_guard;
use crate::fields::Fields;
use crate::idempotency::{self, Begun};
use crate::locks::{Taken, millis, now_ms, uuid};
use crate::openapi::{BookingProblem, Problem, Problems};
use crate::slot;
use crate::store::{Order, Placed, Unit};

/// How long a hold lasts from its confirmation on, while that is being written.
const EXTENSION: Duration = Duration::from_secs(30);

#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) struct HoldBody {
    #[schema(format = "uuid")]
    user_id: String,
    /// Milliseconds; `SLOT_LOCK_TTL` unless said.
    #[schema(minimum = 1000, maximum = 3_600_000)]
    ttl: Option<i64>,
}

#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) struct ConfirmBody {
    #[schema(format = "uuid")]
    lock_id: String,
    #[schema(format = "uuid")]
    user_id: String,
    /// The seat's version as the hold has told it; compared where it is said.
    #[schema(minimum = 0)]
    version: Option<i64>,
}

#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) struct SeatReleaseBody {
    #[schema(format = "uuid")]
    lock_id: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hold {
    success: bool,
    held: bool,
    seat_id: String,
    lock_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fencing_token: Option<u64>,
    version: i64,
    expires_in: u64,
    expires_at: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Confirmed {
    success: bool,
    status: &'static str,
    booking_id: String,
    seat_id: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SeatReleased {
    success: bool,
    released: bool,
}

/// Holds a seat for a while.
#[utoipa::path(post, path = "/api/seats/{seatId}/hold", tag = "seats", request_body = HoldBody,
    params(("seatId" = String, Path, description = "The seat",
            min_length = 1, max_length = 128, pattern = r"^[^{}|:\x00-\x1f\x7f-\x9f]+$"),
           ("Idempotency-Key" = Option<String>, Header, description = "The same key, the same hold",
            min_length = 1, max_length = 255, pattern = r"^[!-~]+$")),
    responses((status = 201, body = Hold), (status = 409, body = Problem),
              (status = 422, body = Problem), Problems))]
pub(crate) async fn hold(
    State(app): Shared,
    seat: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    fields: Fields,
) -> Answer {
    let (seat, user) = (super::named("seatId", seat)?, fields.uuid("userId")?);
    let ttl = super::locks::ttl(&fields)?.unwrap_or(app.config.slot_lock_ttl);
    let route = format!("hold {seat}");
    let begun = idempotency::begin(&app, &headers, &route, &user, &fields).await?;
    if let Begun::Done(response) = begun {
        return Ok(response);
    }
    let held = take(&app, seat, ttl).await;
    idempotency::finish(&app, begun, held).await
}

async fn take(app: &App, seat: String, ttl: Duration) -> Answer {
    let version = |look: crate::store::Look| {
        if look.sold_out { Err(booked()) } else { Ok(look.version) }
    };
    let hold = |lock_id, token: Option<lockproof_model::FencingToken>, version, expires_at| Hold {
        success: true,
        held: true,
        seat_id: seat.clone(),
        lock_id,
        fencing_token: token.map(|token| token.0),
        version,
        expires_in: millis(ttl),
        expires_at,
    };
    if !app.config.slot_locking {
        let version = version(app.store.look(&row_name(&seat), 1).await?)?;
        let expires_at = now_ms() + millis(ttl);
        let hold = hold(uuid(&app.env), None, version, expires_at);
        return Ok(unlocked(answer(StatusCode::CREATED, &hold)));
    }
    let grant = match app.locks.acquire(&slot::seat(&seat), ttl).await? {
        Taken::Granted(grant) => grant,
        Taken::Held { remaining } => {
            let body = json!({"success": false, "held": false, "reason": "seat_held",
                "message": "somebody else holds this seat", "remainingTTL": remaining.map_or(0, millis)});
            return Err(Refused::body(StatusCode::CONFLICT, body));
        }
    };
    let looked = app.store.look(&row_name(&seat), 1).await.map_err(Refused::from);
    match looked.and_then(version) {
        Ok(version) => {
            let hold = hold(grant.lock_id, grant.token, version, grant.expires_at);
            Ok(answer(StatusCode::CREATED, &hold))
        }
        Err(refused) => {
            app.locks.give_back(&[grant]).await;
            Err(refused)
        }
    }
}

/// Makes a hold a booking.
#[utoipa::path(post, path = "/api/seats/{seatId}/confirm", tag = "seats", request_body = ConfirmBody,
    params(("seatId" = String, Path, description = "The seat",
            min_length = 1, max_length = 128, pattern = r"^[^{}|:\x00-\x1f\x7f-\x9f]+$"),
           ("Idempotency-Key" = Option<String>, Header, description = "The same key, the same booking",
            min_length = 1, max_length = 255, pattern = r"^[!-~]+$")),
    responses((status = 201, body = Confirmed), (status = 409, body = BookingProblem),
              (status = 422, body = Problem), Problems))]
pub(crate) async fn confirm(
    State(app): Shared,
    seat: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    fields: Fields,
) -> Answer {
    let seat = super::named("seatId", seat)?;
    let (user, lock_id) = (fields.uuid("userId")?, fields.uuid("lockId")?);
    let version = fields.integer("version", 0..=i64::MAX)?;
    let route = format!("confirm {seat}");
    let begun = idempotency::begin(&app, &headers, &route, &user, &fields).await?;
    if let Begun::Done(response) = begun {
        return Ok(response);
    }
    let order = order(&app, &seat, user, begun.request_key());
    let confirmed = book(&app, &seat, &lock_id, version, order).await;
    idempotency::finish(&app, begun, confirmed).await
}

async fn book(
    app: &App,
    seat: &str,
    lock_id: &str,
    version: Option<i64>,
    mut order: Order,
) -> Answer {
    let confirmed = |booking_id: &str| {
        answer(
            StatusCode::CREATED,
            &Confirmed {
                success: true,
                status: "success",
                booking_id: booking_id.to_owned(),
                seat_id: seat.to_owned(),
            },
        )
    };
    if let Some(key) = &order.request_key
        && let Some(earlier) = app.store.find_by_request(key).await?
    {
        return Ok(confirmed(&earlier.id));
    }
    let lock = slot::seat(seat);
    if app.config.slot_locking {
        let extended = app.locks.refresh(&lock, lock_id, EXTENSION).await?;
        extended.map_err(|why| Refused::booking(why.reason(), why.message()))?;
        if app.config.guard.needs_token {
            let standing = app.locks.verify(&lock, lock_id).await?;
            let standing = standing.map_err(|why| Refused::booking(why.reason(), why.message()))?;
            order.units[0].token = standing.fencing_token;
        }
    }
    if let Some(version) = version {
        let look = app.store.look(&order.units[0].name, 1).await?;
        if look.version != version && !look.sold_out {
            let message = "the seat has changed since it was held; hold it again";
            return Err(Refused::booking("stale_version", message));
        }
    }
    let named = app.config.guard.name;
    let guard = named_guard(if named == "none" { "none" } else { "version" });
    let placed = app.store.place(&order, guard, app.config.work).await;
    let response = match placed {
        Ok(Placed::Booked) => Ok(confirmed(&order.id)),
        Ok(placed) => Err(not_placed(placed)),
        Err(error) => Err(error.into()),
    };
    if !app.config.slot_locking {
        return response.map(unlocked);
    }
    if app.locks.release(&lock, lock_id).await.is_err() {
        tracing::debug!("the hold of a seat is given back in the background");
    }
    response
}

/// Gives a hold back.
#[utoipa::path(post, path = "/api/seats/{seatId}/release", tag = "seats",
    request_body = SeatReleaseBody,
    params(("seatId" = String, Path, description = "The seat",
            min_length = 1, max_length = 128, pattern = r"^[^{}|:\x00-\x1f\x7f-\x9f]+$")),
    responses((status = 200, body = SeatReleased), (status = 409, body = Problem), Problems))]
pub(crate) async fn release(
    State(app): Shared,
    seat: Result<Path<String>, PathRejection>,
    fields: Fields,
) -> Answer {
    let (seat, lock_id) = (super::named("seatId", seat)?, fields.uuid("lockId")?);
    let released = answer(StatusCode::OK, &SeatReleased { success: true, released: true });
    if !app.config.slot_locking {
        return Ok(unlocked(released));
    }
    let done = app.locks.release(&slot::seat(&seat), &lock_id).await?;
    done.map_err(|why| super::locks::not_held("released", why))?;
    Ok(released)
}

fn order(app: &App, seat: &str, user: String, request_key: Option<String>) -> Order {
    let unit = Unit { name: row_name(seat), capacity: 1, token: None, night: None };
    Order {
        id: uuid(&app.env),
        kind: "seat",
        tenant: None,
        resource: seat.to_owned(),
        service: None,
        date: String::new(),
        start_time: None,
        end_time: None,
        customer_name: user,
        customer_email: None,
        customer_phone: None,
        price: None,
        duration: None,
        expires_at: None,
        request_key,
        units: vec![unit],
    }
}

fn row_name(seat: &str) -> String {
    format!("seat|{seat}")
}

fn booked() -> Refused {
    Refused::booking("slot_booked", "the seat is booked")
}
