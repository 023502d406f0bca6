//! Keys whatever they hold.

use bytes::Bytes;

use super::scan::{keys, scan};
use super::{Call, Command, Flags, KeyPositions};
use crate::core::Event;
use crate::reply::{Outcome, Refusal, Reply};

pub(super) const COMMANDS: &[Command] = &[
    Command::new("del", -2, Flags::WRITE, KeyPositions::ALL, del),
    Command::new("unlink", -2, Flags::WRITE_FAST, KeyPositions::ALL, del),
    Command::new("exists", -2, Flags::READONLY_FAST, KeyPositions::ALL, exists),
    Command::new("type", 2, Flags::READONLY_FAST, KeyPositions::FIRST, type_of),
    Command::new("scan", -2, Flags::READONLY, KeyPositions::NONE, scan),
    Command::new("keys", 2, Flags::READONLY, KeyPositions::NONE, keys),
    Command::new("dbsize", 1, Flags::READONLY_FAST, KeyPositions::NONE, dbsize),
    Command::new("rename", 3, Flags::WRITE, KeyPositions::FIRST_TWO, rename),
    Command::new("renamenx", 3, Flags::WRITE_FAST, KeyPositions::FIRST_TWO, renamenx),
    Command::new("flushdb", -1, Flags::WRITE, KeyPositions::NONE, flushdb),
    Command::new("flushall", -1, Flags::WRITE, KeyPositions::NONE, flushall),
];

const NO_SUCH_KEY: Refusal = Refusal::fixed("ERR no such key");

fn del(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(count(&words[1..], |key| call.delete(key)))
}

/// A key that is named twice counts twice.
fn exists(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(count(&words[1..], |key| call.entry(key).is_some()))
}

fn count(keys: &[Bytes], counts: impl FnMut(&Bytes) -> bool) -> Reply {
    let mut counts = counts;
    Reply::Integer(keys.iter().map(|key| i64::from(counts(key))).sum())
}

fn type_of(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::status(call.entry(&words[1]).map_or("none", |entry| entry.value.type_name())))
}

/// Exact: what has expired is reaped already. Redis may still count it, which nobody should rely
/// on.
fn dbsize(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    Ok(Reply::count(call.core.keyspace.len(call.session.database)))
}

fn rename(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let (from, to) = (&words[1], &words[2]);
    if call.entry(from).is_none() {
        return Err(NO_SUCH_KEY);
    }
    if from != to {
        move_key(call, from, to);
    }
    Ok(Reply::OK)
}

fn renamenx(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let (from, to) = (&words[1], &words[2]);
    if call.entry(from).is_none() {
        return Err(NO_SUCH_KEY);
    }
    if call.entry(to).is_some() {
        return Ok(Reply::Integer(0));
    }
    move_key(call, from, to);
    Ok(Reply::Integer(1))
}

/// The expiry moves along.
fn move_key(call: &mut Call<'_>, from: &Bytes, to: &Bytes) {
    let database = call.session.database;
    let Some(entry) = call.core.keyspace.remove(database, from) else { return };
    let expires_at_ms = entry.expires_at_ms();
    call.store(to, entry.value, expires_at_ms);
    call.core.waiters.signal(database, to);
    call.changed(from, Event::generic("rename_from"));
    call.changed(to, Event::generic("rename_to"));
}

fn flushdb(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    check_flush_mode(&words[1..])?;
    call.core.clear(call.session.database);
    Ok(Reply::OK)
}

fn flushall(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    check_flush_mode(&words[1..])?;
    (0..call.core.keyspace.database_count()).for_each(|database| call.core.clear(database));
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
