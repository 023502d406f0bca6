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

mod inspect;

use std::sync::Arc;
use std::time::Duration;

use lockproof_env::Env;
use lockproof_model::{Claim, HolderId, Instant, Lease};

use super::redis_set_nx::set_nx;
use super::{LockEntry, Needs, Tokens};
use crate::fan_out::fan_out;
use crate::redis_link::RedisLink;
use crate::settings::{LastKey, whole_millis};
use crate::{
    Acquired, AnyLock, Backends, Inspect, Lock, LockError, LockSession, LockSettings, Released,
    Renewed, Result, scripts,
};

pub(super) const ENTRY: LockEntry = LockEntry {
    name: "redlock",
    summary: "a majority of N independent Redis servers",
    needs: Needs::IndependentRedis(5),
    tokens: Tokens::None(
        "the largest of several servers' counters is not monotonic across quorums",
    ),
    renews: true,
    control: None,
    build: |settings, backends, env| {
        AnyLock::new(Redlock { settings, backends, env, habits: Habits::default() })
    },
};

/// The lock, for its control too.
#[derive(Debug)]
pub(super) struct Redlock {
    pub(super) settings: LockSettings,
    pub(super) backends: Arc<dyn Backends>,
    pub(super) env: Env,
    pub(super) habits: Habits,
}

/// What a control does otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Habits {
    pub(super) check: ElapsedCheck,
    pub(super) failed_acquire: FailedAcquire,
    pub(super) failed_renewal: FailedRenewal,
}

/// Whether a quorum that came too late counts (step 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ElapsedCheck {
    /// It does not.
    #[default]
    Made,
    /// It does: a control.
    Left,
}

/// What an acquire that missed its quorum, or got it too late, leaves behind (step 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum FailedAcquire {
    /// Nothing that can be reached.
    #[default]
    Releases,
    /// Its keys: a control.
    LeavesAll,
}

/// What a renewal that missed its quorum leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum FailedRenewal {
    /// What stands: the old validity rests on it.
    #[default]
    LeavesAll,
    /// Nothing on the servers that it can reach: a control.
    Releases,
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
        // All of them: a server that is dialled only when it is first asked may not be asked in time, and a grant that
        // rests on a bare quorum has no margin.
        let dialled = fan_out(links.iter_mut().map(RedisLink::open), |_| false).await;
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
        Ok(Session {
            key: LastKey::new(&self.settings),
            settings: self.settings.clone(),
            env: self.env.clone(),
            links,
            quorum,
            habits: self.habits,
        })
    }

    fn inspect(&self) -> Option<&dyn Inspect> {
        Some(self)
    }
}

#[derive(Debug)]
pub(super) struct Session {
    settings: LockSettings,
    key: LastKey,
    env: Env,
    links: Vec<RedisLink>,
    quorum: usize,
    habits: Habits,
}

impl LockSession for Session {
    async fn acquire(&mut self, claim: &Claim, ttl: Duration) -> Result<Acquired> {
        let invoked = self.env.now();
        let set = set_nx(self.key.of(&claim.lock, &self.settings), claim, whole_millis(ttl)?);
        let requests = self.links.iter_mut().map(|link| link.query::<Option<()>>(&set));
        let tally = Tally::of_grants(requests.map(granted_or_refused), self.quorum).await;
        if tally.yes < self.quorum {
            self.give_up(claim).await;
            return tally.refusal(self.quorum);
        }
        if self.validity_left(invoked, ttl) {
            let lease = Lease::bounded(claim.clone(), invoked, self.env.now(), ttl);
            return Ok(Acquired::Granted(lease));
        }
        let elapsed = self.env.now().saturating_since(invoked);
        self.give_up(claim).await;
        let what = format!("the quorum took {elapsed:?}, which leaves no validity of {ttl:?}");
        Err(LockError::indefinite(what))
    }

