//! A schedule as a drawing: holders as lanes, leases as bars, faults as hatched bands, commits as points.

use std::fmt::Write;

use lockproof_model::{Effect, HolderId, Instant, Outcome, Step, Violation};

use crate::space_time::{self, Event, Kind};

const LANE: u32 = 74;
const LEFT: u32 = 92;
const WIDTH: u32 = 900;
const TOP: u32 = 54;

/// The space-time diagram of a violation as an SVG document of its own. Colours follow the reader's light or dark
/// setting; what they say, a shape and a title say too.
#[must_use]
pub fn svg(violation: &Violation) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = Drawing::new(violation).write(&mut out);
    out
}

struct Drawing<'a> {
    violation: &'a Violation,
    holders: Vec<HolderId>,
    events: Vec<Event>,
    /// Every instant at which something happens, in order: the axis is of order, not of time, since what matters
    /// takes microseconds and what it waits for takes seconds.
    instants: Vec<Instant>,
}

impl<'a> Drawing<'a> {
    fn new(violation: &'a Violation) -> Self {
        let events = space_time::events(violation);
        let mut instants: Vec<_> = events.iter().map(|event| event.at).collect();
        let leases = events.iter().filter_map(|event| event.lease);
        let last = instants.last().copied().unwrap_or(Instant::ZERO);
        instants.extend(leases.filter(|&until| until <= last));
        instants.sort_unstable();
        instants.dedup();
        Self { violation, holders: space_time::holders(violation), events, instants }
    }

    fn x(&self, at: Instant) -> u32 {
        let place = self.instants.partition_point(|&instant| instant < at);
        let count = self.instants.len().max(2) - 1;
        let place = u32::try_from(place.min(count)).unwrap_or(0);
        let count = u32::try_from(count).unwrap_or(1);
        LEFT + (WIDTH - LEFT - 30) * place / count
    }

