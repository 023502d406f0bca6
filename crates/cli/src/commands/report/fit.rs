//! Which runs add up to one.

use std::collections::BTreeMap;
use std::path::Path;

use lockproof_model::{Manifest, World};
use lockproof_report::StoredRun;

/// Checks that each of `runs` has been given once, and that all are of one program, seed and set of scenarios. The error
/// is a sentence.
pub(super) fn check(runs: &[StoredRun]) -> Result<(), String> {
    let Some((first, others)) = runs.split_first() else { return Ok(()) };
    for (place, run) in runs.iter().enumerate() {
        given_once(run, &runs[..place])?;
    }
    for other in others {
        same_run(first, other)?;
        match (first.manifest.partition, other.manifest.partition) {
            (Some(_), Some(_)) => same_whole(first, other)?,
            (None, None) => {}
            (Some(slice), None) | (None, Some(slice)) => {
                return Err(format!(
                    "one of {} and {} is {slice} and the other is no slice; merge slices with each other",
                    first.directory.display(),
                    other.directory.display()
                ));
            }
        }
    }
    same_scenarios(runs)
}

/// The command that repeats the run of which `manifest` tells a part.
pub(super) fn command_of_whole(manifest: &Manifest) -> String {
    match manifest.partition {
        Some(slice) => manifest.command.replace(&format!(" --partition {slice}"), ""),
        None => manifest.command.clone(),
    }
}

fn given_once(run: &StoredRun, before: &[StoredRun]) -> Result<(), String> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let own = real(&run.directory);
    let is_same = |other: &&StoredRun| real(&other.directory) == own;
    if before.iter().any(|other| is_same(&other)) {
        return Err(format!("{} was given twice", run.directory.display()));
    }
    let Some(slice) = run.manifest.partition else { return Ok(()) };
    let twin = before.iter().find(|other| other.manifest.partition == Some(slice));
    match twin {
        Some(twin) => Err(format!(
            "{} and {} are both {slice}; give one of them",
            twin.directory.display(),
            run.directory.display()
        )),
        None => Ok(()),
    }
}

fn same_run(first: &StoredRun, other: &StoredRun) -> Result<(), String> {
    let told = origin(&first.manifest).into_iter().zip(origin(&other.manifest));
    for ((what, a), (_, b)) in told {
        if a != b {
            return Err(format!(
                "{} and {} are parts of different runs: {what} {a} and {what} {b}",
                first.directory.display(),
                other.directory.display()
            ));
        }
    }
    Ok(())
}

/// What all parts of a run have in common.
fn origin(manifest: &Manifest) -> [(&'static str, String); 4] {
    let world = match manifest.world {
        World::Live => "live",
        World::Sim => "sim",
    };
    [
        ("version", manifest.version.clone()),
        ("seed", format!("{:#x}", manifest.seed)),
        ("world", world.to_owned()),
        ("provider", manifest.provider.clone()),
    ]
}

/// Slices are of one command, over one set of scenarios: which cell is whose depends on all of them.
fn same_whole(first: &StoredRun, other: &StoredRun) -> Result<(), String> {
    let (a, b) = (&first.manifest, &other.manifest);
    let (name_a, name_b) = (first.directory.display(), other.directory.display());
    if let (Some(slice), Some(others)) = (a.partition, b.partition)
        && slice.count() != others.count()
    {
        return Err(format!("{name_a} is {slice} and {name_b} is {others}: of different numbers"));
    }
    let (whole, others) = (command_of_whole(a), command_of_whole(b));
    if whole != others {
        return Err(format!(
            "{name_a} and {name_b} are slices of different commands:\n  {whole}\n  {others}"
        ));
    }
    let names = |run: &StoredRun| -> Vec<_> {
        run.scenarios.iter().map(|it| it.path.file_name().map(ToOwned::to_owned)).collect()
    };
    if names(first) != names(other) {
        return Err(format!("{name_a} and {name_b} are slices over different scenarios"));
    }
    Ok(())
}

/// One name stands for one scenario.
fn same_scenarios(runs: &[StoredRun]) -> Result<(), String> {
    let mut known = BTreeMap::new();
    for scenario in runs.iter().flat_map(|run| &run.scenarios) {
        let first = *known.entry(scenario.path.file_name()).or_insert(scenario);
        if first.text != scenario.text {
            return Err(format!(
                "{} and {} differ: a scenario was changed between the runs",
                first.path.display(),
                scenario.path.display()
            ));
        }
    }
    Ok(())
}
