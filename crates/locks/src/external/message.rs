//! What is said between the workbench and an adapter: one JSON object a line.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The version of what is said. Raised with every change that an adapter could misunderstand.
pub const ADAPTER_PROTOCOL: u32 = 1;

/// The first line of an adapter: who it is, and what its lock can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The version that it speaks.
    pub protocol: u32,
    /// The library that it speaks for.
    pub name: String,
    /// The version of that library.
    pub version: String,
    /// Whether a lease can be made to last longer.
    pub renews: bool,
    /// Whether its grants come with fencing tokens, where they are asked for.
    pub fences: bool,
    /// A TTL is a multiple of so many milliseconds.
    pub ttl_granularity_ms: u64,
}

impl Hello {
    /// Reads the first line.
    ///
    /// # Errors
    /// A sentence: what came instead, and what was expected.
    pub fn read(line: &str) -> Result<Self, String> {
        /// Of another version nothing else is known.
        #[derive(Deserialize)]
        struct Spoken {
            protocol: u32,
        }
        let cannot = |error: serde_json::Error| {
            format!(
                "its first line is no hello ({error}): `{}`; expected {{\"protocol\":{ADAPTER_PROTOCOL},…}}",
                shortened(line)
            )
        };
        let Spoken { protocol } = serde_json::from_str(line).map_err(cannot)?;
        if protocol != ADAPTER_PROTOCOL {
            return Err(format!(
                "it speaks version {protocol} of the protocol, and this program speaks {ADAPTER_PROTOCOL}"
            ));
        }
        let hello: Self = serde_json::from_str(line).map_err(cannot)?;
        if hello.ttl_granularity_ms == 0 {
            return Err("its ttl_granularity_ms is 0; write 1 where any whole millisecond will do"
                .to_owned());
        }
        Ok(hello)
    }
}

/// What an adapter is asked. Each has a number of its own, which its answer repeats.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Connect to the servers. Takes nothing.
    Open {
        /// Its number.
        id: u64,
        /// Whom it speaks for.
        holder: u32,
        /// The Redis servers, in order.
        redis: Vec<String>,
        /// Whether each grant must come with a fencing token.
        fences: bool,
        /// How long the workbench waits for each answer.
        time_limit_ms: u64,
    },
    /// Try once to take a lock; do not wait for whoever has it.
    Acquire {
        /// Its number.
        id: u64,
        /// The lock's name.
        lock: String,
        /// The key to use on a Redis server.
        key: String,
        /// Proves ownership later.
        owner: String,
        /// How long the lock shall stand by itself.
        ttl_ms: u64,
    },
    /// Make a lease last for the TTL from now, if it still stands.
    Renew {
        /// Its number.
        id: u64,
        /// As when it was acquired.
        lock: String,
        /// As when it was acquired.
        key: String,
        /// As when it was acquired.
        owner: String,
        /// From now on.
        ttl_ms: u64,
    },
    /// Give a lock back, if it is still the owner's.
    Release {
        /// Its number.
        id: u64,
        /// As when it was acquired.
        lock: String,
        /// As when it was acquired.
        key: String,
        /// As when it was acquired.
        owner: String,
    },
    /// Undo an acquire or a release of which nobody knows what came of it; harmless when nothing did.
    Withdraw {
        /// Its number.
        id: u64,
        /// As when it was to be acquired.
        lock: String,
        /// As when it was to be acquired.
        key: String,
        /// As when it was to be acquired.
        owner: String,
    },
}

impl Request {
    /// As messages call it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Acquire { .. } => "acquire",
            Self::Renew { .. } => "renew",
            Self::Release { .. } => "release",
            Self::Withdraw { .. } => "withdraw",
        }
    }
}

/// URLs may carry passwords.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.word()).finish_non_exhaustive()
    }
}

