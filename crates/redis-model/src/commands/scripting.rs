//! Scripts: EVAL and its kin, and their cache.

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions};
use crate::number::integer;
use crate::reply::{Outcome, Refusal, Reply};
use crate::scripts::{Access, Caller, Scripts, Sha};

const NONE: KeyPositions = KeyPositions::NONE;
const READONLY: Flags = Flags::READONLY_NOSCRIPT;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("eval", -3, Flags::NOSCRIPT, NONE, |call, words| {
        eval(call, words, Access::ReadWrite)
    }),
    Command::new("evalsha", -3, Flags::NOSCRIPT, NONE, |call, words| {
        evalsha(call, words, Access::ReadWrite)
    }),
    Command::new("eval_ro", -3, READONLY, NONE, |call, words| eval(call, words, Access::ReadOnly)),
    Command::new("evalsha_ro", -3, READONLY, NONE, |call, words| {
        evalsha(call, words, Access::ReadOnly)
    }),
    Command::family("script", SCRIPT),
];

const SCRIPT: &[Command] = &[
    Command::new("script|load", 3, Flags::NOSCRIPT, NONE, script_load),
    Command::new("script|exists", -3, Flags::NOSCRIPT, NONE, script_exists),
    Command::new("script|flush", -2, Flags::NOSCRIPT, NONE, script_flush),
];

/// `EVAL script numkeys key… arg…`
fn eval(call: &mut Call<'_>, words: &[Bytes], access: Access) -> Outcome {
    let (keys, arguments) = split_keys(words)?;
    let (scripts, caller) = caller(call, access)?;
    let sha = scripts.load(&words[1])?;
    scripts.run(sha, keys, arguments, caller)
}

/// `EVALSHA sha numkeys key… arg…`
fn evalsha(call: &mut Call<'_>, words: &[Bytes], access: Access) -> Outcome {
    let (keys, arguments) = split_keys(words)?;
    let (scripts, caller) = caller(call, access)?;
    let sha = Sha::parse(&words[1]).ok_or(Scripts::NOSCRIPT)?;
    scripts.run(sha, keys, arguments, caller)
}

fn split_keys(words: &[Bytes]) -> Result<(&[Bytes], &[Bytes]), Refusal> {
    let rest = &words[3..];
    let count = integer(&words[2])?;
    let count = usize::try_from(count)
        .map_err(|_| Refusal::fixed("ERR Number of keys can't be negative"))?;
    rest.split_at_checked(count)
        .ok_or(Refusal::fixed("ERR Number of keys can't be greater than number of args"))
}

fn caller<'a>(
    call: &'a mut Call<'_>,
    access: Access,
) -> Result<(&'a mut Scripts, Caller<'a>), Refusal> {
    let scripts = scripts_of(&mut call.scripts)?;
    Ok((scripts, Caller { core: call.core, session: call.session, now: call.now, access }))
}

/// The table's flags keep scripts from coming here; this says so once more.
fn scripts_of<'a>(scripts: &'a mut Option<&mut Scripts>) -> Result<&'a mut Scripts, Refusal> {
    scripts.as_deref_mut().ok_or(Scripts::NOT_FROM_SCRIPT)
}

fn script_load(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let sha = scripts_of(&mut call.scripts)?.load(&words[2])?;
    Ok(Reply::bulk(sha.to_string()))
}

fn script_exists(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let scripts = scripts_of(&mut call.scripts)?;
    let known = |word: &Bytes| Sha::parse(word).is_some_and(|sha| scripts.contains(sha));
    Ok(Reply::Array(words[2..].iter().map(|word| Reply::Integer(known(word).into())).collect()))
}

/// Both modes are the same here, but a wrong word is still wrong.
fn script_flush(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let known =
        |word: &Bytes| word.eq_ignore_ascii_case(b"sync") || word.eq_ignore_ascii_case(b"async");
    if words.len() > 3 || words.get(2).is_some_and(|word| !known(word)) {
        return Err(Refusal::fixed("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
    }
    scripts_of(&mut call.scripts)?.flush();
    Ok(Reply::OK)
}
