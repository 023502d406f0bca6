//! What is shown on stdout.

use std::io::{self, Write};
use std::path::Path;

use lockproof_model::{Comparison, RunReport};
use lockproof_report::{ComparisonFormat, Settings, write_comparison};

use crate::arguments::{Color, Format};
use crate::exit::Failure;
use crate::terminal;

/// Shows `report`, and where it is kept.
pub(crate) fn show(
    format: Format,
    report: &RunReport,
    directory: Option<&Path>,
    color: Color,
    verbose: u8,
) -> Result<(), Failure> {
    let name = match format {
        Format::Text => "text",
        Format::Json => "json",
        Format::FailureModes => "failure-modes",
    };
    let rendering = lockproof_report::find(name).expect("every format is in the catalog");
    let settings = Settings {
        style: terminal::style(color, verbose),
        directory: directory.map(Path::to_owned),
    };
    on_stdout(|out| (rendering.build)(&settings).render(report, out))
}

/// Shows `comparison`.
pub(crate) fn show_comparison(
    format: ComparisonFormat,
    comparison: &Comparison,
) -> Result<(), Failure> {
    on_stdout(|out| write_comparison(comparison, format, out))
}

fn on_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = write(&mut out).and_then(|()| out.flush());
    match written {
        // Whoever read as much as they wanted closed the pipe; a run's report is on disk.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::infrastructure(format!("cannot write the results: {error}"))),
        Ok(()) => Ok(()),
    }
}
