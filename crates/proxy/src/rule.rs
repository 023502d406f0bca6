//! What happens to which requests: rules.

mod glob;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::follow::{KeysRead, MESSAGES, Protocol, Request, RespRequests, VERBS, redis_commands};
use glob::Glob;

/// Something that happens to requests, or to the replies to them, that it names.
///
/// Requests are counted in the order in which they come, over every connection of every proxy that has the rule. Where
/// several rules want something of one request, the one that was added first has it.
#[derive(Debug)]
pub struct Rule {
    pattern: Pattern,
    choice: Choice,
    deed: Deed,
    /// How many requests were such.
    seen: Arc<AtomicU64>,
    loses_next_reply: bool,
}

/// Which requests are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    protocol: Protocol,
    name: Option<Name>,
    key: Option<Glob>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    /// A command of Redis.
    Command(&'static str),
    /// A message of Postgres.
    Message(&'static str),
    /// What a statement of Postgres begins with, wherever it is carried out.
    Verb(&'static str),
}

/// A request, for [`Pattern::means`].
#[derive(Clone, Copy, Debug)]
pub enum Spoken<'a> {
    /// The words of a command.
    Redis(&'a [&'a [u8]]),
    /// What a statement begins with.
    Postgres(&'a str),
}

/// Which of the requests that are meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// Each `n`th; 0 is the same as 1.
    Every(u64),
    /// The `n`th alone, counted from 1.
    Nth(u64),
    /// Each with this probability.
    Probability(f64),
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The request arrives this much later, and what comes after it no earlier.
    Delay(Duration),
    /// The request, and what comes after it, arrives when the rule is removed.
    Hold,
    /// The reply arrives this much later.
    DelayReply(Duration),
    /// The reply arrives when the rule is removed.
    HoldReply,
    /// The request never arrives, and the connection closes.
    DropRequest,
    /// The request is carried out, its reply never arrives, and the connection closes.
    DropReply,
    /// The request never arrives, and the connection is reset.
    Reset,
    /// The request arrives twice, its second reply not at all. Of Postgres, a Query alone can.
    Duplicate,
}

impl Deed {
    /// Every spelling.
    pub const SPELLINGS: [&'static str; 8] = [
        "delay",
        "hold",
        "delay-reply",
        "hold-reply",
        "drop-request",
        "drop-reply",
        "reset",
        "duplicate",
    ];

    /// The deed of that spelling; the delays take `by`.
    ///
    /// # Errors
    ///
    /// When it is none, or a delay by nothing.
    pub fn parse(spelling: &str, by: Duration) -> Result<Self, RuleError> {
        let delayed = |deed: fn(Duration) -> Self| {
            let lack = || RuleError::new("then", format!("`{spelling}` by how much? say `delay`"));
            (!by.is_zero()).then(|| deed(by)).ok_or_else(lack)
        };
        match spelling {
            "delay" => delayed(Self::Delay),
            "delay-reply" => delayed(Self::DelayReply),
            "hold" => Ok(Self::Hold),
            "hold-reply" => Ok(Self::HoldReply),
            "drop-request" => Ok(Self::DropRequest),
            "drop-reply" => Ok(Self::DropReply),
            "reset" => Ok(Self::Reset),
            "duplicate" => Ok(Self::Duplicate),
            _ => Err(RuleError::new(
                "then",
                format!(
                    "`{spelling}` is nothing that can be done{}; available: {}",
                    meant(spelling, Self::SPELLINGS),
                    Self::SPELLINGS.join(", ")
                ),
            )),
        }
    }
}

impl Pattern {
    /// Every request.
    #[must_use]
    pub const fn any(protocol: Protocol) -> Self {
        Self { protocol, name: None, key: None }
    }

    /// Only those called so: a command of Redis, in whatever case; of Postgres a message (`Query`, `Parse`, `Execute`
    /// …), as the protocol's documentation spells it, or what a statement begins with (`COMMIT`), in whatever case.
    ///
    /// # Errors
    ///
    /// There are none such, or they name no key and the pattern has one.
    pub fn named(self, name: &str) -> Result<Self, RuleError> {
        let known = match self.protocol {
            Protocol::Redis => {
                redis_commands::find(name.as_bytes()).map(|command| Name::Command(command.name))
            }
            Protocol::Postgres => {
                let message = MESSAGES.into_iter().find(|message| *message == name);
                let verb = || VERBS.into_iter().find(|verb| verb.eq_ignore_ascii_case(name));
                message.map(Name::Message).or_else(|| verb().map(Name::Verb))
            }
        };
        let unknown = || {
            let upper = name.to_ascii_uppercase();
            let (what, meant) = match self.protocol {
                Protocol::Redis => ("command of Redis 7", meant(&upper, redis_commands::names())),
                Protocol::Postgres => ("message or statement of Postgres", meant(&upper, VERBS)),
            };
            RuleError::new("command", format!("`{name}` is no {what}{meant}"))
        };
        Self { name: Some(known.ok_or_else(unknown)?), ..self }.checked()
    }

    /// Only those with a key like this: `*`, `?`, `[abc]` and `\` as in Redis.
    ///
    /// # Errors
    ///
    /// Requests of this name, or of this protocol, have no keys.
    pub fn with_key(self, glob: &str) -> Result<Self, RuleError> {
        Self { key: Some(Glob::new(glob)), ..self }.checked()
    }

    fn checked(self) -> Result<Self, RuleError> {
        let has_none = match self.name {
            _ if self.key.is_none() => return Ok(self),
            _ if self.protocol == Protocol::Postgres => "a request of Postgres",
            Some(Name::Command(name))
                if redis_commands::find(name.as_bytes())
                    .is_some_and(|command| command.keys == redis_commands::Keys::None) =>
            {
                name
            }
            _ => return Ok(self),
        };
        Err(RuleError::new("key", format!("{has_none} has no key, so this rule could never match")))
    }

