//! `pause-server`: servers stand still; what arrives waits.
//!
//! A fork for a snapshot, a slow disk under `fsync`, a long script, a stopped virtual machine: connections stand, answers
//! come late and time goes on for every key (failure modes F20, F23, F65).

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lockproof_rig::{LinkSelector, Rig, RigError, ServerEffect};

use super::{FaultEntry, Worlds};
use crate::buggify::{Dice, Draw, Ground};
use crate::links::names;
use crate::servers::{SERVERS, afflict, servers};
use crate::{Fault, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "pause-server",
    summary: "servers stand still until healed; what arrives waits",
    fields: &[SERVERS],
    build: |arguments| Ok(Arc::new(PauseServer { servers: servers(arguments)? })),
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 2, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    let servers = dice.servers(ground)?;
    Some(dice.fault("pause-server", [("servers", servers)], dice.lasting(ground)))
}

#[derive(Debug)]
struct PauseServer {
    servers: Vec<LinkSelector>,
}

impl Fault for PauseServer {
    fn label(&self) -> String {
        format!("pause-server {}", names(&self.servers))
    }

    fn reach(&self) -> Reach {
        Reach::Servers(self.servers.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::UntilHealed
    }

    fn server_effect(&self) -> Option<ServerEffect> {
        Some(ServerEffect::Pause)
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        _occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        afflict(rig, &self.servers, ServerEffect::Pause, "no request came meanwhile")
    }
}
