//! Other people's programs, and the packages that they run with.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Says aloud that `what` was not tried; a failure with CI=true, where nothing is skipped.
#[expect(
    clippy::print_stderr,
    reason = "a test that did not run must not look like one that passed"
)]
pub(crate) fn skip(what: &str, why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{what}: {why}, and CI skips nothing");
    eprintln!("SKIPPED: {what}: {why}");
}

pub(crate) fn is_here(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    version.is_ok_and(|output| output.status.success())
}

/// Runs `command` to its end and gives back what it printed.
///
/// # Panics
/// When it ends with anything but success.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it was here a moment ago");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{printed}\n{complained}",
        output.status
    );
    printed
}

/// The folder into which `install` put what `manifest` asks for: below `target`, kept between runs, and made once
/// for each text of the manifest.
///
/// # Errors
/// The packages cannot be had; most likely the machine has no network.
pub(crate) fn packages(
    name: &str,
    manifest: &Path,
    install: impl FnOnce(&Path) -> Command,
) -> Result<PathBuf, String> {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop");
    fs::create_dir_all(&parent).map_err(|error| error.to_string())?;
    // Test processes run side by side, and each wants its packages first.
    let lock = File::create(parent.join(format!("{name}.lock"))).expect("target is ours");
    lock.lock().expect("locks are to be had where cargo has its own");
    let wanted = fs::read(manifest).expect("it is part of the source");
    let folder = parent.join(name);
    // Written last, so that it stands for a whole installation of just these versions.
    let mark = folder.join("installed");
    if fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    drop(fs::remove_dir_all(&folder));
    fs::create_dir(&folder).expect("target is ours");
    fs::copy(manifest, folder.join(manifest.file_name().expect("a file"))).expect("a copy");
    let mut command = install(&folder);
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let complained = String::from_utf8_lossy(&output.stderr);
        let last = complained.lines().rfind(|line| !line.is_empty()).unwrap_or("it said nothing");
        return Err(format!("its packages cannot be installed ({last})"));
    }
    File::create(mark).and_then(|mut mark| mark.write_all(&wanted)).expect("target is ours");
    Ok(folder)
}
