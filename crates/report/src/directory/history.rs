//! Histories as compressed lines of JSON.
//!
//! The first line is a header, then come operations, attempts, slots and bookings, each tagged with its
//! `type`: what can be read line by line can be searched with `zstdcat` and `jq`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use lockproof_model::{Attempt, BookingRow, BookingTable, History, HolderId, Operation, SlotRow};
use serde::{Deserialize, Serialize};

use super::CellName;

/// The version of the lines; raised by every change that a reader could notice.
pub const HISTORY_SCHEMA_VERSION: u32 = 1;

/// No line is nearly as long; a damaged file may seem to have one that fills the memory.
const LONGEST_LINE: u64 = 16 << 20;

/// A level at which writing costs next to nothing.
pub(super) const COMPRESSION_LEVEL: i32 = 3;

/// Which run a history is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryHeader {
    /// [`HISTORY_SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The strategy as it is spelled.
    pub strategy: String,
    /// The seed of everything random.
    pub seed: u64,
}

/// A history as it is kept, with the table that it led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHistory {
    /// Which run it is of.
    pub header: HistoryHeader,
    /// What the holders did.
    pub history: History,
    /// What the database held.
    pub table: BookingTable,
}

impl HistoryHeader {
    pub(super) fn new(cell: CellName<'_>, seed: u64) -> Self {
        Self {
            schema_version: HISTORY_SCHEMA_VERSION,
            scenario: cell.scenario.to_owned(),
            strategy: cell.strategy.to_owned(),
            seed,
        }
    }
}

/// Reads what [`ReportDirectory::write_history`](crate::ReportDirectory::write_history) wrote.
///
/// # Errors
/// The file cannot be read, is cut short, or a line of it is not understood; the message names file and line.
pub fn read_history(path: &Path) -> io::Result<StoredHistory> {
    let read = File::open(path).and_then(zstd::Decoder::new).and_then(|lines| {
        let (mut reading, mut lines) = (Reading::default(), Lines::of(lines));
        while let Some((number, line)) = lines.next()? {
            reading.take(line).map_err(|why| at(number, &why))?;
        }
        reading.finish().map_err(invalid)
    });
    read.map_err(|error| naming(path, &error))
}

/// A history whose run ended before it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedHistory {
    /// Which run it is of.
    pub header: HistoryHeader,
    /// What the holders did, as far as it was told.
    pub history: History,
}

/// Reads what a [`HistoryStream`](super::HistoryStream) wrote, to its last complete frame: none where there is none.
///
/// # Errors
/// The file cannot be read, is damaged otherwise than by its end being missing, or a line of it is not understood; the
/// message names file and line.
pub fn read_unfinished_history(path: &Path) -> io::Result<Option<UnfinishedHistory>> {
    let read = File::open(path).and_then(zstd::Decoder::new).and_then(|frames| {
        let (mut reading, mut lines) = (Reading::default(), Lines::of(frames));
        loop {
            match lines.next() {
                Ok(Some((number, line))) => reading.take(line).map_err(|why| at(number, &why))?,
                Ok(None) => break,
                // What is cut off is the frame that was being written when the run ended.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
        }
        Ok(reading.unfinished())
    });
    read.map_err(|error| naming(path, &error))
}

/// Lines of bounded length, with their numbers.
pub(super) struct Lines<R> {
    reader: R,
    line: String,
    number: usize,
}

impl<R: Read> Lines<BufReader<R>> {
    pub(super) fn of(reader: R) -> Self {
        Self { reader: BufReader::new(reader), line: String::new(), number: 0 }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<(usize, &str)>> {
        self.line.clear();
        self.number += 1;
        let mut limited = (&mut self.reader).take(LONGEST_LINE);
        let read = limited.read_line(&mut self.line);
        let read = read.map_err(|error| {
            io::Error::new(error.kind(), format!("line {}: {error}", self.number))
        })?;
        if u64::try_from(read).unwrap_or(u64::MAX) == LONGEST_LINE {
            let most = LONGEST_LINE >> 20;
            return Err(at(self.number, &format!("it is longer than {most} MiB")));
        }
        Ok((read > 0).then(|| (self.number, self.line.trim_end_matches('\n'))))
    }
}

pub(super) fn at(line: usize, why: &str) -> io::Error {
    invalid(format!("line {line}: {why}"))
}

pub(super) fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))
}

