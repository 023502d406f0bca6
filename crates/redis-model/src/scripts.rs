//! Scripts: real Lua 5.1, as in Redis.
//!
//! A script is compiled once and kept by the SHA-1 of its source. It runs inside a sandbox
//! (`prelude.lua`) and reaches the data only through `redis.call` and `redis.pcall`, which go
//! through the same command table as a client's words. Time stands still while it runs.

mod api;
mod bits;
mod cjson;
mod convert;
mod failure;
mod limits;
mod plain;
mod random;
mod running;
mod sandbox;
mod sha;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use mlua::{Function, Lua};

use crate::clock::WallClock;
use crate::core::Core;
use crate::reply::{Outcome, Protocol, Refusal};
use crate::server::ScriptLimits;
use crate::session::Session;
use failure::Failure;
use limits::Meter;
use plain::{Door, Plain};
use running::{Running, Slot};
use sandbox::Sandbox;
pub(crate) use sha::Sha;

/// Whether a script may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadWrite,
    ReadOnly,
}

/// On whose behalf, and when, a script runs.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) core: &'a mut Core,
    pub(crate) session: &'a Session,
    pub(crate) now: WallClock,
    pub(crate) access: Access,
}

/// The Lua machine and the scripts that it knows.
#[derive(Debug)]
pub(crate) struct Scripts {
    lua: Lua,
    sandbox: Sandbox,
    meter: Meter,
    slot: Slot,
    cache: BTreeMap<Sha, Script>,
    /// By source, so that what is loaded again and again is not digested each time.
    names: BTreeMap<Box<[u8]>, Sha>,
}

#[derive(Debug)]
struct Script {
    function: Function,
    /// The same without the machine, where that is enough.
    plain: Option<Plain>,
    access: Access,
    /// Whether the server knows it; one that was forgotten is kept so that it need not be compiled again.
    known: bool,
}

/// Compiled scripts kept beyond a flush.
const KEPT: usize = 64;

impl Scripts {
    pub(crate) const NOSCRIPT: Refusal =
        Refusal::fixed("NOSCRIPT No matching script. Please use EVAL.");
    pub(crate) const NOT_FROM_SCRIPT: Refusal =
        Refusal::fixed("ERR This Redis command is not allowed from script");

    pub(crate) fn new(limits: ScriptLimits) -> mlua::Result<Self> {
        let lua = sandbox::machine()?;
        let slot = Slot::default();
        let sandbox = Sandbox::new(&lua, &slot)?;
        let meter = Meter::install(&lua, limits)?;
        Ok(Self { lua, sandbox, meter, slot, cache: BTreeMap::new(), names: BTreeMap::new() })
    }

    pub(crate) fn limit_time(
        &self,
        clock: impl Fn() -> WallClock + Send + Sync + 'static,
        limit: Duration,
    ) {
        self.meter.limit_time(clock, limit);
    }

    /// Compiles `source` unless it is known, and names it.
    pub(crate) fn load(&mut self, source: &[u8]) -> Result<Sha, Refusal> {
        let sha = self.names.get(source).copied().unwrap_or_else(|| Sha::of(source));
        if let Some(script) = self.cache.get_mut(&sha) {
            script.known = true;
            return Ok(sha);
        }
        let (access, body) = sandbox::read_shebang(source)?;
        let function = self.sandbox.compile(&self.lua, &body, "@user_script").map_err(|error| {
            limits::collect_garbage(&self.lua);
            let message = sandbox::syntax_message(&error);
            Refusal::new(format!("ERR Error compiling script (new function): {message}"))
        })?;
        let plain = Plain::read(&body);
        self.cache.insert(sha, Script { function, plain, access, known: true });
        self.names.insert(source.into(), sha);
        Ok(sha)
    }

    pub(crate) fn contains(&self, sha: Sha) -> bool {
        self.cache.get(&sha).is_some_and(|script| script.known)
    }

    pub(crate) fn len(&self) -> usize {
        self.cache.values().filter(|script| script.known).count()
    }

    pub(crate) fn used_memory(&self) -> usize {
        self.lua.used_memory()
    }

    /// Forgets all scripts and returns their memory.
    pub(crate) fn flush(&mut self) {
        self.cache.clear();
        self.names.clear();
        limits::collect_garbage(&self.lua);
    }

    /// Forgets all scripts, as far as anybody can tell: what was compiled is kept for when it is loaded again, which
    /// makes a new server out of an old one in no time.
    pub(crate) fn forget(&mut self) {
        if self.cache.len() > KEPT {
            self.flush();
        }
        self.cache.values_mut().for_each(|script| script.known = false);
    }

    /// Runs a known script.
    pub(crate) fn run(
        &mut self,
        sha: Sha,
        keys: &[Bytes],
        arguments: &[Bytes],
        caller: Caller<'_>,
    ) -> Outcome {
        let known = self.cache.get(&sha).filter(|script| script.known);
        let script = known.ok_or(Self::NOSCRIPT)?;
        let read_only = [script.access, caller.access].contains(&Access::ReadOnly);
        let access = if read_only { Access::ReadOnly } else { Access::ReadWrite };
        if let Some(plain) = script.plain.as_ref() {
            let Caller { core, session, now, .. } = caller;
            let mut session = Session::of_script(session);
            let mut door = Door { core, session: &mut session, now, access };
            let result = plain.run(keys, arguments, &mut door);
            return result.map_err(|failed| Failure::from_plain(failed).describe(sha));
        }
        self.meter.start();
        self.slot.put(Running {
            core: std::mem::take(caller.core),
            session: Session::of_script(caller.session),
            now: caller.now,
            access,
        });
        let result = self.sandbox.run(&self.lua, &script.function, keys, arguments);
        let mut protocol = Protocol::Resp2;
        if let Some(running) = self.slot.take() {
            *caller.core = running.core;
            protocol = running.session.protocol;
        }
        let failure = match result {
            Ok((true, value)) => return Ok(convert::to_reply(&value, protocol)),
            Ok((false, error)) => Failure::from_lua(&error),
            Err(error) => Failure::from_host(&error),
        };
        if failure.is_memory() {
            // Lua 5.1 does not collect when memory runs out: make room for the next script.
            limits::collect_garbage(&self.lua);
        }
        Err(failure.describe(sha))
    }
}
