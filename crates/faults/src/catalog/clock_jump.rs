//! `clock-jump`: the wall clock of servers jumps, at once and for good.
//!
//! Redis counts a TTL by its wall clock: a jump forward ends leases that their holders still trust, one back lets them
//! stand for longer than anybody asked (failure modes F32, F33).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lockproof_rig::{LinkSelector, Rig, RigError, ServerEffect};

use super::{FaultEntry, Field, Worlds};
use crate::arguments::parse_duration;
use crate::buggify::{Dice, Draw, Ground, quoted};
use crate::links::names;
use crate::servers::{SERVERS, afflict, servers};
use crate::{ArgumentError, Fault, Injection, Lasts, Occasion, Reach};

/// Clocks that are wrong by more are set by hand.
const FURTHEST: Duration = Duration::from_secs(366 * 24 * 3600);

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "clock-jump",
    summary: "the wall clock of servers jumps, at once and for good",
    fields: &[SERVERS, Field { name: "by", summary: "how far: +2s forward, -500ms back" }],
    build: |arguments| {
        let by = arguments
            .text("by")?
            .ok_or_else(|| ArgumentError::missing("by", "\"+2s\", or \"-500ms\" back"))?;
        let by_ms = signed_millis(&by).map_err(|what| ArgumentError::new("by", what))?;
        Ok(Arc::new(ClockJump { servers: servers(arguments)?, by_ms }))
    },
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 2, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    let servers = dice.servers(ground)?;
    // About a TTL: less harms no lock, and more does nothing that this does not.
    let by = dice.about(ground.ttl).max(Duration::from_millis(1));
    let sign = if dice.chance(4, 5) { '+' } else { '-' };
    let by = Duration::from_millis(u64::try_from(by.as_millis()).ok()?);
    let by = quoted(&format!("{sign}{}", humantime::format_duration(by)));
    let when = dice.at_once_or_from(dice.step_inside(ground), ground);
    Some(dice.fault("clock-jump", [("servers", servers), ("by", by)], when))
}

#[derive(Debug)]
struct ClockJump {
    servers: Vec<LinkSelector>,
    by_ms: i64,
}

impl Fault for ClockJump {
    fn label(&self) -> String {
        let by = humantime::format_duration(Duration::from_millis(self.by_ms.unsigned_abs()));
        let sign = if self.by_ms < 0 { '-' } else { '+' };
        format!("clock-jump {} {sign}{by}", names(&self.servers))
    }

    fn reach(&self) -> Reach {
        Reach::Servers(self.servers.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::AnInstant
    }

    fn server_effect(&self) -> Option<ServerEffect> {
        Some(ServerEffect::ClockJump { by_ms: self.by_ms })
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        _occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        afflict(
            rig,
            &self.servers,
            ServerEffect::ClockJump { by_ms: self.by_ms },
            "no clock jumped",
        )
    }
}

/// `+2s` or `-500ms` in milliseconds.
fn signed_millis(text: &str) -> Result<i64, String> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let duration = parse_duration(length)?;
    let whole = i64::try_from(duration.as_millis()).ok().filter(|&millis| millis > 0);
    match whole {
        Some(millis)
            if duration <= FURTHEST && duration.subsec_nanos().is_multiple_of(1_000_000) =>
        {
            Ok(sign * millis)
        }
        _ => Err(format!(
            "`{text}` is no jump; a clock jumps by whole milliseconds, at least one and at most a year: +2s, -500ms"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_has_a_direction_and_whole_milliseconds() {
        assert_eq!(signed_millis("+2s"), Ok(2000));
        assert_eq!(signed_millis("2s"), Ok(2000));
        assert_eq!(signed_millis("-500ms"), Ok(-500));
        for wrong in ["0s", "+500us", "+2years", "--1s", "1"] {
            assert!(signed_millis(wrong).is_err(), "{wrong}");
        }
    }
}
