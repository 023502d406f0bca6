//! The container engine that tests of the provider `container` are run on.
//!
//! One that answers is used. Otherwise, as root on Debian, docker.io is installed and an engine of the run's own is
//! started, whose images, containers and socket are in a temporary folder.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lockproof_env::live;
use rustix::process::{Pid, Signal, kill_process};

use super::folder::Folder;
use super::install;
use super::interrupt::Interrupts;
use super::machine::Machine;
use super::servers::Server;
use crate::{Failure, image, say};

/// `no` on a machine that cannot have an engine, so that CI does without.
const WANTED: &str = "LOCKPROOF_TEST_CONTAINERS";
const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

/// An engine that answers. Dropping it stops it, where it is the run's own.
#[derive(Debug)]
pub(super) struct Engine {
    host: Option<String>,
    _own: Option<Own>,
}

/// Why there is none.
#[derive(Debug)]
pub(super) struct NoEngine(pub(super) String);

impl Engine {
    /// One that answers, with our images in it.
    ///
    /// # Errors
    /// Somebody wants this to end, or there is none in CI, which skips nothing unasked.
    pub(super) async fn find(
        machine: &Machine,
        missing: &[&Server],
        interrupts: &mut Interrupts,
    ) -> Result<Result<Self, NoEngine>, Failure> {
        if machine.variable(WANTED).is_some_and(|wanted| wanted == "no") {
            return Ok(Err(NoEngine(format!("{WANTED}=no"))));
        }
        if !missing.is_empty() {
            return Ok(Err(NoEngine(
                "images are made of servers, and some are missing".to_owned(),
            )));
        }
        let found = match Self::answering() {
            Some(engine) => Ok(engine),
            None => Self::own(machine, interrupts).await?,
        };
        let made = found.and_then(|engine| match image::make(engine.host()) {
            Ok(()) => Ok(engine),
            Err(error) => Err(NoEngine(format!("no image could be made: {error}"))),
        });
        if let Err(NoEngine(why)) = &made {
            say(format_args!("container engine: MISSING: {why}; tests in containers are SKIPPED"));
            if machine.is_ci() {
                let what = format!(
                    "no container engine ({why}), and CI skips nothing unasked: {WANTED}=no asks for it"
                );
                return Err(what.into());
            }
        }
        Ok(made)
    }

    #[cfg(test)]
    pub(super) fn named(host: &str) -> Self {
        Self { host: Some(host.to_owned()), _own: None }
    }

    /// Its address, where that is not the usual one.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The one that `docker` speaks to by itself.
    fn answering() -> Option<Self> {
        let version = answers(None)?;
        say(format_args!("container engine: {version}"));
        Some(Self { host: None, _own: None })
    }

    async fn own(
        machine: &Machine,
        interrupts: &mut Interrupts,
    ) -> Result<Result<Self, NoEngine>, Failure> {
        if !machine.is_root {
            let why = "none answers, and one of our own takes root; start dockerd";
            return Ok(Err(NoEngine(why.to_owned())));
        }
        if machine.program("dockerd").is_none() {
            install::docker(machine, interrupts).await?;
        }
        // Debian keeps it where only root looks.
        let program =
            machine.program("dockerd").unwrap_or_else(|| PathBuf::from("/usr/sbin/dockerd"));
        if !program.is_file() {
            let why = "none answers, and dockerd could not be installed: apt-get install docker.io";
            return Ok(Err(NoEngine(why.to_owned())));
        }
        let own = Own::start(&program)?;
        let host = own.host();
        let env = live::env(0);
        let started = env.now();
        loop {
            if let Some(version) = answers(Some(&host)) {
                say(format_args!("started a container engine for this run: {version}"));
                return Ok(Ok(Self { host: Some(host), _own: Some(own) }));
            }
            if env.now().saturating_since(started) > READY_WITHIN || own.has_ended() {
                return Ok(Err(NoEngine(format!(
                    "dockerd does not start here: {}",
                    own.last_words()
                ))));
            }
            interrupts.or(env.sleep(POLL)).await?;
        }
    }
}

fn answers(host: Option<&str>) -> Option<String> {
    let mut command = Command::new("docker");
    if let Some(host) = host {
        command.args(["-H", host]);
    }
    command.args(["version", "--format", "{{.Server.Version}}"]).stdin(Stdio::null());
    let output = command.stderr(Stdio::null()).output().ok()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !version.is_empty()).then_some(version)
}

/// An engine of the run's own.
#[derive(Debug)]
struct Own {
    child: std::sync::Mutex<Child>,
    folder: Folder,
}

impl Own {
    fn start(program: &std::path::Path) -> Result<Self, Failure> {
        let folder = Folder::create(&std::env::temp_dir())?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let at = |name: &str| folder.path().join(name);
        // It ends with us, also after kill -9, and takes its containers along.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).arg(program);
        command.arg("--data-root").arg(at("data")).arg("--exec-root").arg(at("exec"));
        command.arg("--pidfile").arg(at("pid")).args(["--host", &Self::host_in(&folder)]);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().map_err(|error| format!("cannot run dockerd: {error}"))?;
        Ok(Self { child: std::sync::Mutex::new(child), folder })
    }

    fn host_in(folder: &Folder) -> String {
        format!("unix://{}", folder.path().join("docker.sock").display())
    }

    fn host(&self) -> String {
        Self::host_in(&self.folder)
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        !matches!(self.child().try_wait(), Ok(None))
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines().last().unwrap_or("it wrote nothing").to_owned()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let process = i32::try_from(self.child().id()).ok().and_then(Pid::from_raw);
        if let Some(process) = process.filter(|_| !self.has_ended()) {
            // An error means that it has gone already.
            let _ = kill_process(process, Signal::TERM);
        }
        let mut waited = Duration::ZERO;
        while waited < STOPPED_WITHIN && !self.has_ended() {
            pause();
            waited += POLL;
        }
        drop(self.child().kill());
        drop(self.child().wait());
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for another process, in no run's time")]
fn pause() {
    std::thread::sleep(POLL);
}
