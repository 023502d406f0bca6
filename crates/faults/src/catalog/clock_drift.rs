//! `clock-drift`: the wall clock of servers runs at a wrong rate until healed.
//!
//! Leases end early where it runs fast, and late where it runs slowly; what it has gained or lost by then stays (failure
//! mode F36).

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lockproof_rig::{LinkSelector, Rig, RigError, ServerEffect};

use super::{FaultEntry, Field, Worlds};
use crate::buggify::{Dice, Draw, Ground};
use crate::links::names;
use crate::servers::{SERVERS, afflict, servers};
use crate::{ArgumentError, Fault, Injection, Lasts, Occasion, Reach};

/// Faster than this is a jump.
const FASTEST: f64 = 100.0;

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "clock-drift",
    summary: "the wall clock of servers runs at a wrong rate until healed",
    fields: &[SERVERS, Field { name: "rate", summary: "seconds that it shows in a second: 1.5" }],
    build: |arguments| {
        let rate =
            arguments.number("rate")?.ok_or_else(|| ArgumentError::missing("rate", "1.5"))?;
        let is_right = (rate - 1.0).abs() < f64::EPSILON;
        if is_right || !(0.0..=FASTEST).contains(&rate) {
            let what = "a clock that drifts has a rate from 0 to 100 that is not 1: 1.5, 0.5";
            return Err(ArgumentError::new("rate", what));
        }
        Ok(Arc::new(ClockDrift { servers: servers(arguments)?, rate }))
    },
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 1, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    let servers = dice.servers(ground)?;
    let rate = dice.pick(&["0.5", "0.9", "1.01", "1.1", "1.5", "2.0", "4.0"]);
    let fields = [("servers", servers), ("rate", rate.to_owned())];
    Some(dice.fault("clock-drift", fields, dice.lasting(ground)))
}

#[derive(Debug)]
struct ClockDrift {
    servers: Vec<LinkSelector>,
    rate: f64,
}

impl Fault for ClockDrift {
    fn label(&self) -> String {
        format!("clock-drift {} ×{}", names(&self.servers), self.rate)
    }

    fn reach(&self) -> Reach {
        Reach::Servers(self.servers.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::UntilHealed
    }

    fn server_effect(&self) -> Option<ServerEffect> {
        Some(ServerEffect::ClockRate(self.rate))
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        _occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        afflict(rig, &self.servers, ServerEffect::ClockRate(self.rate), "no clock drifted")
    }
}
