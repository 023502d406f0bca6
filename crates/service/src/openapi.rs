//! The document of the API, made from the handlers.

use serde::Serialize;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

use crate::routes::{admin, availability, bookings, compound, locks, rooms, seats, system};

/// An answer that is not what was asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct Problem {
    success: bool,
    /// In a word, where the answer is about the request and not about a lock.
    error: Option<String>,
    /// In a word, where the answer is about a lock.
    reason: Option<String>,
    /// The field that is missing or malformed.
    field: Option<String>,
    message: String,
}

/// A booking that is not made.
#[derive(Serialize, ToSchema)]
pub(crate) struct BookingProblem {
    success: bool,
    error: String,
    /// `lock_not_found`, `lock_mismatch`, `slot_booked`, `slot_locked` or `stale_version`.
    reason: Option<String>,
    message: String,
}

/// What every route may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) enum Problems {
    /// A field is missing or malformed.
    #[response(status = 400)]
    Malformed(#[to_schema] Problem),
    /// The body is too long.
    #[response(status = 413)]
    TooLong(#[to_schema] Problem),
    /// A backend does not answer, or there are too many requests: `Retry-After` says when to try again.
    #[response(status = 503)]
    Unavailable(#[to_schema] Problem),
}

/// What a route for admins may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) enum AdminProblems {
    /// No token.
    #[response(status = 401)]
    Unauthorized(#[to_schema] Problem),
    /// A wrong token.
    #[response(status = 403)]
    Forbidden(#[to_schema] Problem),
    /// No `ADMIN_TOKEN` is set.
    #[response(status = 503)]
    Closed(#[to_schema] Problem),
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Lockproof booking service", description = "Locks, bookings, rooms and seats."),
    paths(
        locks::acquire, locks::verify, locks::refresh, locks::release, compound::acquire,
        compound::release, system::health, admin::metrics, admin::active, admin::force_release,
        availability::check, bookings::create, bookings::create_appointment, bookings::read,
        bookings::cancel, rooms::book, seats::hold, seats::confirm, seats::release,
        system::prometheus, system::openapi,
    ),
    modifiers(&Bearer),
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("admin", scheme);
    }
}

/// The document, as JSON.
///
/// # Panics
/// Never: it is made of texts.
#[must_use]
pub fn document() -> String {
    Document::openapi().to_json().expect("a document of texts is JSON")
}
