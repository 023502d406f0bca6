//! The connection itself: greetings, names, databases.

use std::fmt::Write as _;

use bytes::Bytes;

use super::hello::hello;
use super::pubsub::unsubscribe_all;
use super::{Call, Command, Flags, KeyPositions};
use crate::number::integer;
use crate::reply::{Outcome, Protocol, Refusal, Reply};

const NONE: KeyPositions = KeyPositions::NONE;
const ALWAYS: Flags =
    Flags::NOSCRIPT.and(Flags::NO_AUTH).and(Flags::UNQUEUED).and(Flags::LISTENING);

pub(super) const COMMANDS: &[Command] = &[
    Command::new("ping", -1, Flags::FAST.and(Flags::LISTENING), NONE, ping),
    Command::new("echo", 2, Flags::FAST, NONE, echo),
    Command::new("hello", -1, Flags::NOSCRIPT.and(Flags::NO_AUTH), NONE, hello),
    Command::new("select", 2, Flags::FAST, NONE, select),
    Command::new("quit", -1, ALWAYS, NONE, quit),
    Command::new("reset", 1, ALWAYS, NONE, reset),
    Command::family("client", CLIENT),
];

const CLIENT: &[Command] = &[
    Command::new("client|setname", 3, Flags::NOSCRIPT, NONE, client_setname),
    Command::new("client|getname", 2, Flags::NOSCRIPT, NONE, client_getname),
    Command::new("client|id", 2, Flags::NOSCRIPT, NONE, client_id),
    Command::new("client|info", 2, Flags::NOSCRIPT, NONE, client_info),
    Command::new("client|list", -2, Flags::NOSCRIPT, NONE, client_info),
    Command::new("client|setinfo", 4, Flags::NOSCRIPT, NONE, client_setinfo),
    Command::new("client|no-evict", 3, Flags::NOSCRIPT, NONE, client_no_evict),
];

/// A client of RESP2 that listens gets what looks like a message.
fn ping(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let listens = call.session.protocol == Protocol::Resp2 && call.session.is_subscribed();
    match words {
        [_, message @ ..] if listens && message.len() < 2 => {
            let message = message.first().cloned().unwrap_or_default();
            Ok(Reply::Array(vec![Reply::bulk("pong"), Reply::Bulk(message)]))
        }
        [_] => Ok(Reply::status("PONG")),
        [_, message] => Ok(Reply::Bulk(message.clone())),
        _ => Err(Refusal::fixed("ERR wrong number of arguments for 'ping' command")),
    }
}

fn echo(_call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::Bulk(words[1].clone()))
}

fn select(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    const OUT_OF_RANGE: Refusal = Refusal::fixed("ERR DB index is out of range");
    let index = usize::try_from(integer(&words[1])?).map_err(|_| OUT_OF_RANGE)?;
    if index >= call.core.keyspace.database_count() {
        return Err(OUT_OF_RANGE);
    }
    call.session.database = index;
    Ok(Reply::OK)
}

fn quit(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    call.session.closing = true;
    Ok(Reply::OK)
}

/// Back to what it was when the connection opened.
fn reset(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    unsubscribe_all(call);
    let session = &mut *call.session;
    session.transaction = None;
    session.watch = None;
    session.database = 0;
    session.name = Bytes::new();
    session.protocol = Protocol::Resp2;
    session.authenticated = call.core.settings.password.is_empty();
    Ok(Reply::status("RESET"))
}

fn client_setname(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    check_name(&words[2])?;
    call.session.name = words[2].clone();
    Ok(Reply::OK)
}

pub(super) fn check_name(name: &[u8]) -> Result<(), Refusal> {
    const SPECIAL: Refusal =
        Refusal::fixed("ERR Client names cannot contain spaces, newlines or special characters.");
    if name.iter().all(u8::is_ascii_graphic) { Ok(()) } else { Err(SPECIAL) }
}

fn client_getname(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    let name = &call.session.name;
    Ok(if name.is_empty() { Reply::NullBulk } else { Reply::Bulk(name.clone()) })
}

fn client_id(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    Ok(Reply::Integer(i64::try_from(call.session.id).unwrap_or(i64::MAX)))
}

/// CLIENT LIST tells of the asking connection only: the server does not know the others' addresses.
fn client_info(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let mut line = format!(
        "id={} addr=model:0 laddr=model:0 fd=0 name={} age=0 idle=0 flags=N db={} sub={} psub={} \
         multi=-1 events=r cmd={} user=default redir=-1 resp={}",
        call.session.id,
        String::from_utf8_lossy(&call.session.name),
        call.session.database,
        call.session.subscriptions.channels.len(),
        call.session.subscriptions.patterns.len(),
        call.command.name,
        if call.session.protocol == Protocol::Resp3 { 3 } else { 2 },
    );
    if words[1].eq_ignore_ascii_case(b"list") {
        let _ = writeln!(line);
    }
    Ok(Reply::Verbatim(*b"txt", line.into()))
}

/// Came with Redis 7.2; accepted, since newer client libraries say it unasked.
fn client_setinfo(_call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let known =
        [&b"lib-name"[..], b"lib-ver"].iter().any(|name| words[2].eq_ignore_ascii_case(name));
    if known {
        return Ok(Reply::OK);
    }
    Err(Refusal::new([b"ERR Unrecognized option '", &words[2][..], b"'"].concat()))
}

fn client_no_evict(_call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let known = words[2].eq_ignore_ascii_case(b"on") || words[2].eq_ignore_ascii_case(b"off");
    if known { Ok(Reply::OK) } else { Err(Refusal::SYNTAX) }
}
