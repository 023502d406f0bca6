//! What the API answers when it cannot.

use std::fmt;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error as Toxiproxy has it: a sentence and a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    message: String,
    status: StatusCode,
}

impl ApiError {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { message: message.into(), status }
    }

    pub(crate) fn bad_body(why: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("bad request body: {why}"))
    }

    pub(crate) fn missing(what: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("missing required field: {what}"))
    }

    pub(crate) fn no_proxy() -> Self {
        Self::new(StatusCode::NOT_FOUND, "proxy not found")
    }

    pub(crate) fn proxy_exists() -> Self {
        Self::new(StatusCode::CONFLICT, "proxy already exists")
    }

    pub(crate) fn no_toxic() -> Self {
        Self::new(StatusCode::NOT_FOUND, "toxic not found")
    }

    pub(crate) fn toxic_exists() -> Self {
        Self::new(StatusCode::CONFLICT, "toxic already exists")
    }

    pub(crate) fn no_stream() -> Self {
        let what = "stream was invalid, can be either upstream or downstream";
        Self::new(StatusCode::BAD_REQUEST, what)
    }

    pub(crate) fn no_type() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid toxic type")
    }

    pub(crate) fn cannot_listen(address: &str, why: &std::io::Error) -> Self {
        let what = format!("cannot listen on {address}: {why}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, what)
    }

    /// Its two members.
    pub(crate) fn members(&self) -> serde_json::Map<String, serde_json::Value> {
        let members = [
            ("error".to_owned(), json!(self.message)),
            ("status".to_owned(), json!(self.status.as_u16())),
        ];
        members.into_iter().collect()
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = format!("{}\n", serde_json::Value::Object(self.members()));
        (self.status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}
