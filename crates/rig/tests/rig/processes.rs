//! Looking at other processes through /proc.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lockproof_env::Env;

/// Processes whose working directory is `folder` or below.
pub(crate) fn working_below(folder: &Path) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("the folder can be read").flatten();
    let number = |name: std::ffi::OsString| name.to_str()?.parse::<u32>().ok();
    let pids = processes.filter_map(|entry| number(entry.file_name()));
    pids.filter(|pid| {
        let place = std::fs::read_link(format!("/proc/{pid}/cwd"));
        place.is_ok_and(|place| place.starts_with(folder))
    })
    .collect()
}

/// The temporary directory of the run of process `pid`, where it has exactly one.
pub(crate) fn workspace_of(pid: u32) -> Option<PathBuf> {
    let prefix = format!("lockproof-run-{pid}-");
    let entries =
        std::fs::read_dir(std::env::temp_dir()).expect("the folder can be read").flatten();
    let mut found = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)));
    let first = found.next()?;
    assert!(found.next().is_none(), "process {pid} has several workspaces");
    Some(first.path())
}

/// Waits until `holds`, and panics instead of hanging.
pub(crate) async fn until(env: &Env, what: &str, holds: impl Fn() -> bool + Send + Sync) {
    let wait = async {
        while !holds() {
            env.sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(env.timeout(Duration::from_secs(30), wait).await.is_ok(), "still not: {what}");
}
