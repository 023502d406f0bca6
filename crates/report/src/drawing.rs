//! A schedule as a drawing: holders as lanes, leases as bars, faults as hatched bands, commits as points.

use std::fmt::{self, Write};

use lockproof_model::Violation;

use self::lanes::{Band, Lane, Point, Sign, Span};
use self::layout::Layout;
use crate::space_time::Schedule;
use crate::text;

mod lanes;
mod layout;
mod legend;

/// Above the first lane, beside the title's lines.
const TOP: u32 = 24;
const TITLE_LINE: u32 = 18;
const LANE: u32 = 84;
const LEGEND: u32 = 34;
/// How far from its lane's middle something is drawn: half a lease, half a fault, the names above, the times below.
const LEASE: u32 = 6;
const FAULT: u32 = 15;
const NAMES: u32 = 23;
const TIMES: u32 = 32;

/// The space-time diagram of a violation as an SVG document of its own. Colours follow the reader's light or dark
/// setting; what they say, a shape and a word say too.
#[must_use]
pub fn svg(violation: &Violation) -> String {
    drawn_in(violation.into(), Setting::Document)
}

/// The same as a part of a page, whose [`style`] and [`HATCH`] all drawings share.
pub(crate) fn within_page(schedule: Schedule<'_>) -> String {
    drawn_in(schedule, Setting::Page)
}

/// How drawings look on a page that knows its reader's choice: rules for light and rules for dark.
pub(crate) const STYLES: (&str, &str) =
    (include_str!("drawing/style.css"), include_str!("drawing/dark.css"));

/// What faults are filled with.
pub(crate) const HATCH: &str = "<defs><pattern id=\"hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><path class=\"hatch\" d=\"M0 0v7\"/></pattern></defs>";

fn drawn_in(schedule: Schedule<'_>, setting: Setting) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = Drawing::new(schedule, setting).write(&mut out);
    out
}

/// Where a drawing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    /// By itself.
    Document,
    /// Among others: it has no identifier, since theirs would be the same, and words stand beside it that say what it shows.
    Page,
}

struct Drawing<'a> {
    sentence: &'a str,
    title: Vec<String>,
    lanes: Vec<Lane>,
    layout: Layout,
    setting: Setting,
}

impl<'a> Drawing<'a> {
    fn new(schedule: Schedule<'a>, setting: Setting) -> Self {
        let lanes = lanes::of(schedule);
        let layout = Layout::of(&lanes, legend::width(&lanes));
        let letters = usize::try_from(layout.width / layout::BOLD).unwrap_or(0);
        let sentence = schedule.sentence;
        let title = match setting {
            Setting::Document => text::wrap(sentence, letters),
            Setting::Page => Vec::new(),
        };
        Self { sentence, title, lanes, layout, setting }
    }

    /// The middle of a lane.
    fn y(&self, lane: usize) -> u32 {
        TOP + TITLE_LINE * count(self.title.len()) + LANE * count(lane) + LANE / 2
    }

    /// Where the last lane ends.
    fn bottom(&self) -> u32 {
        self.y(self.lanes.len()) - LANE / 2
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let (width, height) = (self.layout.width, self.bottom() + LEGEND);
        match self.setting {
            Setting::Document => self.head(out, width, height)?,
            Setting::Page => writeln!(
                out,
                "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
                escaped(self.sentence)
            )?,
        }
        for (index, line) in self.title.iter().enumerate() {
            let y = TOP + TITLE_LINE * count(index);
            writeln!(out, "<text class=\"title\" x=\"12\" y=\"{y}\">{}</text>", escaped(line))?;
        }
        self.reaches(out)?;
        for (index, lane) in self.lanes.iter().enumerate() {
            self.lane(out, index, lane)?;
        }
        legend::write(out, &self.lanes, self.bottom() + 14)?;
        writeln!(out, "</svg>")
    }

