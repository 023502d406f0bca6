//! The holders of this process, as the kernel shows them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use crate::HOLDER;

/// A child that is a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Child {
    pub(crate) id: u32,
    pub(crate) state: char,
}

impl Child {
    /// Sends it a signal that no fault has ordered.
    pub(crate) fn signal(self, signal: Signal) {
        let id = i32::try_from(self.id).ok().and_then(Pid::from_raw).expect("it is a number");
        kill_process(id, signal).expect("it is there");
    }
}

/// Every one there is now.
pub(crate) fn children() -> Vec<Child> {
    let processes = std::fs::read_dir("/proc").expect("the folder can be read").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut children: Vec<_> = ids.filter_map(child).collect();
    children.sort_unstable();
    children
}

fn child(id: u32) -> Option<Child> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold anything; after it come the state and the parent.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let (state, parent) = (fields.next()?.chars().next()?, fields.next()?);
    let line = std::fs::read(format!("/proc/{id}/cmdline")).ok()?;
    // A dead one that nobody has waited for yet has no command line any more, and no memory either: it does not count.
    let is_holder = line.split(|byte| *byte == 0).any(|word| word == HOLDER.as_bytes());
    (parent == std::process::id().to_string() && is_holder).then_some(Child { id, state })
}

/// Everything that was ever seen of children while `body` ran, on a thread that does nothing else.
pub(crate) fn watched<T>(body: impl FnOnce() -> T) -> (T, BTreeSet<Child>) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !over.load(Ordering::Relaxed) {
                seen.extend(children());
                std::thread::yield_now();
            }
            seen
        });
        let output = body();
        over.store(true, Ordering::Relaxed);
        (output, watcher.join().expect("the watcher only looks"))
    })
}
