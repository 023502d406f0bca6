//! `partition`: links hold their bytes until they heal.
//!
//! Nothing is lost and nothing is refused: that is what a network partition looks like from a TCP socket, until some
//! time limit gives up.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::Instant;
use lockproof_rig::{Disturbance, Link, LinkEffect, LinkSelector, Rig, RigError};

use super::{FaultEntry, Field};
use crate::{ArgumentError, Arguments, Fault, Healed, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "partition",
    summary: "links hold all bytes until healed",
    fields: &[LINKS],
    build: |arguments| Ok(Arc::new(Partition { links: links(arguments)? })),
};

pub(super) const LINKS: Field = Field {
    name: "links",
    summary: "which: redis, redis-1 …, redis-minority, redis-majority, database",
};

#[derive(Debug)]
struct Partition {
    links: Vec<LinkSelector>,
}

impl Fault for Partition {
    fn label(&self) -> String {
        let names: Vec<_> = self.links.iter().map(ToString::to_string).collect();
        format!("partition {}", names.join("+"))
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
        std::future::ready(disturb(rig, occasion, &self.links, LinkEffect::Hold, "held")).boxed()
    }
}

/// The `links` of a fault, required.
pub(super) fn links(arguments: &mut Arguments) -> Result<Vec<LinkSelector>, ArgumentError> {
    let texts = arguments.texts("links")?;
    if texts.is_empty() {
        return Err(ArgumentError::missing("links", "\"redis-minority\""));
    }
    let parse = |text: &String| text.parse();
    let parsed: Result<_, lockproof_rig::ParseLinkError> = texts.iter().map(parse).collect();
    parsed.map_err(|error| ArgumentError::new("links", error.to_string()))
}

/// Disturbs links at an occasion. A fault at a step reaches the links of the holder that came to it, where holders
/// have links of their own, and everybody's where they share them.
pub(super) fn disturb(
    rig: &dyn Rig,
    occasion: Occasion<'_>,
    selectors: &[LinkSelector],
    effect: LinkEffect,
    verb: &'static str,
) -> Result<Box<dyn Injection>, RigError> {
    let servers = rig.redis_servers();
    let links: Vec<Link> =
        selectors.iter().flat_map(|selector| selector.resolve(servers)).collect();
    let own = occasion.occurrence.map(|occurrence| [occurrence.holder]);
    let holders = match (&own, occasion.holders) {
        (_, []) | (None, _) => occasion.holders,
        (Some(own), _) => own,
    };
    let disturbance = rig.disturb(&links, holders, effect)?;
    Ok(Box::new(Disturbed { disturbance, verb }))
}

#[derive(Debug)]
struct Disturbed {
    disturbance: Box<dyn Disturbance>,
    verb: &'static str,
}

impl Injection for Disturbed {
    fn heal(self: Box<Self>, _now: Instant) -> BoxFuture<'static, Healed> {
        let healed = match self.disturbance.heal() {
            Some(met) => Healed { bit: true, observed: format!("{} {met}", self.verb) },
            None => Healed { bit: false, observed: format!("{} nothing", self.verb) },
        };
        std::future::ready(healed).boxed()
    }
}
