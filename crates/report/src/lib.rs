//! What a run looks like: to a person at a terminal, to a program, and on disk.
//!
//! A [`Rendering`] is one file under `catalog/` and sees nothing but a [`lockproof_model::RunReport`], so that
//! every rendering can be made again from a stored `results.json`. A [`ReportDirectory`] keeps what a report
//! is made of.
//!
//! **Architecture invariant:** this crate computes no verdict and reads no clock. What it says was decided
//! elsewhere; it chooses the words.

mod baseline;
mod catalog;
mod comparison;
mod directory;
mod drawing;
mod space_time;
mod stored;
mod style;
mod sweep;
mod text;
mod verdict;
mod words;

pub use baseline::{BaselineError, read_baseline, write_baseline};
pub use catalog::{ENTRIES, EVENTS_SCHEMA_VERSION, RenderingEntry, Settings, find};
pub use comparison::{ComparisonFormat, write_comparison};
pub use directory::{
    CellName, HISTORY_SCHEMA_VERSION, HistogramInterval, HistoryHeader, HistoryStream, Latest,
    LineStream, ReportDirectory, StoredHistory, UnfinishedHistory, read_history,
    read_unfinished_history,
};
pub use drawing::svg;
pub use stored::{CellRemains, StoredRun, StoredScenario};
pub use style::Style;
pub use sweep::{SweepFormat, sweep_svg, write_sweep};

use std::fmt::Debug;
use std::io;

use lockproof_model::RunReport;

/// One way to show a run.
///
/// # Behavior
/// - It is a pure function of the report and of the settings that it was built with.
/// - It writes to `out` and nowhere else, and ends with a line break.
pub trait Rendering: Debug + Sync {
    /// As `--format` spells it.
    fn name(&self) -> &'static str;

    /// Writes the report.
    ///
    /// # Errors
    /// `out` could not be written.
    fn render(&self, report: &RunReport, out: &mut dyn io::Write) -> io::Result<()>;
}
