//! Strategies as rows.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use lockproof_model::{CellReport, PercentilesUs, Status};

use crate::style::{Ink, Style};
use crate::{text, verdict};

/// Between two columns.
const GAP: u16 = 2;

const COLUMNS: [&str; 8] =
    ["strategy", "verdict", "duplicates", "bookings", "acquire p50", "p99", "p99.9", "gap"];

/// Left out in this order where the terminal is too narrow.
const DISPENSABLE: [usize; 4] = [6, 7, 5, 4];

/// The table of one scenario.
pub(super) fn lines(cells: &[CellReport], style: Style) -> Vec<String> {
    let verdicts: Vec<_> = cells.iter().map(verdict::of).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header((0..COLUMNS.len()).map(|index| aligned(index, COLUMNS[index].to_owned())));
    for (cell, verdict) in cells.iter().zip(&verdicts) {
        let row = row(cell, &verdict.text);
        table.add_row(row.into_iter().enumerate().map(|(index, text)| aligned(index, text)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    fit(&mut table, style);

    // Painted afterwards: codes inside a cell would count as width.
    let mut lines = table.lines();
    let header = lines.next().map(|header| style.paint(Ink::Faint, header.trim_end()));
    let rows = lines.zip(&verdicts).map(|(line, words)| {
        line.trim_end().replacen(&words.text, &style.paint(words.ink, &words.text), 1)
    });
    header.into_iter().chain(rows).collect()
}

fn row(cell: &CellReport, verdict: &str) -> [String; 8] {
    // A cell that never ran has no figures, and zeros would look like some.
    let ran = cell.judgement.status != Status::Infrastructure || cell.attempts > 0;
    let figure = |value: String| if ran { value } else { "–".to_owned() };
    let percentile = |of: fn(&PercentilesUs) -> f64| {
        cell.acquire.as_ref().map_or_else(|| "–".to_owned(), |acquire| text::time(of(acquire)))
    };
    [
        cell.strategy.clone(),
        verdict.to_owned(),
        figure(cell.duplicates.to_string()),
        figure(cell.bookings.to_string()),
        percentile(|acquire| acquire.p50_us),
        percentile(|acquire| acquire.p99_us),
        percentile(|acquire| acquire.p999_us),
        figure(text::seconds(cell.longest_gap)),
    ]
}

/// Words stand left, figures right.
fn aligned(column: usize, text: String) -> Cell {
    let alignment = if column < 2 { CellAlignment::Left } else { CellAlignment::Right };
    Cell::new(text).set_alignment(alignment)
}

fn fit(table: &mut Table, style: Style) {
    let Some(available) = style.width else { return };
    let widths = table.column_max_content_widths();
    let mut needed: u16 = widths.iter().map(|width| width + GAP).sum::<u16>() - GAP;
    for index in DISPENSABLE {
        if needed <= available {
            return;
        }
        if let (Some(column), Some(width)) = (table.column_mut(index), widths.get(index)) {
            column.set_constraint(ColumnConstraint::Hidden);
            needed -= width + GAP;
        }
    }
}
