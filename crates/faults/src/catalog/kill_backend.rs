//! `kill-backend`: the database ends a holder's session, at once.
//!
//! An administrator, a failover, `idle_in_transaction_session_timeout`: the open transaction is undone, every lock of the
//! session is free, and the holder learns of it with its next statement, if ever (failure modes F49, F53). The holder
//! dials again when it begins its next transaction.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::Instant;
use lockproof_rig::{Rig, RigError};

use super::{FaultEntry, Worlds};
use crate::{Fault, Healed, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "kill-backend",
    summary: "the database ends a holder's session, with its transaction and its locks",
    fields: &[],
    build: |_| Ok(Arc::new(KillBackend)),
    worlds: Worlds::Both,
    // Until a lock lives in a session, ending one breaks nothing that a random search looks for.
    draw: None,
};

#[derive(Debug)]
struct KillBackend;

impl Fault for KillBackend {
    fn label(&self) -> String {
        "kill-backend".to_owned()
    }

    fn reach(&self) -> Reach {
        Reach::DatabaseSession
    }

    fn lasts(&self) -> Lasts {
        Lasts::AnInstant
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        let holders = match occasion.occurrence {
            Some(occurrence) => vec![occurrence.holder],
            None if occasion.holders.is_empty() => rig.holders(),
            None => occasion.holders.to_vec(),
        };
        async move {
            let mut ended = Vec::new();
            for holder in holders {
                ended.extend(rig.end_session(holder).await?);
            }
            Ok(Box::new(Ended(ended)) as Box<dyn Injection>)
        }
        .boxed()
    }
}

/// What each session was, when it ended.
#[derive(Debug)]
struct Ended(Vec<String>);

impl Injection for Ended {
    fn heal(self: Box<Self>, _now: Instant) -> BoxFuture<'static, Healed> {
        let healed = if self.0.is_empty() {
            Healed { bit: false, observed: "the holder had no session".to_owned() }
        } else {
            Healed { bit: true, observed: self.0.join("; ") }
        };
        std::future::ready(healed).boxed()
    }
}
