//! Locks of a session and leases of the model database, where names are hashes.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_database_model::{AdvisoryScope, Answer, LeaseStatement, SqlError, Statement};
use lockproof_model::{FencingToken, HolderId, Instant, LeaseChange, OwnerValue, fnv1a};

use super::{Wire, WireSession};
use crate::error::Kind;
use crate::{BookingError, LockConnection, Result};

#[derive(Debug)]
pub(super) struct ModelLocks<S> {
    session: S,
    /// Whether the database has said that it knows of no such session.
    has_ended: bool,
}

impl<S: WireSession> ModelLocks<S> {
    pub(super) async fn open<W: Wire<Session = S>>(wire: &W, holder: HolderId) -> Result<Self> {
        let session = wire.connect(holder).await.map_err(|source| {
            BookingError::from(Kind::NoAnswer { doing: "open a connection", source }).definite()
        })?;
        Ok(Self { session, has_ended: false })
    }

    async fn run(&mut self, doing: &'static str, statement: Statement) -> Result<Answer> {
        let reply = self.session.send(statement).await;
        let answer = reply.map_err(|source| Kind::NoAnswer { doing, source })?;
        // It stands alone: what the database answers with an error it has not done.
        answer.map_err(|source| {
            self.has_ended |= source == SqlError::NoConnection;
            BookingError::from(Kind::Model { doing, source }).definite()
        })
    }

    async fn ask(&mut self, doing: &'static str, statement: Statement) -> Result<bool> {
        match self.run(doing, statement).await? {
            Answer::Advisory(yes) => Ok(yes),
            other => Err(Kind::Unexpected(other).into()),
        }
    }
}

impl<S: WireSession> LockConnection for ModelLocks<S> {
    fn is_closed(&self) -> bool {
        self.has_ended || self.session.is_closed()
    }

    fn change_lease<'a>(
        &'a mut self,
        name: &'a str,
        owner: &'a OwnerValue,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>> {
        async move {
            let (lock, owner) = (fnv1a(name.bytes()), fnv1a(owner.as_str().bytes()));
            let statement = Statement::Lease(LeaseStatement { lock, owner, change, now });
            match self.run("change the lease", statement).await? {
                Answer::Lease(token) => Ok(token.map(FencingToken)),
                other => Err(Kind::Unexpected(other).into()),
            }
        }
        .boxed()
    }

    fn try_lock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        let (key, scope) = (key(name), AdvisoryScope::Session);
        self.ask("take the advisory lock", Statement::TryAdvisoryLock { key, scope }).boxed()
    }

    fn unlock<'a>(&'a mut self, name: &'a str) -> BoxFuture<'a, Result<bool>> {
        let statement = Statement::AdvisoryUnlock { key: key(name) };
        self.ask("give the advisory lock back", statement).boxed()
    }
}

/// The key of a session's lock. Those of slots, which transactions lock, are small numbers.
pub(super) fn key(name: &str) -> i64 {
    fnv1a(name.bytes()).cast_signed()
}
