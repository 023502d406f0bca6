//! Where a fault is tried: a lock that is held, a transaction that is open, and servers that answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lockproof_bookings::{
    Connection, Constraints, Layout, PostgresAddress, RowLock, TransactionMode,
};
use lockproof_env::Env;
use lockproof_faults::{Fault, Injection, Occasion, Reach};
use lockproof_locks::{Acquired, AnySession, Lock, LockSession, LockSettings};
use lockproof_model::{AttemptId, Claim, HolderId, LockName, Moment, OwnerValue, Point, SlotId};
use lockproof_rig::live::LiveRig;
use lockproof_rig::{
    DatabasePlan, LinkUse, Rig, RigError, RigPlan, ServerEffect, ServerKind, ServerNeeds, System,
    Topology,
};
use lockproof_workload::{Occurrence, Seen};

use super::Trial;
use super::clocks::Offsets;
use crate::Mixed;

/// The holder that faults happen to, and one beside it.
const HOLDER: HolderId = HolderId(1);
const BESIDE: HolderId = HolderId(2);
/// A clock that jumps by minutes ends it, and nothing else does.
const TTL: Duration = Duration::from_secs(60);
/// No answer within this is none, as long as a fault stands.
const SOON: Duration = Duration::from_millis(150);
/// An upper limit that ends a hang, and no more.
const PATIENCE: Duration = Duration::from_secs(60);

/// A rig with a lock that the one holder has and a transaction that it is in.
#[derive(Debug)]
pub struct Stage {
    pub(super) env: Env,
    pub(super) rig: Arc<LiveRig>,
    pub(super) provider: Arc<Mixed>,
    pub(super) connection: Option<Box<dyn Connection>>,
    /// What the clocks showed when everything was restored.
    pub(super) offsets: Offsets,
    /// Whether the injection holds the holder's step up.
    pub(super) holds_step: bool,
    session: Option<AnySession>,
    lock: LockName,
    settings: LockSettings,
}

impl Stage {
    /// One that is ready for all of `trials`, on servers of the provider of that name.
    ///
    /// # Errors
    /// A server could not be started.
    pub async fn start(
        provider: &str,
        topology: Topology,
        trials: &[&Trial],
    ) -> Result<Self, RigError> {
        let env = lockproof_env::live::env(lockproof_env::live::entropy());
        let on_database = trials.iter().any(|trial| trial.on_database());
        let provider = Arc::new(match on_database {
            true => Mixed::with_its_database(provider)?,
            false => Mixed::start(provider)?,
        });
        let settings =
            LockSettings { time_limit: SOON, server_time_limit: SOON, ..LockSettings::default() };
        let plan = RigPlan {
            needs: needs(trials, ServerKind::Redis),
            name: "conformance".to_owned(),
            holders: 2,
            redis_servers: topology.servers().unwrap_or(1),
            coordinator: None,
            topology,
            links: links(trials),
            lock: settings.clone(),
            database: DatabasePlan {
                needs: on_database.then(|| needs(trials, ServerKind::Database)),
                ..DatabasePlan::default()
            },
            layout: Layout { slots: 1, capacity: 1, constraints: Constraints::NONE },
            seed: 1,
        };
        let rig = Arc::new(LiveRig::start(&env, provider.as_ref(), plan).await?);
        let lock = LockName::new("seat-1");
        Ok(Self {
            env,
            rig,
            provider,
            connection: None,
            offsets: Offsets::default(),
            holds_step: false,
            session: None,
            lock,
            settings,
        })
    }

    /// Waits until everything answers, with the lock held and the transaction open.
    pub(super) async fn restore(&mut self) {
        self.connection = None;
        self.session = None;
        self.holds_step = false;
        // What is not over hangs here, and says so.
        let env = self.env.clone();
        let all = async {
            while !(self.locks_again().await && self.reads_again().await) {
                self.a_moment().await;
            }
        };
        assert!(env.timeout(PATIENCE, all).await.is_ok(), "still not: everything answers");
        self.offsets = Offsets::of(self).await;
    }

    async fn locks_again(&mut self) -> bool {
        let Some(mut session) = self.opened(HOLDER).await else { return false };
        // Whatever was there belonged to a session that is gone.
        if self.rig.expire_lock(&self.lock).await.is_err() {
            return false;
        }
        let claim = self.claim(&self.lock);
        let granted = matches!(session.acquire(&claim, TTL).await, Ok(Acquired::Granted(_)));
        self.session = Some(session);
        granted
    }

    async fn reads_again(&mut self) -> bool {
        let (env, store) = (self.env.clone(), self.rig.store());
        let Ok(Ok(mut connection)) = env.timeout(SOON, store.open(HOLDER)).await else {
            return false;
        };
        let reads = reads(connection.as_mut()).await;
        self.connection = Some(connection);
        reads
    }

