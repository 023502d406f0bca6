//! Publish and subscribe.

use std::sync::Arc;

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions, Special};
use crate::channels::Scope;
use crate::glob;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

const NONE: KeyPositions = KeyPositions::NONE;
/// Each channel is confirmed by a push of its own, which has no place in EXEC's one reply.
const LISTEN: Flags = Flags::PUBSUB.and(Flags::NOSCRIPT).and(Flags::LISTENING).and(Flags::NO_MULTI);

pub(super) const COMMANDS: &[Command] = &[
    Command::new("publish", 3, Flags::PUBSUB.and(Flags::FAST), NONE, publish),
    Command::new("subscribe", -2, LISTEN, NONE, |call, words| {
        subscribe(call, &words[1..], Scope::Exact)
    }),
    Command::new("unsubscribe", -1, LISTEN, NONE, |call, words| {
        unsubscribe(call, &words[1..], Scope::Exact)
    }),
    Command::new("psubscribe", -2, LISTEN, NONE, |call, words| {
        subscribe(call, &words[1..], Scope::Pattern)
    }),
    Command::new("punsubscribe", -1, LISTEN, NONE, |call, words| {
        unsubscribe(call, &words[1..], Scope::Pattern)
    }),
    Command::family("pubsub", PUBSUB),
];

const PUBSUB: &[Command] = &[
    Command::new("pubsub|channels", -2, Flags::PUBSUB, NONE, channels),
    Command::new("pubsub|numsub", -2, Flags::PUBSUB, NONE, numsub),
    Command::new("pubsub|numpat", 2, Flags::PUBSUB, NONE, numpat),
];

fn publish(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    Ok(Reply::count(call.core.channels.publish(&words[1], &words[2])))
}

fn subscribe(call: &mut Call<'_>, names: &[Bytes], scope: Scope) -> Outcome {
    let kind = if scope == Scope::Exact { "subscribe" } else { "psubscribe" };
    for name in names {
        let session = &mut *call.session;
        if own(session, scope).insert(name.clone()) {
            let mailbox = Arc::clone(&session.mailbox);
            call.core.channels.subscribe(scope, name.clone(), session.id, &mailbox);
        }
        confirm(call, kind, Reply::Bulk(name.clone()));
    }
    Ok(pushed(call))
}

/// Without names: all of them.
fn unsubscribe(call: &mut Call<'_>, names: &[Bytes], scope: Scope) -> Outcome {
    let kind = if scope == Scope::Exact { "unsubscribe" } else { "punsubscribe" };
    let names = if names.is_empty() {
        own(call.session, scope).iter().cloned().collect()
    } else {
        names.to_vec()
    };
    if names.is_empty() {
        confirm(call, kind, Reply::NullBulk);
    }
    for name in names {
        own(call.session, scope).remove(&name);
        call.core.channels.unsubscribe(scope, &name, call.session.id);
        confirm(call, kind, Reply::Bulk(name));
    }
    Ok(pushed(call))
}

/// As UNSUBSCRIBE and PUNSUBSCRIBE, silently: RESET.
pub(super) fn unsubscribe_all(call: &mut Call<'_>) {
    for scope in [Scope::Exact, Scope::Pattern] {
        for name in std::mem::take(own(call.session, scope)) {
            call.core.channels.unsubscribe(scope, &name, call.session.id);
        }
    }
}

fn own(session: &mut Session, scope: Scope) -> &mut std::collections::BTreeSet<Bytes> {
    match scope {
        Scope::Exact => &mut session.subscriptions.channels,
        Scope::Pattern => &mut session.subscriptions.patterns,
    }
}

fn confirm(call: &Call<'_>, kind: &str, name: Reply) {
    let count = Reply::count(call.session.subscriptions.len());
    call.session.mailbox.push(vec![Reply::bulk(kind), name, count]);
}

fn pushed(call: &mut Call<'_>) -> Reply {
    call.special = Some(Special::Pushed);
    Reply::NullArray
}

fn channels(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let pattern = words.get(2);
    let names = call.core.channels.names();
    Ok(Reply::bulks(
        names.filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name))),
    ))
}

fn numsub(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let counted = words[2..].iter().flat_map(|name| {
        [Reply::Bulk(name.clone()), Reply::count(call.core.channels.subscriber_count(name))]
    });
    Ok(Reply::Array(counted.collect()))
}

fn numpat(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    Ok(Reply::count(call.core.channels.pattern_count()))
}
