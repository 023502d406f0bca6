//! Strategies beside each other, for people and for programs.

use std::io;

use lockproof_model::Comparison;

use crate::catalog::to_json;
use crate::style::Style;
use crate::text;

mod markdown;
mod terminal;
mod words;

/// How to show a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonFormat {
    /// To a person at a terminal that looks so.
    Text(Style),
    /// On a page.
    Markdown,
    /// To a program, schema-versioned.
    Json,
}

/// Writes `comparison`, and a line break at its end.
///
/// # Errors
/// `out` could not be written.
pub fn write_comparison(
    comparison: &Comparison,
    format: ComparisonFormat,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let (lines, unicode) = match format {
        ComparisonFormat::Json => return to_json(comparison, out),
        ComparisonFormat::Text(style) => (terminal::lines(comparison, style), style.unicode),
        ComparisonFormat::Markdown => (markdown::lines(comparison), true),
    };
    for line in lines {
        let line = line.trim_end();
        let line = if unicode { line.to_owned() } else { text::ascii(line) };
        writeln!(out, "{line}")?;
    }
    Ok(())
}
