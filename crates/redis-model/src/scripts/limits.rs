//! What keeps a runaway script from running away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mlua::{HookTriggers, Lua, VmState};

use super::failure::Exceeded;
use crate::server::ScriptLimits;

/// Instructions between two looks at the meter: rare enough to cost nothing.
const STEP: u32 = 10_000;

/// Counts a run's instructions and stops it at the limit.
#[derive(Debug)]
pub(super) struct Meter {
    steps_left: Arc<AtomicU64>,
    steps_max: u64,
}

impl Meter {
    /// Sets both limits. The memory limit counts what the sandbox itself occupies.
    pub(super) fn install(lua: &Lua, limits: ScriptLimits) -> mlua::Result<Self> {
        lua.set_memory_limit(limits.memory_bytes)?;
        let steps_max = limits.instructions.div_ceil(STEP.into()).max(1);
        let steps_left = Arc::new(AtomicU64::new(steps_max));
        let left = Arc::clone(&steps_left);
        let instructions = limits.instructions;
        // The global hook, since that of one thread would not reach a script's coroutines.
        lua.set_global_hook(HookTriggers::new().every_nth_instruction(STEP), move |_, _| {
            let spend = |left: u64| left.checked_sub(1);
            match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend) {
                Ok(_) => Ok(VmState::Continue),
                Err(_) => Err(Exceeded::error(instructions)),
            }
        })?;
        Ok(Self { steps_left, steps_max })
    }

    /// A new run begins.
    pub(super) fn start(&self) {
        self.steps_left.store(self.steps_max, Ordering::Relaxed);
    }
}

/// A full collection. With no script running it can fail only for memory, and then the next
/// allocation says so.
pub(super) fn collect_garbage(lua: &Lua) {
    let _ = lua.gc_collect();
}
