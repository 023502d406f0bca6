//! What is shown on stdout.

use std::io::{self, Write};
use std::path::Path;

use lockproof_model::RunReport;
use lockproof_report::Settings;

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
    };
    let rendering = lockproof_report::find(name).expect("both formats are in the catalog");
    let settings = Settings {
        style: terminal::style(color, verbose),
        directory: directory.map(Path::to_owned),
    };
    let mut out = io::stdout().lock();
    let written = (rendering.build)(&settings).render(report, &mut out).and_then(|()| out.flush());
    match written {
        // Whoever read as much as they wanted closed the pipe; the report is on disk.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::infrastructure(format!("cannot write the results: {error}"))),
        Ok(()) => Ok(()),
    }
}
