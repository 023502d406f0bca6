//! A disk that is small enough to be filled, and nobody else's: a tmpfs of a fixed size.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::RigError;

/// Room for a cluster, its log of changes, and some bookings.
const SIZE: &str = "size=192m";
/// What there is of the rest is written in pieces, which get smaller towards the end.
const PIECES: [usize; 3] = [1 << 20, 1 << 16, 1 << 12];

/// A tmpfs. Dropping it unmounts it.
#[derive(Debug)]
pub(super) struct SmallDisk {
    place: PathBuf,
}

impl SmallDisk {
    /// Mounts one at `place`.
    pub(super) fn mount(place: &Path) -> Result<Self, RigError> {
        mount(place, SIZE).map_err(|error| {
            RigError::new("cannot mount a tmpfs for a disk that can be filled; that needs root")
                .because(error)
        })?;
        Ok(Self { place: place.to_owned() })
    }

    /// Writes until nothing more goes, and says how much that was and how many bytes are free then.
    pub(super) fn fill(&self) -> io::Result<(u64, u64)> {
        let mut file = File::create(self.filler())?;
        let mut written = 0;
        for size in PIECES {
            let piece = vec![0; size];
            written += loop_until_full(&mut file, &piece)?;
        }
        let left = rustix::fs::statvfs(&self.place)?;
        Ok((written, left.f_bavail * left.f_frsize))
    }

    /// Gives the room back.
    pub(super) fn free(&self) -> io::Result<()> {
        match fs::remove_file(self.filler()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn filler(&self) -> PathBuf {
        self.place.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount(&self.place);
    }
}

/// Writes `piece` again and again, and gives how many bytes went.
fn loop_until_full(file: &mut File, piece: &[u8]) -> io::Result<u64> {
    let mut written = 0;
    loop {
        match file.write(piece) {
            Ok(0) => return Ok(written),
            Ok(bytes) => written += u64::try_from(bytes).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Why no disk can be filled on this machine, where none can: tried, since who may mount is not written anywhere.
pub(super) fn refusal() -> Option<&'static str> {
    const WHY: &str = "a disk that can be filled is a small tmpfs, and this user may not mount one";
    let name = format!("lockproof-mount-{:016x}", lockproof_env::live::entropy());
    let place = std::env::temp_dir().join(name);
    if fs::create_dir(&place).is_err() {
        return Some(WHY);
    }
    let mounted = mount(&place, "size=4k").is_ok();
    if mounted {
        unmount(&place);
    }
    // Only ever empty: a tmpfs that could not be unmounted is not removed.
    drop(fs::remove_dir(&place));
    (!mounted).then_some(WHY)
}

/// Unmounts what a killed run has left mounted in `directory` or below.
pub(super) fn unmount_below(directory: &Path) {
    // Without /proc nothing was mounted either: this is for Linux.
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(Path::new);
    places.filter(|place| place.starts_with(directory)).for_each(unmount);
}

fn mount(place: &Path, size: &str) -> io::Result<()> {
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", size, "lockproof"]).arg(place);
    ended_well(&mut command)
}

fn unmount(place: &Path) {
    // Lazily, since somebody may still have it for a working directory: it is gone from here at once all the same.
    if let Err(error) = ended_well(Command::new("umount").arg("-l").arg(place)) {
        tracing::warn!(place = %place.display(), %error, "could not unmount a tmpfs");
    }
}

fn ended_well(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(said.lines().next().unwrap_or("it said nothing").to_owned()))
}

/// For tests: whether something is mounted at `place`.
#[cfg(test)]
fn is_mounted(place: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts.lines().any(|line| line.split(' ').nth(1).map(Path::new) == Some(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_disk_is_filled_and_freed_and_unmounted() {
        if refusal().is_some() {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let place = root.path().canonicalize().unwrap().join("disk");
        fs::create_dir(&place).unwrap();
        let disk = SmallDisk::mount(&place).unwrap();
        assert!(is_mounted(&place));
        let (written, free) = disk.fill().unwrap();
        assert!(written > 100 << 20, "{written}");
        assert_eq!(free, 0);
        assert!(fs::write(place.join("more"), [1; 8192]).is_err());
        disk.free().unwrap();
        fs::write(place.join("more"), [1; 8192]).unwrap();
        drop(disk);
        assert!(!is_mounted(&place));
    }

    #[test]
    fn what_a_killed_run_left_mounted_is_unmounted() {
        if refusal().is_some() {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let place = root.path().canonicalize().unwrap().join("disk");
        fs::create_dir(&place).unwrap();
        std::mem::forget(SmallDisk::mount(&place).unwrap());
        unmount_below(&root.path().canonicalize().unwrap());
        assert!(!is_mounted(&place));
    }
}
