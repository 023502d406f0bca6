//! The name of a run on servers that it shares, and what bears it.

use std::fmt;

/// The number of digits of a name.
const DIGITS: usize = 16;
/// What every key, schema and session of a run begins with.
const HOUSE: &str = "lockproof";
/// `PostgreSQL` cuts longer names off, in silence.
const SCHEMA_LENGTH: usize = 63;

/// A run, told apart from every other by 64 random bits, which are no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RunId(pub(super) u64);

impl RunId {
    pub(super) fn draw() -> Self {
        Self(lockproof_env::live::entropy())
    }

    /// What its keys begin with.
    pub(super) fn keys(self) -> String {
        format!("{HOUSE}:{self}:")
    }

    /// What the keys of its cell called `cell` begin with: a number, a dash, a name.
    pub(super) fn keys_of(self, cell: &str) -> String {
        format!("{HOUSE}:{self}:{cell}:")
    }

    /// What every run's keys begin with, and perhaps keys of others.
    pub(super) fn keys_of_all() -> String {
        format!("{HOUSE}:")
    }

    /// The run that `key` is of: `lockproof:<16 digits>:<number>-<name>:{<lock>}…`, and nothing else.
    pub(super) fn of_key(key: &[u8]) -> Option<Self> {
        let key = std::str::from_utf8(key).ok()?;
        let rest = key.strip_prefix(HOUSE)?.strip_prefix(':')?;
        let (id, rest) = Self::at_start(rest)?;
        let (cell, lock) = rest.strip_prefix(':')?.split_once(":{")?;
        let (number, name) = cell.split_once('-')?;
        (is_number(number) && is_word(name, '-') && lock.contains('}')).then_some(id)
    }

    /// The schema of its cell called `cell`.
    pub(super) fn schema_of(self, cell: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        let cell: String = cell.chars().map(plain).collect();
        let mut schema = format!("{HOUSE}_{self}_{cell}");
        schema.truncate(SCHEMA_LENGTH);
        schema
    }

    /// The run that `schema` is of: `lockproof_<16 digits>_<number>_<name>`, and nothing else.
    pub(super) fn of_schema(schema: &str) -> Option<Self> {
        let rest = schema.strip_prefix(HOUSE)?.strip_prefix('_')?;
        let (id, rest) = Self::at_start(rest)?;
        let (number, name) = rest.strip_prefix('_')?.split_once('_')?;
        (is_number(number) && is_word(name, '_')).then_some(id)
    }

    /// What its session on a server is called, by which others know that it lives.
    pub(super) fn session(self) -> String {
        format!("{HOUSE}-run-{self}")
    }

    /// The run that a session so called is of.
    pub(super) fn of_session(name: &str) -> Option<Self> {
        let (id, rest) = Self::at_start(name.strip_prefix(HOUSE)?.strip_prefix("-run-")?)?;
        rest.is_empty().then_some(id)
    }

    fn at_start(text: &str) -> Option<(Self, &str)> {
        let (digits, rest) = text.split_at_checked(DIGITS)?;
        let hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        let id =
            digits.chars().all(hexadecimal).then(|| u64::from_str_radix(digits, 16).ok())??;
        Some((Self(id), rest))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$x}", self.0)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

fn is_word(text: &str, between: char) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == between)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: RunId = RunId(0x0123_4567_89ab_cdef);

    #[test]
    fn what_a_run_makes_is_known_as_its_own() {
        let key = format!("{}{{slot-1}}:fence", ID.keys_of("12-holder-paused"));
        assert_eq!(key, "lockproof:0123456789abcdef:12-holder-paused:{slot-1}:fence");
        assert_eq!(RunId::of_key(key.as_bytes()), Some(ID));
        let schema = ID.schema_of("12-holder-paused-past-ttl-under-a-long-name-that-goes-on");
        assert_eq!((schema.len(), RunId::of_schema(&schema)), (63, Some(ID)));
        assert_eq!(RunId::of_session(&ID.session()), Some(ID));
    }

    #[test]
    fn what_others_make_is_not() {
        for key in [
            "lockproof:mine",
            "lockproof:",
            "lockproof:{slot-1}",
            "booking_lock:0123456789abcdef:1-x:{slot-1}",
            "lockproof:0123456789abcdef",
            "lockproof:0123456789abcdef:mine",
            "lockproof:0123456789abcdef:1-x:",
            "lockproof:0123456789abcdef:x:{slot-1}",
            "lockproof:0123456789ABCDEF:1-x:{slot-1}",
            "lockproof:0123456789abcde:1-x:{slot-1}",
            "lockproof:0123456789abcdef0:1-x:{slot-1}",
            "lockproof:+123456789abcdef:1-x:{slot-1}",
            "lockproof:0123456789abcdéf:1-x:{slot-1}",
            "my:lockproof:0123456789abcdef:1-x:{slot-1}",
        ] {
            assert_eq!(RunId::of_key(key.as_bytes()), None, "{key}");
        }
        assert_eq!(RunId::of_key(b"lockproof:\xff\xfe"), None);
        for schema in [
            "lockproof",
            "lockproof_mine",
            "lockproof_0123456789abcdef",
            "lockproof_0123456789abcdef_mine",
            "lockproof_0123456789abcdef_1_MINE",
            "lockproof_0123456789abcdeg_1_x",
            "my_lockproof_0123456789abcdef_1_x",
        ] {
            assert_eq!(RunId::of_schema(schema), None, "{schema}");
        }
        assert_eq!(RunId::of_session("lockproof-run-0123456789abcdef-2"), None);
    }
}
