//! The contract of [`Lock`](lockproof_locks::Lock) and [`LockSession`], and of the
//! [`Driver`](lockproof_locks::Driver) around them, as trials.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_locks::{Acquired, AnySession, LockSession, Needs, Tokens};
use lockproof_model::{Claim, Lease, LockName};
use lockproof_rig::{LinkUse, System};

use crate::{Bench, Subject};

mod dropped;
mod exclusion;
mod expiry;
mod links;
mod quorum;
mod sessions;
mod tokens;
mod waiting;

/// One promise.
#[derive(Clone, Copy)]
pub struct Trial {
    /// The promise as a sentence.
    pub name: &'static str,
    /// What a lock must be able to do to promise it.
    pub asks: Asks,
    /// How its links are laid.
    pub links: LinkUse,
    /// Panics when it is broken.
    pub run: for<'a> fn(&'a Bench) -> BoxFuture<'a, ()>,
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a trial asks of a lock beside excluding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// That a grant ends by itself, once its TTL has passed.
    Ends,
    /// That a grant is a session's, and ends with it.
    Session,
    /// That it renews.
    Renews,
    /// That it draws fencing tokens.
    Tokens,
    /// That it runs on several servers.
    Quorum,
}

/// Every trial of a lock.
pub fn trials() -> impl Iterator<Item = &'static Trial> {
    let parts = [
        exclusion::TRIALS,
        expiry::TRIALS,
        tokens::TRIALS,
        dropped::TRIALS,
        waiting::TRIALS,
        links::TRIALS,
        quorum::TRIALS,
        sessions::TRIALS,
    ];
    parts.into_iter().flatten()
}

/// The trial of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Trial> {
    trials().find(|trial| trial.name == name)
}

impl Trial {
    /// Whether `subject` promises this.
    ///
    /// # Errors
    /// Why it does not.
    pub fn applies_to(&self, subject: &Subject) -> Result<(), String> {
        let entry = subject.entry;
        if entry.needs == Needs::Nothing {
            return Err(format!("{} excludes nobody", entry.name));
        }
        let is_of_catalog = lockproof_locks::ENTRIES.iter().any(|known| known.name == entry.name);
        if let Some(why) = entry.control.filter(|_| is_of_catalog) {
            return Err(format!("{} is a control: {why}", entry.name));
        }
        let is_in_a_file = entry.needs.database().is_some() && subject.database.is_none();
        if is_in_a_file && self.links != LinkUse::Direct {
            return Err(format!(
                "{} is in a file here, to which no link could be held",
                entry.name
            ));
        }
        let is_of_session = entry.needs.database().is_some() && !entry.needs.ends_by_itself();
        match (self.asks, entry.tokens) {
            (Asks::Ends, _) if is_of_session => {
                Err(format!("{} keeps a grant for as long as its session lasts", entry.name))
            }
            (Asks::Session, _) if !is_of_session => {
                Err(format!("{} keeps a grant whatever becomes of a session", entry.name))
            }
            (Asks::Renews, _) if !entry.renews => Err(format!("{} does not renew", entry.name)),
            (Asks::Tokens, Tokens::None(why)) => {
                Err(format!("{} has no tokens: {why}", entry.name))
            }
            (Asks::Tokens, Tokens::Drawn) if !subject.draw_tokens => {
                Err(format!("{} is not built to draw tokens here", entry.name))
            }
            (Asks::Quorum, _) if entry.needs.redis_servers() < 3 => {
                Err(format!("{} runs on one server", entry.name))
            }
            _ => Ok(()),
        }
    }

    /// Runs the trial on servers of its own, on a runtime of its own.
    ///
    /// # Panics
    /// When the promise is broken, the servers cannot be started, or the trial hangs.
    pub fn conduct(&self, subject: Subject, redis: &str) {
        self.conduct_within(HANGS_AFTER, subject, redis);
    }

    /// The same with another limit: a trial of a planted bug need not wait long for what will never come.
    ///
    /// # Panics
    /// As [`Trial::conduct`].
    pub fn conduct_within(&self, limit: Duration, subject: Subject, redis: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the operating system gives a runtime its timers");
        runtime.block_on(async {
            let bench = Bench::start(subject, redis, self.links).await;
            let bench = bench.expect("the servers can be started");
            let run = AssertUnwindSafe(bench.env.timeout(limit, (self.run)(&bench)));
            let ended = run.catch_unwind().await;
            if subject.database.is_some() {
                // It is somebody's server, on which nothing is left.
                bench.rig.clear().await.expect("the tables can be dropped");
            }
            match ended {
                Ok(ended) => ended.expect("the trial does not hang"),
                Err(panic) => resume_unwind(panic),
            }
        });
    }
}

const HANGS_AFTER: Duration = Duration::from_secs(60);
/// Longer than any trial: nothing ends by itself.
const LONG: Duration = Duration::from_secs(120);
/// Between two questions of a trial that waits for something.
const POLL: Duration = Duration::from_millis(2);

fn lock_name() -> LockName {
    LockName::new("seat-1")
}

/// Takes a lock that is free.
async fn take(session: &mut AnySession, claim: &Claim, ttl: Duration) -> Lease {
    match session.acquire(claim, ttl).await.expect("the servers answer") {
        Acquired::Granted(lease) => lease,
        Acquired::Held => panic!("a free lock was said to be held"),
    }
}

/// Asks for a lock that somebody has.
async fn find_held(session: &mut AnySession, claim: &Claim) {
    let answer = session.acquire(claim, LONG).await.expect("the servers answer");
    assert_eq!(answer, Acquired::Held, "a second claim was granted while the first one stood");
}

/// Takes a free lock for as short a TTL as this machine is quick enough for: a quorum that comes too late for a TTL
/// is no grant, and proves nothing here.
async fn take_briefly(bench: &Bench, session: &mut AnySession, lock: &LockName) -> Lease {
    for ttl in bench.brief() {
        let claim = bench.claim(lock);
        match session.acquire(&claim, ttl).await {
            Ok(Acquired::Granted(lease)) => return lease,
            Ok(Acquired::Held) => panic!("a free lock was said to be held"),
            Err(_) => session.withdraw(&claim).await.expect("the servers answer"),
        }
    }
    panic!("no TTL was long enough for the servers to answer in time");
}

/// Asks for the lock until it is granted.
async fn await_grant(bench: &Bench, session: &mut AnySession, lock: &LockName) -> Lease {
    loop {
        let claim = bench.claim(lock);
        if let Acquired::Granted(lease) =
            session.acquire(&claim, LONG).await.expect("the servers answer")
        {
            return lease;
        }
        bench.env.sleep(POLL).await;
    }
}

/// Returns once every server has answered everything that was sent to it before over `session`'s connections.
async fn flush(bench: &Bench, session: &mut AnySession) {
    let nobody = bench.claim(&LockName::new("flush"));
    session.withdraw(&nobody).await.expect("the servers answer");
}
