//! What faults on links share: their field, and how they disturb.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{HolderId, Instant};
use lockproof_rig::{Disturbance, Link, LinkEffect, LinkSelector, Rig, RigError, ServerKind};

use crate::catalog::Field;
use crate::{ArgumentError, Arguments, Healed, Injection, Occasion};

/// The field that names links.
pub(crate) const LINKS: Field = Field {
    name: "links",
    summary: "which: redis, redis-1 …, redis-minority, redis-majority, etcd, zookeeper, database",
};

/// The same for what happens to single messages.
pub(crate) const READ_LINKS: Field = Field {
    name: "links",
    summary: "which: redis, redis-1 …, redis-minority, redis-majority, database",
};

/// The `links` of a fault, required.
pub(crate) fn links(arguments: &mut Arguments) -> Result<Vec<LinkSelector>, ArgumentError> {
    let texts = arguments.texts("links")?;
    if texts.is_empty() {
        return Err(ArgumentError::missing("links", "\"redis-minority\""));
    }
    let parse = |text: &String| text.parse();
    let parsed: Result<_, lockproof_rig::ParseLinkError> = texts.iter().map(parse).collect();
    parsed.map_err(|error| ArgumentError::new("links", error.to_string()))
}

/// The same where single messages are told apart, which takes a link whose protocol the proxies read.
pub(crate) fn read_links(arguments: &mut Arguments) -> Result<Vec<LinkSelector>, ArgumentError> {
    let links = links(arguments)?;
    match links.iter().find(|link| link.kind() == ServerKind::Coordinator) {
        None => Ok(links),
        Some(other) => {
            let what = format!(
                "no proxy reads what is said to {other}, so that none can tell its messages apart; use partition, latency or reset-connections"
            );
            Err(ArgumentError::new("links", what))
        }
    }
}

/// Names as a label shows them: `redis-1+database`.
pub(crate) fn names(selectors: &[LinkSelector]) -> String {
    let names: Vec<_> = selectors.iter().map(ToString::to_string).collect();
    names.join("+")
}

/// Whose links a fault at a step disturbs. One by the time line disturbs those of the holders that the scenario names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Those of the holder that came to the step where the scenario names holders, so that the rig has links for each
    /// of them; else everybody's, who may share them.
    OfNamedHolders,
    /// Those of the holder that came to the step, and no other's.
    OfTheHolder,
}

/// Disturbs links at an occasion.
pub(crate) fn disturb(
    rig: &dyn Rig,
    occasion: Occasion<'_>,
    selectors: &[LinkSelector],
    effect: LinkEffect,
    whose: Whose,
) -> Result<Box<dyn Disturbance>, RigError> {
    let servers = rig.redis_servers();
    let links: Vec<Link> =
        selectors.iter().flat_map(|selector| selector.resolve(servers)).collect();
    let own: Option<[HolderId; 1]> = occasion.occurrence.map(|occurrence| [occurrence.holder]);
    let holders: &[HolderId] = match &own {
        Some(own) if whose == Whose::OfTheHolder || !occasion.holders.is_empty() => own,
        _ => occasion.holders,
    };
    rig.disturb(&links, holders, effect)
}

/// Links that are disturbed until it is healed.
#[derive(Debug)]
pub(crate) struct Disturbed {
    pub(crate) disturbance: Box<dyn Disturbance>,
    /// What happened to what met it: `held`; nothing where the rig's words say that.
    pub(crate) verb: &'static str,
    /// What to say when nothing met it.
    pub(crate) nothing: &'static str,
}

impl Injection for Disturbed {
    fn heal(self: Box<Self>, _now: Instant) -> BoxFuture<'static, Healed> {
        let healed = match self.disturbance.heal() {
            Some(met) => Healed { bit: true, observed: format!("{}{met}", self.verb) },
            None => Healed { bit: false, observed: self.nothing.to_owned() },
        };
        std::future::ready(healed).boxed()
    }
}
