//! The readers of both protocols, as a conversation asks them.

use super::{Protocol, Request, Unreadable};
use super::{postgres_replies, postgres_requests, resp_replies, resp_requests};

/// What a client says.
#[derive(Debug)]
pub(super) enum Requests {
    Redis(resp_requests::Requests),
    Postgres(postgres_requests::Requests),
}

/// What a server says.
#[derive(Debug)]
pub(super) enum Replies {
    /// And how many replies are whole.
    Redis(resp_replies::Replies, u64),
    Postgres(postgres_replies::Replies),
}

impl Requests {
    pub(super) fn new(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Redis => Self::Redis(Default::default()),
            Protocol::Postgres => Self::Postgres(Default::default()),
        }
    }

    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
        match self {
            Self::Redis(requests) => requests.next(bytes),
            Self::Postgres(requests) => requests.next(bytes),
        }
    }

    pub(super) fn request(&self) -> Option<Request<'_>> {
        match self {
            Self::Redis(requests) => Some(requests.request()),
            Self::Postgres(requests) => requests.request(),
        }
    }

    pub(super) const fn is_inside(&self) -> bool {
        match self {
            Self::Redis(requests) => requests.is_inside(),
            Self::Postgres(requests) => requests.is_inside(),
        }
    }
}

impl Replies {
    pub(super) fn new(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Redis => Self::Redis(Default::default(), 0),
            Protocol::Postgres => Self::Postgres(Default::default()),
        }
    }

    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
        match self {
            Self::Redis(replies, _) => replies.next(bytes),
            Self::Postgres(replies) => replies.next(bytes),
        }
    }

    pub(super) const fn is_inside(&self) -> bool {
        match self {
            Self::Redis(replies, _) => replies.is_inside(),
            Self::Postgres(replies) => replies.is_inside(),
        }
    }

    /// Whose reply a message is that begins with `first`, of so many requests.
    pub(super) fn owner(&self, first: u8, asked: u64) -> Option<u64> {
        match self {
            // A push is nobody's reply.
            Self::Redis(_, whole) => (first != b'>' && *whole < asked).then_some(whole + 1),
            Self::Postgres(replies) => replies.owner(first),
        }
    }

    /// The first and the last of the requests whose replies come next together, of so many.
    pub(super) fn next_batch(&self, asked: u64) -> Option<(u64, u64)> {
        match self {
            Self::Redis(_, whole) => (*whole < asked).then_some((whole + 1, whole + 1)),
            Self::Postgres(replies) => replies.batch(),
        }
    }

    /// Up to which request replies are over with the message that was read last, which spoke to this one.
    pub(super) fn ends(&mut self, speaks_to: Option<u64>) -> Option<u64> {
        match self {
            Self::Redis(_, whole) => {
                *whole += u64::from(speaks_to.is_some());
                speaks_to
            }
            Self::Postgres(replies) => replies.ends(),
        }
    }
}
