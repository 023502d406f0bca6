//! Random plain scripts, held against the machine.

use bytes::Bytes;
use proptest::prelude::*;

use super::Plain;
use super::lexer::LONGEST;
use crate::{Options, Reply, Server, WallClock};

/// What makes any script the machine's, and changes nothing else of it.
const NOT_PLAIN: &str = "local unused = 1 + 1 ";

fn value() -> BoxedStrategy<String> {
    let simple = prop_oneof![
        Just("nil".to_owned()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        (0_u64..20).prop_map(|number| number.to_string()),
        Just("123456789012345".to_owned()),
        prop::sample::select(vec!["''", "'1'", "\"x\"", "'OK'"]).prop_map(str::to_owned),
        (0_usize..4).prop_map(|index| format!("KEYS[{index}]")),
        (0_usize..4).prop_map(|index| format!("ARGV[{index}]")),
        prop::sample::select(vec!["a", "b"]).prop_map(str::to_owned),
    ];
    simple
        .prop_recursive(3, 12, 3, |inner: BoxedStrategy<String>| {
            prop_oneof![
                inner.clone().prop_map(|value| format!("not {value}")),
                inner.clone().prop_map(|value| format!("({value})")),
                (inner.clone(), operator(), inner.clone())
                    .prop_map(|(one, operator, other)| format!("{one} {operator} {other}")),
                call(inner),
            ]
        })
        .boxed()
}

fn operator() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["==", "~=", "and", "or"])
}

fn call(word: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let one = prop::sample::select(vec![
        "get", "DEL", "incr", "exists", "PTTL", "type", "hlen", "persist",
    ]);
    let two = prop::sample::select(vec!["setnx", "PEXPIRE", "incrby", "SET", "hget"]);
    prop_oneof![
        (one, word.clone()).prop_map(|(name, word)| format!("redis.call('{name}', {word})")),
        (two, word.clone(), word.clone())
            .prop_map(|(name, one, other)| format!("redis.call('{name}', {one},\n{other})")),
        (word.clone(), word.clone(), word).prop_map(|(key, value, ttl)| {
            format!("redis.call('SET', {key}, {value}, 'NX', 'PX', {ttl})")
        }),
    ]
}

fn block(statement: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let end = prop::option::of(prop::option::of(value()));
    (prop::collection::vec(statement, 0..4), end).prop_map(|(statements, end)| {
        let end = match end {
            None => String::new(),
            Some(None) => " return".to_owned(),
            Some(Some(value)) => format!(" return {value}"),
        };
        format!("{}{end}", statements.join("; "))
    })
}

fn script() -> impl Strategy<Value = String> {
    let simple = prop_oneof![
        call(value()),
        (prop::sample::select(vec!["a", "b"]), value())
            .prop_map(|(name, value)| format!("{name} = {value}")),
        value().prop_map(|value| format!("local a = {value}")),
    ];
    let statement = simple.prop_recursive(2, 8, 3, |inner| {
        (value(), block(inner.clone()), value(), block(inner.clone()), block(inner)).prop_map(
            |(one, then, other, instead, otherwise)| {
                format!("if {one} then {then} elseif {other} then {instead} -- so\n else {otherwise} end")
            },
        )
    });
    (value(), block(statement))
        .prop_map(|(first, block)| format!("local a = 1 local b = 'x'\nlocal a = {first}\n{block}"))
}

/// What the script answers, and what is there then.
fn run(source: &str, words: &[&str]) -> Vec<Reply> {
    let mut server = Server::new(Options::default());
    let mut session = server.open_session();
    let now = WallClock::from_unix_nanos(1_000_000_000_000_000_000);
    let mut execute = |words: &[&str]| {
        let words: Vec<_> =
            words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        server.execute(&mut session, &words, now).into_reply()
    };
    execute(&["SET", "k1", "x"]);
    execute(&["HSET", "k2", "x", "1"]);
    let mut replies = vec![without_digest(execute(&[&["EVAL", source], words].concat()))];
    for key in ["k1", "k2", "k3", "x", "1", ""] {
        replies.extend([execute(&["TYPE", key]), execute(&["PTTL", key]), execute(&["GET", key])]);
    }
    replies
}

/// An error names its script by the digest of its text, in which the two differ.
fn without_digest(reply: Reply) -> Reply {
    let Reply::Error(text) = &reply else { return reply };
    let text = String::from_utf8_lossy(text).into_owned();
    match text.split_once(" script: ") {
        Some((before, after)) => Reply::error(format!(
            "{before} on {}",
            after.rsplit(", on ").next().unwrap_or_default()
        )),
        None => reply,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_plain_script_means_what_the_machine_says(source in script()) {
        // A few come out longer than a plain script may be.
        prop_assume!(source.len() <= LONGEST);
        prop_assert!(Plain::read(source.as_bytes()).is_some(), "not plain: {source}");
        let machine = format!("{NOT_PLAIN}{source}");
        prop_assert!(Plain::read(machine.as_bytes()).is_none());
        let words = ["3", "k1", "k2", "k3", "x", "60000", "7"];
        prop_assert_eq!(run(&source, &words), run(&machine, &words));
    }
}
