use std::sync::Arc;
use std::time::Duration;

use super::attributes::Given;
use super::{Attribute, AttributeError, Entry, Value};
use crate::follow::Protocol;
use crate::rule::{Choice, Deed, Pattern, Rule};
use crate::spec::ToxicSpec;

pub(super) const ENTRY: Entry = Entry {
    name: "redis_rule",
    summary: "ours: does something to requests of Redis by command, key and count, or to their replies",
    attributes: &[
        Attribute { name: "command", summary: "only such: SET", default: Value::text("") },
        Attribute {
            name: "key",
            summary: "only with such a key: seat:*",
            default: Value::text(""),
        },
        NTH,
        EVERY,
        THEN,
        DELAY,
    ],
    make: |given| {
        let mut pattern = Pattern::any(Protocol::Redis);
        if let Some(key) = given.text("key") {
            pattern = pattern.with_key(key)?;
        }
        made(given, pattern)
    },
};

pub(super) const NTH: Attribute = Attribute {
    name: "nth",
    summary: "only the nth of them, counted from 1; zero: not only that",
    default: Value::Count(0),
};
pub(super) const EVERY: Attribute =
    Attribute { name: "every", summary: "only each nth of them", default: Value::Count(1) };
pub(super) const THEN: Attribute = Attribute {
    name: "then",
    summary: "delay, hold, delay-reply, hold-reply, drop-request, drop-reply, reset or duplicate",
    default: Value::text("drop-reply"),
};
pub(super) const DELAY: Attribute = Attribute {
    name: "delay",
    summary: "by how much, for the delays",
    default: Value::Millis(Duration::ZERO),
};

/// The rule of what both protocols' have in common.
pub(super) fn made(given: &Given<'_>, pattern: Pattern) -> Result<ToxicSpec, AttributeError> {
    let pattern = match given.text("command") {
        Some(name) => pattern.named(name)?,
        None => pattern,
    };
    let choice = match (given.count("nth"), given.count("every")) {
        (0, every) => Choice::Every(every.max(1)),
        (nth, 1) => Choice::Nth(nth),
        _ => {
            let what = "does not go with `every`; give one of them";
            return Err(AttributeError::wrong(given.toxic(), "nth", what));
        }
    };
    let deed = Deed::parse(given.text("then").unwrap_or("drop-reply"), given.duration("delay"))?;
    Ok(ToxicSpec::rule(Arc::new(Rule::new(pattern, choice, deed))))
}
