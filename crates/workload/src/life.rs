//! A holder from one life to the next.
//!
//! ```text
//!   live ── outside the holder's group: a holder cannot see its own death
//!    │
//!    ├─ waits for the holder's task ──▶ it has worked off its attempts: done
//!    │                             └──▶ it was killed: what it wrote is abandoned
//!    ├─ waits for the restart ──▶ or nothing is left to do: done, and dead
//!    └─ starts it again: new sessions, other randomness, the same name
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{AbortHandle, Either, select};
use lockproof_bookings::BookingSession;
use lockproof_env::{Env, Group, Task};
use lockproof_locks::Driver;
use lockproof_model::{HolderId, Instant, in_full};

use crate::arrivals::Arrivals;
use crate::catalog::{FlowEntry, FlowSettings};
use crate::holder::{Holder, Target};
use crate::load::{Load, Parties, SetUpError};
use crate::recorder::Recorder;
use crate::trade::{Trade, Worker};
use crate::walk::{Pen, Walk};

/// Between two tries of a holder that was started again and cannot connect.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// What a holder needs to live, and to live again.
#[derive(Debug)]
pub(crate) struct Seat<T> {
    /// Shared by thousands of seats.
    pub(crate) trade: Arc<T>,
    pub(crate) group: Group,
    pub(crate) recorder: Recorder,
    pub(crate) settings: FlowSettings,
    pub(crate) flow: &'static FlowEntry,
}

impl<T: Trade> Seat<T> {
    pub(crate) fn new(trade: &Arc<T>, load: &Load, recorder: Recorder, group: &Group) -> Self {
        let (trade, group) = (Arc::clone(trade), group.clone());
        Self { trade, group, recorder, settings: load.settings, flow: load.flow }
    }

    /// Connects the holder for its first life, or a later one.
    pub(crate) async fn set_up(&self, life: u32) -> Result<T::Worker, SetUpError> {
        let pen = Pen::Recorder(self.recorder.clone());
        self.trade.take_up(&self.group, self.recorder.holder(), life, self.settings, pen).await
    }

    /// From its first attempt to the end of the load, over as many lives as that takes. A holder that is dead when no
    /// attempt is left stays so.
    ///
    /// # Cancel safety
    /// Dropped, the holder is stopped at its next await.
    pub(crate) async fn live(&self, first: T::Worker, arrivals: Arc<Arrivals>, begun: Instant) {
        let env = self.trade.env();
        let mut deaths = self.group.deaths();
        let mut task = self.spawn(work_off(
            first,
            self.flow,
            Arc::clone(&arrivals),
            begun,
            Arc::clone(self.trade.halt()),
        ));
        for life in 2.. {
            let _stops = StopsWithMe(task.aborter());
            // One that ended without a kill has panicked or was aborted: it has no other life.
            if task.await.is_ok() || self.group.deaths() == deaths {
                return;
            }
            self.recorder.abandon(env.now());
            let over = arrivals.over(env, begun).boxed();
            // In this order: when both are true there is nothing to start it again for.
            if let Either::Left(_) = select(over, self.group.restarted().boxed()).await {
                return;
            }
            deaths = self.group.deaths();
            task = self.spawn(self.again().live_again(life, Arc::clone(&arrivals), begun));
        }
    }

    /// Itself, for a task of its own.
    fn again(&self) -> Self {
        Self {
            trade: Arc::clone(&self.trade),
            group: self.group.clone(),
            recorder: self.recorder.clone(),
            settings: self.settings,
            flow: self.flow,
        }
    }

    /// A later life: in the group from its first breath, so that it can be killed or paused while it connects.
    async fn live_again(self, life: u32, arrivals: Arc<Arrivals>, begun: Instant) {
        let env = self.trade.env();
        let holder = loop {
            match self.set_up(life).await {
                Ok(holder) => break holder,
                Err(error) => {
                    tracing::debug!(error = in_full(&error), "started again, not yet connected");
                    let over = arrivals.over(env, begun).boxed();
                    let pause = env.sleep(PAUSE).boxed();
                    if let Either::Left(_) = select(over, pause).await {
                        return;
                    }
                }
            }
        };
        let halt = Arc::clone(self.trade.halt());
        work_off(holder, self.flow, arrivals, begun, halt).await;
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Task<()> {
        self.trade.env().in_group(&self.group).spawn(future)
    }
}

/// Connects holder `id` for its first life, or a later one, its tasks in `group`.
pub(crate) async fn connect(
    parties: &Parties,
    group: &Group,
    id: HolderId,
    life: u32,
    settings: FlowSettings,
    pen: Pen,
) -> Result<Holder, SetUpError> {
    // Drawn anew, or it would claim the lock with the owner values of the dead.
    let name = if life == 1 { id.to_string() } else { format!("{id}, life {life}") };
    let env = parties.env.fork(&name).in_group(group);
    let mut driver = Driver::open(env.clone(), &parties.lock, id, parties.policy, parties.salt)
        .await
        .map_err(|error| SetUpError::Lock(id, error))?;
    if parties.keep.is_some() {
        driver.prepare_to_keep().await.map_err(|error| SetUpError::Lock(id, error))?;
    }
    let booking = BookingSession::open(parties.store.as_ref(), parties.guard, id)
        .await
        .map_err(|error| SetUpError::Bookings(id, error))?;
    let walk = Walk::new(id, env, Arc::clone(&parties.gate), pen);
    let (keep, kept, valid_until) = (parties.keep, None, None);
    Ok(Holder { walk, driver, booking, settings, keep, kept, valid_until })
}

/// Aborts a task when dropped; nothing, where it has ended.
struct StopsWithMe(AbortHandle);

impl Drop for StopsWithMe {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn work_off<W: Worker>(
    mut holder: W,
    flow: &'static FlowEntry,
    arrivals: Arc<Arrivals>,
    begun: Instant,
    halt: Arc<AtomicBool>,
) {
    while let Some((target, intended)) =
        next_attempt(&holder.walk().env, &arrivals, &halt, begun).await
    {
        attempt(&mut holder, flow, target, intended).await;
    }
    holder.settle().await;
}

/// The next attempt, at the time for which it was meant; none when the load has ended or is halted.
pub(crate) async fn next_attempt(
    env: &Env,
    arrivals: &Arrivals,
    halt: &AtomicBool,
    begun: Instant,
) -> Option<(Target, Instant)> {
    let halted = || halt.load(Ordering::Relaxed);
    if halted() {
        return None;
    }
    let (target, intended) = arrivals.next(begun, env.now())?;
    env.sleep_until(intended).await;
    (!halted()).then_some((target, intended))
}

/// One attempt, from its start to what it came to.
pub(crate) async fn attempt<W: Worker>(
    holder: &mut W,
    flow: &'static FlowEntry,
    target: Target,
    intended: Instant,
) {
    let Walk { pen, env, .. } = holder.walk();
    pen.start(target, intended, env.now());
    let result = holder.book(flow, target).await;
    let Walk { pen, env, .. } = holder.walk();
    pen.finish(env.now(), result);
}
