//! What a program has of the system, through /proc.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Connections that were closed take a moment to be gone at both ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// What this process and its descendants have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    file_descriptors: usize,
    threads: usize,
    processes: usize,
    /// Of this process and its descendants.
    listening_ports: usize,
    directories: usize,
    mounts: usize,
}

impl Traces {
    pub(crate) fn now() -> Self {
        let descendants = descendants();
        Self {
            file_descriptors: count("/proc/self/fd"),
            threads: count("/proc/self/task"),
            processes: descendants.len(),
            listening_ports: listening(&descendants),
            directories: directories(),
            mounts: fs::read_to_string("/proc/self/mounts")
                .unwrap_or_default()
                .lines()
                .filter(|line| line.starts_with("lockproof "))
                .count(),
        }
    }

    /// Waits until there is no more of anything than there was.
    pub(crate) async fn are_back(&self) {
        let env = lockproof_env::live::env(1);
        let back = async {
            while !Self::now().is_within(self) {
                env.sleep(Duration::from_millis(20)).await;
            }
        };
        let back = env.timeout(PATIENCE, back).await;
        assert!(back.is_ok(), "there was {self:?}, and now there is {:?}", Self::now());
    }

    fn is_within(&self, other: &Self) -> bool {
        self.file_descriptors <= other.file_descriptors
            && self.threads <= other.threads
            && self.processes <= other.processes
            && self.listening_ports <= other.listening_ports
            && self.directories <= other.directories
            && self.mounts <= other.mounts
    }
}

fn count(folder: &str) -> usize {
    fs::read_dir(folder).map(Iterator::count).unwrap_or_default()
}

/// Children and theirs.
fn descendants() -> BTreeSet<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let entries = fs::read_dir("/proc").expect("the folder can be read").flatten();
    for pid in entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in parentheses may hold anything; after it come the state and the parent.
        let parent =
            stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        children.entry(parent.unwrap_or(0)).or_default().push(pid);
    }
    let (mut found, mut left) = (BTreeSet::new(), vec![std::process::id()]);
    while let Some(pid) = left.pop() {
        for &child in children.get(&pid).map_or([].as_slice(), Vec::as_slice) {
            if found.insert(child) {
                left.push(child);
            }
        }
    }
    found
}

/// Ports that somebody of ours listens on.
fn listening(descendants: &BTreeSet<u32>) -> usize {
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap_or_default();
    // The fourth word is the state, 0A for LISTEN, and the tenth the socket's number.
    let listening: BTreeSet<&str> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.get(3) == Some(&"0A"))
        .filter_map(|words| words.get(9).copied())
        .collect();
    let ours = std::iter::once(std::process::id()).chain(descendants.iter().copied());
    let sockets: BTreeSet<String> = ours.flat_map(sockets_of).collect();
    sockets.iter().filter(|socket| listening.contains(socket.as_str())).count()
}

fn sockets_of(pid: u32) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let target = |path: PathBuf| {
        let name = fs::read_link(path).ok()?.to_str()?.to_owned();
        name.strip_prefix("socket:[")?.strip_suffix(']').map(ToOwned::to_owned)
    };
    entries.filter_map(|entry| target(entry.path())).collect()
}

/// Temporary directories of this process.
fn directories() -> usize {
    let prefix = format!("lockproof-run-{}-", std::process::id());
    let entries = fs::read_dir(std::env::temp_dir()).expect("the folder can be read").flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)))
        .count()
}
