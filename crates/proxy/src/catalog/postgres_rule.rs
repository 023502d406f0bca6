use super::redis_rule::{DELAY, EVERY, NTH, THEN, made};
use super::{Attribute, Entry, Value};
use crate::follow::Protocol;
use crate::rule::Pattern;

pub(super) const ENTRY: Entry = Entry {
    name: "postgres_rule",
    summary: "ours: does something to messages of Postgres by name and count, or to their replies",
    attributes: &[
        Attribute {
            name: "command",
            summary: "only such: Query, Parse, Bind, Execute, …, or what a statement begins with: COMMIT",
            default: Value::text(""),
        },
        NTH,
        EVERY,
        THEN,
        DELAY,
    ],
    make: |given| made(given, Pattern::any(Protocol::Postgres)),
};
