//! `lose-reply`: the next answer on a link is lost, its request carried out.
//!
//! The lock was taken and nobody knows; the booking was committed and nobody knows (failure modes F18, F19, F53). The
//! connection ends with it, since a stream that lost bytes cannot go on.

use std::sync::Arc;

use lockproof_model::{Point, Step};
use lockproof_rig::Direction;

use super::{FaultEntry, Worlds};
use crate::buggify::{Dice, Draw, Ground};
use crate::links::{READ_LINKS, read_links};
use crate::lost::Lose;

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "lose-reply",
    summary: "the next answer on links is lost, its request carried out; at a step, its holder's",
    fields: &[READ_LINKS],
    build: |arguments| {
        let links = read_links(arguments)?;
        Ok(Arc::new(Lose { name: "lose-reply", links, direction: Direction::ToClient }))
    },
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 3, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    lossy(ground, dice, "lose-reply")
}

/// At the steps whose answer decides what somebody believes.
pub(super) fn lossy(ground: &Ground, dice: &Dice<'_>, name: &str) -> Option<String> {
    let of_the_lock = || {
        let point = Point::before(dice.pick(&[Step::Acquire, Step::Release]));
        Some((point, dice.servers(ground)?))
    };
    let of_the_database = || {
        let links = "[\"database\"]".to_owned();
        ground.has_database_link.then(|| (Point::before(Step::Commit), links))
    };
    let (point, links) = if dice.chance(1, 2) {
        of_the_lock().or_else(of_the_database)?
    } else {
        of_the_database().or_else(of_the_lock)?
    };
    if !ground.steps.contains(&point.step) {
        return None;
    }
    Some(dice.fault(name, [("links", links)], dice.at(point, ground)))
}