/// What an adapter answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The number of the request.
    pub id: u64,
    /// What came of it.
    pub answer: AnswerWord,
    /// The fencing token of a grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// Why, of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Answer {
    /// Reads a line.
    ///
    /// # Errors
    /// A sentence: what came instead.
    pub fn read(line: &str) -> Result<Self, String> {
        serde_json::from_str(line)
            .map_err(|error| format!("it said what is no answer ({error}): `{}`", shortened(line)))
    }
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerWord {
    /// To open: the servers can be reached.
    Opened,
    /// To acquire: the lock is the owner's.
    Granted,
    /// To acquire: somebody else has it.
    Held,
    /// To renew: the lease lasts longer now.
    Extended,
    /// To release: it was the owner's until now.
    Released,
    /// To renew and release: it had ended before.
    Lost,
    /// To withdraw: nothing of it is left.
    Withdrawn,
    /// To any: it certainly had no effect.
    Fail,
    /// To any: nobody knows whether it had one.
    Unknown,
}

impl AnswerWord {
    /// As it is spelled.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Granted => "granted",
            Self::Held => "held",
            Self::Extended => "extended",
            Self::Released => "released",
            Self::Lost => "lost",
            Self::Withdrawn => "withdrawn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// As much of `line` as a message has room for.
fn shortened(line: &str) -> String {
    const MOST: usize = 120;
    match line.char_indices().nth(MOST) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_of_another_version_is_told_from_one_that_is_none() {
        let other = Hello::read(r#"{"protocol":2,"colour":"red"}"#).unwrap_err();
        assert_eq!(other, "it speaks version 2 of the protocol, and this program speaks 1");
        let none = Hello::read("Traceback (most recent call last):").unwrap_err();
        assert!(none.contains("no hello") && none.contains("Traceback"), "{none}");
        let lacking = Hello::read(r#"{"protocol":1,"name":"a"}"#).unwrap_err();
        assert!(lacking.contains("missing field `version`"), "{lacking}");
    }

    #[test]
    fn what_is_no_answer_is_shown_and_cut_short() {
        let error = Answer::read(&"x".repeat(1000)).unwrap_err();
        assert!(error.ends_with("x…`") && error.len() < 300, "{error}");
        let error = Answer::read(r#"{"id":1,"answer":"grnted"}"#).unwrap_err();
        assert!(error.contains("unknown variant `grnted`"), "{error}");
    }

    #[test]
    fn no_url_is_shown() {
        let redis = vec!["redis://:s3cret@host".to_owned()];
        let open = Request::Open { id: 1, holder: 1, redis, fences: false, time_limit_ms: 1 };
        assert!(!format!("{open:?}").contains("s3cret"));
    }
}

/// The examples of the document are what is said.
#[cfg(test)]
mod document {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    const DOCUMENT: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/external-lock.md"));

    /// Each line of each block that `who` speaks.
    fn examples(who: &str) -> Vec<&'static str> {
        let opening = format!("```json {who}\n");
        let blocks = DOCUMENT.split(opening.as_str()).skip(1);
        blocks.flat_map(|rest| rest.split("```").next().unwrap_or_default().lines()).collect()
    }

    fn same<T: Serialize>(read: &T, line: &str) {
        let (said, shown): (Value, Value) =
            (serde_json::to_value(read).unwrap(), serde_json::from_str(line).unwrap());
        assert_eq!(said, shown, "what is sent differs from what is shown");
    }

    #[test]
    fn every_request_is_shown_as_it_is_sent() {
        let mut words = BTreeSet::new();
        for line in examples("workbench") {
            let request: Request = serde_json::from_str(line).unwrap();
            same(&request, line);
            words.insert(request.word());
        }
        assert_eq!(words, BTreeSet::from(["open", "acquire", "renew", "release", "withdraw"]));
    }

    #[test]
    fn every_answer_is_shown_as_it_is_understood() {
        let mut words = BTreeSet::new();
        let lines = examples("adapter");
        let (hello, answers) = lines.split_first().unwrap();
        same(&Hello::read(hello).unwrap(), hello);
        for line in answers {
            let answer = Answer::read(line).unwrap();
            same(&answer, line);
            words.insert(answer.answer.word());
        }
        let all = "opened granted held extended released lost withdrawn fail unknown";
        assert_eq!(words, all.split(' ').collect());
    }
}