    /// What makes it a document.
    fn head(&self, out: &mut String, width: u32, height: u32) -> fmt::Result {
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"t d\">"
        )?;
        writeln!(out, "<title id=\"t\">{}</title>", escaped(self.sentence))?;
        writeln!(out, "<desc id=\"d\">{DESCRIPTION}</desc>")?;
        let (light, dark) = STYLES;
        writeln!(out, "<style>\n{light}@media (prefers-color-scheme: dark) {{")?;
        dark.lines().try_for_each(|line| writeln!(out, "  {line}"))?;
        writeln!(out, "}}\n</style>\n{HATCH}")?;
        writeln!(out, "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>")
    }

    fn lane(&self, out: &mut String, index: usize, lane: &Lane) -> fmt::Result {
        let (y, end) = (self.y(index), self.layout.end());
        writeln!(out, "<text x=\"12\" y=\"{}\">{}</text>", y + 4, lane.name)?;
        let begin = layout::LEFT - 14;
        writeln!(out, "<path class=\"rail\" d=\"M{begin} {y}H{end}\"/>")?;
        for wait in &lane.waits {
            let (from, until) = self.span(index, *wait);
            writeln!(
                out,
                "<path class=\"wait\" d=\"M{from} {y}H{until}\"><title>waits for the lock</title></path>"
            )?;
        }
        for (number, lease) in lane.leases.iter().enumerate() {
            let (from, until) = self.span(index, *lease);
            writeln!(
                out,
                "<rect class=\"lease\" x=\"{from}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>lease {} of {}</title></rect>",
                y - LEASE,
                until.saturating_sub(from).max(2),
                2 * LEASE,
                number + 1,
                lane.name
            )?;
        }
        for band in &lane.bands {
            self.band(out, index, band)?;
        }
        for (place, point) in lane.points.iter().enumerate() {
            self.point(out, (self.layout.x(index, place), y), point)?;
        }
        self.times(out, index, lane)
    }

    /// An instant's time is said once, with a line below all that happens at it.
    fn times(&self, out: &mut String, index: usize, lane: &Lane) -> fmt::Result {
        let y = self.y(index) + TIMES;
        let columns = lane.points.iter().enumerate();
        let timed: Vec<_> = columns.filter(|(_, point)| point.sign != Sign::Silent).collect();
        for group in timed.chunk_by(|(_, a), (_, b)| a.at == b.at) {
            let (place, point) = group[0];
            let (x, time) = (self.layout.x(index, place), lanes::time(point.at));
            writeln!(out, "<text class=\"time\" x=\"{x}\" y=\"{y}\">{time}</text>")?;
            if let [_, .., (last, _)] = group {
                let (from, until) =
                    (x + layout::half_of_time(point.at), self.layout.x(index, *last));
                let y = y - 4;
                writeln!(out, "<path class=\"same\" d=\"M{} {y}H{}v-4\"/>", from + 3, until + 1)?;
            }
        }
        Ok(())
    }

    fn span(&self, lane: usize, span: Span) -> (u32, u32) {
        let until = span.until.map_or(self.layout.end(), |until| self.layout.x(lane, until));
        (self.layout.x(lane, span.from), until)
    }

    fn band(&self, out: &mut String, lane: usize, band: &Band) -> fmt::Result {
        let (from, until) = self.span(lane, band.span);
        let inset = 4 * count(band.depth.min(3));
        writeln!(
            out,
            "<rect class=\"fault\" x=\"{from}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"2\"><title>{}</title></rect>",
            self.y(lane) - FAULT + inset,
            until.saturating_sub(from).max(2),
            2 * (FAULT - inset),
            escaped(&band.title)
        )
    }

    /// What hits everybody is seen behind all lanes.
    fn reaches(&self, out: &mut String) -> fmt::Result {
        for (index, lane) in self.lanes.iter().enumerate().filter(|(_, lane)| lane.is_of_everybody)
        {
            let top = self.y(index) + FAULT;
            for band in &lane.bands {
                let (from, until) = self.span(index, band.span);
                let (width, height) = (until.saturating_sub(from).max(2), self.bottom() - 6 - top);
                writeln!(
                    out,
                    "<rect class=\"reach\" x=\"{from}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/>"
                )?;
            }
        }
        Ok(())
    }

    fn point(&self, out: &mut String, (x, y): (u32, u32), point: &Point) -> fmt::Result {
        let title = match self.setting {
            Setting::Document => format!("<title>{}</title>", escaped(&point.title)),
            Setting::Page => String::new(),
        };
        let drawn = drawn(point.sign, x, y, &title);
        if !drawn.is_empty() {
            writeln!(out, "{drawn}")?;
        }
        if point.name.is_empty() {
            return Ok(());
        }
        let class = point.sign.class_of_name();
        let (y, name) = (y - NAMES, escaped(&point.name));
        writeln!(out, "<text class=\"name {class}\" x=\"{x}\" y=\"{y}\">{name}</text>")
    }
}

/// A sign of its own for everything that a colour says too.
fn drawn(sign: Sign, x: u32, y: u32, title: &str) -> String {
    match sign {
        Sign::Silent | Sign::FaultBegins | Sign::FaultEnds => String::new(),
        Sign::Done => {
            format!("<circle class=\"step\" cx=\"{x}\" cy=\"{y}\" r=\"3.5\">{title}</circle>")
        }
        Sign::Commit | Sign::LastCommit => {
            format!("<circle class=\"commit\" cx=\"{x}\" cy=\"{y}\" r=\"7\">{title}</circle>")
        }
        Sign::Refused => {
            let (left, top) = (x.saturating_sub(5), y.saturating_sub(5));
            format!("<path class=\"no\" d=\"M{left} {top}l10 10m0-10l-10 10\">{title}</path>")
        }
        Sign::Unknown => format!(
            "<g class=\"unknown\"><circle cx=\"{x}\" cy=\"{y}\" r=\"7\"/><text x=\"{x}\" y=\"{}\">?</text>{title}</g>",
            y + 4
        ),
        Sign::LeaseEnds => {
            let top = y.saturating_sub(LEASE + 4);
            format!("<path class=\"over\" d=\"M{x} {top}v{}\">{title}</path>", 2 * (LEASE + 4))
        }
        Sign::Strike => {
            let top = y.saturating_sub(8);
            format!("<path class=\"strike\" d=\"M{x} {top}l8 8l-8 8l-8-8z\">{title}</path>")
        }
    }
}

pub(crate) fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

const DESCRIPTION: &str = "Holders as lanes; time goes right, by order and not to scale, in milliseconds. Bars are leases, hatched bands are faults, large dots are commits.";

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
