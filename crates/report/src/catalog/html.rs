//! `report.html`: the run as one page that needs nothing else, neither a server nor the network.
//!
//! What the page knows is JSON in a script element, drawings are templates, and scripts build the rest; whoever has
//! scripts switched off still sees the verdict, the command and a table. The parts are real files under `html/`,
//! embedded at build.

use std::fmt::Write as _;
use std::io;

use lockproof_model::{RunReport, Status};
use serde::Serialize;

use super::RenderingEntry;
use crate::style::Ink;
use crate::{Rendering, drawing, verdict, words};

mod data;
mod limits;
mod pictures;

pub(super) const ENTRY: RenderingEntry = RenderingEntry {
    name: "html",
    summary: "one page with matrix, drawings, latency curves and fault log, offline",
    build: |_| Box::new(Html),
};

/// A page stays below this, whatever the run: drawings that do not fit are left out, and the page says so.
const BYTES_MAX: usize = 1_000_000;

#[derive(Debug)]
struct Html;

impl Rendering for Html {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn render(&self, report: &RunReport, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(page(report).as_bytes())
    }
}

const PAGE: &str = include_str!("html/page.html");
const STYLES: [&str; 4] = [
    include_str!("html/colors.css"),
    include_str!("html/page.css"),
    include_str!("html/parts.css"),
    include_str!("html/narrow.css"),
];
const SCRIPTS: [&str; 9] = [
    include_str!("html/dom.js"),
    include_str!("html/words.js"),
    include_str!("html/chart.js"),
    include_str!("html/curves.js"),
    include_str!("html/timeline.js"),
    include_str!("html/matrix.js"),
    include_str!("html/cell.js"),
    include_str!("html/panels.js"),
    include_str!("html/main.js"),
];

fn page(report: &RunReport) -> String {
    let fixed = PAGE.len() + style().len() + SCRIPTS.iter().map(|file| file.len()).sum::<usize>();
    let mut known = data::Known::of(report);
    let table = table(report);
    let room = BYTES_MAX.saturating_sub(fixed + table.len() + in_script(&known).len());
    let drawings = pictures::draw(report, &mut known, room);
    // Each part once, in its order: what a part holds is no place for another.
    let parts = [
        ("title", text(&words::headline(report))),
        ("style", style()),
        ("hatch", drawing::HATCH.to_owned()),
        ("tone", tone(verdict_ink(report)).to_owned()),
        ("sign", if report.status() == Status::Met { "✔" } else { "✘" }.to_owned()),
        ("headline", text(&words::headline(report))),
        ("command", text(&report.manifest.command)),
        ("table", table),
        ("drawings", drawings),
        ("data", in_script(&known)),
        ("script", SCRIPTS.concat()),
    ];
    let (mut page, mut rest) = (String::with_capacity(BYTES_MAX), PAGE);
    for (name, part) in parts {
        let place = format!("{{{{{name}}}}}");
        let (before, after) = rest.split_once(&place).expect("the page has a place for each part");
        page.push_str(before);
        page.push_str(&part);
        rest = after;
    }
    page.push_str(rest);
    page
}

/// The page's rules, and those of drawings by the reader's choice of light or dark, or by the system's without one.
fn style() -> String {
    let (light, dark) = drawing::STYLES;
    format!(
        "{}.space-time {{\n{light}}}\n:root[data-theme=\"dark\"] .space-time {{\n{dark}}}\n@media (prefers-color-scheme: dark) {{ :root:not([data-theme=\"light\"]) .space-time {{\n{dark}}} }}\n",
        STYLES.concat()
    )
}

/// JSON that nothing in it can end: no tag and no comment begins without `<`.
fn in_script(known: &impl Serialize) -> String {
    let json = serde_json::to_string(known).expect("plain values have a JSON form");
    json.replace('<', "\\u003c")
}

fn verdict_ink(report: &RunReport) -> Ink {
    match report.status() {
        Status::Met => Ink::Good,
        Status::Failed | Status::Regressed => Ink::Bad,
        Status::Inconclusive | Status::Infrastructure => Ink::Doubt,
    }
}

/// What a colour is called in the style sheet.
const fn tone(ink: Ink) -> &'static str {
    match ink {
        Ink::Good => "good",
        Ink::Bad => "bad",
        Ink::Doubt => "doubt",
        Ink::Plain | Ink::Heading | Ink::Faint => "control",
    }
}

/// For whoever has scripts switched off.
fn table(report: &RunReport) -> String {
    let mut rows = String::new();
    for cell in &report.cells {
        let [scenario, strategy] = [&cell.scenario, &cell.strategy].map(|name| text(name));
        // Writing to a String cannot fail.
        let _ =
            writeln!(rows, "<tr><td>{scenario}<td>{strategy}<td>{}", text(&verdict::of(cell).text));
    }
    rows
}

fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
