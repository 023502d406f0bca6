//! One file per resource.

pub(crate) mod admin;
pub(crate) mod availability;
pub(crate) mod bookings;
pub(crate) mod compound;
pub(crate) mod locks;
pub(crate) mod rooms;
pub(crate) mod seats;
pub(crate) mod system;

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::answer::Refused;
use crate::app::App;
use crate::fields;

pub(crate) use self::admin::Admin;

type Shared = axum::extract::State<Arc<App>>;

/// Every route, over `app`.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/locks/acquire", post(locks::acquire))
        .route("/api/locks/verify", post(locks::verify))
        .route("/api/locks/refresh", post(locks::refresh))
        .route("/api/locks/release", post(locks::release))
        .route("/api/locks/acquire-compound", post(compound::acquire))
        .route("/api/locks/release-compound", post(compound::release))
        .route("/api/locks/health", get(system::health))
        .route("/api/locks/metrics", get(admin::metrics))
        .route("/api/locks/admin/active", get(admin::active))
        .route("/api/locks/admin/force-release", post(admin::force_release))
        .route("/api/availability/check", post(availability::check))
        .route("/api/bookings/create", post(bookings::create))
        .route("/api/appointments", post(bookings::create_appointment))
        .route("/api/bookings/{id}", get(bookings::read))
        .route("/api/bookings/{id}/cancel", post(bookings::cancel))
        .route("/api/rooms/book", post(rooms::book))
        .route("/api/seats/{seatId}/hold", post(seats::hold))
        .route("/api/seats/{seatId}/confirm", post(seats::confirm))
        .route("/api/seats/{seatId}/release", post(seats::release))
        .route("/metrics", get(system::prometheus))
        .route("/openapi.json", get(system::openapi))
        .fallback(nothing_here)
        .method_not_allowed_fallback(another_method)
        .with_state(app)
}

async fn nothing_here() -> Refused {
    Refused::not_found("there is nothing here; /openapi.json says what there is")
}

async fn another_method() -> Refused {
    let message = "this is asked for by another method; /openapi.json says by which";
    Refused::with(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}

/// A part of the path that becomes a part of a key.
fn named(field: &str, path: Result<Path<String>, PathRejection>) -> Result<String, Refused> {
    let Ok(Path(text)) = path else { return Err(Refused::field(field, "it is no text")) };
    fields::name(field, text)
}

/// Says that no lock stands behind the answer.
fn unlocked(response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    response.headers_mut().insert("x-slot-locking", HeaderValue::from_static("off"));
    response
}
