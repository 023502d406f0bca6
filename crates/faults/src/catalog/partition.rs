//! `partition`: links hold their bytes until they heal.
//!
//! Nothing is lost and nothing is refused: that is what a network partition looks like from a TCP socket, until some
//! time limit gives up. In one direction alone it is what a broken route or an asymmetric firewall does: requests arrive
//! and their answers do not, or answers come that nobody asked for any more (failure modes F05, F08, F18, F23, F42).

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_rig::{Direction, LinkEffect, LinkSelector, Rig, RigError};

use super::{FaultEntry, Field, Worlds};
use crate::buggify::{Dice, Draw, Ground, quoted};
use crate::links::{Disturbed, LINKS, Whose, disturb, links, names};
use crate::{ArgumentError, Arguments, Fault, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "partition",
    summary: "links hold all bytes until healed",
    fields: &[
        LINKS,
        Field { name: "direction", summary: "to-server or to-client alone; both by default" },
    ],
    build: |arguments| {
        let direction = direction(arguments)?;
        Ok(Arc::new(Partition { links: links(arguments)?, direction }))
    },
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 2, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    let mut fields = vec![("links", dice.links(ground)?)];
    if dice.chance(1, 2) {
        fields.push(("direction", quoted(dice.pick(&["to-server", "to-client"]))));
    }
    fields.extend(dice.own_links(ground));
    Some(dice.fault("partition", fields, dice.lasting(ground)))
}

#[derive(Debug)]
struct Partition {
    links: Vec<LinkSelector>,
    /// Which way nothing gets through, where it is one alone.
    direction: Option<Direction>,
}

impl Fault for Partition {
    fn label(&self) -> String {
        let way = match self.direction {
            None => "",
            Some(Direction::ToServer) => " to-server",
            Some(Direction::ToClient) => " to-client",
        };
        format!("partition {}{way}", names(&self.links))
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
        let effect = self.direction.map_or(LinkEffect::Hold, LinkEffect::HoldOneWay);
        let disturbed = disturb(rig, occasion, &self.links, effect, Whose::OfNamedHolders);
        let injection = disturbed.map(|disturbance| {
            let held = Disturbed { disturbance, verb: "held ", nothing: "held nothing" };
            Box::new(held) as Box<dyn Injection>
        });
        std::future::ready(injection).boxed()
    }
}

fn direction(arguments: &mut Arguments) -> Result<Option<Direction>, ArgumentError> {
    match arguments.text("direction")?.as_deref() {
        None => Ok(None),
        Some("to-server") => Ok(Some(Direction::ToServer)),
        Some("to-client") => Ok(Some(Direction::ToClient)),
        Some(other) => {
            let what = format!("`{other}` is no direction; write to-server or to-client");
            Err(ArgumentError::new("direction", what))
        }
    }
}
