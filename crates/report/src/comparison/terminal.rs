//! A table of the strategies, then each in plain words.

use comfy_table::{ContentArrangement, Table, presets};
use lockproof_model::{Compared, Comparison, Stand};

use super::words;
use crate::style::{Ink, Style};
use crate::text;

pub(super) fn lines(comparison: &Comparison, style: Style) -> Vec<String> {
    let mut lines = text::wrap(&words::provenance(comparison), style.columns());
    lines.push(String::new());
    if comparison.ranked.is_empty() {
        lines.extend([style.paint(Ink::Bad, words::NOBODY), String::new()]);
    } else {
        lines.extend(table(comparison, style));
        lines.push(String::new());
    }
    for (rank, of) in (1..).zip(&comparison.ranked) {
        lines.push(style.paint(Ink::Heading, &format!("{rank}. {}", of.strategy)));
        lines.extend(indented(&words::paragraph(of, comparison), style));
        let safe = words::modes(of, Stand::Held);
        lines.extend(indented(&format!("safe under: {safe}"), style));
        lines.push(String::new());
    }
    if !comparison.unfit.is_empty() {
        lines.push("not what was asked for:".to_owned());
        for of in &comparison.unfit {
            lines.extend(indented(&format!("{} {}", of.strategy, of.unfit.join("; ")), style));
        }
        lines.push(String::new());
    }
    lines.push(format!("repeat: {}", comparison.command));
    lines
}

fn table(comparison: &Comparison, style: Style) -> Vec<String> {
    let row = |(rank, of): (u32, &Compared)| {
        let [p50, p99, per_s] = words::figures(&of.cost);
        let safe = format!("{}/{}", of.under(Stand::Held).count(), of.tried.len());
        let count = |stand| of.under(stand).count().to_string();
        let (broken, blocked) = (count(Stand::Broken), count(Stand::Blocked));
        let gap = words::longest(of);
        vec![rank.to_string(), of.strategy.clone(), safe, broken, blocked, p50, p99, per_s, gap]
    };
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(style.columns()).unwrap_or(u16::MAX));
    let header =
        ["", "strategy", "safe", "broken", "blocked", "acquire p50", "p99", "bookings/s", "gap"];
    table.set_header(header).add_rows((1..).zip(&comparison.ranked).map(row));
    table.trim_fmt().lines().map(ToOwned::to_owned).collect()
}

fn indented(text: &str, style: Style) -> impl Iterator<Item = String> {
    text::wrap(text, style.columns().saturating_sub(3)).into_iter().map(|line| format!("   {line}"))
}
