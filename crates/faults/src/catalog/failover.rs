//! `failover`: a replica that was behind takes the place of a Redis server, at once and for good.
//!
//! Replication is asynchronous: what was acknowledged last is not there, be it a lock or a fencing token, and every
//! connection ends (failure modes F27, F28, F29, F31, F56).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lockproof_model::{Point, Step};
use lockproof_rig::{LinkSelector, Rig, RigError, ServerEffect};

use super::{FaultEntry, Field, Worlds};
use crate::buggify::{Dice, Draw, Ground, text};
use crate::links::names;
use crate::servers::{REDIS_SERVERS, afflict, redis_servers};
use crate::{ArgumentError, Fault, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "failover",
    summary: "a replica that was behind takes the place of Redis servers, at once and for good",
    fields: &[REDIS_SERVERS, Field { name: "lag", summary: "how far behind it was" }],
    build: |arguments| {
        let lag =
            arguments.duration("lag")?.ok_or_else(|| ArgumentError::missing("lag", "\"5ms\""))?;
        Ok(Arc::new(Failover { servers: redis_servers(arguments)?, lag }))
    },
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 2, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    if ground.keeps_tokens {
        return None;
    }
    let servers = dice.one_server(ground)?;
    // A few milliseconds, as replicas are behind: around a grant or a release that is the lock itself.
    let lag = dice.length(Duration::from_millis(8)).max(Duration::from_micros(100));
    let point = if dice.chance(3, 4) {
        dice.pick(&[Point::after(Step::Acquire), Point::before(Step::Release)])
    } else {
        dice.step(ground)
    };
    let when = dice.at_once_or_from(point, ground);
    Some(dice.fault("failover", [("servers", servers), ("lag", text(lag))], when))
}

#[derive(Debug)]
struct Failover {
    servers: Vec<LinkSelector>,
    lag: Duration,
}

impl Fault for Failover {
    fn label(&self) -> String {
        let lag = humantime::format_duration(self.lag);
        format!("failover {} lag {lag}", names(&self.servers))
    }

    fn reach(&self) -> Reach {
        Reach::Servers(self.servers.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::AnInstant
    }

    fn server_effect(&self) -> Option<ServerEffect> {
        Some(ServerEffect::Failover { lag: self.lag })
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        _occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        afflict(
            rig,
            &self.servers,
            ServerEffect::Failover { lag: self.lag },
            "the replica lacked nothing",
        )
    }
}
