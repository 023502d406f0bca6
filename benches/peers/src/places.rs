//! Contestants on one processor, servers on the others.
//!
//! Left alone, a scheduler puts client and server now on one processor and now on two, and a round trip takes eight
//! times as long when it has to wake a processor that sleeps. Which of the two a contestant meets must not be luck.

#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Where this machine lets us run.
#[derive(Debug)]
pub(crate) struct Places {
    #[cfg(target_os = "linux")]
    all: Vec<usize>,
}

#[cfg(target_os = "linux")]
impl Places {
    pub(crate) fn here() -> Self {
        let allowed = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
        Self { all: (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).collect() }
    }

    /// What this thread starts from now on, threads and processes, runs where servers belong.
    pub(crate) fn for_servers(&self) {
        if let [_, servers @ ..] = &self.all[..] {
            restrict_to(servers);
        }
    }

    /// This thread runs where contestants belong.
    pub(crate) fn for_contestants(&self) {
        if let [contestants, _, ..] = &self.all[..] {
            restrict_to(&[*contestants]);
        }
    }
}

#[cfg(target_os = "linux")]
fn restrict_to(cpus: &[usize]) {
    let mut allowed = CpuSet::new();
    cpus.iter().for_each(|&cpu| allowed.set(cpu));
    // Where it is not allowed, the figures are merely noisier.
    let _ = sched_setaffinity(None, &allowed);
}

#[cfg(not(target_os = "linux"))]
impl Places {
    pub(crate) const fn here() -> Self {
        Self {}
    }

    pub(crate) const fn for_servers(&self) {}

    pub(crate) const fn for_contestants(&self) {}
}
