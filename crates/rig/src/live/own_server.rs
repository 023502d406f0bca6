//! What database servers of the run's own have in common: their making, and how it is known that they are ready.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::children::Running;
use crate::RigError;

pub(super) const READY_WITHIN: Duration = Duration::from_secs(30);
pub(super) const POLL: Duration = Duration::from_millis(20);

/// Gives `directory` to `user`, whom `server` will run as, since it does not run as root; Debian's `package` makes that
/// user.
pub(super) fn hand_over(
    directory: &Path,
    user: &str,
    server: &str,
    package: &str,
) -> Result<(), RigError> {
    let missing = || {
        RigError::new(format!(
            "{server} does not run as root, and this machine has no user `{user}` to run it as; install Debian's {package} package, or run as another user"
        ))
    };
    let users = fs::read_to_string("/etc/passwd").map_err(|error| missing().because(error))?;
    let line = users.lines().find(|line| line.starts_with(&format!("{user}:")));
    let mut fields = line.ok_or_else(missing)?.split(':').skip(2);
    let mut number = || fields.next().and_then(|field| field.parse::<u32>().ok());
    let (user, group) = number().zip(number()).ok_or_else(missing)?;
    std::os::unix::fs::chown(directory, Some(user), Some(group))
        .map_err(|error| RigError::new("cannot hand the data directory over").because(error))
}

/// Waits for the end of `program`, which must be a good one; why it was not is in its `log`.
pub(super) async fn ended_well(
    mut running: Running,
    program: &str,
    log: &Path,
) -> Result<(), RigError> {
    let status = loop {
        match running.exited() {
            Some(status) => break status,
            None => tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await,
        }
    };
    if status.success() {
        return Ok(());
    }
    Err(RigError::new(format!("{program} ended with {status}: {}", last_words(log))))
}

/// Waits until `server` is ready, or has ended: why it did is in its `log`.
pub(super) async fn until_ready<F: Future<Output = bool> + Send>(
    running: &mut Running,
    server: &str,
    log: &Path,
    is_ready: impl Fn() -> F + Send,
) -> Result<(), RigError> {
    let deadline = tokio::time::Instant::now() + READY_WITHIN;
    loop {
        if is_ready().await {
            return Ok(());
        }
        if let Some(status) = running.exited() {
            return Err(RigError::new(format!(
                "{server} ended with {status}: {}",
                last_words(log)
            )));
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(RigError::new(format!("{server} did not answer within {READY_WITHIN:?}")));
        }
        tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await;
    }
}

/// The last that a log says: of an error, where it says that there was one, since advice may come after it.
pub(super) fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let of_an_error = lines().rfind(|line| line.contains("ERROR:") || line.contains("FATAL:"));
    of_an_error.or_else(|| lines().next_back()).unwrap_or("it said nothing").to_owned()
}
