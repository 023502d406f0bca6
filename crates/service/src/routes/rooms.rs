//! A room for some nights: a lock for each night in order, then one transaction over the inventory.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::civil::Date;
use lockproof_locks::Wait;
use serde::Serialize;
use utoipa::ToSchema;

use super::bookings::not_placed;
use super::{Shared, unlocked};
use crate::answer::{Answer, Refused, answer};
use crate::app::App;
use crate::fields::Fields;
use crate::idempotency::{self, Begun};
use crate::locks::{Grant, Taken, uuid};
use crate::openapi::{BookingProblem, Problem, Problems};
use crate::slot;
use crate::store::{Order, Placed, Unit};

/// Longest stay.
const NIGHTS_MAX: usize = 31;
const TTL: Duration = Duration::from_secs(5);
const WAIT: Wait = Wait {
    tries: 10,
    delay: Duration::from_millis(50),
    // Without it, those that once collided collide again.
    jitter: Duration::from_millis(10),
};

#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) struct RoomBody {
    #[schema(max_length = 128, min_length = 1, pattern = r"^[^{}|:\x00-\x1f\x7f-\x9f]+$")]
    room_id: String,
    /// The first night.
    #[schema(format = "date", example = "2026-05-01")]
    check_in: String,
    /// The morning after the last night; up to 31 nights.
    #[schema(format = "date", example = "2026-05-02")]
    check_out: String,
    #[schema(format = "uuid")]
    user_id: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoomBooked {
    success: bool,
    status: &'static str,
    booking_id: String,
    room_id: String,
    check_in: String,
    check_out: String,
    nights: usize,
}

/// Books a room for some nights.
#[utoipa::path(post, path = "/api/rooms/book", tag = "bookings", request_body = RoomBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key, the same booking",
            min_length = 1, max_length = 255, pattern = r"^[!-~]+$")),
    responses((status = 201, body = RoomBooked), (status = 409, body = BookingProblem),
              (status = 422, body = Problem), Problems))]
pub(crate) async fn book(State(app): Shared, headers: HeaderMap, fields: Fields) -> Answer {
    let stay = Stay::read(&fields)?;
    let begun = idempotency::begin(&app, &headers, "room", &stay.user, &fields).await?;
    if let Begun::Done(response) = begun {
        return Ok(response);
    }
    let request_key = begun.request_key();
    let booked = stay.book(&app, request_key).await;
    idempotency::finish(&app, begun, booked).await
}

struct Stay {
    room: String,
    user: String,
    nights: Vec<String>,
    check_in: String,
    check_out: String,
}

impl Stay {
    fn read(fields: &Fields) -> Result<Self, Refused> {
        let room = fields.name("roomId")?;
        let (check_in, check_out) = (fields.date("checkIn")?, fields.date("checkOut")?);
        let user = fields.uuid("userId")?;
        let wrong =
            || Refused::field("checkOut", format!("it is 1 to {NIGHTS_MAX} days after checkIn"));
        let (first, last): (Date, Date) = match (check_in.parse(), check_out.parse()) {
            (Ok(first), Ok(last)) => (first, last),
            _ => return Err(wrong()),
        };
        let mut nights = Vec::new();
        let mut night = first;
        while night < last && nights.len() <= NIGHTS_MAX {
            nights.push(night.to_string());
            night = night.tomorrow().map_err(|_| wrong())?;
        }
        if nights.is_empty() || nights.len() > NIGHTS_MAX {
            return Err(wrong());
        }
        Ok(Self { room, user, nights, check_in, check_out })
    }

    async fn book(self, app: &App, request_key: Option<String>) -> Answer {
        if let Some(key) = &request_key
            && let Some(earlier) = app.store.find_by_request(key).await?
        {
            return Ok(self.booked(earlier.id));
        }
        if !app.config.slot_locking {
            let order = self.order(app, request_key, &[]);
            return place(app, &order).await.map(|()| unlocked(self.booked(order.id)));
        }
        let mut grants = Vec::with_capacity(self.nights.len());
        let answer = match self.lock(app, &mut grants).await {
            Ok(()) => {
                let order = self.order(app, request_key, &grants);
                place(app, &order).await.map(|()| self.booked(order.id))
            }
            Err(refused) => Err(refused),
        };
        app.locks.give_back(&grants).await;
        answer
    }

    /// Locks the nights in their order, whoever asks: two stays cannot each wait for what the other has.
    async fn lock(&self, app: &App, grants: &mut Vec<Grant>) -> Result<(), Refused> {
        for night in &self.nights {
            let lock = slot::night(&self.room, night);
            match app.locks.acquire_waiting(&lock, TTL, WAIT).await? {
                Taken::Granted(grant) => grants.push(grant),
                Taken::Held { .. } => {
                    let message = "others are booking this room; try again";
                    return Err(Refused::booking("slot_locked", message));
                }
            }
        }
        Ok(())
    }

    fn order(&self, app: &App, request_key: Option<String>, grants: &[Grant]) -> Order {
        let unit = |(place, night): (usize, &String)| Unit {
            name: format!("room|{}|{night}", self.room),
            capacity: app.config.room_capacity,
            token: grants.get(place).and_then(|grant| grant.token),
            night: Some((self.room.clone(), night.clone())),
        };
        Order {
            id: uuid(&app.env),
            kind: "room",
            tenant: None,
            resource: self.room.clone(),
            service: None,
            date: self.check_in.clone(),
            start_time: None,
            end_time: Some(self.check_out.clone()),
            customer_name: self.user.clone(),
            customer_email: None,
            customer_phone: None,
            price: None,
            duration: None,
            expires_at: None,
            request_key,
            units: self.nights.iter().enumerate().map(unit).collect(),
        }
    }

    fn booked(&self, booking_id: String) -> axum::response::Response {
        answer(
            StatusCode::CREATED,
            &RoomBooked {
                success: true,
                status: "success",
                booking_id,
                room_id: self.room.clone(),
                check_in: self.check_in.clone(),
                check_out: self.check_out.clone(),
                nights: self.nights.len(),
            },
        )
    }
}

async fn place(app: &App, order: &Order) -> Result<(), Refused> {
    let guard =
        if app.config.slot_locking { app.config.guard } else { app.config.guard_without_lock() };
    match app.store.place(order, guard, app.config.work).await? {
        Placed::Booked => Ok(()),
        placed => Err(not_placed(placed)),
    }
}
