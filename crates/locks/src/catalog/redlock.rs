//! Redlock: a majority of N independent Redis servers.
//!
//! The algorithm is that of <https://redis.io/docs/latest/develop/use/patterns/distributed-locks/>, step by step:
//!
//! 1. note the time on a monotonic clock;
//! 2. ask all servers at once, each with its own small time limit;
//! 3. it is granted by ⌊N/2⌋+1 of them, and only if validity is left: `ttl − elapsed − drift`;
//! 4. that remainder is the validity;
//! 5. otherwise it is released on *every* server, those that did not answer included.
//!
//! Waiting and trying again with jitter is the driver's. A failed renewal releases nothing (failure mode F16).
//!
//! It gives no fencing token: the largest of several servers' counters is not monotonic across quorums, since two
//! quorums need share only one server. Like every lease, it cannot protect a holder that outlives it (F01).

use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::{Claim, HolderId, Instant, Lease};

use super::redis_set_nx::set_nx;
use super::{LockEntry, Needs, Tokens};
use crate::fan_out::fan_out;
use crate::redis_link::RedisLink;
use crate::settings::whole_millis;
use crate::{
    Acquired, AnyLock, Backends, Lock, LockError, LockSession, LockSettings, Released, Renewed,
    Result, scripts,
};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redlock",
    summary: "a majority of N independent Redis servers",
    needs: Needs::IndependentRedis(5),
    tokens: Tokens::None(
        "the largest of several servers' counters is not monotonic across quorums",
    ),
    renews: true,
    build: |settings, backends, env| AnyLock::new(Redlock { settings, backends, env }),
};

#[derive(Debug)]
struct Redlock {
    settings: LockSettings,
    backends: Arc<dyn Backends>,
    env: Env,
}

impl Lock for Redlock {
    type Session = Session;

    async fn open(&self, holder: HolderId) -> Result<Session> {
        let limit = self.settings.server_time_limit;
        let mut links: Vec<_> = (0..self.backends.redis_servers())
            .map(|server| RedisLink::new(&self.backends, server, holder, &self.env, limit))
            .map(|link| link.with_scripts(vec![&scripts::RELEASE, &scripts::RENEW]))
            .collect();
        let quorum = links.len() / 2 + 1;
        let dialled = fan_out(links.iter_mut().map(RedisLink::dial), |_| false).await;
        let reached = dialled.iter().filter(|answer| answer.is_ok()).count();
        if reached < quorum {
            let first = dialled.into_iter().find_map(Result::err);
            let what = format!("reached {reached} of the {quorum} servers that a quorum needs");
            let error = LockError::definite(what);
            return Err(match first {
                Some(cause) => error.because(cause),
                None => error,
            });
        }
        Ok(Session { settings: self.settings.clone(), env: self.env.clone(), links, quorum })
    }
}

