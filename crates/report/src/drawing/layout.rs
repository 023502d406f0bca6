//! Where everything stands from left to right: by order, as far apart as what is written beside it needs.

use std::collections::BTreeMap;

use lockproof_model::Instant;

use super::count;
use super::lanes::{self, Lane, Point, Sign};

/// Where the first column may begin; the lanes' names stand before it.
pub(super) const LEFT: u32 = 96;
/// Beyond the last column.
const RIGHT: u32 = 24;
const WIDTH_MIN: u32 = 640;
/// Between two columns at least, and between two words.
const GAP: u32 = 10;
/// A letter of a name and of the title, at most, in tenths and in whole.
const LETTER_TENTHS: u32 = 67;
pub(super) const BOLD: u32 = 8;
const DIGIT_TENTHS: u32 = 61;

/// The horizontal place of every point.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: u32,
    /// By lane and point.
    columns: Vec<Vec<u32>>,
}

impl Layout {
    /// Points of one instant stand one after the other, in the order of their lane, and beside those of other lanes.
    pub(super) fn of(lanes: &[Lane], width_min: u32) -> Self {
        let mut order: BTreeMap<_, Vec<(usize, usize)>> = BTreeMap::new();
        for (lane, points) in lanes.iter().map(|lane| &lane.points).enumerate() {
            for (place, point) in points.iter().enumerate() {
                let rank = points[..place].iter().rev().take_while(|other| other.at == point.at);
                order.entry((point.at, rank.count())).or_default().push((lane, place));
            }
        }
        let mut columns: Vec<_> = lanes.iter().map(|lane| vec![0; lane.points.len()]).collect();
        let mut free = vec![LEFT; lanes.len()];
        let (mut next, mut end) = (LEFT, LEFT);
        for points in order.values() {
            let fits = |&(lane, place): &(usize, usize)| {
                let point: &Point = &lanes[lane].points[place];
                free[lane] + extent(point).0
            };
            let x = points.iter().map(fits).max().unwrap_or(0).max(next);
            for &(lane, place) in points {
                columns[lane][place] = x;
                let right = x + extent(&lanes[lane].points[place]).1;
                free[lane] = right + GAP;
                end = end.max(right);
            }
            next = x + GAP;
        }
        Self { width: width_min.max(WIDTH_MIN).max(end + RIGHT), columns }
    }

    pub(super) fn x(&self, lane: usize, point: usize) -> u32 {
        self.columns[lane][point]
    }

    /// Where the rails end.
    pub(super) const fn end(&self) -> u32 {
        self.width - RIGHT / 2
    }
}

/// Half of what a time takes.
pub(super) fn half_of_time(at: Instant) -> u32 {
    (count(lanes::time(at).len()) * DIGIT_TENTHS).div_ceil(20)
}

/// The room that a point and what is written beside it take to its left and to its right.
fn extent(point: &Point) -> (u32, u32) {
    if point.sign == Sign::Silent {
        return (0, 0);
    }
    let name = count(point.name.chars().count()) * LETTER_TENTHS;
    let time = half_of_time(point.at);
    // A fault's name stands above what it is the name of.
    match point.sign {
        Sign::FaultBegins => (time, time.max(name.div_ceil(10))),
        _ => (time.max(name.div_ceil(20)), time.max(name.div_ceil(20))),
    }
}
