//! Bookings: create, read back, cancel.
//!
//! ```text
//!   verify the lock ─▶ check ─▶ insert, under the guard ─▶ commit ─▶ release
//! ```
//!
//! The lock can end between the first and the last of these; what happens then is the guard's.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use lockproof_model::{FencingToken, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use super::locks::{self, Took};
use super::{Shared, unlocked};
use crate::answer::{Answer, Refused, answer};
use crate::app::App;
use crate::fields::{Fields, minutes_of};
use crate::idempotency::{self, Begun};
use crate::locks::{NotHeld, uuid};
use crate::openapi::{BookingProblem, Problem, Problems};
use crate::slot::Slot;
use crate::store::{Order, Placed, Reservation, Status, Unit};

/// Latest instant that a booking may expire at: the year 9999, in milliseconds since the Unix epoch.
const EXPIRES_MAX: i64 = 253_402_300_799_000;

#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) struct CreateBody {
    /// Required, unless the service runs with `LOCK_OPTIONAL`.
    #[schema(format = "uuid")]
    lock_id: Option<String>,
    #[schema(max_length = 128, min_length = 1, pattern = r"^[^{}|:\x00-\x1f\x7f-\x9f]+$")]
    tenant_id: String,
    /// The resource of the slot.
    #[schema(max_length = 128, min_length = 1, pattern = r"^[^{}|:\x00-\x1f\x7f-\x9f]+$")]
    specialist_id: String,
    #[schema(max_length = 1024, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    service_id: Option<String>,
    #[schema(format = "date", example = "2026-05-01")]
    date: String,
    #[schema(pattern = r"^([01]\d|2[0-3]):[0-5]\d$", example = "09:00")]
    start_time: String,
    #[schema(pattern = r"^([01]\d|2[0-3]):[0-5]\d$", example = "10:00")]
    end_time: Option<String>,
    #[schema(min_length = 1, max_length = 1024, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    customer_name: String,
    #[schema(max_length = 1024, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    customer_email: Option<String>,
    #[schema(max_length = 1024, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    customer_phone: Option<String>,
    #[schema(minimum = 0)]
    price: Option<f64>,
    #[schema(minimum = 1, maximum = 10080)]
    duration: Option<i64>,
    /// Milliseconds since the Unix epoch; the booking ends then by itself.
    #[schema(minimum = 0, maximum = 253_402_300_799_000_i64)]
    expires_at: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Created {
    success: bool,
    status: &'static str,
    booking_id: String,
    appointment: Appointment,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Appointment {
    id: String,
    date: String,
    start_time: String,
    end_time: String,
    status: &'static str,
    customer_name: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct BookingAnswer {
    success: bool,
    booking: Booking,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Booking {
    id: String,
    /// `appointment`, `room` or `seat`.
    kind: String,
    tenant_id: Option<String>,
    resource_id: String,
    service_id: Option<String>,
    date: String,
    start_time: Option<String>,
    end_time: Option<String>,
    customer_name: String,
    customer_email: Option<String>,
    customer_phone: Option<String>,
    price: Option<f64>,
    duration: Option<i64>,
    /// `CONFIRMED`, `CANCELLED` or `EXPIRED`.
    status: String,
    expires_at: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cancelled {
    success: bool,
    status: &'static str,
    booking_id: String,
}

/// Creates a booking.
#[utoipa::path(post, path = "/api/bookings/create", tag = "bookings", request_body = CreateBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key, the same booking",
            min_length = 1, max_length = 255, pattern = r"^[!-~]+$")),
    responses((status = 201, body = Created), (status = 409, body = BookingProblem),
              (status = 422, body = Problem), Problems))]
pub(crate) async fn create(State(app): Shared, headers: HeaderMap, fields: Fields) -> Answer {
    once(&app, &headers, &fields).await
}

/// Creates a booking: the same, as it used to be called.
#[utoipa::path(post, path = "/api/appointments", tag = "bookings", request_body = CreateBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key, the same booking",
            min_length = 1, max_length = 255, pattern = r"^[!-~]+$")),
    responses((status = 201, body = Created), (status = 409, body = BookingProblem),
              (status = 422, body = Problem), Problems))]