/// One compressed frame of lines.
pub(super) fn frame(
    header: Option<&HistoryHeader>,
    operations: &[Operation],
    attempts: &[Attempt],
) -> io::Result<Vec<u8>> {
    let mut out = zstd::Encoder::new(Vec::new(), COMPRESSION_LEVEL)?;
    out.include_checksum(true)?;
    let header = header.map(|header| Line::Header(Cow::Borrowed(header)));
    let operations = operations.iter().map(|it| Line::Operation(Cow::Borrowed(it)));
    let attempts = attempts.iter().map(|it| Line::Attempt(Cow::Borrowed(it)));
    for line in header.into_iter().chain(operations).chain(attempts) {
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    }
    out.finish()
}

pub(super) fn write(
    out: &mut dyn Write,
    header: &HistoryHeader,
    history: &History,
    table: &BookingTable,
) -> io::Result<()> {
    let mut out = zstd::Encoder::new(out, COMPRESSION_LEVEL)?;
    out.include_checksum(true)?;
    let operations = history.operations.iter().map(|o| Line::Operation(Cow::Borrowed(o)));
    let attempts = history.attempts.iter().map(|a| Line::Attempt(Cow::Borrowed(a)));
    let slots = table.slots.iter().map(|row| Line::Slot(*row));
    let bookings = table.bookings.iter().map(|row| Line::Booking(Cow::Borrowed(row)));
    let header = std::iter::once(Line::Header(Cow::Borrowed(header)));
    for line in header.chain(operations).chain(attempts).chain(slots).chain(bookings) {
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    }
    out.finish().map(drop)
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    Header(Cow<'a, HistoryHeader>),
    Operation(Cow<'a, Operation>),
    Attempt(Cow<'a, Attempt>),
    Slot(SlotRow),
    Booking(Cow<'a, BookingRow>),
}

/// The lines read so far.
#[derive(Default)]
struct Reading {
    header: Option<HistoryHeader>,
    history: History,
    table: BookingTable,
}

impl Reading {
    fn take(&mut self, line: &str) -> Result<(), String> {
        let line: Line<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        match (line, &self.header) {
            (Line::Header(header), None) => self.header = Some(known(header.into_owned())?),
            (Line::Header(_), Some(_)) => return Err("a second header".to_owned()),
            (_, None) => return Err("the header must come first".to_owned()),
            (Line::Operation(it), _) => self.history.operations.push(it.into_owned()),
            (Line::Attempt(it), _) => self.history.attempts.push(it.into_owned()),
            (Line::Slot(it), _) => self.table.slots.push(it),
            (Line::Booking(it), _) => self.table.bookings.push(it.into_owned()),
        }
        Ok(())
    }

    /// In order, and of what was told twice what was told later.
    fn unfinished(self) -> Option<UnfinishedHistory> {
        let Self { header, history, .. } = self;
        let mut operations: Vec<Operation> = Vec::with_capacity(history.operations.len());
        let mut open: BTreeMap<HolderId, usize> = BTreeMap::new();
        for operation in history.operations {
            let key = |it: &Operation| (it.attempt, it.step, it.invoked);
            let before = open.remove(&operation.holder);
            match before.filter(|&place| key(&operations[place]) == key(&operation)) {
                Some(place) => operations[place] = operation,
                None => {
                    if operation.completed.is_none() {
                        open.insert(operation.holder, operations.len());
                    }
                    operations.push(operation);
                }
            }
        }
        let attempts: BTreeMap<_, _> = history.attempts.into_iter().map(|it| (it.id, it)).collect();
        let history = History::assemble(operations, attempts.into_values().collect());
        Some(UnfinishedHistory { header: header?, history })
    }

    fn finish(self) -> Result<StoredHistory, String> {
        let Self { header, history, table } = self;
        let header = header.ok_or("there is no header")?;
        Ok(StoredHistory { header, history, table })
    }
}

fn known(header: HistoryHeader) -> Result<HistoryHeader, String> {
    let HistoryHeader { schema_version: version, .. } = header;
    if version == HISTORY_SCHEMA_VERSION {
        return Ok(header);
    }
    Err(format!(
        "schema version {version} is not the {HISTORY_SCHEMA_VERSION} that this program reads"
    ))
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
