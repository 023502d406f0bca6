//! A report directory, read again: of a run that came to its end, or of one that did not.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hdrhistogram::Histogram;
use lockproof_model::{
    BookingTable, CellReport, FaultRecord, History, Manifest, RESULTS_SCHEMA_VERSION, RunReport,
    SearchLog,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::directory::{
    CELLS, CellName, FAULTS, MANIFEST, RESULTS, SCENARIOS, histograms, read_histograms,
    read_history, read_search_log, read_unfinished_history, search_log, unfinished_history,
    whole_history,
};

/// No report is nearly as large; what is larger is something else, or damaged.
const LARGEST: u64 = 1 << 30;

/// What a run has left.
#[derive(Clone, Debug)]
pub struct StoredRun {
    /// Where.
    pub directory: PathBuf,
    /// Where it comes from.
    pub manifest: Manifest,
    /// The cells that have ended.
    pub cells: Vec<CellReport>,
    /// Whether the run came to its end, be it by an interrupt: `cells` are all there will ever be.
    pub is_finished: bool,
    /// Its scenarios as they were resolved, by name of their files.
    pub scenarios: Vec<StoredScenario>,
}

/// A scenario as it was resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredScenario {
    /// The file that keeps it.
    pub path: PathBuf,
    /// What that holds.
    pub text: String,
}

/// What a cell has left whose run ended in the middle of it.
#[derive(Clone, Debug, Default)]
pub struct CellRemains {
    /// What its holders did, as far as it was written.
    pub history: History,
    /// What the database held; none where the run ended before it was read.
    pub table: Option<BookingTable>,
    /// What its faults did.
    pub injections: Vec<FaultRecord>,
}

impl StoredRun {
    /// Reads the directory `path`.
    ///
    /// # Errors
    /// It is no report directory, or a file of it cannot be read, is damaged, or is of another version; the message names
    /// file and place. So for every method here.
    pub fn open(path: &Path) -> io::Result<Self> {
        if !path.is_dir() {
            let what = format!("{}: no such report directory", path.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, what));
        }
        let results = path.join(RESULTS);
        let (manifest, cells, is_finished) = if results.exists() {
            let RunReport { manifest, cells, .. } = report(&results)?;
            (manifest, cells, true)
        } else if path.join(MANIFEST).exists() {
            (whole(&path.join(MANIFEST))?, lines(&path.join(CELLS))?, false)
        } else {
            let what = format!(
                "{} is no report directory: it has neither {RESULTS} nor {MANIFEST}",
                path.display()
            );
            return Err(invalid(what));
        };
        let scenarios = scenarios(&path.join(SCENARIOS))?;
        Ok(Self { directory: path.to_owned(), manifest, cells, is_finished, scenarios })
    }

    /// What is left of a cell that had not ended; none where it had not begun.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn remains(&self, cell: CellName<'_>) -> io::Result<Option<CellRemains>> {
        let whole = self.directory.join(whole_history(cell));
        let unfinished = self.directory.join(unfinished_history(cell));
        let (history, table) = if whole.exists() {
            let stored = read_history(&whole)?;
            (stored.history, Some(stored.table))
        } else if unfinished.exists() {
            let read = read_unfinished_history(&unfinished)?;
            (read.map_or_else(History::default, |read| read.history), None)
        } else {
            return Ok(None);
        };
        Ok(Some(CellRemains { history, table, injections: self.injections(cell)? }))
    }

    /// The latencies of a cell in nanoseconds, by what was measured; none where it has left none.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn histograms(&self, cell: CellName<'_>) -> io::Result<BTreeMap<String, Histogram<u64>>> {
        let path = self.directory.join(histograms(cell));
        if !path.exists() {
            return Ok(BTreeMap::new());
        }
        read_histograms(&bytes(&path)?).map_err(|why| unreadable(&path, &why))
    }

    /// What a slice of a search saw in each schedule of a cell; none where it kept nothing.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn search_log(&self, cell: CellName<'_>) -> io::Result<Option<SearchLog>> {
        let path = self.directory.join(search_log(cell));
        path.exists().then(|| read_search_log(&path)).transpose()
    }

    fn injections(&self, cell: CellName<'_>) -> io::Result<Vec<FaultRecord>> {
        let told: Vec<StoredFault> = lines(&self.directory.join(FAULTS))?;
        let of_cell =
            |it: &StoredFault| it.scenario == cell.scenario && it.strategy == cell.strategy;
        // What is told of an injection later takes the place of what was told before.
        let last: BTreeMap<_, _> =
            told.into_iter().filter(of_cell).map(|it| (it.number, it.injection)).collect();
        Ok(last.into_values().collect())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFault {
    scenario: String,
    strategy: String,
    number: usize,
    injection: FaultRecord,
}

/// What says whether the rest is understood, of whatever version it is.
#[derive(Deserialize)]
struct Versioned {
    schema_version: u32,
}

fn report(path: &Path) -> io::Result<RunReport> {
    let bytes = bytes(path)?;
    let Versioned { schema_version: version } = parsed(path, &bytes)?;
    if version != RESULTS_SCHEMA_VERSION {
        let why = format!(
            "schema version {version} is not the {RESULTS_SCHEMA_VERSION} that this program reads"
        );
        return Err(unreadable(path, &why));
    }
    parsed(path, &bytes)
}

fn whole<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    parsed(path, &bytes(path)?)
}

fn parsed<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> io::Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        let why = if bytes.is_empty() { "it is empty".to_owned() } else { error.to_string() };
        unreadable(path, &why)
    })
}

/// The lines of a file that grows, none where there is none. A last one without its end is what was being written when
/// the run ended, and was never told.
fn lines<T: DeserializeOwned>(path: &Path) -> io::Result<Vec<T>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = bytes(path)?;
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let lines = bytes[..whole].split_inclusive(|&byte| byte == b'\n').enumerate();
    lines
        .map(|(index, line)| {
            serde_json::from_slice(line).map_err(|error| {
                let (number, column) = (index + 1, error.column());
                // Its own line number would always be 1.
                let why = error.to_string();
                let why = why.split(" at line ").next().unwrap_or_default();
                unreadable(path, &format!("line {number}, column {column}: {why}"))
            })
        })
        .collect()
}

fn scenarios(folder: &Path) -> io::Result<Vec<StoredScenario>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let read = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = read.map_err(|error| unreadable(folder, &error.to_string()))?;
    let ending = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).filter(ending).collect();
    paths.sort();
    let scenario = |path: PathBuf| {
        let text = String::from_utf8(bytes(&path)?);
        let text = text.map_err(|error| unreadable(&path, &error.utf8_error().to_string()))?;
        Ok(StoredScenario { path, text })
    };
    paths.into_iter().map(scenario).collect()
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let cannot = |error: io::Error| {
        io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))
    };
    let length = fs::metadata(path).map_err(cannot)?.len();
    if length > LARGEST {
        let (is, most) = (length >> 20, LARGEST >> 20);
        return Err(unreadable(path, &format!("it has {is} MiB, and no report more than {most}")));
    }
    fs::read(path).map_err(cannot)
}

fn unreadable(path: &Path, why: &str) -> io::Error {
    invalid(format!("cannot read {}: {why}", path.display()))
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
