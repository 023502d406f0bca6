//! What the server says about its commands.

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions, all, find, unknown_subcommand};
use crate::reply::{Outcome, Reply};

pub(super) const COMMANDS: &[Command] =
    &[Command::new("command", -1, Flags::NONE, KeyPositions::NONE, command)];

/// `COMMAND [COUNT | DOCS name… | INFO name… | LIST]`
fn command(_call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let Some(subcommand) = words.get(1) else {
        return Ok(Reply::Array(all().map(info).collect()));
    };
    let names = &words[2..];
    match subcommand.to_ascii_lowercase().as_slice() {
        b"count" if names.is_empty() => Ok(Reply::count(all().count())),
        b"docs" if names.is_empty() => Ok(Reply::Map(all().map(docs).collect())),
        b"docs" => Ok(Reply::Map(names.iter().filter_map(|name| find(name)).map(docs).collect())),
        b"list" if names.is_empty() => {
            Ok(Reply::Array(all().map(|command| Reply::bulk(command.name)).collect()))
        }
        b"info" if names.is_empty() => Ok(Reply::Array(all().map(info).collect())),
        b"info" => {
            let described = |name: &Bytes| find(name).map_or(Reply::NullArray, info);
            Ok(Reply::Array(names.iter().map(described).collect()))
        }
        _ => Err(unknown_subcommand(words)),
    }
}

/// The six fields that every release has; those of Redis 7 on access lists are left out.
fn info(command: &'static Command) -> Reply {
    let keys = command.keys;
    Reply::Array(vec![
        Reply::bulk(command.name),
        Reply::Integer(command.arity.into()),
        Reply::Set(command.flags.names().map(Reply::status).collect()),
        Reply::Integer(keys.first.into()),
        Reply::Integer(keys.last.into()),
        Reply::Integer(keys.step.into()),
    ])
}

/// Words for people are on redis.io; what a program may ask for is the arity.
fn docs(command: &'static Command) -> (Reply, Reply) {
    let arity = (Reply::bulk("arity"), Reply::Integer(command.arity.into()));
    (Reply::bulk(command.name), Reply::Map(vec![arity]))
}
