//! What is shown on stdout, and told to whoever asked for more.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use lockproof_model::{Comparison, RunReport, Sweep};
use lockproof_report::{ComparisonFormat, Settings, SweepFormat, write_comparison, write_sweep};

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
    let settings = Settings {
        style: terminal::style(color, verbose),
        directory: directory.map(Path::to_owned),
    };
    on_stdout(|out| render(format.rendering(), &settings, report, out))
}

/// Shows `comparison`.
pub(crate) fn show_comparison(
    format: ComparisonFormat,
    comparison: &Comparison,
) -> Result<(), Failure> {
    on_stdout(|out| write_comparison(comparison, format, out))
}

/// Shows `sweep`.
pub(crate) fn show_sweep(format: SweepFormat, sweep: &Sweep) -> Result<(), Failure> {
    on_stdout(|out| write_sweep(sweep, format, out))
}

/// Where a report goes beside stdout and its directory: a `JUnit` file that was asked for, and the job that this is part
/// of, as far as that is GitHub's.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    junit: Option<PathBuf>,
    annotates: bool,
    step_summary: Option<PathBuf>,
}

impl Elsewhere {
    /// What `--junit` and the environment say; a file that cannot be written is refused before anything starts.
    pub(crate) fn new(junit: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = junit {
            // Opened and left as it is: what an earlier run wrote stands until this one has ended.
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            parent
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| OpenOptions::new().create(true).append(true).open(path))
                .map_err(|error| {
                    Failure::usage(format!("--junit: cannot write {}: {error}", path.display()))
                })?;
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Ok(Self {
            junit: junit.map(Path::to_owned),
            annotates: set("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
            step_summary: set("GITHUB_STEP_SUMMARY").map(PathBuf::from),
        })
    }

    /// Tells them all.
    pub(crate) fn tell(&self, report: &RunReport) -> Result<(), Failure> {
        let cannot = |what: &Path, error| {
            Failure::infrastructure(format!("cannot write {}: {error}", what.display()))
        };
        if let Some(path) = &self.junit {
            rendered("junit", report)
                .and_then(|text| fs::write(path, text))
                .map_err(|error| cannot(path, error))?;
        }
        if let Some(path) = &self.step_summary {
            rendered("markdown", report)
                .and_then(|text| {
                    OpenOptions::new().create(true).append(true).open(path)?.write_all(&text)
                })
                .map_err(|error| cannot(path, error))?;
        }
        if self.annotates {
            // On stderr, which a workflow reads as well: stdout may be somebody's JSON. A closed one is nobody to tell.
            drop(render("github", &Settings::default(), report, &mut io::stderr().lock()));
        }
        Ok(())
    }
}

fn rendered(name: &str, report: &RunReport) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    render(name, &Settings::default(), report, &mut text)?;
    Ok(text)
}

fn render(
    name: &str,
    settings: &Settings,
    report: &RunReport,
    out: &mut dyn Write,
) -> io::Result<()> {
    let entry = lockproof_report::find(name).expect("the catalog has what the program names");
    (entry.build)(settings).render(report, out)
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
