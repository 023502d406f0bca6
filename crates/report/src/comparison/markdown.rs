//! The same on a page.

use lockproof_model::{Compared, Comparison, Stand};

use super::words;

pub(super) fn lines(comparison: &Comparison) -> Vec<String> {
    let mut lines = vec![words::provenance(comparison), String::new()];
    if comparison.ranked.is_empty() {
        lines.push(words::NOBODY.to_owned());
    } else {
        lines.push(HEADER.to_owned());
        lines.push(format!("|{}", "---|".repeat(HEADER.matches('|').count() - 1)));
        lines.extend((1..).zip(&comparison.ranked).map(|(rank, of)| row(rank, of)));
    }
    for of in &comparison.ranked {
        lines.extend([String::new(), cell(&words::paragraph(of, comparison))]);
    }
    if !comparison.unfit.is_empty() {
        lines.extend([String::new(), "Not what was asked for:".to_owned(), String::new()]);
        let reason = |of: &Compared| format!("- `{}` {}", of.strategy, cell(&of.unfit.join("; ")));
        lines.extend(comparison.unfit.iter().map(reason));
    }
    lines.extend([String::new(), format!("Repeat: `{}`", comparison.command)]);
    lines
}

const HEADER: &str = "| | strategy | safe under | broken by | blocked by | acquire p50 | p99 | bookings/s | longest gap | needs |";

fn row(rank: u32, of: &Compared) -> String {
    let [p50, p99, per_s] = words::figures(&of.cost);
    let [safe, broken, blocked] =
        [Stand::Held, Stand::Broken, Stand::Blocked].map(|stand| words::modes(of, stand));
    let (gap, needs) = (words::longest(of), words::demand(of));
    let strategy = &of.strategy;
    format!(
        "| {rank} | `{strategy}` | {safe} | {broken} | {blocked} | {p50} | {p99} | {per_s} | {gap} | {needs} |"
    )
}

/// What a page would take for markup.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "\\<")
}
