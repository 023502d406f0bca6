//! How violations came about.
//!
//! An unexpected violation is told in full. Of the expected ones the first of a scenario is enough to see how
//! the lock fails; the rest are for the verbose.

use lockproof_model::{CellReport, Status, Story};

use crate::style::{Ink, Style};
use crate::text;

/// The stories that are worth telling of a scenario, with a blank line between two.
pub(super) fn lines(cells: &[CellReport], style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for (cell, story) in chosen(cells, style) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(told(cell, story, style));
    }
    lines
}

fn chosen(cells: &[CellReport], style: Style) -> Vec<(&CellReport, &Story)> {
    let mut is_example_told = false;
    let mut chosen = Vec::new();
    for cell in cells {
        let is_expected = cell.judgement.status == Status::Met;
        let stories = match (style.verbose, is_expected) {
            (true, _) | (false, false) => cell.stories.as_slice(),
            (false, true) if cell.duplicates > 0 && !is_example_told => {
                is_example_told = true;
                cell.stories.get(..1).unwrap_or_default()
            }
            (false, true) => &[],
        };
        chosen.extend(stories.iter().map(|story| (cell, story)));
    }
    chosen
}

fn told(cell: &CellReport, story: &Story, style: Style) -> Vec<String> {
    let ink = if cell.judgement.status == Status::Failed { Ink::Bad } else { Ink::Doubt };
    let title = format!("{} under {}", story.title, cell.strategy);
    let mut lines = super::hanging("✘", ink, &title, style);

    let times: Vec<_> = story.lines.iter().map(|line| line.at.to_string()).collect();
    let time_width = times.iter().map(String::len).max().unwrap_or(0);
    let who_width = story.lines.iter().map(|line| line.who.chars().count()).max().unwrap_or(0);
    let indent = 3 + time_width + 2 + who_width + 2;
    for (time, line) in times.iter().zip(&story.lines) {
        let broken = text::wrap(&line.what, style.columns().saturating_sub(indent));
        for (index, what) in broken.iter().enumerate() {
            let (time, who) =
                if index == 0 { (time.as_str(), line.who.as_str()) } else { ("", "") };
            let time = style.paint(Ink::Faint, &format!("{time:>time_width$}"));
            lines.push(format!("   {time}  {who:<who_width$}  {}", lit(what, ink, style)));
        }
    }
    lines
}

/// The line with what matters in colour: the note at its end, or the fault.
fn lit(what: &str, ink: Ink, style: Style) -> String {
    let marks = [('←', ink), ('░', Ink::Doubt)];
    let mark = marks.into_iter().find_map(|(mark, ink)| what.find(mark).map(|at| (at, ink)));
    match mark {
        Some((at, ink)) => {
            let (before, marked) = what.split_at(at);
            format!("{before}{}", style.paint(ink, marked))
        }
        None => what.to_owned(),
    }
}