    async fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<Renewed> {
        let invoked = self.env.now();
        let key = self.key.of(&lease.claim.lock, &self.settings);
        let millis = whole_millis(ttl)?.to_string();
        let (keys, arguments) = ([key], [lease.claim.owner.as_str(), millis.as_str()]);
        let call = scripts::RENEW.call(&keys, &arguments);
        let requests = self.links.iter_mut().map(|link| link.run::<i64>(&call));
        let tally = Tally::of_findings(requests.map(one_or_zero), self.quorum).await;
        if tally.yes >= self.quorum && self.validity_left(invoked, ttl) {
            lease.invoked = invoked;
            lease.granted = self.env.now();
            lease.ttl = Some(ttl);
            lease.valid_until = invoked + ttl;
            return Ok(Renewed::Extended);
        }
        // A majority that extended too late to be of use is lost as well; never released, though (F16).
        if self.habits.failed_renewal == FailedRenewal::Releases {
            self.release_everywhere(&lease.claim).await;
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
        if self.habits.failed_acquire == FailedAcquire::LeavesAll {
            return Ok(());
        }
        // Unlike a release it waits for all: what it leaves behind on one server blocks the next quorum.
        let key = self.key.of(&claim.lock, &self.settings);
        let (keys, arguments) = ([key], [claim.owner.as_str()]);
        let call = scripts::RELEASE.call(&keys, &arguments);
        let requests = self.links.iter_mut().map(|link| link.run::<i64>(&call));
        let answers = fan_out(requests.map(one_or_zero), |_| false).await;
        match Tally::count(self.quorum, answers).error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl Session {
    /// Takes back what an acquire that was not granted may have put anywhere.
    async fn give_up(&mut self, claim: &Claim) {
        if self.habits.failed_acquire == FailedAcquire::Releases {
            self.release_everywhere(claim).await;
        }
    }

    /// Sends a release to every server and returns once a majority has decided what it found.
    async fn release_everywhere(&mut self, claim: &Claim) -> Tally {
        let key = self.key.of(&claim.lock, &self.settings);
        let (keys, arguments) = ([key], [claim.owner.as_str()]);
        let call = scripts::RELEASE.call(&keys, &arguments);
        let requests = self.links.iter_mut().map(|link| link.run::<i64>(&call));
        Tally::of_findings(requests.map(one_or_zero), self.quorum).await
    }

    fn validity_left(&self, invoked: Instant, ttl: Duration) -> bool {
        let elapsed = self.env.now().saturating_since(invoked);
        self.habits.check == ElapsedCheck::Left
            || elapsed + self.settings.drift.allowance(ttl) < ttl
    }
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
    servers: usize,
    yes: usize,
    no: usize,
    /// One that leaves the outcome open, if there is any; else one that does not.
    error: Option<LockError>,
}

impl Tally {
    /// Asks all for a grant, and stops when enough have given it or too few are left to.
    async fn of_grants<F>(requests: impl ExactSizeIterator<Item = F>, quorum: usize) -> Self
    where
        F: Future<Output = Result<Answer>>,
    {
        let servers = requests.len();
        let answers = fan_out(requests, |answers| {
            let pending = servers - answers.len();
            let yes = said(answers, Answer::Yes);
            yes >= quorum || yes + pending < quorum
        });
        Self::count(servers, answers.await)
    }

    /// Asks all what they found, and stops when that is decided whatever the others say. A server that does not
    /// answer may have found either.
    async fn of_findings<F>(requests: impl ExactSizeIterator<Item = F>, quorum: usize) -> Self
    where
        F: Future<Output = Result<Answer>>,
    {
        let servers = requests.len();
        let answers = fan_out(requests, |answers| {
            said(answers, Answer::Yes) >= quorum || servers - said(answers, Answer::No) < quorum
        });
        Self::count(servers, answers.await)
    }

    fn count(servers: usize, answers: Vec<Result<Answer>>) -> Self {
        let mut tally = Self { servers, yes: 0, no: 0, error: None };
        for answer in answers {
            match answer {
                Ok(Answer::Yes) => tally.yes += 1,
                Ok(Answer::No) => tally.no += 1,
                Err(error) if tally.error.is_none() || !error.is_definite() => {
                    tally.error = Some(error);
                }
                Err(_) => {}
            }
        }
        tally
    }

    /// The answer of a majority: no only when those that did not say so are too few to be one.
    fn answer(self, quorum: usize) -> Result<Answer> {
        if self.yes >= quorum {
            return Ok(Answer::Yes);
        }
        if self.servers - self.no < quorum {
            return Ok(Answer::No);
        }
        Err(self.no_majority(quorum, LockError::indefinite))
    }

    /// What an acquire that was not granted is told, once its release was sent everywhere: over the same connections,
    /// and so behind every request that may still be on its way.
    fn refusal(self, quorum: usize) -> Result<Acquired> {
        let open = self.error.as_ref().is_some_and(|error| !error.is_definite());
        match (open, self.yes + self.no >= quorum) {
            (true, _) => Err(self.no_majority(quorum, LockError::indefinite)),
            (false, true) => Ok(Acquired::Held),
            (false, false) => Err(self.no_majority(quorum, LockError::definite)),
        }
    }

    fn no_majority(self, quorum: usize, certainty: fn(String) -> LockError) -> LockError {
        let answered = self.yes + self.no;
        let error =
            certainty(format!("{answered} of the {quorum} servers that a quorum needs answered"));
        match self.error {
            Some(cause) => error.because(cause),
            None => error,
        }
    }
}

fn said(answers: &[Result<Answer>], wanted: Answer) -> usize {
    answers.iter().filter(|answer| answer.as_ref().is_ok_and(|answer| *answer == wanted)).count()
}