pub(crate) async fn create_appointment(
    State(app): Shared,
    headers: HeaderMap,
    fields: Fields,
) -> Answer {
    once(&app, &headers, &fields).await
}

/// Reads a booking back.
#[utoipa::path(get, path = "/api/bookings/{id}", tag = "bookings",
    params(("id" = String, Path, description = "A booking's id",
            min_length = 1, max_length = 128, pattern = r"^[^{}|:\x00-\x1f\x7f-\x9f]+$")),
    responses((status = 200, body = BookingAnswer), (status = 404, body = Problem), Problems))]
pub(crate) async fn read(State(app): Shared, id: Result<Path<String>, PathRejection>) -> Answer {
    let found = app.store.find(&super::named("id", id)?).await?;
    let booking = found.map(Booking::from).ok_or_else(no_such_booking)?;
    Ok(answer(StatusCode::OK, &BookingAnswer { success: true, booking }))
}

/// Cancels a booking; its slot is free again.
#[utoipa::path(post, path = "/api/bookings/{id}/cancel", tag = "bookings",
    params(("id" = String, Path, description = "A booking's id",
            min_length = 1, max_length = 128, pattern = r"^[^{}|:\x00-\x1f\x7f-\x9f]+$")),
    responses((status = 200, body = Cancelled), (status = 404, body = Problem),
              (status = 409, body = Problem), Problems))]
pub(crate) async fn cancel(State(app): Shared, id: Result<Path<String>, PathRejection>) -> Answer {
    let id = super::named("id", id)?;
    if app.store.end(&id, Status::Cancelled).await? {
        let cancelled = Cancelled { success: true, status: "CANCELLED", booking_id: id };
        return Ok(answer(StatusCode::OK, &cancelled));
    }
    let found = app.store.find(&id).await?.ok_or_else(no_such_booking)?;
    let message = format!("the booking is {} already", found.status);
    Err(Refused::with(StatusCode::CONFLICT, "not_confirmed", &message))
}

async fn once(app: &App, headers: &HeaderMap, fields: &Fields) -> Answer {
    // Read before anything is remembered of the request: what is malformed was never begun.
    let order = order(app, fields)?;
    let slot = Slot::of(fields, resource(fields))?;
    let lock_id = fields.member("lockId").map(|_| fields.uuid("lockId")).transpose()?;
    if lock_id.is_none() && !app.config.lock_optional && app.config.slot_locking {
        return Err(Refused::field("lockId", "it is missing; acquire the slot's lock first"));
    }
    let begun = idempotency::begin(app, headers, "booking", &slot.tenant_id, fields).await?;
    if let Begun::Done(response) = begun {
        return Ok(response);
    }
    let order = Order { request_key: begun.request_key(), ..order };
    let created = book(app, order, &slot, lock_id).await;
    idempotency::finish(app, begun, created).await
}

/// Books `order` under the lock that `lock_id` has, or one that is taken for this request alone.
async fn book(app: &App, order: Order, slot: &Slot, lock_id: Option<String>) -> Answer {
    if let Some(earlier) = earlier(app, &order).await? {
        return Ok(created(earlier));
    }
    if !app.config.slot_locking {
        return place(app, order, None).await.map(|order| unlocked(created(order)));
    }
    let lock = app.config.key_layout.lock(slot);
    let (lock_id, token) = match lock_id {
        Some(lock_id) => {
            let standing = app.locks.verify(&lock, &lock_id).await?;
            let standing = standing.map_err(|why| Refused::booking(why.reason(), why.message()))?;
            (lock_id, standing.fencing_token)
        }
        // An old caller, who knows of no locks, has one for as long as the request takes.
        None => match locks::take(app, slot, app.config.lock_ttl).await? {
            Took::Granted(grant) | Took::Unlocked(grant) => (grant.lock_id, grant.token),
            Took::Held { .. } => {
                let why = NotHeld::Mismatch;
                return Err(Refused::booking(why.reason(), why.message()));
            }
        },
    };
    let placed = place(app, order, token).await;
    // Whatever came of it: the slot is booked, or free for the next. A lock that cannot be given back ends by its TTL.
    if locks::give_back(app, slot, &lock_id).await.is_err() {
        tracing::debug!("the lock of a booking is given back in the background");
    }
    placed.map(created)
}

