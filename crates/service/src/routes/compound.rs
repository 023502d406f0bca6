//! Several slots at once, all or none.
//!
//! Locks are taken in the order of their names, whoever asks: two requests for the same slots cannot each wait for what
//! the other has. When one is held, what was taken goes back.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use super::locks::{self, AcquireBody, Granted, HeldBody, Took};
use super::{Shared, unlocked};
use crate::answer::{Answer, Refused, answer};
use crate::app::App;
use crate::fields::Fields;
use crate::openapi::{Problem, Problems};
use crate::slot::Slot;

/// Most slots of one request.
const SEGMENTS_MAX: usize = 16;

#[derive(ToSchema)]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) struct CompoundBody {
    #[schema(min_items = 1, max_items = 16)]
    segments: Vec<AcquireBody>,
    /// Milliseconds, of all of them.
    #[schema(minimum = 1000, maximum = 3_600_000)]
    ttl: Option<i64>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "read by the document alone")]
pub(crate) struct CompoundHeldBody {
    #[schema(min_items = 1, max_items = 16)]
    segments: Vec<HeldBody>,
}

/// All of them are the caller's, in the order that was asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct CompoundGranted {
    success: bool,
    locked: bool,
    locks: Vec<Granted>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CompoundReleased {
    success: bool,
    released: bool,
    count: usize,
}

/// Locks several slots, all or none.
#[utoipa::path(post, path = "/api/locks/acquire-compound", tag = "locks", request_body = CompoundBody,
    responses((status = 200, body = CompoundGranted), (status = 409, body = Problem), Problems))]
pub(crate) async fn acquire(State(app): Shared, fields: Fields) -> Answer {
    let slots: Vec<Slot> = segments(&fields)?.iter().map(Slot::read).collect::<Result<_, _>>()?;
    let ttl = locks::ttl(&fields)?.unwrap_or(app.config.lock_ttl);
    let mut order: Vec<usize> = (0..slots.len()).collect();
    order.sort_by_key(|place| app.config.key_layout.lock(&slots[*place]));
    if order.windows(2).any(|pair| slots[pair[0]].row_name() == slots[pair[1]].row_name()) {
        return Err(Refused::field("segments", "no slot is named twice"));
    }
    let mut taken = Vec::with_capacity(slots.len());
    let mut all_locked = true;
    for place in order {
        match locks::take(&app, &slots[place], ttl).await {
            Ok(Took::Granted(grant)) => taken.push((place, grant)),
            Ok(Took::Unlocked(grant)) => {
                all_locked = false;
                taken.push((place, grant));
            }
            Ok(Took::Held { remaining }) => {
                undo(&app, &slots, &taken).await;
                return Err(locks::held(remaining));
            }
            Err(error) => {
                undo(&app, &slots, &taken).await;
                return Err(error);
            }
        }
    }
    taken.sort_by_key(|(place, _)| *place);
    let locks = taken.into_iter().zip(slots).map(|((_, grant), slot)| locks::granted(grant, slot));
    let granted = CompoundGranted { success: true, locked: all_locked, locks: locks.collect() };
    let response = answer(StatusCode::OK, &granted);
    Ok(if all_locked { response } else { unlocked(response) })
}

/// Releases several locks. Those that are the caller's go back, whatever is the matter with the others.
#[utoipa::path(post, path = "/api/locks/release-compound", tag = "locks",
    request_body = CompoundHeldBody,
    responses((status = 200, body = CompoundReleased), (status = 409, body = Problem), Problems))]
pub(crate) async fn release(State(app): Shared, fields: Fields) -> Answer {
    let read = |fields: &Fields| Ok((Slot::read(fields)?, fields.uuid("lockId")?));
    let held: Vec<_> = segments(&fields)?.iter().map(read).collect::<Result<_, Refused>>()?;
    let released = CompoundReleased { success: true, released: true, count: held.len() };
    if !app.config.slot_locking {
        return Ok(unlocked(answer(StatusCode::OK, &released)));
    }
    let mut first_lost = None;
    for (place, (slot, lock_id)) in held.iter().enumerate().rev() {
        if let Err(why) = locks::give_back(&app, slot, lock_id).await? {
            first_lost = Some((place, why));
        }
    }
    match first_lost {
        None => Ok(answer(StatusCode::OK, &released)),
        Some((segment, why)) => {
            let (reason, message) = (why.reason(), why.message());
            let body = json!({"success": false, "released": false, "reason": reason,
                "segment": segment, "message": message});
            Err(Refused::body(StatusCode::CONFLICT, body))
        }
    }
}

fn segments(fields: &Fields) -> Result<Vec<Fields>, Refused> {
    match fields.member("segments") {
        Some(Json::Array(segments)) if (1..=SEGMENTS_MAX).contains(&segments.len()) => {
            segments.iter().map(|segment| Fields::of(segment, "segments")).collect()
        }
        _ => Err(Refused::field("segments", format!("they are 1 to {SEGMENTS_MAX} slots"))),
    }
}

async fn undo(app: &App, slots: &[Slot], taken: &[(usize, crate::locks::Grant)]) {
    for (place, grant) in taken.iter().rev().filter(|_| app.config.slot_locking) {
        // One that cannot be reached is withdrawn in the background.
        if locks::give_back(app, &slots[*place], &grant.lock_id).await.is_err() {
            tracing::debug!("a lock of several goes back in the background");
        }
    }
}
