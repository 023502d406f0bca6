//! Moves the wall clock of one child process, and of it alone.
//!
//! ```text
//!   workbench                                    server (LD_PRELOAD)
//!   SteeredClock::set  ──▶ map of four words ──▶ clock_gettime, gettimeofday, time
//! ```
//!
//! A server that was started with [`SteeredClock::environment`] reads its real-time clocks through a map in shared
//! memory, which a [`SteeredClock`] writes: the clock jumps and drifts while the server runs, for all its processes and
//! threads at once. Monotonic clocks, and sleeps with them, stay as they are, as they do when an administrator or NTP
//! steps a clock. Needs neither root nor the server's consent; a server linked statically is out of reach.
//!
//! This crate holds the only unsafe code of the workspace: the three functions that stand in for the C library's, in
//! `preload.rs`, each block with its reason. They are built into a library by the build script and carried along in
//! the program.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

#[cfg(test)]
#[expect(unsafe_code, reason = "stands in for functions of the C library; each block says why")]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "seen whole by the compiler only as a library of its own"
)]
mod preload;

/// The library to be preloaded; empty where the system has no such thing.
const LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/preload.so"));
/// The environment variable that names the map.
const VARIABLE: &str = "LOCKPROOF_CLOCK";

/// Whether clocks can be steered on this system: Linux on 64 bits.
#[must_use]
pub const fn is_supported() -> bool {
    !LIBRARY.is_empty() && cfg!(target_pointer_width = "64")
}

/// A wall clock that can be wrong: it showed `at` when it was really `since`, and runs at `rate`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    since: i64,
    at: i64,
    rate: f64,
}

impl Clock {
    /// A right one.
    pub const RIGHT: Self = Self { since: 0, at: 0, rate: 1.0 };

    /// What it shows at the real time `now`, both in nanoseconds since 1970.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "the time since a clock was set is far below 2^53 ns"
    )]
    pub fn at(&self, now: i64) -> i64 {
        let passed = now - self.since;
        // Multiplied only where it must be: a right clock is exact.
        let right = self.rate.to_bits() == 1.0_f64.to_bits();
        self.at + if right { passed } else { (passed as f64 * self.rate) as i64 }
    }

    /// Moves it by `by` nanoseconds at the real time `now`.
    pub fn jump(&mut self, now: i64, by: i64) {
        *self = Self { since: now, at: self.at(now) + by, rate: self.rate };
    }

    /// Lets it run at `rate` from the real time `now` on; 1 is right.
    pub fn run_at(&mut self, now: i64, rate: f64) {
        *self = Self { since: now, at: self.at(now), rate };
    }
}

/// The wall clock of a process and its children, in somebody's hand.
#[derive(Debug)]
pub struct SteeredClock {
    map: File,
    map_path: PathBuf,
    library_path: PathBuf,
    sequence: u64,
    clock: Clock,
}

impl SteeredClock {
    /// A right clock, whose files lie in `directory`. It can be read by everybody, since a server may run as another
    /// user.
    ///
    /// # Errors
    /// The directory cannot be written, or the system knows no preloading ([`io::ErrorKind::Unsupported`]).
    pub fn create(directory: &Path) -> io::Result<Self> {
        if !is_supported() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "clocks can be steered on 64-bit Linux alone",
            ));
        }
        let library_path = directory.join("clock.so");
        fs::write(&library_path, LIBRARY)?;
        let map_path = directory.join("clock.map");
        let map = File::create(&map_path)?;
        let mut clock = Self { map, map_path, library_path, sequence: 0, clock: Clock::RIGHT };
        clock.write()?;
        Ok(clock)
    }

    /// What the process has to find in its environment.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, &Path); 2] {
        [("LD_PRELOAD", &self.library_path), (VARIABLE, &self.map_path)]
    }

    /// What it shows at the real time `now`, both in nanoseconds since 1970.
    #[must_use]
    pub fn at(&self, now: i64) -> i64 {
        self.clock.at(now)
    }

    /// Changes the clock, for the process too.
    ///
    /// # Errors
    /// The map cannot be written.
    pub fn set(&mut self, change: impl FnOnce(&mut Clock)) -> io::Result<()> {
        change(&mut self.clock);
        self.write()
    }

    /// The sequence number is odd while the rest is written: whoever reads meanwhile reads again.
    fn write(&mut self) -> io::Result<()> {
        self.sequence += 1;
        self.map.write_all_at(&self.sequence.to_ne_bytes(), 0)?;
        let Clock { since, at, rate } = self.clock;
        let words = [since.cast_unsigned(), at.cast_unsigned(), rate.to_bits()];
        let bytes: Vec<u8> = words.into_iter().flat_map(u64::to_ne_bytes).collect();
        self.map.write_all_at(&bytes, 8)?;
        self.sequence += 1;
        self.map.write_all_at(&self.sequence.to_ne_bytes(), 0)
    }
}
