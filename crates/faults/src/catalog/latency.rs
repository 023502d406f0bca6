//! `latency`: everything on a link takes longer, in both directions.
//!
//! A slow network, or one that is far away: writes arrive after the lease that they were sent under, and grants when
//! half their validity is gone (failure modes F05, F20, F23).

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_rig::{LinkEffect, LinkSelector, Rig, RigError};

use super::{FaultEntry, Field, Worlds};
use crate::buggify::{Dice, Draw, Ground, text};
use crate::links::{Disturbed, LINKS, Whose, disturb, links};
use crate::{ArgumentError, Fault, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "latency",
    summary: "bytes on links arrive later, in both directions",
    fields: &[
        LINKS,
        Field { name: "delay", summary: "by how much, one way" },
        Field { name: "jitter", summary: "by how much more or less, at most" },
    ],
    build: |arguments| {
        let by = arguments
            .duration("delay")?
            .ok_or_else(|| ArgumentError::missing("delay", "\"20ms\""))?;
        let jitter = arguments.duration("jitter")?.unwrap_or_default();
        Ok(Arc::new(Latency { links: links(arguments)?, by, jitter }))
    },
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 2, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    let links = dice.links(ground)?;
    let delay = dice.length(ground.ttl / 2);
    let mut fields = vec![("links", links), ("delay", text(delay)), ("jitter", text(delay / 4))];
    fields.extend(dice.own_links(ground));
    Some(dice.fault("latency", fields, dice.lasting(ground)))
}

#[derive(Debug)]
struct Latency {
    links: Vec<LinkSelector>,
    by: Duration,
    jitter: Duration,
}

impl Fault for Latency {
    fn label(&self) -> String {
        let delay = humantime::format_duration(self.by);
        if self.jitter.is_zero() {
            return format!("latency {delay}");
        }
        format!("latency {delay} ±{}", humantime::format_duration(self.jitter))
    }

    fn reach(&self) -> Reach {
        Reach::Links(self.links.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::UntilHealed
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        let effect = LinkEffect::Delay { by: self.by, jitter: self.jitter };
        let disturbed = disturb(rig, occasion, &self.links, effect, Whose::OfNamedHolders);
        let injection = disturbed.map(|disturbance| {
            let delayed = Disturbed { disturbance, verb: "delayed ", nothing: "delayed nothing" };
            Box::new(delayed) as Box<dyn Injection>
        });
        std::future::ready(injection).boxed()
    }
}
