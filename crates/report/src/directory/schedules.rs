//! What a slice of a search saw in each schedule, by which slices add up: compressed lines of JSON, what the search is
//! judged by first, then one per schedule.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use lockproof_model::{Glance, SearchLog, Stakes};

use super::history::{COMPRESSION_LEVEL, Lines, at, naming};

pub(super) fn write(out: &mut dyn Write, log: &SearchLog) -> io::Result<()> {
    let mut out = zstd::Encoder::new(out, COMPRESSION_LEVEL)?;
    out.include_checksum(true)?;
    let SearchLog { stakes, glances } = log;
    serde_json::to_writer(&mut out, stakes)?;
    out.write_all(b"\n")?;
    for glance in glances {
        serde_json::to_writer(&mut out, glance)?;
        out.write_all(b"\n")?;
    }
    out.finish().map(drop)
}

/// # Errors
/// The file cannot be read, is cut short, or a line of it is not understood; the message names file and line.
pub(crate) fn read(path: &Path) -> io::Result<SearchLog> {
    let read = File::open(path).and_then(zstd::Decoder::new).and_then(|lines| {
        let (mut lines, mut stakes, mut glances) = (Lines::of(lines), None, Vec::new());
        while let Some((number, line)) = lines.next()? {
            let understood = if number == 1 {
                serde_json::from_str::<Stakes>(line).map(|it| stakes = Some(it))
            } else {
                serde_json::from_str::<Glance>(line).map(|it| glances.push(it))
            };
            understood.map_err(|error| at(number, &error.to_string()))?;
        }
        let stakes = stakes.ok_or_else(|| at(1, "there is nothing"))?;
        Ok(SearchLog { stakes, glances })
    });
    read.map_err(|error| naming(path, &error))
}
