//! What this machine offers, as a value, so that tests can make one up.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

/// The surroundings of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    pub(super) environment: BTreeMap<OsString, OsString>,
    /// Where servers live that are not on PATH, best first.
    pub(super) elsewhere: Vec<PathBuf>,
    pub(super) is_root: bool,
    pub(super) is_macos: bool,
    pub(super) is_debian: bool,
}

impl Machine {
    /// This one.
    pub(super) fn here() -> Self {
        Self {
            environment: std::env::vars_os().collect(),
            elsewhere: Vec::new(),
            is_root: rustix::process::geteuid().is_root(),
            is_macos: cfg!(target_os = "macos"),
            is_debian: Path::new("/etc/debian_version").is_file(),
        }
        .with_usual_places()
    }

    /// Debian keeps each version of Postgres in a folder of its own; so does brew. And it does not put `ZooKeeper` on
    /// PATH.
    fn with_usual_places(mut self) -> Self {
        let debian = newest_first(Path::new("/usr/lib/postgresql"), "");
        self.elsewhere.extend(debian.map(|folder| folder.join("bin")));
        self.elsewhere.push(PathBuf::from("/usr/share/zookeeper/bin"));
        // Where Debian keeps a MariaDB server, and the PATH of most users does not lead.
        self.elsewhere.extend(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
        for prefix in ["/opt/homebrew/opt", "/usr/local/opt"] {
            let brew = newest_first(Path::new(prefix), "postgresql@");
            self.elsewhere.extend(brew.map(|folder| folder.join("bin")));
        }
        self
    }

    /// A variable that is set to something.
    pub(super) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Where nothing may be skipped.
    pub(super) fn is_ci(&self) -> bool {
        self.variable("CI").is_some_and(|value| value == "true")
    }

    /// The folders of PATH.
    pub(super) fn path(&self) -> Vec<PathBuf> {
        self.variable("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default()
    }

    /// The first program of that name on PATH.
    pub(super) fn on_path(&self, name: &str) -> Option<PathBuf> {
        first(name, &self.path())
    }

    /// The first program of that name, on PATH or where servers live.
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        self.on_path(name).or_else(|| first(name, &self.elsewhere))
    }
}

fn first(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// The folders called `prefix` and a number.
fn newest_first(parent: &Path, prefix: &str) -> impl Iterator<Item = PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            Some((name.to_str()?.strip_prefix(prefix)?.parse().ok()?, entry.path()))
        })
        .collect();
    versions.sort_unstable();
    versions.into_iter().rev().map(|(_, path)| path)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A machine with these programs on its PATH.
    pub(in crate::test) fn with_programs(names: &[&str]) -> (tempfile::TempDir, Machine) {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let machine = Machine::default().with("PATH", folder.path());
        (folder, machine)
    }

    impl Machine {
        pub(in crate::test) fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
            self.environment.insert(name.into(), value.as_ref().into());
            self
        }
    }

    #[test]
    fn newer_versions_come_first_by_number() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["x9", "x15", "x10", "y16", "xa"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let found: Vec<_> = newest_first(folder.path(), "x").collect();
        assert_eq!(found, ["x15", "x10", "x9"].map(|name| folder.path().join(name)));
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let machine = Machine::default().with("CI", "");
        assert_eq!(machine.variable("CI"), None);
        assert!(!machine.is_ci());
    }
}