/// What an earlier try of the same request has booked, if its answer was lost.
async fn earlier(app: &App, order: &Order) -> Result<Option<Order>, Refused> {
    let Some(key) = &order.request_key else { return Ok(None) };
    let found = app.store.find_by_request(key).await?;
    Ok(found.map(|found| Order { id: found.id, ..order.clone() }))
}

async fn place(app: &App, mut order: Order, token: Option<FencingToken>) -> Result<Order, Refused> {
    let guard =
        if app.config.slot_locking { app.config.guard } else { app.config.guard_without_lock() };
    for unit in &mut order.units {
        unit.token = token;
    }
    match app.store.place(&order, guard, app.config.work).await? {
        Placed::Booked => Ok(order),
        placed => Err(not_placed(placed)),
    }
}

/// Why an order is refused: the slot is sold, or the lock was no longer the holder's at the write.
pub(super) fn not_placed(placed: Placed) -> Refused {
    match placed {
        Placed::Refused(Refusal::Fenced) => Refused::booking(
            "lock_mismatch",
            "the lock has ended, and somebody else has had it since",
        ),
        Placed::Refused(Refusal::Aborted) => {
            Refused::unavailable("the database is busy with others' bookings; try again")
        }
        _ => Refused::booking("slot_booked", "the slot is booked"),
    }
}

fn created(order: Order) -> Response {
    let appointment = Appointment {
        id: order.id.clone(),
        date: order.date,
        start_time: order.start_time.unwrap_or_default(),
        end_time: order.end_time.unwrap_or_default(),
        status: "confirmed",
        customer_name: order.customer_name,
    };
    let created = Created { success: true, status: "success", booking_id: order.id, appointment };
    answer(StatusCode::CREATED, &created)
}

/// What the resource of a slot is called in a booking.
fn resource(fields: &Fields) -> &'static str {
    if fields.member("specialistId").is_none() && fields.member("resourceId").is_some() {
        "resourceId"
    } else {
        "specialistId"
    }
}

fn order(app: &App, fields: &Fields) -> Result<Order, Refused> {
    let slot = Slot::of(fields, resource(fields))?;
    let end_time = fields.optional_time("endTime")?;
    let end_time = end_time.unwrap_or_else(|| after(&slot.start_time, slot.duration));
    let unit = Unit { name: slot.row_name(), capacity: 1, token: None, night: None };
    Ok(Order {
        id: uuid(&app.env),
        kind: "appointment",
        service: fields.text("serviceId")?,
        customer_name: fields.required_text("customerName")?,
        customer_email: fields.text("customerEmail")?,
        customer_phone: fields.text("customerPhone")?,
        price: fields.amount("price")?,
        duration: Some(slot.duration),
        expires_at: fields.integer("expiresAt", 0..=EXPIRES_MAX)?,
        request_key: None,
        units: vec![unit],
        tenant: Some(slot.tenant_id),
        resource: slot.resource_id,
        date: slot.date,
        start_time: Some(slot.start_time),
        end_time: Some(end_time),
    })
}

/// The time of day `duration` minutes after `start`, past midnight if need be.
fn after(start: &str, duration: i64) -> String {
    let minutes = i64::from(minutes_of(start).unwrap_or(0)) + duration;
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

fn no_such_booking() -> Refused {
    Refused::not_found("there is no such booking")
}

impl From<Reservation> for Booking {
    fn from(found: Reservation) -> Self {
        Self {
            id: found.id,
            kind: found.kind,
            tenant_id: found.tenant,
            resource_id: found.resource,
            service_id: found.service,
            date: found.date,
            start_time: found.start_time,
            end_time: found.end_time,
            customer_name: found.customer_name,
            customer_email: found.customer_email,
            customer_phone: found.customer_phone,
            price: found.price.and_then(|price| price.parse().ok()),
            duration: found.duration,
            status: found.status,
            expires_at: found.expires_at,
        }
    }
}
