//! A coordination service as a process of the run's own, and what faults do to it.

use std::fmt::Debug;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_env::Env;
use rustix::process::Signal;

use crate::live::children::{self, DeathSignal, Running, Spawner};
use crate::live::control::Control;
use crate::live::process_state::thread_states;
use crate::live::process_tree::until;
use crate::live::redis_server::free_address;
use crate::live::workspace::Workspace;
use crate::{Keeps, RigError, ServerEffect};

/// A port that was free may be taken by the time the server binds it.
const TRIES: u32 = 5;
/// A virtual machine of its own has to start on a machine that may be busy.
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
/// What it says, in its own directory.
const LOG: &str = "server.log";

/// How a service is started and told from others.
pub(super) trait Kind: Debug + Send + Sync {
    /// As people call it.
    fn name(&self) -> &'static str;

    /// The program to start.
    ///
    /// # Errors
    /// It is not installed; the error says how to get it.
    fn program(&self) -> Result<PathBuf, RigError>;

    /// Writes what it reads at its start.
    ///
    /// # Errors
    /// That cannot be written.
    fn set_up(&self, _home: &Home) -> std::io::Result<()> {
        Ok(())
    }

    /// Adds its arguments.
    fn arguments(&self, home: &Home, command: &mut Command);

    /// The version of the server at the address of `home`, if it is the one that was started there: the port was free a
    /// moment ago, and whoever took it since may well be of the same kind.
    fn who_answers<'a>(&'a self, home: &'a Home, env: &'a Env) -> BoxFuture<'a, Option<String>>;
}

/// Where and how a server runs: enough to start it again.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) address: SocketAddr,
    /// Where members of a cluster would speak with it.
    pub(super) peers: SocketAddr,
    /// What it keeps, in its own directory.
    pub(super) directory: PathBuf,
    kind: Arc<dyn Kind>,
    program: PathBuf,
    spawner: Arc<Spawner>,
    /// The directory is inside.
    _workspace: Arc<Workspace>,
}

