//! In which the two may differ: each normalisation is one line of `DIFFERENCES.md`.

use lockproof_redis_model::Reply;

/// How a command's reply is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Byte for byte.
    Exact,
    /// Redis promises no order: the elements are sorted.
    Unordered,
    /// As [`Unordered`](Self::Unordered), two elements at a time where RESP2 flattens a map.
    UnorderedPairs,
    /// A remaining or an absolute time, counted by another clock: it may be off by so much.
    Time(u64),
    /// A greeting names the connection's number.
    Greeting,
    /// The replies of these.
    Exec(Vec<Self>),
}

impl Shape {
    pub(crate) fn of(words: &[Vec<u8>]) -> Self {
        let name = words.first().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
        match name.as_slice() {
            b"keys" | b"smembers" | b"hkeys" | b"hvals" => Self::Unordered,
            b"hgetall" | b"config" => Self::UnorderedPairs,
            b"ttl" | b"expiretime" => Self::Time(2),
            b"pttl" | b"pexpiretime" => Self::Time(2_000),
            b"hello" => Self::Greeting,
            _ => Self::Exact,
        }
    }

    /// Whether the two replies say the same.
    pub(crate) fn agree(&self, model: &Reply, real: &Reply) -> bool {
        match (self, model, real) {
            (Self::Time(most), Reply::Integer(model), Reply::Integer(real)) if *real > 0 => {
                *model > 0 && model.abs_diff(*real) <= *most
            }
            (Self::Exec(shapes), Reply::Array(model), Reply::Array(real)) => {
                let mut replies = shapes.iter().zip(model).zip(real);
                model.len() == real.len()
                    && shapes.len() == real.len()
                    && replies.all(|((shape, model), real)| shape.agree(model, real))
            }
            _ => self.normalise(model.clone()) == self.normalise(real.clone()),
        }
    }

    fn normalise(&self, reply: Reply) -> Reply {
        match (self, reply) {
            (Self::Unordered, Reply::Array(mut replies)) => {
                replies.sort_by_key(|reply| format!("{reply:?}"));
                Reply::Array(replies)
            }
            (Self::Unordered, Reply::Set(mut replies)) => {
                replies.sort_by_key(|reply| format!("{reply:?}"));
                Reply::Set(replies)
            }
            (Self::UnorderedPairs, Reply::Array(replies)) => {
                let mut pairs: Vec<Vec<Reply>> = replies.chunks(2).map(<[Reply]>::to_vec).collect();
                pairs.sort_by_key(|pair| format!("{pair:?}"));
                Reply::Array(pairs.concat())
            }
            (Self::UnorderedPairs, Reply::Map(mut pairs)) => {
                pairs.sort_by_key(|pair| format!("{pair:?}"));
                Reply::Map(pairs)
            }
            (Self::Greeting, Reply::Array(mut replies)) => {
                if let Some(id) = replies.get_mut(7) {
                    *id = Reply::Integer(0);
                }
                Reply::Array(replies)
            }
            (Self::Greeting, Reply::Map(mut pairs)) => {
                if let Some((_, id)) = pairs.get_mut(3) {
                    *id = Reply::Integer(0);
                }
                Reply::Map(pairs)
            }
            (_, reply) => reply,
        }
    }
}
