//! What a sequence is made of.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::templates::{FAMILIES, SETS_OF_WORDS, TRANSACTIONS};

/// Connections that run random commands.
pub(crate) const CONNECTIONS: usize = 3;

/// One step of both servers.
#[derive(Clone)]
pub(crate) enum Action {
    /// A command on one of the connections.
    Command { connection: usize, words: Vec<Vec<u8>> },
    /// A key that exists ends, by its expiry and not by a command.
    Expire { key: Vec<u8> },
}

/// As a person would type it, so that a failure can be read.
impl std::fmt::Debug for Action {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command { connection, words } => write!(out, "{connection}: {}", line(words)),
            Self::Expire { key } => write!(out, "expire {}", key.escape_ascii()),
        }
    }
}

/// The words of a command, escaped.
pub(crate) fn line(words: &[Vec<u8>]) -> String {
    words.iter().map(|word| word.escape_ascii().to_string()).collect::<Vec<_>>().join(" ")
}

/// Sequences of up to `most` actions.
pub(crate) fn sequence(most: usize) -> impl Strategy<Value = Vec<Action>> {
    (0..FAMILIES.len(), 0..FAMILIES.len(), vec(draft(), 1..most)).prop_map(
        |(first, second, drafts)| {
            let mut connection = 0;
            drafts
                .iter()
                .map(|draft| {
                    connection = draft.connection.unwrap_or(connection);
                    draft.action(FAMILIES[first], FAMILIES[second], connection)
                })
                .collect()
        },
    )
}

/// An action before it is known what its sequence is about.
#[derive(Debug, Clone)]
struct Draft {
    /// None: that of the action before.
    connection: Option<usize>,
    topic: Topic,
    template: usize,
    choices: Vec<u16>,
    spoiling: Spoiling,
}

#[derive(Debug, Clone, Copy)]
enum Topic {
    First,
    Second,
    Transaction,
    Any(usize),
    Expiry,
}

/// How a well-formed command is spoiled.
#[derive(Debug, Clone)]
enum Spoiling {
    None,
    DropLast,
    Repeat(usize),
    Append(usize),
}

fn draft() -> impl Strategy<Value = Draft> {
    let connection = prop_oneof![3 => Just(None), 2 => (0..CONNECTIONS).prop_map(Some)];
    let topic = prop_oneof![
        16 => Just(Topic::First),
        10 => Just(Topic::Second),
        10 => Just(Topic::Transaction),
        3 => (0..FAMILIES.len()).prop_map(Topic::Any),
        1 => Just(Topic::Expiry),
    ];
    let spoiling = prop_oneof![
        60 => Just(Spoiling::None),
        1 => Just(Spoiling::DropLast),
        1 => (0..6_usize).prop_map(Spoiling::Repeat),
        1 => (0..SETS_OF_WORDS.len()).prop_map(Spoiling::Append),
    ];
    (connection, topic, any::<u16>(), vec(any::<u16>(), 8), spoiling).prop_map(
        |(connection, topic, template, choices, spoiling)| {
            let template = usize::from(template);
            Draft { connection, topic, template, choices, spoiling }
        },
    )
}

impl Draft {
    fn action(&self, first: &[&str], second: &[&str], connection: usize) -> Action {
        let templates = match self.topic {
            Topic::First => first,
            Topic::Second => second,
            Topic::Transaction => TRANSACTIONS,
            Topic::Any(family) => FAMILIES[family],
            Topic::Expiry => return Action::Expire { key: vec![b"aab"[self.template % 3]] },
        };
        let mut words = fill(templates[self.template % templates.len()], &self.choices);
        // Other words would ask for settings that the model does not have, or for an order of
        // channels and patterns that Redis does not promise.
        if words[0] != b"CONFIG" && !words[0].ends_with(b"SUBSCRIBE") {
            self.spoiling.apply(&mut words);
        }
        Action::Command { connection, words }
    }
}

impl Spoiling {
    fn apply(&self, words: &mut Vec<Vec<u8>>) {
        match self {
            Self::DropLast if words.len() > 1 => drop(words.pop()),
            Self::None | Self::DropLast => {}
            Self::Repeat(place) => words.push(words[place % words.len()].clone()),
            Self::Append(set) => words.push(SETS_OF_WORDS[*set].1[0].as_bytes().to_vec()),
        }
    }
}

/// Replaces each `{name}` of a template by one of the words of that name. Templates that contain
/// spaces in a word are written with `|` between words.
pub(crate) fn fill(template: &str, choices: &[u16]) -> Vec<Vec<u8>> {
    let separator = if template.contains('|') { '|' } else { ' ' };
    let mut choices = choices.iter().cycle();
    let fill_word =
        |word: &str| match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
            Some(name) => {
                let set = SETS_OF_WORDS.iter().find(|(known, _)| *known == name);
                let (_, words) = set.unwrap_or_else(|| panic!("no words are called {name}"));
                let choice = usize::from(*choices.next().expect("it is a cycle"));
                words[choice % words.len()].as_bytes().to_vec()
            }
            None => word.as_bytes().to_vec(),
        };
    template.split(separator).map(fill_word).collect()
}
