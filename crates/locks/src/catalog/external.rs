//! A lock that a program of somebody else's speaks for, in any language (`docs/external-lock.md`).
//!
//! One program per holder, which all its sessions share: started with the first, and again by the next operation after it
//! has ended. The claim's owner value is told to it, so that a request without an answer can be withdrawn. The lease
//! counts from when the request left, whatever the library itself believes of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::{Claim, FencingToken, HolderId, Lease};

use super::{LockEntry, Needs, Tokens};
use crate::external::{AnswerWord, Conversation, Outcome, Request};
use crate::settings::whole_millis;
use crate::{
    Acquired, AnyLock, Backends, Lock, LockError, LockSession, LockSettings, Released, Renewed,
    Result,
};

/// What every lock with an adapter is made from. In no list of locks, since it is nothing without a program.
pub const EXTERNAL: LockEntry = LockEntry {
    name: "external",
    summary: "the lock of a program of your own, in any language: external:PATH",
    needs: Needs::OneRedis,
    tokens: Tokens::None("its manifest does not say tokens = true"),
    renews: true,
    control: None,
    build: |settings, backends, env| {
        AnyLock::new(External { settings, backends, env, places: Mutex::default() })
    },
};

#[derive(Debug)]
struct External {
    settings: LockSettings,
    backends: Arc<dyn Backends>,
    env: Env,
    places: Mutex<BTreeMap<HolderId, Arc<Place>>>,
}

/// The conversation with a holder's adapter, while there is one. Whoever begins one keeps the others waiting, who are
/// of the same holder.
type Place = tokio::sync::Mutex<Option<Arc<Conversation>>>;

impl Lock for External {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        let place = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(places.entry(holder).or_default())
        };
        let session = Session {
            settings: self.settings.clone(),
            backends: Arc::clone(&self.backends),
            env: self.env.clone(),
            holder,
            place,
        };
        session.conversation().await?;
        Ok(session)
    }
}

#[derive(Debug)]
struct Session {
    settings: LockSettings,
    backends: Arc<dyn Backends>,
    env: Env,
    holder: HolderId,
    place: Arc<Place>,
}

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let conversation = self.conversation().await?;
        let ttl_ms = whole_ttl(&conversation, ttl)?;
        let invoked = self.env.now();
        let Words { lock, key, owner } = self.words(claim);
        let ask = |id| Request::Acquire { id, lock, key, owner, ttl_ms };
        match self.ask(&conversation, ask).await? {
            Outcome { word: AnswerWord::Held, .. } => Ok(Acquired::Held),
            Outcome { word: AnswerWord::Granted, token } => {
                let lease = Lease::bounded(claim.clone(), invoked, self.env.now(), ttl);
                match token {
                    Some(token) if self.settings.draw_tokens => {
                        Ok(Acquired::Granted(lease.with_fencing_token(FencingToken(token))))
                    }
                    None if self.settings.draw_tokens => {
                        Err(LockError::indefinite("the adapter granted without a fencing token"))
                    }
                    _ => Ok(Acquired::Granted(lease)),
                }
            }
            other => Err(beside_the_point("acquire", other)),
        }
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        let conversation = self.conversation().await?;
        if !conversation.hello().renews {
            let what = format!("{} cannot renew a lease", conversation.hello().name);
            return Err(LockError::definite(what));
        }
        let ttl_ms = whole_ttl(&conversation, ttl)?;
        let invoked = self.env.now();
        let Words { lock, key, owner } = self.words(&lease.claim);
        let ask = |id| Request::Renew { id, lock, key, owner, ttl_ms };
        match self.ask(&conversation, ask).await? {
            Outcome { word: AnswerWord::Lost, .. } => Ok(Renewed::Lost),
            Outcome { word: AnswerWord::Extended, .. } => {
                lease.invoked = invoked;
                lease.granted = self.env.now();
                lease.ttl = Some(ttl);
                lease.valid_until = invoked + ttl;
                Ok(Renewed::Extended)
            }
            other => Err(beside_the_point("renew", other)),
        }
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let conversation = self.conversation().await?;
        let Words { lock, key, owner } = self.words(&lease.claim);
        let ask = |id| Request::Release { id, lock, key, owner };
        match self.ask(&conversation, ask).await? {
            Outcome { word: AnswerWord::Released, .. } => Ok(Released::Owned),
            Outcome { word: AnswerWord::Lost, .. } => Ok(Released::Lost),
            other => Err(beside_the_point("release", other)),
        }
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        let conversation = self.conversation().await?;
        let Words { lock, key, owner } = self.words(claim);
        let ask = |id| Request::Withdraw { id, lock, key, owner };
        match self.ask(&conversation, ask).await? {
            Outcome { word: AnswerWord::Withdrawn, .. } => Ok(()),
            other => Err(beside_the_point("withdraw", other)),
        }
    }
}

/// What every request about a claim says.
struct Words {
    lock: String,
    key: String,
    owner: String,
}

impl Session {
    /// The conversation with the holder's adapter, which is begun where there is none, or none any more.
    async fn conversation(&self) -> Result<Arc<Conversation>> {
        let mut place = self.place.lock().await;
        if let Some(conversation) = place.as_ref().filter(|known| !known.is_broken()) {
            return Ok(Arc::clone(conversation));
        }
        // Dropped first, so that one that is not understood any more ends with its line.
        *place = None;
        // Boxed, as all that is rare: a future is as large as its largest branch.
        let begin = Conversation::begin(&self.env, &*self.backends, self.holder, &self.settings);
        let conversation = Arc::new(Box::pin(begin).await?);
        *place = Some(Arc::clone(&conversation));
        Ok(conversation)
    }

    async fn ask(
        &self,
        conversation: &Conversation,
        request: impl FnOnce(u64) -> Request + Send,
    ) -> Result<Outcome> {
        conversation.ask(&self.env, self.settings.time_limit, request).await
    }

    fn words(&self, claim: &Claim) -> Words {
        Words {
            lock: claim.lock.as_str().to_owned(),
            key: self.settings.redis_key(&claim.lock),
            owner: claim.owner.as_str().to_owned(),
        }
    }
}

/// Never rounded: what is sent rounded down ends before the holder believes (failure mode F24).
fn whole_ttl(conversation: &Conversation, ttl: Duration) -> Result<u64> {
    let millis = whole_millis(ttl)?;
    let granularity = conversation.hello().ttl_granularity_ms;
    if millis.is_multiple_of(granularity) {
        return Ok(millis);
    }
    let name = &conversation.hello().name;
    Err(LockError::definite(format!(
        "{name} takes a TTL in steps of {granularity} ms, not {ttl:?}"
    )))
}

fn beside_the_point(request: &str, Outcome { word, .. }: Outcome) -> LockError {
    LockError::indefinite(format!("the adapter answered `{}` to {request}", word.word()))
}
