//! What is preloaded into a server: `clock_gettime`, `gettimeofday` and `time`, whose real-time clocks are read
//! through a map that the workbench writes.
//!
//! The map is four words in the machine's own byte order: a sequence number that is odd while the rest is written (a
//! seqlock), the real time in nanoseconds at which the clock was set, what it showed then, and its rate. Monotonic
//! clocks are left alone, as a jump of the wall clock leaves them alone.

use core::ffi::{c_char, c_int, c_long, c_void};
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering, fence};

/// The environment variable that names the map.
const VARIABLE: &core::ffi::CStr = c"LOCKPROOF_CLOCK";
/// Words in the map.
const WORDS: usize = 4;
/// Reads of a map that is being written before it is ignored: its writer died.
const PATIENCE: u32 = 1_000_000;

const CLOCK_REALTIME: c_int = 0;
const CLOCK_REALTIME_COARSE: c_int = 5;
const BILLION: i64 = 1_000_000_000;

#[cfg(target_arch = "x86_64")]
const SYS_CLOCK_GETTIME: c_long = 228;
#[cfg(not(target_arch = "x86_64"))]
const SYS_CLOCK_GETTIME: c_long = 113; // aarch64, riscv64 and loongarch64 share one table

const O_RDONLY_CLOEXEC: c_int = 0o2_000_000;
const PROT_READ: c_int = 1;
const MAP_SHARED: c_int = 1;

/// C's `struct timespec` on 64-bit Linux.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

/// C's `struct timeval` on 64-bit Linux.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Timeval {
    seconds: i64,
    microseconds: i64,
}

// SAFETY: these are the C library's, with its own signatures on 64-bit Linux.
unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn getenv(name: *const c_char) -> *const c_char;
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn close(file: c_int) -> c_int;
    fn mmap(
        at: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        file: c_int,
        offset: i64,
    ) -> *mut c_void;
}

/// The map, once it was looked for; [`NO_MAP`] where there is none.
static MAP: AtomicPtr<AtomicU64> = AtomicPtr::new(core::ptr::null_mut());
static NO_MAP: AtomicU64 = AtomicU64::new(0);

fn map() -> Option<&'static [AtomicU64; WORDS]> {
    let known = MAP.load(Ordering::Acquire);
    let found = if known.is_null() {
        // Two threads may both look; both find the same bytes, and one mapping too many is no harm.
        let looked = look().unwrap_or((&raw const NO_MAP).cast_mut());
        MAP.store(looked, Ordering::Release);
        looked
    } else {
        known
    };
    if core::ptr::eq(found, &raw const NO_MAP) {
        return None;
    }
    // SAFETY: any other pointer comes from `look`, which mapped a page there that is never unmapped; a page is aligned
    // for words, holds more than `WORDS` of them, and is only ever read here, as atomics.
    Some(unsafe { &*found.cast::<[AtomicU64; WORDS]>() })
}

/// Maps the file that the variable names.
fn look() -> Option<*mut AtomicU64> {
    // SAFETY: `VARIABLE` ends with a zero byte; what `getenv` gives is read at once by `open`, and this runs first
    // when the C library starts, before anybody sets a variable.
    let file = unsafe {
        let path = getenv(VARIABLE.as_ptr());
        if path.is_null() {
            return None;
        }
        open(path, O_RDONLY_CLOEXEC)
    };
    if file < 0 {
        return None;
    }
    // SAFETY: a new mapping at a place that the kernel chooses, of a file that is open; the mapping outlives the file.
    let page = unsafe {
        let page = mmap(core::ptr::null_mut(), WORDS * 8, PROT_READ, MAP_SHARED, file, 0);
        close(file);
        page
    };
    (page.addr() != usize::MAX).then_some(page.cast())
}

