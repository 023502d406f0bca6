//! The connection itself: greetings, names, databases.

use std::fmt::Write as _;

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions};
use crate::number::{integer, parse_integer};
use crate::reply::{Outcome, Refusal, Reply};
use crate::server::REDIS_VERSION;

const NONE: KeyPositions = KeyPositions::NONE;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("ping", -1, Flags::FAST, NONE, ping),
    Command::new("echo", 2, Flags::FAST, NONE, echo),
    Command::new("hello", -1, Flags::NOSCRIPT, NONE, hello),
    Command::new("select", 2, Flags::FAST, NONE, select),
    Command::new("quit", -1, Flags::NOSCRIPT, NONE, quit),
    Command::new("reset", 1, Flags::NOSCRIPT, NONE, reset),
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

fn ping(_call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    match words {
        [_] => Ok(Reply::status("PONG")),
        [_, message] => Ok(Reply::Bulk(message.clone())),
        _ => Err(Refusal::fixed("ERR wrong number of arguments for 'ping' command")),
    }
}

fn echo(_call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::Bulk(words[1].clone()))
}

/// `HELLO [2 [AUTH user password] [SETNAME name]]`; the default user has no password.
fn hello(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    const NOPROTO: Refusal = Refusal::fixed("NOPROTO unsupported protocol version");
    if let Some(version) = words.get(1) {
        let version = parse_integer(version)
            .ok_or(Refusal::fixed("ERR Protocol version is not an integer or out of range"))?;
        if version != 2 {
            return Err(NOPROTO);
        }
    }
    let name = hello_options(words.get(2..).unwrap_or_default())?;
    if let Some(name) = name {
        call.session.name = name;
    }
    let id = i64::try_from(call.session.id).unwrap_or(i64::MAX);
    Ok(Reply::Array(vec![
        Reply::bulk("server"),
        Reply::bulk("redis"),
        Reply::bulk("version"),
        Reply::bulk(REDIS_VERSION),
        Reply::bulk("proto"),
        Reply::Integer(2),
        Reply::bulk("id"),
        Reply::Integer(id),
        Reply::bulk("mode"),
        Reply::bulk("standalone"),
        Reply::bulk("role"),
        Reply::bulk("master"),
        Reply::bulk("modules"),
        Reply::Array(Vec::new()),
    ]))
}

fn hello_options(mut words: &[Bytes]) -> Result<Option<Bytes>, Refusal> {
    let mut name = None;
    loop {
        words = match words {
            [] => return Ok(name),
            [word, user, _password, rest @ ..] if word.eq_ignore_ascii_case(b"auth") => {
                check_user(user)?;
                rest
            }
            [word, wanted, rest @ ..] if word.eq_ignore_ascii_case(b"setname") => {
                check_name(wanted)?;
                name = Some(wanted.clone());
                rest
            }
            [word, ..] => {
                let text = [b"ERR Syntax error in HELLO option '", &word[..], b"'"].concat();
                return Err(Refusal::new(text));
            }
        }
    }
}

fn check_user(user: &[u8]) -> Result<(), Refusal> {
    const WRONGPASS: Refusal =
        Refusal::fixed("WRONGPASS invalid username-password pair or user is disabled.");
    if user == b"default" { Ok(()) } else { Err(WRONGPASS) }
}

fn select(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    const OUT_OF_RANGE: Refusal = Refusal::fixed("ERR DB index is out of range");
    let index = usize::try_from(integer(&words[1])?).map_err(|_| OUT_OF_RANGE)?;
    if index >= call.core.databases.len() {
        return Err(OUT_OF_RANGE);
    }
    call.session.database = index;
    Ok(Reply::OK)
}

fn quit(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    call.session.closing = true;
    Ok(Reply::OK)
}

fn reset(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    call.session.reset();
    Ok(Reply::status("RESET"))
}

fn client_setname(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    check_name(&words[2])?;
    call.session.name = words[2].clone();
    Ok(Reply::OK)
}

fn check_name(name: &[u8]) -> Result<(), Refusal> {
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
        "id={} addr=model:0 laddr=model:0 fd=0 name={} age=0 idle=0 flags=N db={} sub=0 psub=0 \
         multi=-1 events=r cmd={} user=default redir=-1 resp=2",
        call.session.id,
        String::from_utf8_lossy(&call.session.name),
        call.session.database,
        call.command.name,
    );
    if words[1].eq_ignore_ascii_case(b"list") {
        let _ = writeln!(line);
    }
    Ok(Reply::bulk(line))
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
