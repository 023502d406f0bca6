//! A grant bounded in time, as a value.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Claim, FencingToken, Instant};

/// Proof that a claim was granted, and until when its holder may trust that.
///
/// Plain data on purpose: a lock is released by awaiting `release`, which consumes the lease, never by
/// `Drop`, which could neither wait nor report.
///
/// ```text
///   invoked          granted                     valid_until     invoked + ttl
///   |--- request ----|-------- the hold ---------|--- drift -----|
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What was granted, and to which owner value.
    pub claim: Claim,
    /// When the request that was granted left. Validity counts from here, since the backend's clock
    /// may have started at any moment after it.
    pub invoked: Instant,
    /// When the grant was observed.
    pub granted: Instant,
    /// How long the backend keeps the grant; `None` when nothing bounds it.
    pub ttl: Option<Duration>,
    /// The end of validity.
    pub valid_until: Instant,
    /// What the protected resource may order this grant by, where the lock draws one.
    pub fencing_token: Option<FencingToken>,
}

impl Lease {
    /// A grant that the backend keeps for `ttl`. Validity ends `ttl` after the invocation; the driver
    /// takes its drift allowance off that.
    #[must_use]
    pub fn bounded(claim: Claim, invoked: Instant, granted: Instant, ttl: Duration) -> Self {
        let valid_until = invoked + ttl;
        Self { claim, invoked, granted, ttl: Some(ttl), valid_until, fencing_token: None }
    }

    /// A grant that nothing bounds in time.
    #[must_use]
    pub fn unbounded(claim: Claim, invoked: Instant, granted: Instant) -> Self {
        let valid_until = Instant::FAR_FUTURE;
        Self { claim, invoked, granted, ttl: None, valid_until, fencing_token: None }
    }

    /// The same lease with the token that was drawn for it.
    #[must_use]
    pub fn with_fencing_token(mut self, token: FencingToken) -> Self {
        self.fencing_token = Some(token);
        self
    }

    /// How long the holder may still trust the grant.
    #[must_use]
    pub fn remaining(&self, now: Instant) -> Duration {
        self.valid_until.saturating_since(now)
    }
}

/// What is asked of a lease that is a row of a database's table, each in one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseChange {
    /// Make it the claim's, where there is none or it has ended. Its token rises with every grant.
    Take {
        /// For how long from now, in whole milliseconds.
        ttl: Duration,
    },
    /// Make it last, where it is the claim's and has not ended.
    Renew {
        /// For how long from now, in whole milliseconds.
        ttl: Duration,
    },
    /// End it, where it is the claim's and has not ended. The row stays, so that its token goes on from there.
    End,
}

/// Why a backend, a check or a guard said no. A refusal is an answer, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Somebody else holds the lock.
    Held,
    /// The slot is sold out.
    Taken,
    /// The slot's fence does not equal the token: a later holder has been here.
    Fenced,
    /// The slot's version moved since the check.
    Stale,
    /// Somebody else has the slot's row locked, and the guard does not wait.
    Locked,
    /// The database ended the transaction to keep its promise (serialization failure, deadlock).
    Aborted,
    /// The holder found its own lease ended.
    LeaseEnded,
}

impl Refusal {
    /// One word for time lines and tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Taken => "taken",
            Self::Fenced => "fenced",
            Self::Stale => "stale",
            Self::Locked => "locked",
            Self::Aborted => "aborted",
            Self::LeaseEnded => "lease ended",
        }
    }
}
