//! The report directory: `reports/<utc>-<name>/` and the link `latest` beside it.
//!
//! ```text
//!   manifest.json                             versions, machine, seed, command
//!   results.json                              the report; every rendering can be made from it
//!   report.html, summary.md, junit.xml        those that are kept with it
//!   faults.ndjson                             each injection
//!   scenarios/<scenario>.toml                 as resolved
//!   replays/<scenario>.<strategy>.toml         the smallest schedule that breaks it; its drawing beside it (.svg)
//!   histories/<scenario>.<strategy>.ndjson.zst
//!   sweep.json, sweep.svg                     of a sweep: its envelopes, and their drawing
//!   hist/<scenario>.<strategy>.hlog           latencies, HdrHistogram's interval log
//!   schedules/<scenario>.<strategy>.ndjson.zst    of a slice of a search: what was seen in each
//! ```
//!
//! And while the run goes on, for the one that does not come to its end ([`StoredRun`](crate::StoredRun) reads either):
//!
//! ```text
//!   manifest.json                             from the begin on, as interrupted
//!   faults.ndjson                             grows
//!   cells.ndjson                              grows by each cell that has ended; results.json takes its place
//!   histories/<scenario>.<strategy>.unfinished.ndjson.zst    grows; the whole history takes its place
//! ```
//!
//! Everything that does not grow is written beside its place and moved there when it is whole: a run that is killed leaves
//! whole files and no halves of any. `latest` is moved last, so that it always names a finished run.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use lockproof_model::{
    BookingTable, FaultRecord, History, Manifest, RunReport, SearchLog, Sweep, Violation,
};
use serde::Serialize;

use crate::catalog::{Settings, find, to_json};

pub(crate) mod file;
mod histogram;
mod history;
mod name;
mod schedules;
mod stream;

pub use histogram::HistogramInterval;
pub use history::{
    HISTORY_SCHEMA_VERSION, HistoryHeader, StoredHistory, UnfinishedHistory, read_history,
    read_unfinished_history,
};
pub use name::CellName;
pub use stream::{HistoryStream, LineStream};

pub(crate) use histogram::read as read_histograms;
pub(crate) use schedules::read as read_search_log;

const LATEST: &str = "latest";

pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const RESULTS: &str = "results.json";
pub(crate) const FAULTS: &str = "faults.ndjson";
pub(crate) const CELLS: &str = "cells.ndjson";
pub(crate) const SCENARIOS: &str = "scenarios";

/// Two runs may start in one second; more than this many do not.
const SAME_STEM_MAX: u32 = 1000;

/// The files that are renderings, each with its name in the catalog.
const RENDERINGS: [(&str, &str); 3] =
    [("report.html", "html"), ("summary.md", "markdown"), ("junit.xml", "junit")];

/// Where one run keeps what it found.
#[derive(Debug)]
pub struct ReportDirectory {
    root: PathBuf,
    name: OsString,
}

/// What became of the link `latest`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Latest {
    /// It names this run.
    Linked(PathBuf),
    /// Something that is no link has that name. It was left alone.
    Occupied(PathBuf),
}

