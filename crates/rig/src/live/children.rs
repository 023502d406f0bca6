//! Child processes that die with the program.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Spawns children from a thread that lasts as long as this does.
///
/// A parent-death signal fires when the *thread* that spawned the child ends, so spawning from a worker that comes
/// and goes would kill servers at random. `setpriv` sets the signal, since doing so between fork and exec is unsafe
/// code; where it is missing (macOS), children are stopped in the ordinary ways only.
#[derive(Debug)]
pub(super) struct Spawner {
    orders: Mutex<mpsc::Sender<Order>>,
    setpriv: Option<PathBuf>,
}

#[derive(Debug)]
struct Order {
    command: Command,
    reply: mpsc::Sender<io::Result<Child>>,
}

/// What the parent-death signal is to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum DeathSignal {
    /// At once.
    Kill,
    /// Postgres' immediate shutdown: its own children end, and no shared memory is left behind.
    Quit,
    /// None: it sees to its own end.
    None,
}

impl Spawner {
    pub(super) fn start() -> io::Result<Self> {
        let (orders, received) = mpsc::channel::<Order>();
        std::thread::Builder::new().name("lockproof-children".to_owned()).spawn(move || {
            // Ends with its last sender, which is the spawner's: after every child was stopped.
            for mut order in received {
                let spawned = order.command.spawn();
                if let Err(mpsc::SendError(Ok(mut child))) = order.reply.send(spawned) {
                    drop(child.kill());
                }
            }
        })?;
        let setpriv = find_program("setpriv", &[]);
        Ok(Self { orders: Mutex::new(orders), setpriv })
    }

    /// Starts `program`, as `user` where one is given, to be signalled when this program dies.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn spawn(
        &self,
        program: &Path,
        user: Option<&str>,
        signal: DeathSignal,
        prepare: impl FnOnce(&mut Command),
    ) -> io::Result<Running> {
        let mut command = self.command(program, user, signal);
        // A group of its own: what is typed at this program's terminal, Ctrl-C above all, is for this program alone.
        command.process_group(0);
        prepare(&mut command);
        let (reply, answer) = mpsc::channel();
        let order = Order { command, reply };
        let gone = || io::Error::other("the thread that starts children has ended");
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.send(order).map_err(|_| gone())?;
        let child = answer.recv().map_err(|_| gone())??;
        Ok(Running { child })
    }

    /// Changes user first and sets the signal second: the kernel clears it when the user changes.
    fn command(&self, program: &Path, user: Option<&str>, signal: DeathSignal) -> Command {
        let word = match signal {
            DeathSignal::Kill => "KILL",
            DeathSignal::Quit => "QUIT",
            DeathSignal::None => return Command::new(program),
        };
        let Some(setpriv) = &self.setpriv else { return Command::new(program) };
        let mut command = Command::new(setpriv);
        if let Some(user) = user {
            command.args([
                &format!("--reuid={user}"),
                &format!("--regid={user}"),
                "--clear-groups",
            ]);
            command.arg("--").arg(setpriv);
        }
        command.args(["--pdeathsig", word, "--"]).arg(program);
        command
    }
}

/// A child process; dropping it kills it.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
}

impl Running {
    /// The number of its process; `setpriv` becomes the program, so it is the program's.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its pipes, where it was started with them; once.
    pub(super) fn take_pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        self.child.stdin.take().zip(self.child.stdout.take())
    }

    /// What it reads, where that was asked for.
    pub(super) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// What it says of errors, where that was asked for.
    pub(super) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Kills it, even where it stands still, and gives what became of it.
    pub(super) fn kill(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }

    /// Its exit status, once it has one.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends `signal`, and kills what has not ended `grace` later.
    pub(super) fn stop(&mut self, signal: Signal, grace: Duration) {
        if self.exited().is_some() {
            return;
        }
        self::signal(self.child.id(), signal);
        let mut waited = Duration::ZERO;
        while waited < grace && self.exited().is_none() {
            pause(POLL);
            waited += POLL;
        }
        if self.exited().is_none() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

impl From<Child> for Running {
    fn from(child: Child) -> Self {
        Self { child }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.exited().is_none() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// Sends `signal` to a child that was not waited for; one that has ended hears nothing.
pub(super) fn signal(process: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// The same to a child and whatever it has started, which share the process group that it was started into.
pub(super) fn signal_group(leader: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, signal);
    }
}

/// What this program was told by its environment may be secret, and was told to it alone; how much to log goes for all.
pub(super) fn forget_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let ours = name.as_encoded_bytes().starts_with(b"LOCKPROOF_");
        if ours && name != OsStr::new("LOCKPROOF_LOG") {
            command.env_remove(name);
        }
    }
}

/// Whether a process stands still after SIGSTOP, as the kernel shows it.
///
/// # Errors
/// There is no such process, or this system shows none (it has no /proc).
pub(super) fn is_stopped(process: u32) -> io::Result<bool> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in parentheses, may hold anything; the state is the word after it.
    Ok(stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T')))
}

const POLL: Duration = Duration::from_millis(5);

#[expect(clippy::disallowed_methods, reason = "waits for another process, in no run's time")]
pub(super) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// `name` on PATH, or else in one of `elsewhere`.
pub(super) fn find_program(name: &str, elsewhere: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(elsewhere.iter().cloned());
    directories.map(|directory| directory.join(name)).find(|candidate| candidate.is_file())
}
