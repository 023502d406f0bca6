//! What a search through schedules came to: a row per strategy.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use lockproof_model::{CellReport, Exploration};

use crate::style::{Ink, Style};
use crate::{text, verdict};

/// Between two columns.
const GAP: u16 = 2;

const COLUMNS: [&str; 7] =
    ["strategy", "verdict", "schedules", "distinct", "bit a held lock", "virtual time", "took"];

/// The table of one scenario; nothing where none of its cells was searched.
pub(super) fn lines(cells: &[CellReport], style: Style) -> Vec<String> {
    let searched: Vec<_> =
        cells.iter().filter_map(|cell| Some((cell, cell.exploration.as_ref()?))).collect();
    if searched.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header((0..COLUMNS.len()).map(|index| aligned(index, COLUMNS[index].to_owned())));
    let verdicts: Vec<_> = searched.iter().map(|(cell, _)| verdict::of(cell)).collect();
    for ((cell, exploration), words) in searched.iter().zip(&verdicts) {
        let row = row(cell, exploration, &words.text);
        table.add_row(row.into_iter().enumerate().map(|(index, text)| aligned(index, text)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    let mut lines = table.lines();
    let header = lines.next().map(|header| style.paint(Ink::Faint, header.trim_end()));
    let rows = lines.zip(&verdicts).map(|(line, words)| {
        line.trim_end().replacen(&words.text, &style.paint(words.ink, &words.text), 1)
    });
    let mut lines: Vec<_> = header.into_iter().chain(rows).collect();
    let bounds = searched.iter().find_map(|(_, exploration)| exploration.buggify.as_ref());
    if let Some(bounds) = bounds {
        lines.extend(super::hanging("random faults:", Ink::Faint, bounds, style));
    }
    lines
}

fn row(cell: &CellReport, exploration: &Exploration, verdict: &str) -> [String; 7] {
    let Exploration { schedules, distinct, bit_held, virtual_time, took, .. } = exploration;
    [
        cell.strategy.clone(),
        verdict.to_owned(),
        schedules.to_string(),
        distinct.to_string(),
        bit_held.to_string(),
        text::time(virtual_time.as_secs_f64() * 1e6),
        text::time(took.as_secs_f64() * 1e6),
    ]
}

/// Words stand left, figures right.
fn aligned(column: usize, text: String) -> Cell {
    let alignment = if column < 2 { CellAlignment::Left } else { CellAlignment::Right };
    Cell::new(text).set_alignment(alignment)
}
