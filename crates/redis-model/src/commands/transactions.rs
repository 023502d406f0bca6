//! MULTI, EXEC and what guards them.

use std::sync::Arc;

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions, resolve};
use crate::reply::{Outcome, Refusal, Reply};
use crate::session::Transaction;

const NONE: KeyPositions = KeyPositions::NONE;
const STEERS: Flags = Flags::NOSCRIPT.and(Flags::FAST).and(Flags::UNQUEUED);

pub(super) const COMMANDS: &[Command] = &[
    Command::new("multi", 1, STEERS, NONE, multi),
    Command::new("exec", 1, STEERS, NONE, exec),
    Command::new("discard", 1, STEERS, NONE, discard),
    Command::new("watch", -2, STEERS, KeyPositions::ALL, watch),
    Command::new("unwatch", 1, Flags::NOSCRIPT.and(Flags::FAST), NONE, unwatch),
];

fn multi(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    if call.session.transaction.is_some() {
        return Err(Refusal::fixed("ERR MULTI calls can not be nested"));
    }
    call.session.transaction = Some(Transaction::default());
    Ok(Reply::OK)
}

fn discard(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    if call.session.transaction.take().is_none() {
        return Err(Refusal::fixed("ERR DISCARD without MULTI"));
    }
    call.session.watch = None;
    Ok(Reply::OK)
}

/// A command that fails does not stop those after it: there is no way back.
fn exec(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    let Some(transaction) = call.session.transaction.take() else {
        return Err(Refusal::fixed("ERR EXEC without MULTI"));
    };
    let watch = call.session.watch.take();
    if transaction.broken {
        return Err(Refusal::fixed("EXECABORT Transaction discarded because of previous errors."));
    }
    // What expired since WATCH has been reaped, and thereby touched, before this command.
    if watch.is_some_and(|watch| watch.is_touched()) {
        return Ok(Reply::NullArray);
    }
    let replies = transaction.queued.iter().map(|words| run(call, words));
    Ok(Reply::Array(replies.collect()))
}

fn run(call: &mut Call<'_>, words: &[Bytes]) -> Reply {
    let Ok((command, handler)) = resolve(words) else {
        return Reply::error("ERR a command of the transaction is gone");
    };
    call.core.commands_processed += 1;
    call.core.expire_due(call.now);
    let mut inner = Call {
        core: call.core,
        scripts: call.scripts.as_deref_mut(),
        session: call.session,
        now: call.now,
        command,
        special: None,
        may_block: false,
    };
    handler(&mut inner, words).unwrap_or_else(Reply::from)
}

fn watch(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    if call.session.transaction.is_some() {
        return Err(Refusal::fixed("ERR WATCH inside MULTI is not allowed"));
    }
    let watch = call.session.watch.get_or_insert_default();
    // Touched is touched: what else is watched cannot change that.
    if !watch.is_touched() {
        for key in &words[1..] {
            call.core.watches.add(call.session.database, key.clone(), &Arc::clone(watch));
        }
    }
    Ok(Reply::OK)
}

fn unwatch(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    call.session.watch = None;
    Ok(Reply::OK)
}