#[derive(Debug)]
struct Session {
    settings: LockSettings,
    env: Env,
    links: Vec<RedisLink>,
    quorum: usize,
}

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let invoked = self.env.now();
        let set = set_nx(&self.settings.redis_key(&claim.lock), claim, whole_millis(ttl)?);
        let requests = self.links.iter_mut().map(|link| link.query::<Option<()>>(&set));
        let tally = Tally::of(requests.map(granted_or_refused), self.quorum).await;
        if tally.yes < self.quorum {
            let released = self.release_everywhere(claim).await;
            return tally.refusal(self.quorum, &released);
        }
        if self.validity_left(invoked, ttl) {
            let lease = Lease::bounded(claim.clone(), invoked, self.env.now(), ttl);
            return Ok(Acquired::Granted(lease));
        }
        let elapsed = self.env.now().saturating_since(invoked);
        self.release_everywhere(claim).await;
        let what = format!("the quorum took {elapsed:?}, which leaves no validity of {ttl:?}");
        Err(LockError::indefinite(what))
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        let invoked = self.env.now();
        let key = self.settings.redis_key(&lease.claim.lock);
        let millis = whole_millis(ttl)?.to_string();
        let (keys, arguments) = ([key.as_str()], [lease.claim.owner.as_str(), millis.as_str()]);
        let requests =
            self.links.iter_mut().map(|link| link.run::<i64>(&scripts::RENEW, &keys, &arguments));
        let tally = Tally::of(requests.map(one_or_zero), self.quorum).await;
        if tally.yes >= self.quorum && self.validity_left(invoked, ttl) {
            lease.invoked = invoked;
            lease.granted = self.env.now();
            lease.ttl = Some(ttl);
            lease.valid_until = invoked + ttl;
            return Ok(Renewed::Extended);
        }
        tally.answer(self.quorum).map(|_| Renewed::Lost)
    }

    async fn release(&mut self, lease: Lease) -> Result<Released> {
        let tally = self.release_everywhere(&lease.claim).await;
        tally.answer(self.quorum).map(|owned| match owned {
            Answer::Yes => Released::Owned,
            Answer::No => Released::Lost,
        })
    }

    async fn withdraw(&mut self, claim: &Claim) -> Result<()> {
        // Unlike a release it waits for all: what it leaves behind on one server blocks the next quorum.
        let key = self.settings.redis_key(&claim.lock);
        let answers = fan_out(releases(&mut self.links, &key, claim), |_| false).await;
        match Tally::count(answers).error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl Session {
    /// Sends a release to every server and returns once a majority has decided what it found.
    async fn release_everywhere(&mut self, claim: &Claim) -> Tally {
        let key = self.settings.redis_key(&claim.lock);
        Tally::of(releases(&mut self.links, &key, claim), self.quorum).await
    }

    fn validity_left(&self, invoked: Instant, ttl: Duration) -> bool {
        let elapsed = self.env.now().saturating_since(invoked);
        elapsed + self.settings.drift.allowance(ttl) < ttl
    }
}

/// A release for every server; each says whether the claim was there.
fn releases<'a>(
    links: &'a mut [RedisLink],
    key: &'a str,
    claim: &'a Claim,
) -> impl ExactSizeIterator<Item = impl Future<Output = Result<Answer>> + 'a> {
    links.iter_mut().map(move |link| async move {
        one_or_zero(link.run(&scripts::RELEASE, &[key], &[claim.owner.as_str()])).await
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
}

async fn granted_or_refused(set: impl Future<Output = Result<Option<()>>>) -> Result<Answer> {
    Ok(if set.await?.is_some() { Answer::Yes } else { Answer::No })
}

async fn one_or_zero(script: impl Future<Output = Result<i64>>) -> Result<Answer> {
    Ok(if script.await? == 1 { Answer::Yes } else { Answer::No })
}

/// What the servers said.
#[derive(Debug)]
struct Tally {
    yes: usize,
    no: usize,
    error: Option<LockError>,
}

impl Tally {
    /// Asks all and stops when either answer has its quorum, or when neither can have it any more.
    async fn of<F>(requests: impl ExactSizeIterator<Item = F>, quorum: usize) -> Self
    where
        F: Future<Output = Result<Answer>>,
    {
        let servers = requests.len();
        let said = |answers: &[Result<Answer>], wanted| {
            answers.iter().filter(|answer| answer.as_ref().is_ok_and(|a| *a == wanted)).count()
        };
        let answers = fan_out(requests, |answers| {
            let (yes, no) = (said(answers, Answer::Yes), said(answers, Answer::No));
            // Errors count as silence: a majority is out of reach once the rest cannot fill it.
            yes >= quorum || yes + (servers - answers.len()) < quorum && no + yes > 0
        });
        Self::count(answers.await)
    }

    fn count(answers: Vec<Result<Answer>>) -> Self {
        let mut tally = Self { yes: 0, no: 0, error: None };
        for answer in answers {
            match answer {
                Ok(Answer::Yes) => tally.yes += 1,
                Ok(Answer::No) => tally.no += 1,
                Err(error) => tally.error = Some(error),
            }
        }
        tally
    }

    /// The answer of a majority.
    fn answer(self, quorum: usize) -> Result<Answer> {
        if self.yes >= quorum {
            return Ok(Answer::Yes);
        }
        if self.yes + self.no >= quorum {
            return Ok(Answer::No);
        }
        Err(self.no_majority(quorum))
    }

    /// What an acquire that was not granted is told, once it was released everywhere.
    fn refusal(self, quorum: usize, released: &Self) -> Result<Acquired> {
        // Every server that could hold the claim has let go of it: the refusal is an answer.
        let settled = released.yes + released.no >= quorum && self.error.is_none();
        if settled { Ok(Acquired::Held) } else { Err(self.no_majority(quorum)) }
    }

    fn no_majority(self, quorum: usize) -> LockError {
        let what =
            format!("{} of the {quorum} servers that a quorum needs answered", self.yes + self.no);
        let error = LockError::indefinite(what);
        match self.error {
            Some(cause) => error.because(cause),
            None => error,
        }
    }
}