impl ReportDirectory {
    /// Makes a directory under `root` that nobody else uses: `stem`, or `stem-2` when that exists, and so on.
    ///
    /// # Errors
    /// It could not be made; the message names it.
    pub fn create(root: &Path, stem: &str) -> io::Result<Self> {
        file::naming(root, std::fs::create_dir_all(root))?;
        let stem = name::safe(stem);
        for number in 1..=SAME_STEM_MAX {
            let name = if number == 1 { stem.clone() } else { format!("{stem}-{number}") };
            let path = root.join(&name);
            match std::fs::create_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    file::naming(&path, made)?;
                    return Ok(Self { root: root.to_owned(), name: name.into() });
                }
            }
        }
        let taken = format!("{SAME_STEM_MAX} directories of that name exist");
        file::naming(&root.join(stem), Err(io::Error::new(io::ErrorKind::AlreadyExists, taken)))
    }

    /// Makes the directory `path`, which must not exist or be empty, for a report of reports.
    ///
    /// # Errors
    /// It could not be made, or somebody has something there; the message names it.
    pub fn create_at(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| {
            let what = format!("{} is no place for a directory", path.display());
            io::Error::new(io::ErrorKind::InvalidInput, what)
        })?;
        let root = path.parent().unwrap_or(Path::new("")).to_owned();
        let made = std::fs::create_dir_all(path).and_then(|()| std::fs::read_dir(path));
        if file::naming(path, made)?.next().is_some() {
            let taken = "it is not empty";
            return file::naming(path, Err(io::Error::new(io::ErrorKind::AlreadyExists, taken)));
        }
        Ok(Self { root, name: name.to_owned() })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.root.join(&self.name)
    }

    /// Keeps a scenario as it was resolved.
    ///
    /// # Errors
    /// The file could not be written; the message names it. So for every method here.
    pub fn write_scenario(&self, scenario: &str, toml: &str) -> io::Result<PathBuf> {
        self.write(Path::new(SCENARIOS).join(format!("{}.toml", name::safe(scenario))), |out| {
            out.write_all(toml.as_bytes())
        })
    }

    /// Keeps where the run comes from.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn write_manifest(&self, manifest: &Manifest) -> io::Result<PathBuf> {
        self.write(MANIFEST.into(), |out| to_json(manifest, out))
    }

    /// Tells the history of a cell from now on, until [`write_history`](Self::write_history) keeps all of it.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn stream_history(&self, cell: CellName<'_>, seed: u64) -> io::Result<HistoryStream> {
        HistoryStream::create(self.path().join(unfinished_history(cell)), cell, seed)
    }

    /// Tells each injection from now on, until [`finish`](Self::finish) keeps them all.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn stream_faults(&self) -> io::Result<LineStream> {
        LineStream::create(self.path().join(FAULTS))
    }

    /// Tells each cell that has ended from now on, until [`finish`](Self::finish) keeps them all.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn stream_cells(&self) -> io::Result<LineStream> {
        LineStream::create(self.path().join(CELLS))
    }

    /// Keeps what the holders of one cell did and what the table held in the end, for [`read_history`].
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn write_history(
        &self,
        cell: CellName<'_>,
        seed: u64,
        history: &History,
        table: &BookingTable,
    ) -> io::Result<PathBuf> {
        let header = HistoryHeader::new(cell, seed);
        let written =
            self.write(whole_history(cell), |out| history::write(out, &header, history, table))?;
        stream::remove(&self.path().join(unfinished_history(cell)))?;
        Ok(written)
    }

    /// Says that nothing more comes of a cell than is in its report: it had no history.
    ///
    /// # Errors
    /// What was told of it could not be removed; the message names it.
    pub fn forget_unfinished(&self, cell: CellName<'_>) -> io::Result<()> {
        stream::remove(&self.path().join(unfinished_history(cell)))
    }

    /// Keeps one schedule of a search: which of its cell, and its seed.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn write_schedule(
        &self,
        cell: CellName<'_>,
        (number, seed): (u64, u64),
        history: &History,
        table: &BookingTable,
    ) -> io::Result<PathBuf> {
        let folder = Path::new("histories").join(cell.file_stem());
        file::naming(&folder, file::make_directory(&self.path().join("histories")))?;
        let header = HistoryHeader::new(cell, seed);
        let path = folder.join(format!("{number}.ndjson.zst"));
        self.write(path, |out| history::write(out, &header, history, table))
    }

    /// Keeps what a slice of a search saw in each schedule of one cell.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn write_search_log(&self, cell: CellName<'_>, log: &SearchLog) -> io::Result<PathBuf> {
        self.write(search_log(cell), |out| schedules::write(out, log))
    }

    /// Keeps the smallest schedule that breaks one cell: the scenario that replays it, and its drawing beside it.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn write_replay(&self, cell: CellName<'_>, violation: &Violation) -> io::Result<PathBuf> {
        let stem = Path::new("replays").join(cell.file_stem());
        let with = |ending: &str| PathBuf::from(format!("{}.{ending}", stem.display()));
        self.write(with("svg"), |out| out.write_all(crate::svg(violation).as_bytes()))?;
        self.write(with("toml"), |out| out.write_all(violation.replay.as_bytes()))
    }

    /// Keeps the latencies of one cell, in nanoseconds: a line per interval, the label as its tag.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn write_histograms(
        &self,
        cell: CellName<'_>,
        intervals: &[HistogramInterval<'_>],
    ) -> io::Result<PathBuf> {
        self.write(histograms(cell), |out| histogram::write(out, cell, intervals))
    }

    /// Writes what is known only at the end, and points `latest` here.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn finish(&self, report: &RunReport) -> io::Result<Latest> {
        self.write_results(report)?;
        self.link_latest()
    }

    /// The same, and leaves `latest` as it is.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn write_results(&self, report: &RunReport) -> io::Result<()> {
        self.write(FAULTS.into(), |out| write_faults(out, report))?;
        self.write_manifest(&report.manifest)?;
        self.write(RESULTS.into(), |out| to_json(report, out))?;
        self.write_renderings(report)?;
        stream::remove(&self.path().join(CELLS))
    }

    /// Writes what a sweep found, as a document and as a drawing, and points `latest` here.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn finish_sweep(&self, sweep: &Sweep) -> io::Result<Latest> {
        self.write("sweep.svg".into(), |out| out.write_all(crate::sweep_svg(sweep).as_bytes()))?;
        self.write("sweep.json".into(), |out| to_json(sweep, out))?;
        self.link_latest()
    }

    /// Writes those renderings of `report` that a directory keeps.
    ///
    /// # Errors
    /// As for [`write_scenario`](Self::write_scenario).
    pub fn write_renderings(&self, report: &RunReport) -> io::Result<()> {
        RENDERINGS.iter().try_for_each(|(file, name)| {
            self.write(file.into(), |out| render(name, report, out)).map(drop)
        })
    }

    fn write(
        &self,
        path: PathBuf,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<PathBuf> {
        let path = self.path().join(path);
        file::naming(&path, file::write_whole(&path, fill))?;
        Ok(path)
    }

    /// Replaces the link in one step: whoever reads it meanwhile sees the old run or this one.
    fn link_latest(&self) -> io::Result<Latest> {
        let latest = self.root.join(LATEST);
        let is_other = std::fs::symlink_metadata(&latest).is_ok_and(|found| !found.is_symlink());
        if is_other {
            return Ok(Latest::Occupied(latest));
        }
        let mut link = OsString::from(".latest-");
        link.push(&self.name);
        let link = self.root.join(link);
        let linked = std::os::unix::fs::symlink(&self.name, &link)
            .and_then(|()| std::fs::rename(&link, &latest));
        file::naming(&latest, linked)?;
        Ok(Latest::Linked(latest))
    }
}

