//! Keys whatever they hold.

use bytes::Bytes;

use super::scan::{keys, scan};
use super::{Call, Command, Flags, KeyPositions};
use crate::keyspace::Database;
use crate::reply::{Outcome, Refusal, Reply};

pub(super) const COMMANDS: &[Command] = &[
    Command::new("del", -2, Flags::WRITE, KeyPositions::ALL, del),
    Command::new("unlink", -2, Flags::WRITE_FAST, KeyPositions::ALL, del),
    Command::new("exists", -2, Flags::READONLY_FAST, KeyPositions::ALL, exists),
    Command::new("type", 2, Flags::READONLY_FAST, KeyPositions::FIRST, type_of),
    Command::new("scan", -2, Flags::READONLY, KeyPositions::NONE, scan),
    Command::new("keys", 2, Flags::READONLY, KeyPositions::NONE, keys),
    Command::new("dbsize", 1, Flags::READONLY_FAST, KeyPositions::NONE, dbsize),
    Command::new("flushdb", -1, Flags::WRITE, KeyPositions::NONE, flushdb),
    Command::new("flushall", -1, Flags::WRITE, KeyPositions::NONE, flushall),
];

fn del(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let now = call.now;
    Ok(count(&words[1..], |key| call.database().remove(key, now)))
}

/// A key that is named twice counts twice.
fn exists(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let now = call.now;
    Ok(count(&words[1..], |key| call.database().get(key, now).is_some()))
}

fn count(keys: &[Bytes], counts: impl FnMut(&Bytes) -> bool) -> Reply {
    let mut counts = counts;
    Reply::Integer(keys.iter().map(|key| i64::from(counts(key))).sum())
}

fn type_of(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let now = call.now;
    let entry = call.database().get(&words[1], now);
    Ok(Reply::status(entry.map_or("none", |entry| entry.value.type_name())))
}

/// Exact: what has expired is reaped first. Redis may still count it, which nobody should rely on.
fn dbsize(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    let now = call.now;
    call.database().sweep(now);
    Ok(Reply::Integer(i64::try_from(call.database().len()).unwrap_or(i64::MAX)))
}

fn flushdb(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    check_flush_mode(&words[1..])?;
    call.database().clear();
    Ok(Reply::OK)
}

fn flushall(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    check_flush_mode(&words[1..])?;
    call.core.databases.iter_mut().for_each(Database::clear);
    Ok(Reply::OK)
}

/// Both modes are the same here, but a wrong word is still wrong.
fn check_flush_mode(words: &[Bytes]) -> Result<(), Refusal> {
    match words {
        [] => Ok(()),
        [word] if word.eq_ignore_ascii_case(b"sync") || word.eq_ignore_ascii_case(b"async") => {
            Ok(())
        }
        _ => Err(Refusal::SYNTAX),
    }
}
