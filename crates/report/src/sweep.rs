//! The envelope of strategies, for people and for programs.

use std::io;

use lockproof_model::Sweep;

use crate::catalog::to_json;
use crate::style::Style;
use crate::text;

mod chart;
mod terminal;
mod words;

pub use chart::sweep_svg;

/// How to show a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepFormat {
    /// To a person at a terminal that looks so.
    Text(Style),
    /// To a program, schema-versioned.
    Json,
}

/// Writes `sweep`, and a line break at its end.
///
/// # Errors
/// `out` could not be written.
pub fn write_sweep(sweep: &Sweep, format: SweepFormat, out: &mut dyn io::Write) -> io::Result<()> {
    let style = match format {
        SweepFormat::Json => return to_json(sweep, out),
        SweepFormat::Text(style) => style,
    };
    for line in terminal::lines(sweep, style) {
        let line = line.trim_end();
        let line = if style.unicode { line.to_owned() } else { text::ascii(line) };
        writeln!(out, "{line}")?;
    }
    Ok(())
}
