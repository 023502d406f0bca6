//! A whole load: its holders from their first attempt to their last.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, join_all, select};
use lockproof_bookings::{BookingError, BookingStore, Guard};
use lockproof_env::{Env, Group};
use lockproof_locks::{AnyLock, KeepAlive, LockError, Policy};
use lockproof_model::{History, HolderId, Instant};

use crate::arrivals::{Arrivals, Pace};
use crate::catalog::{FlowEntry, FlowSettings};
use crate::gate::StepGate;
use crate::latency::{largest_backlog, longest_gap};
use crate::life::Seat;
use crate::recorder::Recorder;
use crate::remote::Broken;
use crate::trade::Trade;
use crate::transcript::Transcript;

/// Operations for which a holder has room from the start, at most.
const MOST_AT_ONCE: usize = 4_096;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Load {
    /// The order of steps of one booking.
    pub flow: &'static FlowEntry,
    /// How many holders work side by side.
    pub holders: u32,
    /// How many slots there are.
    pub slots: u32,
    /// When it ends.
    pub stop: Stop,
    /// When attempts are meant to start.
    pub pace: Pace,
    /// What the flow is told.
    pub settings: FlowSettings,
}

impl Load {
    /// How many attempts there will be; for a load that ends by time, about as many as its holders could make at one
    /// in 10 ms.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self.stop {
            Stop::After(attempts) => attempts,
            Stop::AtTime(length) => {
                let each = u32::try_from(length.as_millis() / 10).unwrap_or(u32::MAX);
                each.saturating_mul(self.holders)
            }
        }
    }
}

/// When a load ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// After so many attempts.
    After(u32),
    /// So long after it began: no attempt starts, or is meant to start, later than that.
    AtTime(Duration),
}

/// Who takes part.
#[derive(Clone, Debug)]
pub struct Parties {
    /// The run's own; holders get forks of it.
    pub env: Env,
    /// The lock of the strategy.
    pub lock: AnyLock,
    /// How holders use it.
    pub policy: Policy,
    /// How they keep their leases alive, where the strategy does.
    pub keep: Option<KeepAlive>,
    /// Keeps the owner values of two runs of one seed apart.
    pub salt: u64,
    /// Where bookings are kept.
    pub store: Arc<dyn BookingStore>,
    /// How their writes protect themselves.
    pub guard: &'static dyn Guard,
    /// Asked at every step.
    pub gate: Arc<dyn StepGate>,
    /// The holders' groups, by which a rig pauses them; one each.
    pub groups: Vec<Group>,
    /// Raised to end the load early: no new attempt starts.
    pub halt: Arc<AtomicBool>,
}

/// What came of a load.
#[derive(Debug)]
pub struct Record {
    /// Everything that the holders did.
    pub history: History,
    /// The longest time between two acknowledged commits.
    pub longest_gap: Duration,
    /// The most attempts that were meant to have started and had not.
    pub backlog: u32,
    /// When the first attempt could start: every holder was connected.
    pub started: Instant,
    /// When the last holder had stopped.
    pub finished: Instant,
    /// Which holders' processes died by themselves, a sentence each: what the load did not come to shows nothing then.
    pub lost: Vec<String>,
}

/// A holder could not be set up: nothing was booked.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The lock's backend could not be reached.
    #[error("{0} could not reach the lock's backend")]
    Lock(HolderId, #[source] LockError),
    /// The database could not be reached.
    #[error("{0} could not reach the database")]
    Bookings(HolderId, #[source] BookingError),
    /// No process of its own could be started for it.
    #[error("{0} cannot be a process of its own")]
    Process(HolderId, #[source] Broken),
    /// What its process said of one of the first two.
    #[error("{0}")]
    Told(String),
}

/// Runs `load` to its end, or until `cut` completes; its output is given back then. The end is when all attempts were
/// handed out and every holder that is alive has done with its last. A holder whose group was killed goes on with fresh
/// sessions once that is restarted.
///
/// `begun` is called once every holder is connected, before the first attempt, with that instant, the zero of a
/// scenario's time line, and with what is written from then on.
///
/// # Errors
/// A holder could not be set up.
///
/// # Cancel safety
/// Dropping the future stops the holders at their next await; use `halt` to end a load early and keep its history.
pub async fn run<C: Send>(
    parties: &Parties,
    load: &Load,
    cut: impl Future<Output = C> + Send,
    begun: impl FnOnce(Instant, &Transcript) + Send,
) -> Result<(Record, Option<C>), SetUpError> {
    // The groups are the seats', and there may be thousands of both.
    let shared = Parties { groups: Vec::new(), ..parties.clone() };
    run_trade(shared, &parties.groups, load, cut, begun).await
}

/// The same whatever holders work with.
pub(crate) async fn run_trade<T: Trade, C: Send>(
    trade: T,
    groups: &[Group],
    load: &Load,
    cut: impl Future<Output = C> + Send,
    begun: impl FnOnce(Instant, &Transcript) + Send,
) -> Result<(Record, Option<C>), SetUpError> {
    let (transcript, trade) = (transcript(load), Arc::new(trade));
    let recorders = transcript.recorders();
    let seat =
        |(recorder, group): (&Recorder, &Group)| Seat::new(&trade, load, recorder.clone(), group);
    let seats: Vec<_> = recorders.iter().zip(groups).map(seat).collect();
    let env = trade.env();
    let mut holders = Vec::with_capacity(seats.len());
    for seat in &seats {
        holders.push(seat.set_up(1).await?);
    }
    let started = env.now();
    begun(started, &transcript);
    let arrivals = Arc::new(Arrivals::new(load, env.random().fork("arrivals")));
    let lives = seats
        .iter()
        .zip(holders)
        .map(|(seat, holder)| seat.live(holder, Arc::clone(&arrivals), started).boxed());
    let cut_by = match select(join_all(lives), pin!(cut)).await {
        Either::Left(_) => None,
        Either::Right((by, lives)) => {
            // What is open ends as info; the steps themselves are dropped, their claims withdrawn.
            drop(lives);
            Some(by)
        }
    };
    Ok((record(recorders, started, env.now()), cut_by))
}

/// Empty pages, for each holder of `load`.
pub(crate) fn transcript(load: &Load) -> Transcript {
    let each = load.attempts().div_ceil(load.holders.max(1)).saturating_add(1);
    let operations = (each as usize).saturating_mul(load.flow.steps.len()).min(MOST_AT_ONCE);
    let recorder = |number| Recorder::new(HolderId(number), operations);
    Transcript::of((1..=load.holders).map(recorder))
}

/// What they hold in the end, put in order.
pub(crate) fn record(recorders: &[Recorder], started: Instant, finished: Instant) -> Record {
    let written = recorders.iter().map(|recorder| recorder.take(finished));
    let (operations, attempts): (Vec<_>, Vec<_>) = written.unzip();
    let history = History::merge(operations, attempts.into_iter().flatten().collect());
    let (longest_gap, backlog) = (longest_gap(&history), largest_backlog(&history));
    Record { history, longest_gap, backlog, started, finished, lost: Vec::new() }
}
