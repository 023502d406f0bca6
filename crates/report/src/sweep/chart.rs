//! A sweep as a drawing: a bar per envelope, a point per value that was tried.

use std::fmt::{self, Write};

use lockproof_model::{Amount, Envelope, Sweep};

use super::words;
use crate::drawing::{count, escaped};

const TOP: u32 = 48;
const ROW: u32 = 30;
const BAR: u32 = 12;
/// Below the last row: the axis and the legend.
const FOOT: u32 = 60;
/// What a letter of a name takes.
const LETTER: u32 = 8;
/// The width of the bars, and what is left of them to the right.
const SPAN: u32 = 640;
const RIGHT: u32 = 40;
/// Marks on the axis.
const MARKS: u64 = 4;

const STYLE: &str = include_str!("chart/style.css");
const DESCRIPTION: &str = "A row per strategy: a bar over the values that it survives, a hatched one over those that it does not, a point for each value that was tried.";

/// The envelopes as an SVG document of its own. Colours follow the reader's light or dark setting; what they say, a shape
/// and a word say too.
#[must_use]
pub fn sweep_svg(sweep: &Sweep) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = Chart::of(sweep).write(&mut out);
    out
}

struct Chart<'a> {
    sweep: &'a Sweep,
    left: u32,
}

impl<'a> Chart<'a> {
    fn of(sweep: &'a Sweep) -> Self {
        let longest = sweep.envelopes.iter().map(|envelope| name(envelope).chars().count()).max();
        Self { sweep, left: 24 + LETTER * count(longest.unwrap_or(0)) }
    }

    fn x(&self, at: Amount) -> u32 {
        let (low, high) = (self.sweep.dial.low.figure(), self.sweep.dial.high.figure());
        let share = u128::from(at.figure().saturating_sub(low)) * u128::from(SPAN)
            / u128::from(high - low).max(1);
        self.left + u32::try_from(share).unwrap_or(SPAN)
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let rows = count(self.sweep.envelopes.len());
        let (width, height) = (self.left + SPAN + RIGHT, TOP + ROW * rows + FOOT);
        let title = escaped(&format!("{}: {}", self.sweep.scenario, self.sweep.dial.field));
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"t d\">"
        )?;
        writeln!(out, "<title id=\"t\">{title}</title>\n<desc id=\"d\">{DESCRIPTION}</desc>")?;
        writeln!(out, "<style>\n{STYLE}</style>")?;
        writeln!(
            out,
            "<defs><pattern id=\"hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><path class=\"hatch\" d=\"M0 0v7\"/></pattern></defs>"
        )?;
        writeln!(out, "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>")?;
        writeln!(out, "<text class=\"title\" x=\"12\" y=\"24\">{title}</text>")?;
        for (row, envelope) in (0..).zip(&self.sweep.envelopes) {
            self.row(out, TOP + ROW * row, envelope)?;
        }
        self.foot(out, TOP + ROW * rows)?;
        writeln!(out, "</svg>")
    }

    /// A bar from each value that was tried to the next one, as the first of them came out.
    fn row(&self, out: &mut String, y: u32, envelope: &Envelope) -> fmt::Result {
        let said = escaped(&words::sentence(envelope, self.sweep));
        writeln!(out, "<g><title>{said}</title>")?;
        writeln!(out, "<text x=\"12\" y=\"{}\">{}</text>", y + BAR, escaped(&name(envelope)))?;
        let mut from = envelope.tried.as_slice();
        while let Some((first, _)) = from.split_first() {
            let is_same =
                |point: &lockproof_model::Tried| point.broken.is_some() == first.broken.is_some();
            let same = from.iter().take_while(|point| is_same(point)).count();
            let next = from.get(same).map_or(self.sweep.dial.high, |point| point.at);
            let (x, end) = (self.x(first.at), self.x(next));
            let class = if first.broken.is_some() { "broken" } else { "survived" };
            writeln!(
                out,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{BAR}\"/>",
                end.saturating_sub(x).max(2)
            )?;
            from = &from[same..];
        }
        for point in &envelope.tried {
            let (x, y) = (self.x(point.at), y + BAR / 2);
            let class = if point.broken.is_some() { "no" } else { "yes" };
            let what = point.broken.as_deref().unwrap_or("survived");
            writeln!(
                out,
                "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"2.5\"><title>{}: {}</title></circle>",
                point.at,
                escaped(what)
            )?;
        }
        writeln!(out, "</g>")
    }

    fn foot(&self, out: &mut String, y: u32) -> fmt::Result {
        writeln!(out, "<path class=\"axis\" d=\"M{} {y}h{SPAN}\"/>", self.left)?;
        let dial = &self.sweep.dial;
        for mark in 0..=MARKS {
            let at = dial.at(dial.steps() / MARKS * mark + dial.steps() % MARKS * mark / MARKS);
            let x = self.x(at);
            writeln!(out, "<path class=\"axis\" d=\"M{x} {y}v5\"/>")?;
            writeln!(out, "<text class=\"mark\" x=\"{x}\" y=\"{}\">{at}</text>", y + 18)?;
        }
        let (y, left) = (y + 44, self.left);
        writeln!(
            out,
            "<rect class=\"survived\" x=\"{left}\" y=\"{}\" width=\"24\" height=\"{BAR}\"/><text x=\"{}\" y=\"{y}\">survived</text>",
            y - 10,
            left + 30
        )?;
        writeln!(
            out,
            "<rect class=\"broken\" x=\"{}\" y=\"{}\" width=\"24\" height=\"{BAR}\"/><text x=\"{}\" y=\"{y}\">broken</text>",
            left + 110,
            y - 10,
            left + 140
        )
    }
}

fn name(envelope: &Envelope) -> String {
    match envelope.against {
        Some(at) => format!("{} · {at}", envelope.strategy),
        None => envelope.strategy.clone(),
    }
}
