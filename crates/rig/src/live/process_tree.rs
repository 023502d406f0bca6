//! What is several processes: a parent and the children that it starts, one level deep.
//!
//! The kernel lists children in `/proc/<pid>/task/<thread>/children`, by the thread that has started them. The parent is
//! stopped first, so that it starts none while they are gone through.

use std::io;
use std::time::Duration;

use rustix::process::Signal;

use super::children::{is_stopped, signal, signal_group};
use crate::RigError;

/// A signal is obeyed within microseconds, unless the machine has no time for anybody.
pub(super) const OBEYED_WITHIN: Duration = Duration::from_secs(5);
pub(super) const POLL: Duration = Duration::from_millis(1);

/// The children of `parent` that are there now.
pub(super) fn children_of(parent: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{parent}/task"))? {
        // A thread that has ended meanwhile has left its children to another, which is yet to come or has been looked at:
        // of a parent that stands still none ends.
        let Ok(list) = std::fs::read_to_string(thread?.path().join("children")) else { continue };
        children.extend(list.split_whitespace().filter_map(|number| number.parse::<u32>().ok()));
    }
    Ok(children)
}

/// Stops the children of `parent`, which stands still, with their process groups; who they are.
pub(super) fn stop_families(parent: u32) -> Vec<u32> {
    let children = children_of(parent).unwrap_or_default();
    children.iter().for_each(|&child| signal_group(child, Signal::STOP));
    children
}

/// Lets them go on.
pub(super) fn continue_families(parent: u32) {
    let children = children_of(parent).unwrap_or_default();
    children.into_iter().for_each(|child| signal_group(child, Signal::CONT));
}

/// Kills them.
pub(super) fn kill_families(parent: u32) {
    let children = children_of(parent).unwrap_or_default();
    children.into_iter().for_each(|child| signal_group(child, Signal::KILL));
}

/// Stops `parent` and its children, and waits until all stand still. Gives how many children there were.
pub(super) async fn stop_all(parent: u32) -> Result<usize, RigError> {
    let cannot = |error| RigError::new(format!("cannot stop process {parent}")).because(error);
    signal(parent, Signal::STOP);
    until(&format!("process {parent} to stop"), || is_stopped(parent)).await?;
    let children = children_of(parent).map_err(cannot)?;
    children.iter().for_each(|&child| signal(child, Signal::STOP));
    until(&format!("the children of process {parent} to stop"), || {
        // One that has ended meanwhile stands still as well.
        Ok(children.iter().all(|&child| is_gone(child) || is_stopped(child).unwrap_or(true)))
    })
    .await?;
    Ok(children.len())
}

/// Lets `parent` and its children go on.
pub(super) fn continue_all(parent: u32) {
    // The children first: the parent may be about to end, and would wait for them.
    children_of(parent).unwrap_or_default().iter().for_each(|&child| signal(child, Signal::CONT));
    signal(parent, Signal::CONT);
}

/// Kills the children of `parent`, which stands still, and gives who they were.
pub(super) fn kill_children(parent: u32) -> Vec<u32> {
    let children = children_of(parent).unwrap_or_default();
    children.iter().for_each(|&child| signal(child, Signal::KILL));
    children
}

/// Whether there is no such process any more. One that has ended and was not waited for is none: whose child it has
/// become is not ours to say.
pub(super) fn is_gone(process: u32) -> bool {
    match std::fs::read_to_string(format!("/proc/{process}/stat")) {
        Ok(stat) => {
            stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
        }
        Err(_) => true,
    }
}

/// Waits until `holds`, or says in vain for `what`.
pub(super) async fn until(
    what: &str,
    holds: impl Fn() -> io::Result<bool> + Send,
) -> Result<(), RigError> {
    let deadline = tokio::time::Instant::now() + OBEYED_WITHIN;
    loop {
        match holds() {
            Ok(true) => return Ok(()),
            Ok(false) if tokio::time::Instant::now() < deadline => {}
            Ok(false) => {
                return Err(RigError::new(format!("waited {OBEYED_WITHIN:?} in vain for {what}")));
            }
            Err(error) => {
                return Err(RigError::new(format!("cannot see whether {what}")).because(error));
            }
        }
        tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await;
    }
}
