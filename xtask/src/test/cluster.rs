//! The Postgres that tests share, when none is named.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lockproof_env::live;
use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::{Client, NoTls};

use super::folder::{Folder, public_parent};
use super::machine::Machine;
use crate::Failure;

const USER: &str = "lockproof";
/// Whom the server runs as when we are root, which Postgres refuses to be.
const UNPRIVILEGED: &str = "postgres";
/// Tests run side by side, and each of their holders has a connection of its own. No test looks at what survives a
/// power failure, and writing through is most of what they would wait for.
const SETTINGS: &[&str] = &["max_connections=200", "fsync=off", "full_page_writes=off"];
/// A port that was free may be taken by the time the server binds it.
const TRIES: u32 = 3;
const READY_WITHIN: Duration = Duration::from_secs(30);
const STOPPED_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// A running cluster; dropping it stops it and removes its files.
#[derive(Debug)]
pub(super) struct Cluster {
    url: String,
    // In this order: the server is gone before its files are.
    _server: Server,
    _folder: Folder,
}

impl Cluster {
    /// Makes a cluster in a temporary folder and starts it on a free port.
    ///
    /// # Errors
    /// `initdb` or the server fails; the error says what it wrote last.
    pub(super) async fn start(machine: &Machine) -> Result<Self, Failure> {
        let folder = Folder::create(&public_parent())?;
        let data = folder.path().join("data");
        let maker = Maker { machine, log: folder.path().join("log") };
        maker.hand_over(folder.path())?;
        let mut initdb = maker.command("initdb", "KILL")?;
        initdb.arg("-D").arg(&data).args(["-U", USER, "-A", "trust", "-E", "UTF8"]);
        initdb.args(["--locale=C", "--no-sync"]);
        let mut running = Server::spawn(initdb.current_dir(folder.path()))?;
        running.ended_well(&maker.log).await?;

        let mut failure = Failure::from("no try was made");
        for _ in 0..TRIES {
            let port = free_port()?;
            let mut postgres = maker.command("postgres", "QUIT")?;
            postgres.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
            // The socket would be in /tmp otherwise, or where only another user may write.
            postgres.arg("-k").arg(folder.path());
            postgres.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
            let mut server = Server::spawn(postgres.current_dir(folder.path()))?;
            let url = format!("postgres://{USER}@127.0.0.1:{port}/postgres");
            match server.answers_at(&url, &maker.log).await {
                Ok(()) => return Ok(Self { url, _server: server, _folder: folder }),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Where tests find it.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

/// Makes the commands of a cluster.
struct Maker<'a> {
    machine: &'a Machine,
    log: PathBuf,
}

impl Maker<'_> {
    /// One that is signalled when we die, however that happens.
    ///
    /// The user is changed first and the signal set second: the kernel clears it when the user changes. It would fire
    /// when the thread that spawned the child ends, and ours is the main thread. macOS has no such signal; there, only
    /// kill -9 leaves a server behind.
    fn command(&self, name: &str, signal: &str) -> Result<Command, Failure> {
        let program = self.machine.program(name).ok_or_else(|| format!("{name} is gone"))?;
        let mut command = match self.machine.program("setpriv") {
            Some(setpriv) => {
                let mut command = Command::new(&setpriv);
                if self.machine.is_root {
                    command.arg(format!("--reuid={UNPRIVILEGED}"));
                    command.arg(format!("--regid={UNPRIVILEGED}")).arg("--clear-groups");
                    command.arg("--").arg(&setpriv);
                }
                command.args(["--pdeathsig", signal, "--"]).arg(program);
                command
            }
            None if self.machine.is_root => {
                return Err(
                    "Postgres does not run as root, and setpriv, by which to become another \
                            user, is missing; run as another user"
                        .into(),
                );
            }
            None => Command::new(program),
        };
        let log = fs::File::options().create(true).append(true).open(&self.log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // Out of the terminal's reach: tests that end upon Ctrl-C still put their tables away.
        command.process_group(0);
        Ok(command)
    }

    /// Gives the folder to the user that the server will run as.
    fn hand_over(&self, folder: &Path) -> Result<(), Failure> {
        if !self.machine.is_root {
            return Ok(());
        }
        let status = Command::new("chown").arg(format!("{UNPRIVILEGED}:")).arg(folder).status()?;
        if status.success() {
            return Ok(());
        }
        Err(format!(
            "Postgres does not run as root, and there is no user `{UNPRIVILEGED}` to run it as; \
             install Debian's postgresql package, or run as another user"
        )
        .into())
    }
}

/// A program of the cluster; dropping it stops it.
#[derive(Debug)]
struct Server(Child);

impl Server {
    fn spawn(command: &mut Command) -> Result<Self, Failure> {
        let child = command.spawn();
        Ok(Self(child.map_err(|error| format!("cannot run {command:?}: {error}"))?))
    }

    /// Waits for its end, which must be a good one.
    async fn ended_well(&mut self, log: &Path) -> Result<(), Failure> {
        let env = live::env(0);
        loop {
            match self.0.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(ended(&format!("initdb ended with {status}"), log)),
                None => env.sleep(POLL).await,
            }
        }
    }

    /// Waits until it answers.
    async fn answers_at(&mut self, url: &str, log: &Path) -> Result<(), Failure> {
        let env = live::env(0);
        let started = env.now();
        loop {
            let Err(error) = answers(url).await else { return Ok(()) };
            if let Some(status) = self.0.try_wait()? {
                return Err(ended(&format!("Postgres ended with {status}"), log));
            }
            if env.now().saturating_since(started) > READY_WITHIN {
                return Err(error);
            }
            env.sleep(POLL).await;
        }
    }
}

fn ended(how: &str, log: &Path) -> Failure {
    let text = fs::read_to_string(log).unwrap_or_default();
    format!("{how}: {}", text.lines().last().unwrap_or("it wrote nothing")).into()
}

impl Drop for Server {
    fn drop(&mut self) {
        let process = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        if let (Ok(None), Some(process)) = (self.0.try_wait(), process) {
            // A fast shutdown: sessions are ended, nothing waits for them. An error means that it has gone already.
            let _ = kill_process(process, Signal::INT);
        }
        let mut waited = Duration::ZERO;
        while waited < STOPPED_WITHIN && matches!(self.0.try_wait(), Ok(None)) {
            pause();
            waited += POLL;
        }
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for another process, in no run's time")]
fn pause() {
    std::thread::sleep(POLL);
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether the server at `url` answers: a misspelt name should not look like a failing test.
///
/// # Errors
/// It does not.
pub(super) async fn answers(url: &str) -> Result<(), Failure> {
    connect(url).await.map(drop)
}

async fn connect(url: &str) -> Result<Client, Failure> {
    let cannot = |error| format!("Postgres at {url} does not answer: {error}");
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(cannot)?;
    // Ends with its client.
    live::env(0).spawn(async { drop(connection.await) });
    Ok(client)
}