/// What the clock shows when it is really `real`, by the words of a map.
fn shown(words: &[AtomicU64; WORDS], real: i64) -> i64 {
    let [sequence, since, at, rate] = words;
    for _ in 0..PATIENCE {
        let before = sequence.load(Ordering::Acquire);
        let (since, at) = (since.load(Ordering::Relaxed), at.load(Ordering::Relaxed));
        let rate = f64::from_bits(rate.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        if before % 2 == 0 && sequence.load(Ordering::Relaxed) == before {
            return moved(since.cast_signed(), at.cast_signed(), rate, real);
        }
        core::hint::spin_loop();
    }
    real
}

/// The clock stood at `at` when it was really `since`, and runs at `rate`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the time since a clock was set is far below 2^53 ns"
)]
fn moved(since: i64, at: i64, rate: f64, real: i64) -> i64 {
    let passed = real - since;
    // Multiplied only where it must be: a right clock is exact.
    let passed =
        if rate.to_bits() == 1.0_f64.to_bits() { passed } else { (passed as f64 * rate) as i64 };
    at + passed
}

fn is_moved(clock: c_int) -> bool {
    clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE
}

/// The real time of `clock`, or the C library's answer where it refuses.
fn ask(clock: c_int, answer: &mut Timespec) -> c_int {
    // SAFETY: the kernel's own call, with a place that it may write; `syscall` sets errno as `clock_gettime` does.
    let refused = unsafe { syscall(SYS_CLOCK_GETTIME, c_long::from(clock), &raw mut *answer) };
    if refused == 0 { 0 } else { -1 }
}

/// The wall clock of this process in nanoseconds, if the kernel tells.
fn wall(clock: c_int) -> Option<i64> {
    let mut answer = Timespec { seconds: 0, nanoseconds: 0 };
    if ask(clock, &mut answer) != 0 {
        return None;
    }
    let real = answer.seconds * BILLION + answer.nanoseconds;
    Some(map().map_or(real, |words| shown(words, real)))
}

/// POSIX' `clock_gettime`, its real-time clocks moved.
///
/// # Safety
/// As of the C function: `answer` may be written.
#[cfg_attr(preload, unsafe(no_mangle))]
pub unsafe extern "C" fn clock_gettime(clock: c_int, answer: *mut Timespec) -> c_int {
    if !is_moved(clock) || answer.is_null() {
        // SAFETY: handed on as it came; the kernel refuses a bad pointer.
        let refused = unsafe { syscall(SYS_CLOCK_GETTIME, c_long::from(clock), answer) };
        return if refused == 0 { 0 } else { -1 };
    }
    let Some(now) = wall(clock) else { return -1 };
    // SAFETY: not null, and the caller's to be written.
    unsafe {
        answer.write(Timespec {
            seconds: now.div_euclid(BILLION),
            nanoseconds: now.rem_euclid(BILLION),
        });
    }
    0
}

/// POSIX' `gettimeofday`, moved. The time zone is left as it was, as Linux leaves it.
///
/// # Safety
/// As of the C function: `answer` may be written, unless it is null.
#[cfg_attr(preload, unsafe(no_mangle))]
pub unsafe extern "C" fn gettimeofday(answer: *mut Timeval, _zone: *mut c_void) -> c_int {
    let Some(now) = wall(CLOCK_REALTIME) else { return -1 };
    if !answer.is_null() {
        let microseconds = now.rem_euclid(BILLION) / 1000;
        // SAFETY: not null, and the caller's to be written.
        unsafe { answer.write(Timeval { seconds: now.div_euclid(BILLION), microseconds }) };
    }
    0
}

/// C's `time`, moved.
///
/// # Safety
/// As of the C function: `answer` may be written, unless it is null.
#[cfg_attr(preload, unsafe(no_mangle))]
pub unsafe extern "C" fn time(answer: *mut i64) -> i64 {
    let Some(now) = wall(CLOCK_REALTIME) else { return -1 };
    let seconds = now.div_euclid(BILLION);
    if !answer.is_null() {
        // SAFETY: not null, and the caller's to be written.
        unsafe { answer.write(seconds) };
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_jumps_and_drifts_from_where_it_was_set() {
        assert_eq!(moved(100, 700, 1.0, 150), 750);
        assert_eq!(moved(100, 50, 1.0, 150), 100);
        assert_eq!(moved(100, 100, 1.5, 300), 400);
        assert_eq!(moved(100, 100, 0.5, 300), 200);
    }

    #[test]
    fn a_map_whose_writer_died_is_ignored() {
        let words = [1, 100, 700, 1.0_f64.to_bits()].map(AtomicU64::new);
        assert_eq!(shown(&words, 150), 150);
        words[0].store(2, Ordering::Relaxed);
        assert_eq!(shown(&words, 150), 750);
    }
}
