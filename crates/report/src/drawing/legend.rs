//! What the signs of a drawing mean: those that it has.

use std::fmt::{self, Write};

use super::lanes::{Lane, Sign};
use super::{LEASE, count, drawn, layout};

const LEFT: u32 = layout::LEFT - 14;
/// Between a sign and its word, and between a word and the next sign.
const NEAR: u32 = 6;
const FAR: u32 = 18;
const LETTER: u32 = 7;

struct Entry {
    drawn: Drawn,
    width: u32,
    word: &'static str,
}

enum Drawn {
    Nothing,
    Line(&'static str),
    Bar(&'static str, u32),
    Sign(Sign),
}

/// How wide it is.
pub(super) fn width(lanes: &[Lane]) -> u32 {
    LEFT + entries(lanes).iter().map(Entry::advance).sum::<u32>()
}

/// Writes it as one line, at the height `y`.
pub(super) fn write(out: &mut String, lanes: &[Lane], y: u32) -> fmt::Result {
    let mut x = LEFT;
    for entry in entries(lanes) {
        let drawn = entry.drawn.at(x, y);
        let (word, at) = (entry.word, x + entry.width + NEAR);
        writeln!(out, "{drawn}<text class=\"word\" x=\"{at}\" y=\"{}\">{word}</text>", y + 4)?;
        x += entry.advance();
    }
    Ok(())
}

fn entries(lanes: &[Lane]) -> Vec<Entry> {
    let has = |signs: &[Sign]| {
        lanes.iter().flat_map(|lane| &lane.points).any(|point| signs.contains(&point.sign))
    };
    let any = |part: fn(&Lane) -> bool| lanes.iter().any(part);
    let entry =
        |is_there: bool, drawn, width, word| is_there.then_some(Entry { drawn, width, word });
    let sign = |sign, word| entry(has(&[sign]), Drawn::Sign(sign), 16, word);
    let commits = has(&[Sign::Commit, Sign::LastCommit]);
    [
        entry(any(|lane| !lane.waits.is_empty()), Drawn::Line("wait"), 22, "waits"),
        entry(any(|lane| !lane.leases.is_empty()), Drawn::Bar("lease", 2 * LEASE), 22, "lease"),
        entry(any(|lane| !lane.bands.is_empty()), Drawn::Bar("fault", 16), 22, "fault"),
        sign(Sign::Strike, "fault, at once"),
        sign(Sign::Done, "done"),
        sign(Sign::Refused, "refused"),
        sign(Sign::Unknown, "nobody knows"),
        entry(commits, Drawn::Sign(Sign::Commit), 16, "commit"),
        entry(true, Drawn::Nothing, 0, "time in ms, not to scale"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Entry {
    fn advance(&self) -> u32 {
        self.width + NEAR + LETTER * count(self.word.len()) + FAR
    }
}

impl Drawn {
    fn at(&self, x: u32, y: u32) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Line(class) => format!("<path class=\"{class}\" d=\"M{x} {y}h22\"/>"),
            Self::Bar(class, height) => format!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"22\" height=\"{height}\"/>",
                y - height / 2
            ),
            Self::Sign(sign) => drawn(*sign, x + 8, y, ""),
        }
    }
}