    fn y(&self, holder: HolderId) -> u32 {
        let lane = self.holders.iter().position(|&known| known == holder).unwrap_or(0);
        TOP + LANE * u32::try_from(lane).unwrap_or(0) + LANE / 2
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let lanes = u32::try_from(self.holders.len()).unwrap_or(1).max(1);
        let height = TOP + LANE * lanes + 40;
        let title = escaped(&self.violation.sentence);
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"t d\" font-family=\"system-ui, sans-serif\" font-size=\"12\">"
        )?;
        writeln!(out, "<title id=\"t\">{title}</title>")?;
        writeln!(
            out,
            "<desc id=\"d\">Holders as lanes; time goes right, by order. Bars are leases, hatched bands are faults, dots are commits.</desc>"
        )?;
        out.push_str(STYLE);
        self.faults_on_everybody(out, height)?;
        for &holder in &self.holders {
            self.lane(out, holder)?;
        }
        for event in &self.events {
            self.mark(out, event)?;
        }
        let (first, last) = (self.instants.first(), self.instants.last());
        for (at, anchor) in [(first, "start"), (last, "end")] {
            let Some(&at) = at else { continue };
            let (x, time) = (self.x(at), space_time::millis(at));
            writeln!(
                out,
                "<text class=\"faint\" x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{time}</text>",
                height - 12
            )?;
        }
        writeln!(out, "<text x=\"12\" y=\"22\" font-weight=\"600\">{title}</text>\n</svg>")
    }

    /// Faults on servers and links lie over all lanes.
    fn faults_on_everybody(&self, out: &mut String, height: u32) -> std::fmt::Result {
        for record in self.violation.injections.iter().filter(|record| record.holder.is_none()) {
            let from = self.x(record.injected);
            let until = self.x(record.healed.unwrap_or(Instant::FAR_FUTURE)).max(from + 3);
            let (kind, observed) = (escaped(&record.kind), escaped(&record.observed));
            writeln!(
                out,
                "<rect class=\"fault\" x=\"{from}\" y=\"{TOP}\" width=\"{}\" height=\"{}\"><title>{kind}: {observed}</title></rect>",
                until - from,
                height - TOP - 34
            )?;
        }
        Ok(())
    }

    fn lane(&self, out: &mut String, holder: HolderId) -> std::fmt::Result {
        let y = self.y(holder);
        writeln!(out, "<text x=\"12\" y=\"{}\">{holder}</text>", y + 4)?;
        writeln!(
            out,
            "<line class=\"rail\" x1=\"{LEFT}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\"/>",
            WIDTH - 30
        )?;
        let operations = &self.violation.history.operations;
        for grant in operations.iter().filter(|operation| operation.holder == holder) {
            let Outcome::Ok(Effect::Granted { valid_until, .. }) = &grant.outcome else { continue };
            let Some(granted) = grant.completed else { continue };
            let mut released = operations.iter().filter(|operation| {
                operation.attempt == grant.attempt && operation.step == Step::Release
            });
            let end = released.next().map_or(Instant::FAR_FUTURE, |release| release.invoked);
            let (from, until) = (self.x(granted), self.x((*valid_until).min(end)));
            writeln!(
                out,
                "<rect class=\"lease\" x=\"{from}\" y=\"{}\" width=\"{}\" height=\"14\"><title>lease of {holder}</title></rect>",
                y - 7,
                until.saturating_sub(from).max(2)
            )?;
        }
        for record in
            self.violation.injections.iter().filter(|record| record.holder == Some(holder))
        {
            let from = self.x(record.injected);
            let until = self.x(record.healed.unwrap_or(Instant::FAR_FUTURE)).max(from + 3);
            writeln!(
                out,
                "<rect class=\"fault\" x=\"{from}\" y=\"{}\" width=\"{}\" height=\"30\"><title>{}: {}</title></rect>",
                y - 15,
                until - from,
                escaped(&record.kind),
                escaped(&record.observed)
            )?;
        }
        Ok(())
    }

    fn mark(&self, out: &mut String, event: &Event) -> std::fmt::Result {
        let Some(holder) = event.holder else { return Ok(()) };
        let (x, y) = (self.x(event.at), self.y(holder));
        let what = escaped(&format!("{} {}", space_time::millis(event.at), event.what));
        match event.kind {
            Kind::Invoked | Kind::Fault | Kind::Healed => Ok(()),
            Kind::Committed => writeln!(
                out,
                "<circle class=\"commit\" cx=\"{x}\" cy=\"{y}\" r=\"7\"><title>{what}</title></circle>"
            ),
            Kind::Refused | Kind::Unknown => writeln!(
                out,
                "<path class=\"no\" d=\"M{} {}l8 8m0 -8l-8 8\"><title>{what}</title></path>",
                x.saturating_sub(4),
                y - 4
            ),
            Kind::Done => writeln!(
                out,
                "<circle class=\"step\" cx=\"{x}\" cy=\"{y}\" r=\"3.5\"><title>{what}</title></circle>"
            ),
        }?;
        if matches!(event.kind, Kind::Invoked | Kind::Fault | Kind::Healed) {
            return Ok(());
        }
        let word = event.what.split(':').next().unwrap_or_default();
        writeln!(
            out,
            "<text class=\"faint\" x=\"{x}\" y=\"{}\" transform=\"rotate(-35 {x} {})\">{word}</text>",
            y - 12,
            y - 12
        )
    }
}

const STYLE: &str = "<style>
svg{background:#fff;fill:#1b1f24}.rail{stroke:#c8ccd1}.lease{fill:#7aa7e0;opacity:.65}.fault{fill:url(#h);stroke:#b07a00}
.commit{fill:#b3261e}.step{fill:#1b1f24}.no{stroke:#b07a00;stroke-width:2;fill:none}.faint{fill:#5a6069;font-size:10px}
@media(prefers-color-scheme:dark){svg{background:#14171b;fill:#e6e8eb}.rail{stroke:#3d444d}.step{fill:#e6e8eb}.faint{fill:#9aa2ad}.commit{fill:#ff7a70}}
</style>
<defs><pattern id=\"h\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\" stroke=\"#d69a1e\" stroke-width=\"2\"/></pattern></defs>
";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
