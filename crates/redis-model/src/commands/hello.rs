//! HELLO: the version of the protocol, and what a client says first.

use bytes::Bytes;

use super::Call;
use super::auth::log_in;
use super::connection::check_name;
use crate::number::parse_integer;
use crate::reply::{Outcome, Protocol, Refusal, Reply};
use crate::server::REDIS_VERSION;

/// `HELLO [2 | 3 [AUTH user password] [SETNAME name]]`
pub(super) fn hello(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let protocol = words.get(1).map(|version| wanted_protocol(version)).transpose()?;
    let options = HelloOptions::parse(words.get(2..).unwrap_or_default())?;
    if let Some((user, password)) = options.login {
        log_in(call, user, password)?;
    }
    if !call.session.authenticated && !call.core.settings.password.is_empty() {
        return Err(Refusal::fixed(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
             HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and \
             select the RESP protocol version at the same time",
        ));
    }
    if let Some(name) = options.name {
        call.session.name = name.clone();
    }
    if let Some(protocol) = protocol {
        call.session.protocol = protocol;
    }
    Ok(greeting(call))
}

fn wanted_protocol(version: &[u8]) -> Result<Protocol, Refusal> {
    match parse_integer(version) {
        Some(2) => Ok(Protocol::Resp2),
        Some(3) => Ok(Protocol::Resp3),
        Some(_) => Err(Refusal::fixed("NOPROTO unsupported protocol version")),
        None => Err(Refusal::fixed("ERR Protocol version is not an integer or out of range")),
    }
}

fn greeting(call: &Call<'_>) -> Reply {
    let version = match call.session.protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    };
    let id = i64::try_from(call.session.id).unwrap_or(i64::MAX);
    Reply::Map(vec![
        (Reply::bulk("server"), Reply::bulk("redis")),
        (Reply::bulk("version"), Reply::bulk(REDIS_VERSION)),
        (Reply::bulk("proto"), Reply::Integer(version)),
        (Reply::bulk("id"), Reply::Integer(id)),
        (Reply::bulk("mode"), Reply::bulk("standalone")),
        (Reply::bulk("role"), Reply::bulk("master")),
        (Reply::bulk("modules"), Reply::Array(Vec::new())),
    ])
}

#[derive(Debug, Default)]
struct HelloOptions<'a> {
    login: Option<(&'a Bytes, &'a Bytes)>,
    name: Option<&'a Bytes>,
}

impl<'a> HelloOptions<'a> {
    fn parse(mut words: &'a [Bytes]) -> Result<Self, Refusal> {
        let mut parsed = Self::default();
        loop {
            words = match words {
                [] => return Ok(parsed),
                [word, user, password, rest @ ..] if word.eq_ignore_ascii_case(b"auth") => {
                    parsed.login = Some((user, password));
                    rest
                }
                [word, name, rest @ ..] if word.eq_ignore_ascii_case(b"setname") => {
                    check_name(name)?;
                    parsed.name = Some(name);
                    rest
                }
                [word, ..] => {
                    let text = [b"ERR Syntax error in HELLO option '", &word[..], b"'"].concat();
                    return Err(Refusal::new(text));
                }
            }
        }
    }
}
