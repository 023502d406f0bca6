//! Holders as processes: what each is told when it is started, and what it makes of that.
//!
//! ```text
//!   this program                                      this program again, as a holder
//!   Processes::launch ── Hello, Assignment ─────────▶ hold: scenario, strategy and servers become a lock, a guard and
//!         │                                             │   a store, as in the run itself
//!   workload's seat ◀── Word ─── Answer ────────────▶ workload's attend
//! ```
//!
//! A holder is told the scenario as text, the way a report keeps it, and reads it as every scenario is read: there is no
//! second way to spell a lock's settings.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use lockproof_env::live::{Epoch, env_since};
use lockproof_model::{HolderId, Point, in_full};
use lockproof_rig::live::{HolderProcess, LiveRig, PipeReader, PipeWriter, Places, holder_line};
use lockproof_scenario::{Scenario, Strategy, parse, resolved};
use lockproof_workload::{
    Answer, Broken, HolderEnd, Launcher, OpenGate, Parties, Post, SeatEnd, Word, attend,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, mpsc};

use crate::cell::{CellPlan, runtime};

/// What this program and its holders speak. Raised with every change of what is said: somebody may put another version in
/// this one's place while it runs.
const PROTOCOL: u32 = 1;
/// How a holder ends whose run is gone; nobody is left to see it.
const ORPHANED: i32 = 1;

/// Said first, and understood by every version.
#[derive(Debug, Serialize, Deserialize)]
struct Hello {
    lockproof_holder: u32,
}

/// Who a holder's process is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Assignment {
    holder: HolderId,
    life: u32,
    scenario: String,
    strategy: String,
    key_prefix: String,
    seed: u64,
    salt: u64,
    epoch_ns: u64,
    concerns: Vec<Point>,
    places: Places,
}

/// Starts the holders of one cell.
#[derive(Debug)]
pub(crate) struct Processes {
    rig: Arc<LiveRig>,
    scenario: String,
    strategy: String,
    key_prefix: String,
    seed: u64,
    salt: u64,
    epoch: Epoch,
}

impl Processes {
    pub(crate) fn of(
        plan: &CellPlan,
        rig: Arc<LiveRig>,
        key_prefix: String,
        salt: u64,
        epoch: Epoch,
    ) -> Self {
        // Faults and the order of a replay are the run's business, and servers are told of as they are reached.
        let scenario = resolved(&Scenario {
            cells: vec![plan.cell],
            faults: Vec::new(),
            fault_fields: Vec::new(),
            fault_places: Vec::new(),
            external: lockproof_rig::ExternalServers::default(),
            replay: None,
            ..Scenario::clone(&plan.scenario)
        });
        let strategy = plan.cell.strategy.to_string();
        Self { rig, scenario, strategy, key_prefix, seed: plan.seed, salt, epoch }
    }

    fn start(&self, holder: HolderId, life: u32, concerns: &[Point]) -> Result<Line, Broken> {
        let assignment = Assignment {
            holder,
            life,
            scenario: self.scenario.clone(),
            strategy: self.strategy.clone(),
            key_prefix: self.key_prefix.clone(),
            seed: self.seed,
            salt: self.salt,
            epoch_ns: self.epoch.as_nanos(),
            concerns: concerns.to_vec(),
            places: self.rig.places(holder)?,
        };
        let process = self.rig.launch(holder)?;
        let hello = process.tell(&Hello { lockproof_holder: PROTOCOL });
        if let Err(error) = hello.and_then(|()| process.tell(&assignment)) {
            // It has ended; how, is said by its end.
            tracing::debug!(%error, "a holder was not told who it is");
        }
        Ok(Line(process))
    }
}

impl Launcher for Processes {
    fn launch<'a>(
        &'a self,
        holder: HolderId,
        life: u32,
        concerns: &'a [Point],
    ) -> BoxFuture<'a, Result<Box<dyn SeatEnd>, Broken>> {
        let line = self.start(holder, life, concerns);
        std::future::ready(line.map(|line| Box::new(line) as Box<dyn SeatEnd>)).boxed()
    }
}

/// The run's end.
#[derive(Debug)]
struct Line(HolderProcess<Word>);

impl SeatEnd for Line {
    fn answer(&mut self, answer: Answer) -> BoxFuture<'_, Result<(), Broken>> {
        std::future::ready(self.0.tell(&answer).map_err(Broken::from)).boxed()
    }

    fn hear(&mut self) -> BoxFuture<'_, Result<Option<Word>, Broken>> {
        self.0.hear().map(|heard| heard.map_err(Broken::from)).boxed()
    }

    fn kill(&mut self) {
        self.0.kill();
    }

    fn ended(self: Box<Self>) -> BoxFuture<'static, Option<String>> {
        self.0.ended().boxed()
    }
}

