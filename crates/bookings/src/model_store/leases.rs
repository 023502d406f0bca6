//! Leases of the model database, where names are hashes.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_database_model::{Answer, LeaseStatement, Statement};
use lockproof_model::{Claim, FencingToken, HolderId, Instant, LeaseChange, fnv1a};

use super::{Wire, WireSession};
use crate::error::Kind;
use crate::{BookingError, LeaseTable, Result};

#[derive(Debug)]
pub(super) struct ModelLeases<W: Wire> {
    wire: Arc<W>,
    holder: HolderId,
    live: Option<W::Session>,
}

impl<W: Wire> ModelLeases<W> {
    pub(super) async fn open(wire: Arc<W>, holder: HolderId) -> Result<Self> {
        let mut leases = Self { wire, holder, live: None };
        leases.live().await?;
        Ok(leases)
    }

    /// The session, opened anew where it was lost. Nothing has been sent when this fails.
    async fn live(&mut self) -> Result<&mut W::Session> {
        let live = match self.live.take_if(|session| !session.is_closed()) {
            Some(live) => live,
            None => self.wire.connect(self.holder).await.map_err(|source| {
                BookingError::from(Kind::NoAnswer { doing: "open a connection", source }).definite()
            })?,
        };
        Ok(self.live.insert(live))
    }
}

impl<W: Wire> LeaseTable for ModelLeases<W> {
    fn change<'a>(
        &'a mut self,
        claim: &'a Claim,
        change: LeaseChange,
        now: Option<Instant>,
    ) -> BoxFuture<'a, Result<Option<FencingToken>>> {
        async move {
            const DOING: &str = "change the lease";
            let (lock, owner) =
                (fnv1a(claim.lock.as_str().bytes()), fnv1a(claim.owner.as_str().bytes()));
            let statement = Statement::Lease(LeaseStatement { lock, owner, change, now });
            let reply = self.live().await?.send(statement).await;
            let answer = reply.map_err(|source| Kind::NoAnswer { doing: DOING, source })?;
            // It stands alone: what the database answers with an error it has not done.
            let answer = answer.map_err(|source| {
                BookingError::from(Kind::Model { doing: DOING, source }).definite()
            })?;
            match answer {
                Answer::Lease(token) => Ok(token.map(FencingToken)),
                other => Err(Kind::Unexpected(other).into()),
            }
        }
        .boxed()
    }
}
