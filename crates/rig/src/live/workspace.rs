//! Temporary directories that never outlive their run for long.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::small_disk;

const PREFIX: &str = "lockproof-run-";
/// Before it is ready a directory bears another name, so that no sweep takes it for a dead one.
const UNREADY: &str = "lockproof-new-";
/// Locked for as long as the run lives; the operating system lets go of it however the run ends.
const ALIVE: &str = "alive.lock";

/// The run's own temporary directory, removed with it.
///
/// A run that was killed leaves its directory behind; the next run [sweeps](Workspace::create) those whose lock
/// nobody holds, and only those.
#[derive(Debug)]
pub(super) struct Workspace {
    path: PathBuf,
    _alive: File,
}

impl Workspace {
    /// Removes what killed runs left, then makes a directory for this one.
    ///
    /// # Errors
    /// The temporary directory cannot be written.
    pub(super) fn create() -> io::Result<Self> {
        let root = std::env::temp_dir();
        sweep(&root);
        let name = format!("{}-{:016x}", std::process::id(), lockproof_env::live::entropy());
        let unready = root.join(format!("{UNREADY}{name}"));
        fs::create_dir(&unready)?;
        let alive = File::create(unready.join(ALIVE))?;
        alive.try_lock().map_err(io::Error::from)?;
        let path = root.join(format!("{PREFIX}{name}"));
        fs::rename(&unready, &path)?;
        Ok(Self { path, _alive: alive })
    }

    /// Where it is.
    #[cfg(feature = "container")]
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A new directory inside.
    ///
    /// # Errors
    /// It exists, or cannot be written.
    pub(super) fn directory(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir(&path)?;
        Ok(path)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(PREFIX)) && is_dead(&entry.path()) {
            remove(&entry.path());
        }
    }
}

/// A directory without a lock file is somebody else's.
fn is_dead(directory: &Path) -> bool {
    File::open(directory.join(ALIVE)).is_ok_and(|alive| alive.try_lock().is_ok())
}

fn remove(directory: &Path) {
    // A run that was killed may have left a disk of its own there.
    small_disk::unmount_below(directory);
    if let Err(error) = fs::remove_dir_all(directory) {
        tracing::warn!(directory = %directory.display(), %error, "could not remove a temporary directory");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_the_dead_and_leaves_the_living_and_the_foreign() {
        let living = Workspace::create().unwrap();
        let root = std::env::temp_dir();
        let stamp = lockproof_env::live::entropy();
        let dead = root.join(format!("{PREFIX}test-{stamp:x}-dead"));
        let foreign = root.join(format!("{PREFIX}test-{stamp:x}-foreign"));
        fs::create_dir(&dead).unwrap();
        File::create(dead.join(ALIVE)).unwrap();
        fs::create_dir(&foreign).unwrap();
        sweep(&root);
        assert!(!dead.exists() && foreign.exists() && living.path.exists());
        fs::remove_dir(&foreign).unwrap();
        let path = living.path.clone();
        drop(living);
        assert!(!path.exists());
    }
}
