//! What a key holds.

mod score;
mod sorted_set;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use crate::number::parse_integer;
use crate::reply::Refusal;
pub(crate) use score::Score;
pub(crate) use sorted_set::{Edge, ScoreRange, SortedSet};

/// Fields and their values, by name: an order that Redis does not promise, but one that lasts.
pub(crate) type Hash = BTreeMap<Bytes, Bytes>;
/// Members by name.
pub(crate) type Set = BTreeSet<Bytes>;
/// Elements from the left to the right.
pub(crate) type List = VecDeque<Bytes>;

/// What a key holds.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    String(Bytes),
    Hash(Hash),
    Set(Set),
    SortedSet(SortedSet),
    List(List),
}

impl Value {
    /// The word that TYPE answers.
    pub(crate) const fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Hash(_) => "hash",
            Self::Set(_) => "set",
            Self::SortedSet(_) => "zset",
            Self::List(_) => "list",
        }
    }

    /// The word that OBJECT ENCODING answers, by Redis' default limits. The model stores all sizes
    /// alike, and a value that has shrunk counts by what it is now.
    pub(crate) fn encoding(&self) -> &'static str {
        const SHORT: usize = 64;
        const FEW: usize = 128;
        match self {
            Self::String(text) if parse_integer(text).is_some() => "int",
            Self::String(text) if text.len() <= 44 => "embstr",
            Self::String(_) => "raw",
            Self::Hash(hash) => {
                let short =
                    |(field, value): (&Bytes, &Bytes)| field.len().max(value.len()) <= SHORT;
                if hash.len() <= 512.max(FEW) && hash.iter().all(short) {
                    "listpack"
                } else {
                    "hashtable"
                }
            }
            Self::Set(set) => {
                let numbers = set.iter().all(|member| parse_integer(member).is_some());
                if numbers && set.len() <= 512 { "intset" } else { "hashtable" }
            }
            Self::SortedSet(set) => {
                let short = set.iter().all(|(_, member)| member.len() <= SHORT);
                if short && set.len() <= FEW { "listpack" } else { "skiplist" }
            }
            Self::List(_) => "quicklist",
        }
    }

    /// Bytes of the data itself.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
            Self::Hash(hash) => hash.iter().map(|(field, value)| field.len() + value.len()).sum(),
            Self::Set(set) => set.iter().map(Bytes::len).sum(),
            Self::SortedSet(set) => set.iter().map(|(_, member)| member.len() + 8).sum(),
            Self::List(list) => list.iter().map(Bytes::len).sum(),
        }
    }

    /// Whether nothing is left inside: such a key goes away. An empty string is something.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::String(_) => false,
            Self::Hash(hash) => hash.is_empty(),
            Self::Set(set) => set.is_empty(),
            Self::SortedSet(set) => set.len() == 0,
            Self::List(list) => list.is_empty(),
        }
    }
}

/// One type of value; every other type is refused in Redis' words.
pub(crate) trait Kind: Default {
    fn view(value: &Value) -> Result<&Self, Refusal>;
    fn view_mut(value: &mut Value) -> Result<&mut Self, Refusal>;
    fn into_value(self) -> Value;
}

macro_rules! kind {
    ($variant:ident($inner:ty)) => {
        impl Kind for $inner {
            fn view(value: &Value) -> Result<&Self, Refusal> {
                match value {
                    Value::$variant(inner) => Ok(inner),
                    _ => Err(Refusal::WRONG_TYPE),
                }
            }

            fn view_mut(value: &mut Value) -> Result<&mut Self, Refusal> {
                match value {
                    Value::$variant(inner) => Ok(inner),
                    _ => Err(Refusal::WRONG_TYPE),
                }
            }

            fn into_value(self) -> Value {
                Value::$variant(self)
            }
        }
    };
}

kind!(String(Bytes));
kind!(Hash(Hash));
kind!(Set(Set));
kind!(SortedSet(SortedSet));
kind!(List(List));
