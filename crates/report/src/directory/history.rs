//! Histories as compressed lines of JSON.
//!
//! The first line is a header, then come operations, attempts, slots and bookings, each tagged with its
//! `type`: what can be read line by line can be searched with `zstdcat` and `jq`.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use lockproof_model::{Attempt, BookingRow, BookingTable, History, Operation, SlotRow};
use serde::{Deserialize, Serialize};

use super::CellName;

/// The version of the lines; raised by every change that a reader could notice.
pub const HISTORY_SCHEMA_VERSION: u32 = 1;

/// A level at which writing costs next to nothing.
const COMPRESSION_LEVEL: i32 = 3;

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
        let mut reading = Reading::default();
        for (index, line) in BufReader::new(lines).lines().enumerate() {
            reading.take(&line?).map_err(|why| invalid(format!("line {}: {why}", index + 1)))?;
        }
        reading.finish().map_err(invalid)
    });
    read.map_err(|error| {
        io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))
    })
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
