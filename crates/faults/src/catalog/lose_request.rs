//! `lose-request`: the next request on a link never arrives.
//!
//! The release that nobody heard, the commit that never was; its sender cannot tell it from a lost answer (failure
//! modes F15, F18, F27). The connection ends with it, since a stream that lost bytes cannot go on.

use std::sync::Arc;

use lockproof_rig::Direction;

use super::lose_reply::lossy;
use super::{FaultEntry, Worlds};
use crate::buggify::{Dice, Draw, Ground};
use crate::links::{READ_LINKS, read_links};
use crate::lost::Lose;

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "lose-request",
    summary: "the next request on links never arrives; at a step, its holder's",
    fields: &[READ_LINKS],
    build: |arguments| {
        let links = read_links(arguments)?;
        Ok(Arc::new(Lose { name: "lose-request", links, direction: Direction::ToServer }))
    },
    worlds: Worlds::Both,
    draw: Some(Draw { weight: 2, fields: draw }),
};

fn draw(ground: &Ground, dice: &Dice<'_>) -> Option<String> {
    lossy(ground, dice, "lose-request")
}
