//! Looking at locks from outside: what who runs a service needs, and no holder.
//!
//! A holder knows its own lease. Somebody else who is shown an owner value, or asked what is locked and for how long,
//! has to look at the servers; [`Inspect`] is what a lock can tell them. It is optional: not every way of being alone can
//! be looked at.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lockproof_env::Env;
use lockproof_model::{FencingToken, HolderId, LockName, OwnerValue};
use redis::cmd;

use crate::redis_link::RedisLink;
use crate::{Backends, LockSettings, Result, scripts};

/// What can be told of locks without being their holder.
///
/// # Cancel safety
/// All of them only read, but for [`force_release`](Self::force_release): dropped, it may have taken effect.
pub trait Inspect: Debug + Send + Sync {
    /// Who has `lock`, if anybody, and for how long.
    ///
    /// # Errors
    /// Nobody could be asked, or too few to decide.
    fn standing<'a>(&'a self, lock: &'a LockName) -> BoxFuture<'a, Result<Option<Standing>>>;

    /// Up to `limit` locks that are held, of those whose names match `pattern` (a glob as Redis has them), in no
    /// particular order. Walks through the servers' keys step by step, so that nobody else waits for it.
    ///
    /// # Errors
    /// As for [`standing`](Self::standing).
    fn active<'a>(
        &'a self,
        pattern: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(LockName, Standing)>>>;

    /// Takes `lock` away from whoever has it; says who had.
    ///
    /// # Errors
    /// As for an acquire.
    fn force_release<'a>(&'a self, lock: &'a LockName)
    -> BoxFuture<'a, Result<Option<OwnerValue>>>;

    /// Whether a server is set to delete keys when its memory is full, by which locks end that are held: the name of that
    /// policy. None as well where the server does not say.
    ///
    /// # Errors
    /// A server cannot be reached.
    fn evicts(&self) -> BoxFuture<'_, Result<Option<String>>>;
}

/// A lock that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who.
    pub owner: OwnerValue,
    /// For how long yet by the server's clock; none where nothing bounds it.
    pub remaining: Option<Duration>,
    /// The token that came with the grant, where tokens are drawn.
    pub fencing_token: Option<FencingToken>,
}

/// Keys that a server is asked to look at in one step of a walk.
const STEP: usize = 500;

/// Steps after which a walk ends whatever it has found: a bound for a server that is full of other keys.
const STEPS: usize = 2_000;

/// Nobody's number: who looks is no holder.
const NOBODY: HolderId = HolderId(0);

/// One look at one Redis server.
pub(crate) struct Look {
    link: RedisLink,
    settings: LockSettings,
}

impl Look {
    pub(crate) fn at(
        backends: &Arc<dyn Backends>,
        server: usize,
        env: &Env,
        settings: &LockSettings,
        limit: Duration,
    ) -> Self {
        let link = RedisLink::new(backends, server, NOBODY, env, limit);
        Self { link, settings: settings.clone() }
    }

    pub(crate) async fn standing(&mut self, lock: &LockName) -> Result<Option<Standing>> {
        type Row = (String, i64, Option<u64>);
        let key = self.settings.redis_key(lock);
        let row: Option<Row> = if self.settings.draw_tokens {
            let fence = LockSettings::fence_key(&key);
            self.link.run(&scripts::STANDING.call(&[&key, &fence], &[])).await?
        } else {
            self.link.run(&scripts::STANDING_PLAIN.call(&[&key], &[])).await?
        };
        Ok(row.map(|(owner, millis, token)| Standing {
            owner: OwnerValue::new(&owner),
            remaining: u64::try_from(millis).ok().map(Duration::from_millis),
            fencing_token: token.map(FencingToken),
        }))
    }

    pub(crate) async fn names(&mut self, pattern: &str, limit: usize) -> Result<Vec<LockName>> {
        let pattern = [&self.settings.key_prefix, pattern].concat();
        let mut found = std::collections::BTreeSet::new();
        let mut cursor = 0_u64;
        for _ in 0..STEPS {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(STEP);
            let (next, keys): (u64, Vec<String>) = self.link.query(&scan).await?;
            found.extend(keys.iter().filter_map(|key| self.settings.lock_of_redis_key(key)));
            cursor = next;
            if cursor == 0 || found.len() >= limit {
                break;
            }
        }
        Ok(found.into_iter().take(limit).collect())
    }

    pub(crate) async fn force_release(&mut self, lock: &LockName) -> Result<Option<OwnerValue>> {
        let key = self.settings.redis_key(lock);
        let owner: Option<String> =
            self.link.run(&scripts::FORCE_RELEASE.call(&[&key], &[])).await?;
        Ok(owner.as_deref().map(OwnerValue::new))
    }

    pub(crate) async fn evicts(&mut self) -> Result<Option<String>> {
        self.link.query::<String>(&cmd("PING")).await?;
        let mut get = cmd("CONFIG");
        get.arg("GET").arg("maxmemory-policy");
        // Who rents a server may not ask for its configuration; then nobody can warn.
        let policy = self.link.query::<Vec<String>>(&get).await.unwrap_or_default();
        Ok(policy.into_iter().nth(1).filter(|policy| policy != "noeviction"))
    }
}
