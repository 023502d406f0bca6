//! For whoever runs the service.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::Serialize;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use super::Shared;
use crate::answer::{Answer, Refused, answer};
use crate::app::App;
use crate::fields::{self, Fields};
use crate::locks::{millis, now_ms};
use crate::metrics::LockCounters;
use crate::openapi::{AdminProblems, Problems};
use crate::slot::Slot;

const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// Proof that a request comes from an admin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admin;

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        Self::of(parts, app)
    }
}

impl Admin {
    fn of(parts: &Parts, app: &App) -> Result<Self, Refused> {
        let Some(token) = &app.config.admin_token else {
            let message = "no ADMIN_TOKEN is set, so admin routes are closed";
            return Err(Refused::with(StatusCode::SERVICE_UNAVAILABLE, "admin_disabled", message));
        };
        let said = parts.headers.get(AUTHORIZATION).map(axum::http::HeaderValue::as_bytes);
        let said = said.and_then(|said| said.strip_prefix(b"Bearer "));
        let Some(said) = said else {
            let message = "say `Authorization: Bearer` and the admin's token";
            return Err(Refused::with(StatusCode::UNAUTHORIZED, "unauthorized", message));
        };
        // In constant time; the length of the token is no secret.
        if bool::from(said.ct_eq(token.0.as_bytes())) {
            Ok(Self)
        } else {
            Err(Refused::with(StatusCode::FORBIDDEN, "forbidden", "this is not the admin's token"))
        }
    }

    /// Whether whoever asks may, where only a configuration makes it an admin's matter.
    pub(super) fn if_asked_for(parts: &Parts, app: &App) -> Result<(), Refused> {
        if app.config.metrics_for_admin { Self::of(parts, app).map(drop) } else { Ok(()) }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MetricsAnswer {
    success: bool,
    metrics: LockCounters,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ActiveAnswer {
    success: bool,
    count: usize,
    locks: Vec<ActiveLock>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActiveLock {
    lock_key: String,
    lock_id: String,
    tenant_id: String,
    resource_id: String,
    date: String,
    start_time: String,
    #[serde(rename = "remainingTTL")]
    remaining_ttl: u64,
    expires_at: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForceReleased {
    success: bool,
    /// Whether anybody had it.
    released: bool,
    lock_key: String,
}

/// Counters of locks.
#[utoipa::path(get, path = "/api/locks/metrics", tag = "admin", security(("admin" = [])),
    responses((status = 200, body = MetricsAnswer), AdminProblems, Problems))]
pub(crate) async fn metrics(_: Admin, State(app): Shared) -> Answer {
    let metrics = app.metrics.counters();
    Ok(answer(StatusCode::OK, &MetricsAnswer { success: true, metrics }))
}

/// Locks that are held.
#[utoipa::path(get, path = "/api/locks/admin/active", tag = "admin", security(("admin" = [])),
    params(("tenantId" = Option<String>, Query, description = "Only this tenant's",
                min_length = 1, max_length = 128, pattern = r"^[^{}|:\x00-\x1f\x7f-\x9f]+$"),
           ("limit" = Option<u32>, Query, description = "At most so many; 100 unless said",
                minimum = 1, maximum = 1000)),
    responses((status = 200, body = ActiveAnswer), AdminProblems, Problems))]
pub(crate) async fn active(
    _: Admin,
    State(app): Shared,
    query: Result<Query<BTreeMap<String, String>>, QueryRejection>,
) -> Answer {
    let Query(query) = query.map_err(|_| Refused::field("query", "it is no query"))?;
    let tenant = query.get("tenantId").cloned();
    let tenant = tenant.map(|tenant| fields::name("tenantId", tenant)).transpose()?;
    let limit = match query.get("limit") {
        None => LIMIT,
        Some(limit) => {
            let limit = limit.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
            let wrong = || Refused::field("limit", format!("it is 1 to {LIMIT_MAX}"));
            limit.ok_or_else(wrong)?
        }
    };
    let layout = app.config.key_layout;
    let found = app.locks.inspect().active(&layout.pattern(tenant.as_deref()), limit).await?;
    let locks: Vec<_> = found
        .into_iter()
        .filter_map(|(lock, standing)| {
            let Slot { tenant_id, resource_id, date, start_time, .. } = layout.slot(&lock)?;
            let remaining_ttl = standing.remaining.map_or(0, millis);
            Some(ActiveLock {
                lock_key: lock.as_str().to_owned(),
                lock_id: standing.owner.as_str().to_owned(),
                tenant_id,
                resource_id,
                date,
                start_time,
                remaining_ttl,
                expires_at: now_ms().saturating_add(remaining_ttl),
            })
        })
        .collect();
    Ok(answer(StatusCode::OK, &ActiveAnswer { success: true, count: locks.len(), locks }))
}

/// Takes a lock away from whoever has it.
#[utoipa::path(post, path = "/api/locks/admin/force-release", tag = "admin",
    security(("admin" = [])), request_body = Slot,
    responses((status = 200, body = ForceReleased), AdminProblems, Problems))]
pub(crate) async fn force_release(_: Admin, State(app): Shared, fields: Fields) -> Answer {
    let slot = Slot::read(&fields)?;
    let lock = app.config.key_layout.lock(&slot);
    let owner = app.locks.inspect().force_release(&lock).await?;
    if let Some(owner) = &owner {
        app.metrics.released(owner.as_str());
        app.ledger.note(crate::ledger::Event::Released, &slot);
        tracing::warn!(lock = lock.as_str(), "an admin has released a lock by force");
    }
    let (released, lock_key) = (owner.is_some(), lock.as_str().to_owned());
    Ok(answer(StatusCode::OK, &ForceReleased { success: true, released, lock_key }))
}
