//! `crash-server`: servers die, and are started again when healed.
//!
//! What Redis finds then is what it had kept: nothing without persistence, everything but the last second with
//! `appendfsync everysec`, everything with `always`. A lock that was acknowledged may be gone, and a counter of fencing
//! tokens may go back (failure modes F30, F31, F56). A database finds what was committed; what was not is gone, with
//! every session.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lockproof_rig::{Keeps, LinkSelector, Rig, RigError, ServerEffect, ServerKind};

use super::{FaultEntry, Field, Worlds};
use crate::buggify::{Dice, Draw, Ground, quoted};
use crate::links::names;
use crate::servers::{SERVERS, afflict, servers};
use crate::{ArgumentError, Fault, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "crash-server",
    summary: "servers die and are started again when healed, with what they had kept",
    fields: &[
        SERVERS,
        Field {
            name: "keeps",
            summary: "what they find then: `nothing` (default), `every-second` or `everything`; a database finds all that was committed, a coordination service all that it agreed to",
        },
    ],
    build: |arguments| {
        let servers = servers(arguments)?;
        // Those that promise to keep what they have acknowledged.
        let durable = |server: &&LinkSelector| server.kind() != ServerKind::Redis;
        let durables = servers.iter().filter(durable).count();
        let keeps = match arguments.text("keeps")?.as_deref() {
            None if durables == servers.len() => Keeps::Everything,
            None | Some("nothing") => Keeps::Nothing,
            Some("every-second") => Keeps::EverySecond,
            Some("everything") => Keeps::Everything,
            Some(other) => {
                let what = format!(
                    "`{other}` is nothing that a server keeps; write nothing, every-second or everything"
                );
                return Err(ArgumentError::new("keeps", what));
            }
        };
        if durables > 0 && keeps != Keeps::Everything {
            let who = if servers.contains(&LinkSelector::Database) {
                "a database keeps all that was committed"
            } else {
                "a coordination service keeps all that it agreed to"
            };
            let what = format!(
                "{who}; leave `keeps` out, and write a fault of its own for Redis servers that keep less"
            );
            return Err(ArgumentError::new("keeps", what));
        }
        Ok(Arc::new(CrashServer { servers, keeps }))
    },
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 3, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    let servers = dice.one_server(ground)?;
    let keeps = if ground.keeps_tokens {
        word(Keeps::Everything)
    } else {
        word(dice.pick(&[Keeps::Nothing, Keeps::Nothing, Keeps::EverySecond, Keeps::Everything]))
    };
    let fields = [("servers", servers), ("keeps", quoted(keeps))];
    // A supervisor starts it again at once: a lock is lost to those who trust it still.
    Some(dice.fault("crash-server", fields, dice.brief_or_lasting(ground)))
}

const fn word(keeps: Keeps) -> &'static str {
    match keeps {
        Keeps::Nothing => "nothing",
        Keeps::EverySecond => "every-second",
        Keeps::Everything => "everything",
    }
}

#[derive(Debug)]
struct CrashServer {
    servers: Vec<LinkSelector>,
    keeps: Keeps,
}

impl Fault for CrashServer {
    fn label(&self) -> String {
        format!("crash-server {} keeps {}", names(&self.servers), word(self.keeps))
    }

    fn reach(&self) -> Reach {
        Reach::Servers(self.servers.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::UntilHealed
    }

    fn server_effect(&self) -> Option<ServerEffect> {
        Some(ServerEffect::Crash { keeps: self.keeps })
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        _occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        afflict(
            rig,
            &self.servers,
            ServerEffect::Crash { keeps: self.keeps },
            "it died with no connection and lost no key",
        )
    }
}
