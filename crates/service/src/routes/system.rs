//! The service itself: health, metrics for Prometheus, and its document.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, request::Parts};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Admin, Shared, unlocked};
use crate::answer::{Answer, answer, json_text};
use crate::locks::millis;
use crate::openapi::{self, AdminProblems, Problem};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    success: bool,
    healthy: bool,
    message: &'static str,
    /// Whether slots are locked at all: `FEATURE_SLOT_LOCKING`.
    slot_locking: bool,
    /// The guard of bookings.
    guard: &'static str,
    /// After how many milliseconds a holder is advised to refresh.
    refresh_interval: u64,
    /// What is wrong, though locks are granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// Does the lock backend answer?
#[utoipa::path(get, path = "/api/locks/health", tag = "system",
    responses((status = 200, body = Health), (status = 503, body = Problem)))]
pub(crate) async fn health(State(app): Shared) -> Answer {
    let policy = app.locks.inspect().evicts().await?;
    let warning = policy.map(|policy| {
        format!("Redis is set to evict keys ({policy}): locks that are held may end; set maxmemory-policy to noeviction")
    });
    let slot_locking = app.config.slot_locking;
    let guard = if slot_locking { app.config.guard } else { app.config.guard_without_lock() };
    let health = Health {
        success: true,
        healthy: true,
        message: if slot_locking { "the lock backend answers" } else { "slot locking is off" },
        slot_locking,
        guard: guard.name,
        refresh_interval: millis(app.config.refresh_interval),
        warning,
    };
    let response = answer(StatusCode::OK, &health);
    Ok(if slot_locking { response } else { unlocked(response) })
}

/// Counters and latency histograms.
#[utoipa::path(get, path = "/metrics", tag = "system",
    responses((status = 200, body = String, content_type = "text/plain"), AdminProblems))]
pub(crate) async fn prometheus(State(app): Shared, parts: Parts) -> Answer {
    Admin::if_asked_for(&parts, &app)?;
    let text = app.metrics.prometheus(app.ledger.lost());
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "system", responses((status = 200, body = Object)))]
pub(crate) async fn openapi() -> Answer {
    Ok(json_text(StatusCode::OK, openapi::document()))
}
