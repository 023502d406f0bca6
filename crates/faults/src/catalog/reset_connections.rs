//! `reset-connections`: every connection of a link is reset, once.
//!
//! A proxy that restarts, a server that ends idle sessions, a firewall that forgot: what was on its way may have arrived
//! (failure modes F15, F18, F49, F53).

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_rig::{LinkEffect, LinkSelector, Rig, RigError};

use super::{FaultEntry, Worlds};
use crate::buggify::{Dice, Draw, Ground};
use crate::links::{Disturbed, LINKS, Whose, disturb, links, names};
use crate::{Fault, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "reset-connections",
    summary: "the connections of links are reset, once; at a step, its holder's",
    fields: &[LINKS],
    build: |arguments| Ok(Arc::new(ResetConnections { links: links(arguments)? })),
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 1, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    let links = dice.links(ground)?;
    let when = dice.at_once_or_from(dice.step(ground), ground);
    Some(dice.fault("reset-connections", [("links", links)], when))
}

#[derive(Debug)]
struct ResetConnections {
    links: Vec<LinkSelector>,
}

impl Fault for ResetConnections {
    fn label(&self) -> String {
        format!("reset-connections {}", names(&self.links))
    }

    fn reach(&self) -> Reach {
        Reach::Links(self.links.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::AnInstant
    }

    fn tells_holders_apart(&self) -> bool {
        true
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        let effect = LinkEffect::Reset;
        let disturbed = disturb(rig, occasion, &self.links, effect, Whose::OfTheHolder);
        async move {
            let mut disturbance = disturbed?;
            disturbance.settled().await;
            let reset = Disturbed { disturbance, verb: "", nothing: "there was no connection" };
            Ok(Box::new(reset) as Box<dyn Injection>)
        }
        .boxed()
    }
}
