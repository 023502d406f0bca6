//! What the last crash leaves of an append-only file.
//!
//! `kill -9` alone loses nothing that redis-server has written: the pages are the kernel's. What `appendfsync everysec`
//! loses, it loses when the machine goes down with them. So the file is cut where the last whole second began, which
//! Redis notes in it (`aof-timestamp-enabled`).

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Cuts the append-only file in `directory` back to what was there when the second `now` (since 1970) began. Says how
/// many bytes are gone.
pub(super) fn cut_to_last_second(directory: &Path, now: u64) -> io::Result<u64> {
    let Some(file) = newest_increment(directory)? else { return Ok(0) };
    let bytes = fs::read(&file)?;
    let Some(keep) = begin_of_second(&bytes, now) else { return Ok(0) };
    let keep = u64::try_from(keep).unwrap_or(u64::MAX);
    let handle = OpenOptions::new().write(true).open(&file)?;
    let length = handle.metadata()?.len();
    handle.set_len(keep.min(length))?;
    Ok(length.saturating_sub(keep))
}

/// The file to which commands are added: that of the highest number.
fn newest_increment(directory: &Path) -> io::Result<Option<PathBuf>> {
    let entries = match fs::read_dir(directory.join("appendonlydir")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let numbered = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let number: u64 = name.strip_suffix(".incr.aof")?.rsplit_once('.')?.1.parse().ok()?;
        Some((number, entry.path()))
    });
    Ok(numbered.max().map(|(_, path)| path))
}

/// Where the note of second `now`, or of a later one, begins.
fn begin_of_second(bytes: &[u8], now: u64) -> Option<usize> {
    let mut at = 0;
    // Notes stand between commands; inside one, the same bytes could be a value, so commands are stepped over.
    while let Some(line_end) = bytes[at..].windows(2).position(|pair| pair == b"\r\n") {
        let line = &bytes[at..at + line_end];
        if let Some(second) = line.strip_prefix(b"#TS:") {
            let second: Option<u64> = std::str::from_utf8(second).ok().and_then(|s| s.parse().ok());
            if second.is_some_and(|second| second >= now) {
                return Some(at);
            }
            at += line_end + 2;
        } else {
            at = after_command(bytes, at)?;
        }
    }
    None
}

/// The end of the command that begins at `at`; `None` when it is not whole.
fn after_command(bytes: &[u8], at: usize) -> Option<usize> {
    let number = |at: usize, sign: u8| {
        let end = at + bytes.get(at..)?.windows(2).position(|pair| pair == b"\r\n")?;
        let digits = bytes[at..end].strip_prefix(&[sign])?;
        Some((std::str::from_utf8(digits).ok()?.parse::<usize>().ok()?, end + 2))
    };
    let (words, mut at) = number(at, b'*')?;
    for _ in 0..words {
        let (length, begin) = number(at, b'$')?;
        at = begin.checked_add(length)?.checked_add(2).filter(|end| *end <= bytes.len())?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"#TS:100\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n\
        *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9\r\n#TS:102\r\n\r\n#TS:101\r\n*1\r\n$4\r\nPING\r\n";

    #[test]
    fn the_file_is_cut_where_the_second_began_and_not_in_a_value_that_looks_like_it() {
        let cut = begin_of_second(FILE, 101).expect("it is noted");
        assert!(FILE[cut..].starts_with(b"#TS:101\r\n*1"));
        assert_eq!(begin_of_second(FILE, 100), Some(0));
        assert_eq!(begin_of_second(FILE, 102), None, "nothing came in that second");
    }

    #[test]
    fn a_command_that_is_not_whole_ends_the_search() {
        assert_eq!(begin_of_second(&FILE[..FILE.len() - 3], 102), None);
    }
}
