//! From a client's words to an answer: what is refused, what is queued, what is carried out.

use bytes::Bytes;

use super::{Call, Command, Flags, Handler, Special, resolve};
use crate::clock::WallClock;
use crate::core::Core;
use crate::reply::{Protocol, Refusal, Reply};
use crate::scripts::Scripts;
use crate::session::Session;

/// Commands that one transaction may hold: the only thing that a client could pile up unseen.
const QUEUED_MAX: usize = 1 << 20;

/// What a client gets.
#[derive(Debug)]
pub(crate) enum Answer {
    Reply(Reply),
    Pushed,
    Blocked,
}

/// Carries out a client's command.
pub(crate) fn execute(
    core: &mut Core,
    scripts: &mut Scripts,
    session: &mut Session,
    words: &[Bytes],
    now: WallClock,
) -> Answer {
    core.commands_processed += 1;
    core.expire_due(now);
    let (command, handler) = match admit(core, session, words) {
        Ok(admitted) => admitted,
        // EXEC is the end of its transaction even when it is refused itself.
        Err(refusal) if is_exec(words) => {
            session.transaction = None;
            session.watch = None;
            return Answer::Reply(refusal.abort().into());
        }
        Err(refusal) => {
            if let Some(transaction) = &mut session.transaction {
                transaction.broken = true;
            }
            return Answer::Reply(refusal.into());
        }
    };
    if let Some(transaction) = &mut session.transaction
        && !command.flags.has(Flags::UNQUEUED)
    {
        transaction.queued.push(words.to_vec());
        return Answer::Reply(Reply::status("QUEUED"));
    }
    let scripts = Some(scripts);
    let mut call = Call { core, scripts, session, now, command, special: None, may_block: true };
    let outcome = handler(&mut call, words);
    match (outcome, call.special) {
        (Err(refusal), _) => Answer::Reply(refusal.into()),
        (Ok(reply), None) => Answer::Reply(reply),
        (Ok(_), Some(Special::Pushed)) => Answer::Pushed,
        (Ok(_), Some(Special::Blocked)) => Answer::Blocked,
    }
}

fn is_exec(words: &[Bytes]) -> bool {
    words.first().is_some_and(|name| name.eq_ignore_ascii_case(b"exec"))
}

/// Checks in the order in which Redis does: what is wrong first decides the words.
fn admit(
    core: &Core,
    session: &Session,
    words: &[Bytes],
) -> Result<(&'static Command, Handler), Refusal> {
    let (command, handler) = resolve(words).map_err(|reason| reason.describe(words))?;
    if !session.authenticated
        && !core.settings.password.is_empty()
        && !command.flags.has(Flags::NO_AUTH)
    {
        return Err(Refusal::fixed("NOAUTH Authentication required."));
    }
    if let Some(transaction) = &session.transaction {
        if command.flags.has(Flags::NO_MULTI) {
            return Err(Refusal::fixed("ERR Command not allowed inside a transaction"));
        }
        if transaction.queued.len() >= QUEUED_MAX {
            return Err(Refusal::fixed("ERR too many commands inside a transaction"));
        }
    }
    let listens = session.protocol == Protocol::Resp2 && session.is_subscribed();
    if listens && !command.flags.has(Flags::LISTENING) {
        return Err(Refusal::new(format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET \
             are allowed in this context",
            command.name
        )));
    }
    Ok((command, handler))
}
