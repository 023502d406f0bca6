//! Temporary folders, and those that killed runs left behind.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const PREFIX: &str = "lockproof-xtask-";
/// Locked for as long as the run lives; the operating system lets go of it however the run ends.
const ALIVE: &str = "alive.lock";

/// A temporary folder, removed with this value; after kill -9, by the next run.
#[derive(Debug)]
pub(super) struct Folder {
    folder: TempDir,
    _alive: File,
}

impl Folder {
    /// Sweeps what killed runs left in `parent`, then makes a folder there.
    ///
    /// # Errors
    /// `parent` cannot be written.
    pub(super) fn create(parent: &Path) -> io::Result<Self> {
        sweep(parent);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        // It gets its name once it is locked, so that no sweep takes it for a dead one.
        let unready = folder.path().join("new.lock");
        let alive = File::create(&unready)?;
        alive.try_lock()?;
        fs::rename(unready, folder.path().join(ALIVE))?;
        Ok(Self { folder, _alive: alive })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Where another user can reach a folder too: the system's temporary folder, if TMPDIR is not private.
pub(super) fn public_parent() -> PathBuf {
    let mut candidates = vec![std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
    let reachable = candidates.iter().position(|candidate| is_public(candidate));
    candidates.swap_remove(reachable.unwrap_or(0))
}

fn is_public(folder: &Path) -> bool {
    folder.ancestors().all(|ancestor| {
        fs::metadata(ancestor).is_ok_and(|found| found.permissions().mode() & 0o001 != 0)
    })
}

/// A folder without a lock file is somebody else's. What cannot be removed stays: it is in nobody's way.
fn sweep(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_ours && is_dead(&entry.path()) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

fn is_dead(folder: &Path) -> bool {
    File::open(folder.join(ALIVE)).is_ok_and(|alive| alive.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_the_dead_and_leaves_the_living_and_the_foreign() {
        let parent = tempfile::tempdir().unwrap();
        let living = Folder::create(parent.path()).unwrap();
        let dead = parent.path().join(format!("{PREFIX}dead"));
        let foreign = parent.path().join(format!("{PREFIX}foreign"));
        fs::create_dir(&dead).unwrap();
        File::create(dead.join(ALIVE)).unwrap();
        fs::create_dir(&foreign).unwrap();
        sweep(parent.path());
        assert!(!dead.exists() && foreign.exists() && living.path().exists());
        let path = living.path().to_owned();
        drop(living);
        assert!(!path.exists());
    }

    #[test]
    fn a_private_folder_is_not_for_another_user() {
        let private = tempfile::tempdir().unwrap();
        fs::create_dir(private.path().join("inside")).unwrap();
        fs::set_permissions(private.path(), Permissions::from_mode(0o700)).unwrap();
        assert!(!is_public(&private.path().join("inside")));
        assert!(is_public(Path::new("/")));
    }
}
