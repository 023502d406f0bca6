//! What is answered, and how a refusal looks.

use std::error::Error;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use lockproof_bookings::BookingError;
use lockproof_locks::LockError;
use lockproof_model::in_full;
use serde::Serialize;
use serde_json::{Value as Json, json};

/// Of every handler.
pub(crate) type Answer = Result<Response, Refused>;

/// Seconds after which a client may try again when a backend was lost: it is dialled by the next request.
const RETRY_AFTER_SECONDS: u32 = 1;

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    body: Json,
}

impl Refused {
    /// The client's fault: `field` is missing or not what it has to be.
    pub(crate) fn field(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let body = json!({"success": false, "error": "validation_failed", "field": field, "message": message});
        Self { status: StatusCode::BAD_REQUEST, body }
    }

    /// `error` in a word, and what to do about it.
    pub(crate) fn with(status: StatusCode, error: &str, message: &str) -> Self {
        let body = json!({"success": false, "error": error, "message": message});
        Self { status, body }
    }

    /// A body of the contract's own.
    pub(crate) const fn body(status: StatusCode, body: Json) -> Self {
        Self { status, body }
    }

    /// A booking that is not made, for `reason`.
    pub(crate) fn booking(reason: &str, message: &str) -> Self {
        let body = json!({
            "success": false,
            "error": "Lock verification failed",
            "reason": reason,
            "message": message,
        });
        Self { status: StatusCode::CONFLICT, body }
    }

    pub(crate) fn not_found(message: &str) -> Self {
        Self::with(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// A backend that does not answer, in words that say nothing of where it is.
    pub(crate) fn unavailable(message: &str) -> Self {
        Self::with(StatusCode::SERVICE_UNAVAILABLE, "backend_unavailable", message)
    }

    pub(crate) fn overloaded() -> Self {
        let message = "too many requests are being worked on; try again";
        Self::with(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message)
    }
}

impl From<LockError> for Refused {
    fn from(error: LockError) -> Self {
        lost("the lock backend", &error);
        Self::unavailable("the lock backend does not answer")
    }
}

impl From<BookingError> for Refused {
    fn from(error: BookingError) -> Self {
        lost("the database", &error);
        Self::unavailable("the database does not answer")
    }
}

fn lost(what: &str, error: &(dyn Error + 'static)) {
    tracing::warn!(error = in_full(error), "{what} failed a request");
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = json_text(self.status, self.body.to_string());
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// `body` as JSON.
pub(crate) fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_string(body).expect("a body of texts and numbers is JSON");
    json_text(status, text)
}

pub(crate) fn json_text(status: StatusCode, text: String) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], text).into_response()
}
