//! The command table, and the way from a client's words to a handler.
//!
//! A command is one line of [`FAMILIES`]' slices and one function. A family (SCRIPT, CLIENT) has a
//! table of its own below its name.

mod auth;
mod blocking;
mod call;
mod config;
mod connection;
mod describe;
mod dispatch;
mod expiry;
mod hashes;
mod hello;
mod keys;
mod lists;
mod object;
mod pubsub;
mod scan;
mod scripting;
mod server;
mod sets;
mod sorted_sets;
mod string_expiry;
mod string_set;
mod strings;
mod transactions;
mod zadd;
mod zrange;

use std::sync::LazyLock;

use bytes::Bytes;

use crate::reply::{Outcome, Refusal};
pub(crate) use call::{Call, Special};
pub(crate) use dispatch::{Answer, execute};

/// The tables of all families, in the order of the documentation.
const FAMILIES: &[&[Command]] = &[
    connection::COMMANDS,
    auth::COMMANDS,
    server::COMMANDS,
    describe::COMMANDS,
    config::COMMANDS,
    strings::COMMANDS,
    string_expiry::COMMANDS,
    keys::COMMANDS,
    object::COMMANDS,
    expiry::COMMANDS,
    hashes::COMMANDS,
    sets::COMMANDS,
    sorted_sets::COMMANDS,
    zadd::COMMANDS,
    zrange::COMMANDS,
    lists::COMMANDS,
    blocking::COMMANDS,
    transactions::COMMANDS,
    pubsub::COMMANDS,
    scripting::COMMANDS,
];

/// One command, as COMMAND INFO describes it.
#[derive(Debug)]
pub(crate) struct Command {
    /// In lower case; a subcommand's is the whole, `script|load`.
    pub(crate) name: &'static str,
    /// Words including the name; negative: at least so many.
    pub(crate) arity: i32,
    pub(crate) flags: Flags,
    pub(crate) keys: KeyPositions,
    pub(crate) run: Run,
}

