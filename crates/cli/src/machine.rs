//! What a report says of the machine, and when.

use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use lockproof_env::live::wall_clock_ns;
use lockproof_model::{Manifest, Slice, World};

/// Where a run comes from that begins now, as it stands should the run be killed.
pub(crate) fn manifest(
    command: String,
    seed: u64,
    world: World,
    provider: &str,
    partition: Option<Slice>,
) -> Manifest {
    Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: revision(),
        command,
        seed,
        world,
        provider: provider.to_owned(),
        started: utc(),
        took: Duration::ZERO,
        machine: description(),
        interrupted: true,
        partition,
    }
}

/// Now, UTC, RFC 3339, whole seconds.
pub(crate) fn utc() -> String {
    now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Now, UTC, in a form that sorts and that every file system takes.
pub(crate) fn utc_for_file_names() -> String {
    now().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Operating system, architecture and processors.
pub(crate) fn description() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{} {}, {processors} processors", std::env::consts::OS, std::env::consts::ARCH)
}

/// The revision of the working directory, where it is a git checkout.
pub(crate) fn revision() -> Option<String> {
    let mut git = Command::new("git");
    let output = git.args(["rev-parse", "HEAD"]).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn now() -> Timestamp {
    let nanos = i128::from(wall_clock_ns());
    Timestamp::from_nanosecond(nanos).unwrap_or(Timestamp::UNIX_EPOCH)
}
