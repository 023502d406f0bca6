//! What is written while a run goes on, so that a run that is killed has told what happened until then.
//!
//! Unlike everything else these files are there before they are whole, and are removed or replaced once what they tell
//! is in a file that is. What was appended is in the operating system's hands: it outlives the program, whatever ends it,
//! though not the machine.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use lockproof_model::{Attempt, CellReport, FaultRecord, Operation};
use serde::Serialize;

use super::history::{self, HistoryHeader};
use super::{CellName, FaultLine, file};

/// A file that grows by whole pieces: one that could not be written in full is taken back.
#[derive(Debug)]
struct Growing {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Growing {
    fn create(path: PathBuf) -> io::Result<Self> {
        let made = path
            .parent()
            .map_or(Ok(()), file::make_directory)
            .and_then(|()| OpenOptions::new().append(true).create_new(true).open(&path));
        let file = file::naming(&path, made)?;
        Ok(Self { path, file, length: 0 })
    }

    fn append(&mut self, piece: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(piece);
        match &written {
            Ok(()) => self.length += u64::try_from(piece.len()).unwrap_or(u64::MAX),
            // A reader would stop at half a piece and never see those after it. The first error is the one to tell.
            Err(_) => drop(self.file.set_len(self.length)),
        }
        file::naming(&self.path, written)
    }
}

/// What a cell's holders do, as it happens.
#[derive(Debug)]
pub struct HistoryStream(Growing);

impl HistoryStream {
    pub(super) fn create(path: PathBuf, cell: CellName<'_>, seed: u64) -> io::Result<Self> {
        let mut growing = Growing::create(path)?;
        growing.append(&history::frame(Some(&HistoryHeader::new(cell, seed)), &[], &[])?)?;
        Ok(Self(growing))
    }

    /// Adds what was not told yet: one compressed frame, which is read whole or not at all.
    ///
    /// # Errors
    /// The file could not be written; the message names it. What was added before stays readable.
    pub fn append(&mut self, operations: &[Operation], attempts: &[Attempt]) -> io::Result<()> {
        self.0.append(&history::frame(None, operations, attempts)?)
    }
}

/// A file of lines of JSON, one per thing that happened.
#[derive(Debug)]
pub struct LineStream(Growing);

impl LineStream {
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        Growing::create(path).map(Self)
    }

    /// Adds an injection, number `number` of its cell's, as it stands.
    ///
    /// # Errors
    /// The file could not be written; the message names it. What was added before stays readable.
    pub fn append_fault(
        &mut self,
        cell: CellName<'_>,
        number: usize,
        injection: &FaultRecord,
    ) -> io::Result<()> {
        let CellName { scenario, strategy } = cell;
        self.append(&FaultLine { scenario, strategy, number, injection })
    }

    /// Adds a cell that has ended.
    ///
    /// # Errors
    /// As for [`append_fault`](Self::append_fault).
    pub fn append_cell(&mut self, cell: &CellReport) -> io::Result<()> {
        self.append(cell)
    }

    fn append(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        self.0.append(&line)
    }
}

/// Removes what is told elsewhere by now.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => file::naming(path, Err(error)),
        _ => Ok(()),
    }
}