/// The rendering of that name, as a file has it: no terminal to suit.
fn render(name: &str, report: &RunReport, out: &mut dyn Write) -> io::Result<()> {
    let entry = find(name).expect("the directory's renderings are in the catalog");
    (entry.build)(&Settings::default()).render(report, out)
}

pub(crate) fn whole_history(cell: CellName<'_>) -> PathBuf {
    Path::new("histories").join(format!("{}.ndjson.zst", cell.file_stem()))
}

pub(crate) fn unfinished_history(cell: CellName<'_>) -> PathBuf {
    Path::new("histories").join(format!("{}.unfinished.ndjson.zst", cell.file_stem()))
}

pub(crate) fn search_log(cell: CellName<'_>) -> PathBuf {
    Path::new("schedules").join(format!("{}.ndjson.zst", cell.file_stem()))
}

pub(crate) fn histograms(cell: CellName<'_>) -> PathBuf {
    Path::new("hist").join(format!("{}.hlog", cell.file_stem()))
}

/// One injection with where it happened.
#[derive(Serialize)]
struct FaultLine<'a> {
    scenario: &'a str,
    strategy: &'a str,
    /// Its place in its cell, counted from 0: what is told of it later takes the place of what was told before.
    number: usize,
    injection: &'a FaultRecord,
}

fn write_faults(out: &mut dyn Write, report: &RunReport) -> io::Result<()> {
    for cell in &report.cells {
        for (number, injection) in cell.injections.iter().enumerate() {
            let (scenario, strategy) = (cell.scenario.as_str(), cell.strategy.as_str());
            serde_json::to_writer(&mut *out, &FaultLine { scenario, strategy, number, injection })?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}