impl Home {
    /// No other server on this machine is called so.
    pub(super) fn name(&self) -> String {
        self.directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn prepare(
        kind: Arc<dyn Kind>,
        spawner: &Arc<Spawner>,
        workspace: &Arc<Workspace>,
    ) -> Result<Self, RigError> {
        let program = kind.program()?;
        let cannot = |error| cannot(kind.name(), error);
        let (address, peers) = (free_address().map_err(cannot)?, free_address().map_err(cannot)?);
        let name =
            format!("{}-{}-{:08x}", kind.name(), address.port(), lockproof_env::live::entropy());
        let directory = workspace.directory(&name).map_err(cannot)?;
        let (spawner, workspace) = (Arc::clone(spawner), Arc::clone(workspace));
        let home = Self {
            address,
            peers,
            directory,
            kind: Arc::clone(&kind),
            program,
            spawner,
            _workspace: workspace,
        };
        kind.set_up(&home).map_err(cannot)?;
        Ok(home)
    }

    /// Starts the server and waits until it answers; gives its version too.
    async fn start(&self) -> Result<(Running, String), RigError> {
        let cannot = |error| cannot(self.kind.name(), error);
        let log = File::options().create(true).append(true).open(self.directory.join(LOG));
        let log = log.map_err(cannot)?;
        let log_again = log.try_clone().map_err(cannot)?;
        let spawned = self.spawner.spawn(&self.program, None, DeathSignal::Kill, |command| {
            self.kind.arguments(self, command);
            command.current_dir(&self.directory);
            command.stdin(Stdio::null()).stdout(log).stderr(log_again);
        });
        let mut running = spawned.map_err(cannot)?;
        let version = self.ready(&mut running).await?;
        Ok((running, version))
    }

    async fn ready(&self, running: &mut Running) -> Result<String, RigError> {
        let (name, env) = (self.kind.name(), lockproof_env::live::env(0));
        let deadline = env.now() + READY_WITHIN;
        loop {
            if let Some(version) = self.kind.who_answers(self, &env).await {
                return Ok(version);
            }
            if let Some(status) = running.exited() {
                let last = last_words(&self.directory.join(LOG));
                return Err(RigError::new(format!("{name} ended with {status}: {last}")));
            }
            if env.now() >= deadline {
                let last = last_words(&self.directory.join(LOG));
                return Err(RigError::new(format!(
                    "{name} did not answer within {READY_WITHIN:?}: {last}"
                )));
            }
            env.sleep(POLL).await;
        }
    }
}

fn last_words(log: &Path) -> String {
    let log = std::fs::read_to_string(log).unwrap_or_default();
    let last = log.lines().rfind(|line| !line.trim().is_empty());
    last.unwrap_or("it said nothing").to_owned()
}

fn cannot(name: &str, error: std::io::Error) -> RigError {
    RigError::new(format!("cannot start {name}")).because(error)
}

/// A server of the run's own. Dropping it kills it.
#[derive(Debug)]
pub(super) struct CoordinatorProcess {
    state: Mutex<State>,
    home: Home,
}

#[derive(Debug)]
struct State {
    /// None while it is down.
    running: Option<Running>,
    pauses: u32,
    downs: u32,
}

impl CoordinatorProcess {
    /// Starts one; gives its version too.
    pub(super) async fn start(
        kind: Arc<dyn Kind>,
        spawner: &Arc<Spawner>,
        workspace: &Arc<Workspace>,
    ) -> Result<(Self, String), RigError> {
        let mut last = None;
        for _ in 0..TRIES {
            let home = Home::prepare(Arc::clone(&kind), spawner, workspace)?;
            match home.start().await {
                Ok((running, version)) => {
                    let state = State { running: Some(running), pauses: 0, downs: 0 };
                    return Ok((Self { state: Mutex::new(state), home }, version));
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("there was at least one try"))
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.home.address
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn process(&self) -> Option<u32> {
        self.state().running.as_ref().map(Running::id)
    }

    async fn pause(&self) -> Result<Vec<String>, RigError> {
        let process = self.process().ok_or_else(|| RigError::new("it is down already"))?;
        self.state().pauses += 1;
        children::signal(process, Signal::STOP);
        until(&format!("process {process} to stop"), || {
            thread_states(process).map(|states| states.iter().all(|&state| state == 'T'))
        })
        .await?;
        Ok(vec![format!("stopped (process {process} in state T)")])
    }

    async fn resume(&self) -> Result<Vec<String>, RigError> {
        // Killed meanwhile, it has nothing to go on with.
        let Some(process) = self.process() else { return Ok(Vec::new()) };
        if self.let_go_on() {
            until(&format!("process {process} to go on"), || {
                children::is_stopped(process).map(|stopped| !stopped)
            })
            .await?;
        }
        Ok(Vec::new())
    }

    /// Ends one pause; whether that was the last.
    fn let_go_on(&self) -> bool {
        let mut state = self.state();
        state.pauses = state.pauses.saturating_sub(1);
        let last = state.pauses == 0;
        if let Some(running) = state.running.as_ref().filter(|_| last) {
            children::signal(running.id(), Signal::CONT);
        }
        last
    }

    fn crash(&self) -> Result<Vec<String>, RigError> {
        let mut state = self.state();
        state.downs += 1;
        let Some(mut running) = state.running.take() else { return Ok(Vec::new()) };
        drop(state);
        let process = running.id();
        let status = running.kill().map_err(|error| {
            RigError::new(format!("cannot kill process {process}")).because(error)
        })?;
        Ok(vec![format!("died (process {process}, {status})")])
    }

    async fn restart(&self) -> Result<Vec<String>, RigError> {
        {
            let mut state = self.state();
            state.downs = state.downs.saturating_sub(1);
            if state.downs > 0 {
                return Ok(Vec::new());
            }
        }
        let (running, _) = self.home.start().await?;
        let process = running.id();
        self.state().running = Some(running);
        Ok(vec![format!("was started again (process {process})")])
    }
}

/// Why a coordination service of the run's own cannot suffer `effect`, where it cannot.
pub(in crate::live) const fn refusal(effect: ServerEffect) -> Option<&'static str> {
    match effect {
        ServerEffect::Pause | ServerEffect::Crash { keeps: Keeps::Everything } => None,
        ServerEffect::Crash { .. } => Some(
            "a coordination service has all that it has agreed to on disk; keeps = \"everything\"",
        ),
        ServerEffect::ClockJump { .. } | ServerEffect::ClockRate(_) => {
            Some("it counts leases and sessions by its monotonic clock, which nobody can set")
        }
        ServerEffect::Failover { .. } => Some("it is one server, without a replica"),
        ServerEffect::Evict | ServerEffect::Flush => Some("it never drops what it keeps"),
        ServerEffect::FillDisk => Some("it has no disk of its own"),
    }
}

impl Control for CoordinatorProcess {
    fn begin(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match (effect, refusal(effect)) {
                (_, Some(why)) => Err(RigError::new(why)),
                (ServerEffect::Crash { .. }, None) => self.crash(),
                (_, None) => self.pause().await,
            }
        }
        .boxed()
    }

    fn end(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match effect {
                ServerEffect::Pause => self.resume().await,
                ServerEffect::Crash { .. } => self.restart().await,
                _ => Ok(Vec::new()),
            }
        }
        .boxed()
    }

    fn relieve(&self, effect: ServerEffect) {
        // A server that is down ends with the rig, which is about to be dropped.
        if effect == ServerEffect::Pause {
            self.let_go_on();
        }
    }
}
