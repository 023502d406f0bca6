//! What the server says about itself.

use std::time::Duration;

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions, Special};
use crate::number::{integer, parse_integer};
use crate::reply::{Outcome, Refusal, Reply};
use crate::server::REDIS_VERSION;
use crate::session::{Blocked, BlockedOn};

const NONE: KeyPositions = KeyPositions::NONE;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("info", -1, Flags::NONE, NONE, info),
    Command::new("time", 1, Flags::FAST, NONE, time),
    Command::new("wait", 3, Flags::NOSCRIPT, NONE, wait),
];

fn time(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    let (seconds, micros) = call.now.unix_seconds_and_micros();
    Ok(Reply::Array(vec![Reply::bulk(seconds.to_string()), Reply::bulk(micros.to_string())]))
}

/// `WAIT replicas timeout`: how many replicas have all that was written over this connection, once so many do or the time
/// is over. Of replication nothing is modelled but how late it is.
fn wait(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let wanted = usize::try_from(integer(&words[1])?).unwrap_or(0);
    let timeout = parse_integer(&words[2])
        .ok_or(Refusal::fixed("ERR timeout is not an integer or out of range"))?;
    let timeout = u64::try_from(timeout).map_err(|_| Refusal::fixed("ERR timeout is negative"))?;
    let written = call.session.last_command;
    let acknowledged = call.core.acknowledged(written, call.now);
    if usize::try_from(acknowledged).is_ok_and(|count| count < wanted) && call.may_block {
        let enough = wanted.checked_sub(1).and_then(|last| call.core.replica_lags.get(last));
        let enough = enough.map(|lag| written.after(*lag));
        let over = (timeout > 0).then(|| call.now.after(Duration::from_millis(timeout)));
        let until = enough.into_iter().chain(over).min();
        call.session.blocked = Some(Blocked { on: BlockedOn::Replicas(written), until });
        call.special = Some(Special::Blocked);
    }
    Ok(Reply::Integer(acknowledged))
}

/// `INFO [section…]`
fn info(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let sections: [(&str, Section); 5] = [
        ("server", info_server),
        ("clients", info_clients),
        ("memory", info_memory),
        ("stats", info_stats),
        ("keyspace", info_keyspace),
    ];
    let everything = ["default", "all", "everything"];
    let asked = |name: &str| {
        let names = |word: &Bytes| {
            word.eq_ignore_ascii_case(name.as_bytes())
                || everything.iter().any(|all| word.eq_ignore_ascii_case(all.as_bytes()))
        };
        words.len() == 1 || words[1..].iter().any(names)
    };
    let mut texts = Vec::new();
    for (name, section) in sections {
        if asked(name) {
            texts.push(section(call).join("\r\n") + "\r\n");
        }
    }
    Ok(Reply::Verbatim(*b"txt", texts.join("\r\n").into()))
}

type Section = fn(&mut Call<'_>) -> Vec<String>;

fn info_server(call: &mut Call<'_>) -> Vec<String> {
    vec![
        "# Server".to_owned(),
        format!("redis_version:{REDIS_VERSION}"),
        "redis_mode:standalone".to_owned(),
        format!("lockproof_redis_model:{}", env!("CARGO_PKG_VERSION")),
        format!("server_time_usec:{}", call.now.unix_nanos() / 1_000),
    ]
}

fn info_clients(call: &mut Call<'_>) -> Vec<String> {
    vec!["# Clients".to_owned(), format!("connected_clients:{}", call.core.session_count())]
}

/// Sizes of keys, values and the Lua machine: the model's own overhead would be noise.
fn info_memory(call: &mut Call<'_>) -> Vec<String> {
    let payload: usize = call.core.keyspace.payload_size();
    let mut lines = vec!["# Memory".to_owned(), format!("used_memory:{payload}")];
    if let Some(scripts) = &call.scripts {
        lines.push(format!("used_memory_vm_eval:{}", scripts.used_memory()));
        lines.push(format!("number_of_cached_scripts:{}", scripts.len()));
    }
    lines.push("maxmemory_policy:noeviction".to_owned());
    lines
}

fn info_stats(call: &mut Call<'_>) -> Vec<String> {
    let processed = call.core.commands_processed;
    vec!["# Stats".to_owned(), format!("total_commands_processed:{processed}")]
}

fn info_keyspace(call: &mut Call<'_>) -> Vec<String> {
    let mut lines = vec!["# Keyspace".to_owned()];
    let keyspace = &call.core.keyspace;
    for database in 0..keyspace.database_count() {
        let (keys, expires) = (keyspace.len(database), keyspace.expiring_len(database));
        if keys > 0 {
            lines.push(format!("db{database}:keys={keys},expires={expires},avg_ttl=0"));
        }
    }
    lines
}
