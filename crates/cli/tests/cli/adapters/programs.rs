//! Who runs in a directory, as the kernel shows.

use std::path::Path;

/// Number and state of every process called `name` whose working directory is `directory`, and which has not ended.
pub(super) fn in_directory(directory: &Path, name: &str) -> Vec<(u32, char)> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter_map(|id| {
        let here = std::fs::read_link(format!("/proc/{id}/cwd")).ok()? == directory;
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name, in parentheses, may hold anything; the state is the word after it.
        let (before, after) = stat.rsplit_once(") ")?;
        let state = after.chars().next()?;
        let called = before.split_once('(')?.1;
        let runs = here && !matches!(state, 'Z' | 'X');
        (runs && (called == name || called.ends_with(".sh"))).then_some((id, state))
    })
    .collect()
}
