//! What the server says about itself.

use std::fmt::Write as _;

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions, all, find};
use crate::glob;
use crate::number::{integer, parse_integer};
use crate::reply::{Outcome, Refusal, Reply};
use crate::server::REDIS_VERSION;

const NONE: KeyPositions = KeyPositions::NONE;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("info", -1, Flags::NONE, NONE, info),
    Command::new("time", 1, Flags::FAST, NONE, time),
    Command::new("wait", 3, Flags::NOSCRIPT, NONE, wait),
    Command::new("command", -1, Flags::NONE, NONE, command),
    Command::family("config", CONFIG),
];

const CONFIG: &[Command] = &[Command::new("config|get", -3, Flags::NOSCRIPT, NONE, config_get)];

/// What CONFIG GET knows: what a lock's author asks a server before trusting it.
const SETTINGS: &[(&str, &str)] =
    &[("appendonly", "no"), ("maxmemory", "0"), ("maxmemory-policy", "noeviction"), ("save", "")];

fn config_get(_call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let asked = |name: &str| {
        let mut patterns = words[2..].iter().map(|pattern| pattern.to_ascii_lowercase());
        patterns.any(|pattern| glob::matches(&pattern, name.as_bytes()))
    };
    let found = SETTINGS.iter().filter(|(name, _)| asked(name));
    Ok(Reply::Array(found.flat_map(|(name, value)| [name, value].map(Reply::bulk)).collect()))
}

fn time(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    let (seconds, micros) = call.now.unix_seconds_and_micros();
    Ok(Reply::Array(vec![Reply::bulk(seconds.to_string()), Reply::bulk(micros.to_string())]))
}

/// Replication is not modelled, so that there is nothing to wait for.
fn wait(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    integer(&words[1])?;
    let timeout = parse_integer(&words[2])
        .ok_or(Refusal::fixed("ERR timeout is not an integer or out of range"))?;
    if timeout < 0 {
        return Err(Refusal::fixed("ERR timeout is negative"));
    }
    Ok(Reply::Integer(i64::from(call.core.options.replicas)))
}

/// `COMMAND [COUNT | INFO name… | LIST | DOCS]`
fn command(_call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let Some(subcommand) = words.get(1) else {
        return Ok(Reply::Array(all().map(describe).collect()));
    };
    match subcommand.to_ascii_lowercase().as_slice() {
        b"count" => Ok(Reply::Integer(i64::try_from(all().count()).unwrap_or(i64::MAX))),
        b"docs" => Ok(Reply::Array(Vec::new())),
        b"list" => Ok(Reply::Array(all().map(|command| Reply::bulk(command.name)).collect())),
        b"info" if words.len() == 2 => Ok(Reply::Array(all().map(describe).collect())),
        b"info" => {
            let described = |name: &Bytes| find(name).map_or(Reply::NullArray, describe);
            Ok(Reply::Array(words[2..].iter().map(described).collect()))
        }
        _ => Err(super::unknown_subcommand(words)),
    }
}

fn describe(command: &'static Command) -> Reply {
    let keys = command.keys;
    Reply::Array(vec![
        Reply::bulk(command.name),
        Reply::Integer(command.arity.into()),
        Reply::Array(command.flags.names().map(Reply::status).collect()),
        Reply::Integer(keys.first.into()),
        Reply::Integer(keys.last.into()),
        Reply::Integer(keys.step.into()),
    ])
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
    Ok(Reply::bulk(texts.join("\r\n")))
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
    let payload: usize = call.core.databases.iter().map(|database| database.payload_size()).sum();
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
    for (index, database) in call.core.databases.iter_mut().enumerate() {
        database.sweep(call.now);
        if database.len() == 0 {
            continue;
        }
        let mut line = format!("db{index}:keys={},", database.len());
        let _ = write!(line, "expires={},avg_ttl=0", database.expiring_len());
        lines.push(line);
    }
    lines
}
