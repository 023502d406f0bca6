//! What keeps a runaway script from running away.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mlua::{HookTriggers, Lua, VmState};

use super::failure::Exceeded;
use crate::clock::WallClock;
use crate::server::ScriptLimits;

/// Instructions between two looks at the meter: rare enough to cost nothing.
const STEP: u32 = 10_000;

/// Counts a run's instructions, and its time where there is a clock, and stops it at the limit.
#[derive(Debug)]
pub(super) struct Meter {
    steps_left: Arc<AtomicU64>,
    steps_max: u64,
    stopwatch: Arc<Mutex<Option<Stopwatch>>>,
}

/// The time of one run.
struct Stopwatch {
    clock: Box<dyn Fn() -> WallClock + Send + Sync>,
    limit: Duration,
    ends_at: WallClock,
}

impl fmt::Debug for Stopwatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Stopwatch").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Meter {
    /// Sets both limits. The memory limit counts what the sandbox itself occupies.
    pub(super) fn install(lua: &Lua, limits: ScriptLimits) -> mlua::Result<Self> {
        lua.set_memory_limit(limits.memory_bytes)?;
        let steps_max = limits.instructions.div_ceil(STEP.into()).max(1);
        let steps_left = Arc::new(AtomicU64::new(steps_max));
        let stopwatch = Arc::new(Mutex::new(None::<Stopwatch>));
        let (left, watch) = (Arc::clone(&steps_left), Arc::clone(&stopwatch));
        let instructions = limits.instructions;
        // The global hook, since that of one thread would not reach a script's coroutines.
        lua.set_global_hook(HookTriggers::new().every_nth_instruction(STEP), move |_, _| {
            let spend = |left: u64| left.checked_sub(1);
            if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_err() {
                return Err(Exceeded::Instructions(instructions).raise());
            }
            match &*lock(&watch) {
                Some(watch) if (watch.clock)() >= watch.ends_at => {
                    Err(Exceeded::Time(watch.limit).raise())
                }
                _ => Ok(VmState::Continue),
            }
        })?;
        Ok(Self { steps_left, steps_max, stopwatch })
    }

    /// From now on a run is stopped after `limit` by `clock`, too.
    pub(super) fn limit_time(
        &self,
        clock: impl Fn() -> WallClock + Send + Sync + 'static,
        limit: Duration,
    ) {
        let ends_at = WallClock::default();
        *lock(&self.stopwatch) = Some(Stopwatch { clock: Box::new(clock), limit, ends_at });
    }

    /// A new run begins.
    pub(super) fn start(&self) {
        self.steps_left.store(self.steps_max, Ordering::Relaxed);
        if let Some(watch) = &mut *lock(&self.stopwatch) {
            watch.ends_at = (watch.clock)().after(watch.limit);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A full collection. With no script running it can fail only for memory, and then the next
/// allocation says so.
pub(super) fn collect_garbage(lua: &Lua) {
    let _ = lua.gc_collect();
}
