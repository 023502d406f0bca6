//! A load whose holders are processes of their own.

use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{Either, join_all, select, try_join_all};
use lockproof_env::{Env, Group, Latch};
use lockproof_model::{Instant, Point};

use super::Launcher;
use super::seat::Seat;
use crate::arrivals::Arrivals;
use crate::gate::StepGate;
use crate::load::{Load, Record, SetUpError, record, transcript};
use crate::transcript::Transcript;

/// Who takes part, beside the processes, which have the rest of [`Parties`](crate::Parties).
#[derive(Clone, Debug)]
pub struct Apart {
    /// The run's own.
    pub env: Env,
    /// Starts the processes.
    pub launcher: Arc<dyn Launcher>,
    /// Asked at every step that concerns it.
    pub gate: Arc<dyn StepGate>,
    /// By which a rig says that a holder was killed, and may be started again; one each.
    pub groups: Vec<Group>,
    /// Raised to end the load early: no new attempt starts.
    pub halt: Arc<AtomicBool>,
}

/// [`run`](crate::run) with each holder in a process of its own. A load that is cut short kills them.
///
/// # Errors
/// A holder could not be set up.
///
/// # Cancel safety
/// Dropping the future kills the holders; use `halt` to end a load early and keep its history.
pub async fn run_apart<C: Send>(
    apart: &Apart,
    load: &Load,
    cut: impl Future<Output = C> + Send,
    begun: impl FnOnce(Instant, &Transcript) + Send,
) -> Result<(Record, Option<C>), SetUpError> {
    let (transcript, lost) = (transcript(load), Arc::new(Mutex::default()));
    let recorders = transcript.recorders();
    let shared = Arc::new(Apart { groups: Vec::new(), ..apart.clone() });
    let concerns: Arc<[_]> = Point::all().filter(|&point| apart.gate.concerns(point)).collect();
    let seats: Vec<_> = recorders
        .iter()
        .zip(&apart.groups)
        .map(|(recorder, group)| Seat::new(&shared, group, recorder, &concerns, &lost))
        .collect();
    let ends = try_join_all(seats.iter().map(Seat::set_up)).await?;
    let started = apart.env.now();
    begun(started, &transcript);
    let arrivals = Arc::new(Arrivals::new(load, apart.env.random().fork("arrivals")));
    let short = Latch::new();
    let lives = seats
        .into_iter()
        .zip(ends)
        .map(|(seat, end)| seat.live(end, Arc::clone(&arrivals), started, short.clone()));
    let cut_by = match select(join_all(lives), pin!(cut)).await {
        Either::Left(_) => None,
        Either::Right((by, lives)) => {
            // Unlike tasks they cannot be dropped: one of them may have a request on its way that it has told of.
            short.raise();
            lives.await;
            Some(by)
        }
    };
    let lost = std::mem::take(&mut *lost.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((Record { lost, ..record(recorders, started, apart.env.now()) }, cut_by))
}