/// What carries a command out.
#[derive(Debug)]
pub(crate) enum Run {
    /// Gets all words, the name first; the table has checked their number.
    Handler(fn(&mut Call<'_>, &[Bytes]) -> Outcome),
    /// The second word chooses.
    Family(&'static [Command]),
}

/// Properties of a command that the dispatcher acts upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(u16);

impl Flags {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const WRITE: Self = Self(1);
    pub(crate) const READONLY: Self = Self(1 << 1);
    pub(crate) const NOSCRIPT: Self = Self(1 << 2);
    pub(crate) const FAST: Self = Self(1 << 3);
    /// Allowed before the password has been given.
    pub(crate) const NO_AUTH: Self = Self(1 << 4);
    /// Carried out inside a transaction instead of waiting for EXEC.
    pub(crate) const UNQUEUED: Self = Self(1 << 5);
    /// Allowed to a client of RESP2 that listens.
    pub(crate) const LISTENING: Self = Self(1 << 6);
    /// Refused inside a transaction.
    pub(crate) const NO_MULTI: Self = Self(1 << 7);
    pub(crate) const BLOCKING: Self = Self(1 << 8);
    pub(crate) const PUBSUB: Self = Self(1 << 9);
    pub(crate) const ADMIN: Self = Self(1 << 10);
    pub(crate) const WRITE_FAST: Self = Self::WRITE.and(Self::FAST);
    pub(crate) const READONLY_FAST: Self = Self::READONLY.and(Self::FAST);
    pub(crate) const READONLY_NOSCRIPT: Self = Self::READONLY.and(Self::NOSCRIPT);

    /// Those that COMMAND INFO lists.
    const NAMES: [(Self, &'static str); 8] = [
        (Self::WRITE, "write"),
        (Self::READONLY, "readonly"),
        (Self::ADMIN, "admin"),
        (Self::PUBSUB, "pubsub"),
        (Self::NOSCRIPT, "noscript"),
        (Self::BLOCKING, "blocking"),
        (Self::FAST, "fast"),
        (Self::NO_AUTH, "no_auth"),
    ];

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags' names, as COMMAND INFO lists them.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| *name)
    }
}

/// Which words are keys: the first, the last (negative: from the end) and the step between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyPositions {
    pub(crate) first: i32,
    pub(crate) last: i32,
    pub(crate) step: i32,
}

impl KeyPositions {
    pub(crate) const NONE: Self = Self { first: 0, last: 0, step: 0 };
    pub(crate) const FIRST: Self = Self { first: 1, last: 1, step: 1 };
    pub(crate) const ALL: Self = Self { first: 1, last: -1, step: 1 };
    /// Keys and values by turns.
    pub(crate) const PAIRS: Self = Self { first: 1, last: -1, step: 2 };
    pub(crate) const FIRST_TWO: Self = Self { first: 1, last: 2, step: 1 };
    /// All but a timeout at the end.
    pub(crate) const ALL_BUT_LAST: Self = Self { first: 1, last: -2, step: 1 };
}

impl Command {
    const fn new(
        name: &'static str,
        arity: i32,
        flags: Flags,
        keys: KeyPositions,
        handler: fn(&mut Call<'_>, &[Bytes]) -> Outcome,
    ) -> Self {
        Self { name, arity, flags, keys, run: Run::Handler(handler) }
    }

    const fn family(name: &'static str, subcommands: &'static [Self]) -> Self {
        let run = Run::Family(subcommands);
        Self { name, arity: -2, flags: Flags::NONE, keys: KeyPositions::NONE, run }
    }

    pub(crate) const fn accepts(&self, words: usize) -> bool {
        let least = self.arity.unsigned_abs() as usize;
        if self.arity < 0 { words >= least } else { words == least }
    }

    pub(crate) fn wrong_arity(&self) -> Refusal {
        Refusal::new(format!("ERR wrong number of arguments for '{}' command", self.name))
    }
}

/// What carries one command out.
pub(crate) type Handler = fn(&mut Call<'_>, &[Bytes]) -> Outcome;

/// Why words are not a command.
#[derive(Debug)]
pub(crate) enum Unresolved {
    Unknown,
    UnknownSubcommand,
    WrongArity(&'static Command),
}

impl Unresolved {
    /// The refusal as a client reads it; a script gets other words.
    fn describe(&self, words: &[Bytes]) -> Refusal {
        match self {
            Self::WrongArity(command) => command.wrong_arity(),
            Self::Unknown => unknown_command(words),
            Self::UnknownSubcommand => unknown_subcommand(words),
        }
    }
}

/// Finds the command that `words` call, and its handler.
pub(crate) fn resolve(words: &[Bytes]) -> Result<(&'static Command, Handler), Unresolved> {
    let command = words.first().and_then(|name| find(name)).ok_or(Unresolved::Unknown)?;
    if !command.accepts(words.len()) {
        return Err(Unresolved::WrongArity(command));
    }
    let subcommands = match command.run {
        Run::Handler(handler) => return Ok((command, handler)),
        Run::Family(subcommands) => subcommands,
    };
    let chosen = subcommands.iter().find(|subcommand| {
        let own_name = &subcommand.name.as_bytes()[command.name.len() + 1..];
        own_name.eq_ignore_ascii_case(&words[1])
    });
    match chosen {
        Some(subcommand) if !subcommand.accepts(words.len()) => {
            Err(Unresolved::WrongArity(subcommand))
        }
        None | Some(Command { run: Run::Family(_), .. }) => Err(Unresolved::UnknownSubcommand),
        Some(subcommand @ Command { run: Run::Handler(handler), .. }) => Ok((subcommand, *handler)),
    }
}

/// The command of that name, in any case.
pub(crate) fn find(name: &[u8]) -> Option<&'static Command> {
    static BY_NAME: LazyLock<Vec<Option<&'static Command>>> = LazyLock::new(|| {
        let mut places = vec![None; PLACES];
        for command in all() {
            let mut place = place_of(command.name.as_bytes());
            while places[place].is_some() {
                place = (place + 1) % PLACES;
            }
            places[place] = Some(command);
        }
        places
    });
    let mut place = place_of(name);
    // A gap ends the search, and there are many.
    while let Some(command) = BY_NAME[place] {
        if command.name.as_bytes().eq_ignore_ascii_case(name) {
            return Some(command);
        }
        place = (place + 1) % PLACES;
    }
    None
}

/// Several times as many as there are commands.
const PLACES: usize = 1_024;

/// Where to look for a name first, in any case: its length and a few of its letters.
fn place_of(name: &[u8]) -> usize {
    let letter = |place: usize| usize::from(name.get(place).map_or(0, u8::to_ascii_lowercase));
    let last = letter(name.len().saturating_sub(1));
    (letter(0) + letter(1) * 31 + letter(2) * 961 + last * 131 + name.len() * 7) % PLACES
}

/// All commands, in the order of the documentation.
pub(crate) fn all() -> impl Iterator<Item = &'static Command> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// As in Redis, no more of the arguments is repeated than 128 bytes.
fn unknown_command(words: &[Bytes]) -> Refusal {
    const SHOWN_MAX: usize = 128;
    let clipped = |word: &Bytes, room: usize| word.slice(..word.len().min(room));
    let name = words.first().cloned().unwrap_or_default();
    let mut shown = Vec::new();
    for word in words.iter().skip(1) {
        if shown.len() >= SHOWN_MAX {
            break;
        }
        let room = SHOWN_MAX - shown.len();
        shown.push(b'\'');
        shown.extend_from_slice(&clipped(word, room));
        shown.extend_from_slice(b"' ");
    }
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(&clipped(&name, SHOWN_MAX));
    text.extend_from_slice(b"', with args beginning with: ");
    text.extend_from_slice(&shown);
    Refusal::new(text)
}

fn unknown_subcommand(words: &[Bytes]) -> Refusal {
    const SHOWN_MAX: usize = 128;
    let mut text = b"ERR unknown subcommand '".to_vec();
    text.extend_from_slice(&words[1][..words[1].len().min(SHOWN_MAX)]);
    text.extend_from_slice(b"'. Try ");
    text.extend_from_slice(&words[0].to_ascii_uppercase());
    text.extend_from_slice(b" HELP.");
    Refusal::new(text)
}