    /// A session of `holder`, if the servers answer soon.
    async fn opened(&mut self, holder: HolderId) -> Option<AnySession> {
        let entry = lockproof_locks::find("redis-set-nx").expect("the catalog has it");
        let env = self.env.clone();
        let lock = (entry.build)(self.settings.clone(), self.rig.backends(), env.fork("lock"));
        env.timeout(SOON, lock.open(holder)).await.ok()?.ok()
    }

    /// Whether somebody beside the holder gets the holder's lock: it is there no more.
    pub(super) async fn lock_is_gone(&mut self) -> bool {
        let Some(mut session) = self.opened(BESIDE).await else { return false };
        let claim = self.claim(&self.lock);
        let gone = matches!(session.acquire(&claim, TTL).await, Ok(Acquired::Granted(_)));
        if gone {
            session.withdraw(&claim).await.expect("the server answers");
        }
        gone
    }

    /// Whether the lock's servers answer the holder, over a connection that is there or a new one.
    pub(super) async fn lock_answers(&mut self) -> bool {
        let claim = self.claim(&LockName::new("another"));
        let mut session = match self.session.take() {
            Some(session) => session,
            None => match self.opened(HOLDER).await {
                Some(session) => session,
                None => return false,
            },
        };
        let answer = session.acquire(&claim, TTL).await;
        if answer.is_ok() {
            self.session = Some(session);
        }
        answer.is_ok()
    }

    /// Whether the database answers somebody who comes.
    pub(super) async fn database_answers(&mut self) -> bool {
        let (env, store) = (self.env.clone(), self.rig.store());
        let read = async {
            let mut connection = store.open(BESIDE).await.ok()?;
            reads(connection.as_mut()).await.then_some(())
        };
        matches!(env.timeout(SOON, read).await, Ok(Some(())))
    }

    pub(super) async fn inject(&mut self, fault: &dyn Fault, point: Point) -> Box<dyn Injection> {
        let occurrence = self.occurrence(point);
        let at_step = !matches!(fault.reach(), Reach::Servers(_));
        let occasion = Occasion {
            at: self.env.now(),
            occurrence: at_step.then_some(&occurrence),
            holders: &[],
        };
        let (env, rig) = (self.env.clone(), Arc::clone(&self.rig));
        let injected = fault.inject(rig.as_ref(), occasion);
        let injection = in_time(&env, "it is injected", injected).await;
        let injection =
            injection.unwrap_or_else(|error| panic!("{}", lockproof_model::in_full(&error)));
        self.holds_step = injection.holds_step();
        injection
    }

    fn occurrence(&self, point: Point) -> Occurrence {
        let answered = point.moment != Moment::Before;
        Occurrence {
            holder: HOLDER,
            attempt: AttemptId(1),
            slot: SlotId(1),
            lock: self.lock.clone(),
            point,
            at: self.env.now(),
            seen: if answered { Seen::GoesOn } else { Seen::Nothing },
            valid_until: None,
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.rig.group(HOLDER).expect("there is one").is_paused()
    }

    pub(super) fn is_killed(&self) -> bool {
        self.rig.group(HOLDER).expect("there is one").is_killed()
    }

    pub(super) fn postgres(&self) -> PostgresAddress {
        self.provider.postgres().expect("the database is a Postgres of its own")
    }

    /// Lets a little time pass.
    pub(super) fn a_moment(&self) -> impl Future<Output = ()> + Send + use<> {
        let env = self.env.clone();
        async move { env.sleep(Duration::from_millis(5)).await }
    }

    fn claim(&self, lock: &LockName) -> Claim {
        let owner = OwnerValue::from_bits(self.env.random().wide_bits());
        Claim { lock: lock.clone(), owner }
    }
}

/// `future`, or a panic instead of a hang.
pub(super) async fn in_time<F: Future + Send>(env: &Env, what: &str, future: F) -> F::Output {
    let done = env.timeout(PATIENCE, future).await;
    done.unwrap_or_else(|_| panic!("still not: {what}"))
}

/// Whether a transaction begins and reads; it stays open.
pub(super) async fn reads(connection: &mut dyn Connection) -> bool {
    connection.begin(TransactionMode::ReadCommitted).await.is_ok() && reads_on(connection).await
}

/// Whether the open transaction reads.
pub(super) async fn reads_on(connection: &mut dyn Connection) -> bool {
    connection.read_slot(SlotId(1), RowLock::None).await.is_ok()
}

fn needs(trials: &[&Trial], kind: ServerKind) -> ServerNeeds {
    let of_kind =
        trials.iter().filter(|trial| trial.selectors().iter().any(|other| other.kind() == kind));
    let effects = of_kind.filter_map(|trial| trial.build().server_effect());
    effects.map(ServerEffect::needs).fold(ServerNeeds::default(), ServerNeeds::and)
}

/// A link of its own for each holder, where one is disturbed.
fn links(trials: &[&Trial]) -> LinkUse {
    let on_links = trials.iter().any(|trial| matches!(trial.build().reach(), Reach::Links(_)));
    if on_links { LinkUse::PerHolder } else { LinkUse::Direct }
}
