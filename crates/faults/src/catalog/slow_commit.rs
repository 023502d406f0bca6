//! `slow-commit`: the commit leaves late, or its answer arrives late.
//!
//! On the side of the `request` the transaction stays open meanwhile, with whatever locks it has; on the side of
//! the `answer` it has committed and its holder does not know yet (failure modes F03, F05).

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{Instant, Point, Step};
use lockproof_rig::{Rig, RigError};

use super::{FaultEntry, Field, Worlds};
use crate::buggify::{Dice, Draw, Ground, quoted};
use crate::{ArgumentError, Fault, Healed, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "slow-commit",
    summary: "COMMIT leaves late, or its answer arrives late",
    fields: &[Field {
        name: "side",
        summary: "`request` (default): before COMMIT is sent; `answer`: before its answer is seen",
    }],
    build: |arguments| {
        let side = match arguments.text("side")?.as_deref() {
            None | Some("request") => Side::Request,
            Some("answer") => Side::Answer,
            Some(other) => {
                let what = format!("`{other}` is no side of a commit; write request or answer");
                return Err(ArgumentError::new("side", what));
            }
        };
        Ok(Arc::new(SlowCommit { side }))
    },
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 2, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    // Its points are fixed, so it says which time and for how long alone.
    let has_commit = ground.steps.contains(&Step::Commit);
    let side = has_commit.then(|| quoted(dice.pick(&["request", "answer"])))?;
    let when = [dice.nth(ground), dice.until(ground)].concat();
    Some(dice.fault("slow-commit", [("side", side)], when))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Request,
    Answer,
}

#[derive(Debug)]
struct SlowCommit {
    side: Side,
}

impl Fault for SlowCommit {
    fn label(&self) -> String {
        match self.side {
            Side::Request => "slow-commit".to_owned(),
            Side::Answer => "slow-commit answer".to_owned(),
        }
    }

    fn reach(&self) -> Reach {
        Reach::HolderAt(match self.side {
            Side::Request => Point::before(Step::Commit),
            Side::Answer => Point::answer(Step::Commit),
        })
    }

    fn lasts(&self) -> Lasts {
        Lasts::UntilHealed
    }

    fn inject<'a>(
        &'a self,
        _rig: &'a dyn Rig,
        occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        let injection: Box<dyn Injection> = Box::new(Held { side: self.side, since: occasion.at });
        std::future::ready(Ok(injection)).boxed()
    }
}

#[derive(Debug)]
struct Held {
    side: Side,
    since: Instant,
}

impl Injection for Held {
    fn holds_step(&self) -> bool {
        true
    }

    fn heal(self: Box<Self>, now: Instant) -> BoxFuture<'static, Healed> {
        let late = now.saturating_since(self.since);
        let what = match self.side {
            Side::Request => "COMMIT left",
            Side::Answer => "the answer to COMMIT arrived",
        };
        let observed = format!("{what} {} ms late", late.as_millis());
        std::future::ready(Healed { bit: !late.is_zero(), observed }).boxed()
    }
}