    /// Whether it names a message of Postgres by its kind: only where messages are bytes there are such.
    #[must_use]
    pub const fn names_message(&self) -> bool {
        matches!(self.name, Some(Name::Message(_)))
    }

    /// What it means, for people: `SET seat:*`.
    #[must_use]
    pub fn label(&self) -> String {
        let name = match self.name {
            Some(Name::Command(name) | Name::Message(name) | Name::Verb(name)) => name,
            None => "any request",
        };
        match &self.key {
            Some(key) => format!("{name} {}", key.as_str()),
            None => name.to_owned(),
        }
    }

    /// Whether this request is meant; for a world in which messages are not bytes.
    #[must_use]
    pub fn means(&self, request: Spoken<'_>) -> bool {
        match request {
            Spoken::Redis(words) => {
                let mut requests = RespRequests::default();
                let whole = requests.read(words);
                self.protocol == Protocol::Redis && whole && self.matches(&requests.request())
            }
            Spoken::Postgres(statement) => {
                let verb = VERBS.into_iter().find(|verb| verb.eq_ignore_ascii_case(statement));
                let keys = &KeysRead::default();
                let (name, sets_up, begins, ends) = ("Query", false, true, true);
                let query = Request { name, verb, keys, sets_up, begins, ends };
                self.protocol == Protocol::Postgres && self.matches(&query)
            }
        }
    }

    fn matches(&self, request: &Request<'_>) -> bool {
        let name = match self.name {
            None => !request.sets_up,
            Some(Name::Command(name) | Name::Message(name)) => request.name == name,
            // Parse and Bind only prepare it.
            Some(Name::Verb(verb)) => {
                request.verb == Some(verb) && matches!(request.name, "Query" | "Execute")
            }
        };
        name && self
            .key
            .as_ref()
            .is_none_or(|key| request.keys.iter().any(|word| key.matches(word)))
    }
}

impl Choice {
    /// Whether request number `count` is chosen, counted from 1; `draw` is uniform in 0..1.
    pub fn chooses(self, count: u64, draw: impl FnOnce() -> f64) -> bool {
        match self {
            Self::Every(n) => count.is_multiple_of(n.max(1)),
            Self::Nth(n) => count == n,
            Self::Probability(p) => draw() < p,
        }
    }
}

impl Rule {
    /// Does this to the requests of that pattern that are chosen.
    #[must_use]
    pub fn new(pattern: Pattern, choice: Choice, deed: Deed) -> Self {
        Self { pattern, choice, deed, seen: Arc::default(), loses_next_reply: false }
    }

    /// Counts requests together with another rule: what the other one has seen counts for this one, too.
    #[must_use]
    pub fn counting_with(self, other: &Self) -> Self {
        Self { seen: Arc::clone(&other.seen), ..self }
    }

    /// Loses one reply: the next that comes, be its request under way already or not.
    #[must_use]
    pub fn lose_next_reply(protocol: Protocol) -> Self {
        let rule = Self::new(Pattern::any(protocol), Choice::Nth(1), Deed::DropReply);
        Self { loses_next_reply: true, ..rule }
    }

    /// Its name in the catalog.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.protocol() {
            Protocol::Redis => "redis_rule",
            Protocol::Postgres => "postgres_rule",
        }
    }

    /// Whose requests it reads.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        self.pattern.protocol
    }

    /// What it does.
    #[must_use]
    pub const fn deed(&self) -> Deed {
        self.deed
    }

    /// Whether it wants to be shown a request under way, and is still free to lose its reply.
    pub(crate) fn wants_reply_under_way(&self) -> bool {
        self.loses_next_reply && self.seen.load(Ordering::Relaxed) == 0
    }

    /// It lost the reply to a request that was under way.
    pub(crate) fn took_reply_under_way(&self) {
        self.seen.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it names none.
    pub(crate) const fn means_any_request(&self) -> bool {
        self.pattern.name.is_none()
    }

    /// Of those that are answered together any request is one: what happens to it begins with the first message, and
    /// what happens to its reply is known with the last.
    const fn is_the_one(&self, request: &Request<'_>) -> bool {
        match self.deed {
            Deed::DelayReply(_) | Deed::HoldReply | Deed::DropReply => request.ends,
            Deed::Delay(_) | Deed::Hold | Deed::DropRequest | Deed::Reset | Deed::Duplicate => {
                request.begins
            }
        }
    }

    pub(crate) fn fires(&self, request: &Request<'_>, rng: &mut ChaCha8Rng) -> bool {
        let is_whole = self.protocol() == Protocol::Redis || request.name == "Query";
        (is_whole || self.deed != Deed::Duplicate)
            && self.pattern.matches(request)
            && (!self.means_any_request() || self.is_the_one(request))
            && self.choice.chooses(self.seen.fetch_add(1, Ordering::Relaxed) + 1, || rng.random())
    }
}

/// A rule that could never match, or is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct RuleError {
    /// Which attribute is wrong: `command`, `key` or `then`.
    pub attribute: &'static str,
    what: String,
}

impl RuleError {
    pub(crate) const fn new(attribute: &'static str, what: String) -> Self {
        Self { attribute, what }
    }
}

/// `; did you mean …?`, where one of those is near.
fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = |known: &'a str| (strsim::osa_distance(word, known), known);
    let nearest = known.into_iter().map(near).min();
    match nearest {
        Some((distance, known)) if distance <= word.len().div_ceil(3) => {
            format!("; did you mean `{known}`?")
        }
        _ => String::new(),
    }
}