/// Is a holder, until the run that has started this process has no attempt left for it. Standard input and output are the
/// line to that run.
///
/// # Errors
/// A sentence: nobody has started this process as a holder, or the run is not understood, or gone.
///
/// # Panics
/// When the operating system gives no runtime its timers.
pub fn hold() -> Result<(), String> {
    runtime().block_on(async {
        let no_line = |error: io::Error| {
            format!("lockproof starts its holders by itself; there is nothing for people here ({error})")
        };
        let (mut hears, tells) = holder_line::<Hello>().map_err(no_line)?;
        let hello = first(hears.next().await)?;
        let tells = Arc::new(tells);
        let refuse = |why: String| {
            // Whether it is heard makes no difference: this process ends either way.
            drop(tells.send(&Word::Failed(why.clone())));
            why
        };
        if hello.lockproof_holder != PROTOCOL {
            let spoken = hello.lockproof_holder;
            return Err(refuse(format!(
                "the program was replaced while it ran: it speaks version {spoken} to its holders, which speak {PROTOCOL}"
            )));
        }
        let mut hears = hears.with();
        let assignment: Assignment = first(hears.next().await).map_err(refuse)?;
        let (parties, post) = assignment.prepare().map_err(refuse)?;
        serve(parties, post, hears.with(), Arc::clone(&tells)).await
    })
}

fn first<T>(heard: io::Result<Option<T>>) -> Result<T, String> {
    match heard {
        Ok(Some(told)) => Ok(told),
        Ok(None) => Err("the run was gone before it had said who this is to be".to_owned()),
        Err(error) => Err(format!("the run is not understood: {error}")),
    }
}

async fn serve(
    parties: Parties,
    post: Post,
    mut hears: PipeReader<Answer>,
    tells: Arc<PipeWriter>,
) -> Result<(), String> {
    let (answers, heard) = mpsc::unbounded_channel();
    let end = Arc::new(End { tells, heard: Mutex::new(heard) });
    // Listened to all the time, or a run that is gone would be noticed only when it is asked something.
    let listens = async {
        while let Ok(Some(answer)) = hears.next().await {
            // Nobody listens any more only when the holder has ended, and with it this.
            let _ = answers.send(answer);
        }
    };
    match select(pin!(attend(parties, post, end)), pin!(listens)).await {
        Either::Left(((), _)) => Ok(()),
        Either::Right(((), _)) => Err("the run that this holder belongs to is gone".to_owned()),
    }
}

impl Assignment {
    fn prepare(self) -> Result<(Parties, Post), String> {
        let scenario = parse("holder.toml".as_ref(), &self.scenario);
        let scenario =
            scenario.map_err(|error| format!("the scenario is not understood: {error}"))?;
        let strategy = Strategy::parse(&self.strategy).map_err(|error| in_full(&error))?;
        let Self { holder, life, concerns, seed, salt, places, .. } = self;
        let env = env_since(Epoch::from_nanos(self.epoch_ns), seed);
        let backends = places.backends(&env, strategy.driver).map_err(|error| in_full(&error))?;
        let settings = scenario.lock_settings(&strategy, self.key_prefix);
        // Each process has a lock of its own, which must not draw what another's does.
        let of_lock = env.fork(&format!("lock of {holder}, life {life}"));
        let parties = Parties {
            lock: (strategy.lock.build)(settings, backends, of_lock),
            policy: scenario.policy(),
            keep: scenario.keep(&strategy),
            salt,
            store: places.store(&env).map_err(|error| in_full(&error))?,
            guard: strategy.guard.guard,
            gate: Arc::new(OpenGate),
            groups: Vec::new(),
            halt: Arc::default(),
            env,
        };
        let (flow, settings) = (scenario.load.flow, scenario.load.settings);
        Ok((parties, Post { holder, life, flow, settings, concerns }))
    }
}

/// The holder's end.
#[derive(Debug)]
struct End {
    tells: Arc<PipeWriter>,
    heard: Mutex<mpsc::UnboundedReceiver<Answer>>,
}

impl HolderEnd for End {
    fn say(&self, word: &Word) {
        let said = if word.can_wait() { self.tells.queue(word) } else { self.tells.send(word) };
        if let Err(error) = said {
            tracing::debug!(%error, "the run is gone");
            std::process::exit(ORPHANED);
        }
    }

    fn hear(&self) -> BoxFuture<'_, Answer> {
        async {
            match self.heard.lock().await.recv().await {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
        .boxed()
    }
}
