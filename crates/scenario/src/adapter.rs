//! `external:PATH`: a program of the user's that speaks for a lock, and what its manifest says of it.
//!
//! PATH is an executable file, which is started as it is, speaks for a lock on one Redis and gives no fencing tokens; or
//! a directory with an `adapter.toml`, which says more. Either is relative to the working directory, as every path that
//! the program is given. It ends with the spelling of the strategy, or at the last `+` that a guard's name follows, and
//! may hold any other character (on a command line no comma, which separates strategies).
//!
//! ```toml
//! command = ["./lock.py", "--quiet"]   # what begins with ./ or ../ is found from the directory, a bare name on PATH
//! redis = 1                            # servers that it needs; of several the scenario may ask for another number
//! tokens = false                       # whether its grants come with fencing tokens
//! renews = true                        # whether it can make a lease last longer
//! summary = "…"                        # one line for tables
//! ```

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lockproof_bookings::catalog as guards;
use lockproof_locks::{EXTERNAL, LockEntry, Needs, Tokens};
use lockproof_rig::Adapter;
use toml::de::DeTable;

use crate::reader::Reader;
use crate::source::Source;
use crate::suggest::hint;

/// Before the path.
pub(crate) const PREFIX: &str = "external:";
const MANIFEST: &str = "adapter.toml";
const MOST_SERVERS: u32 = 31;

/// A lock that a program speaks for.
#[derive(Debug)]
pub(crate) struct Spoken {
    pub(crate) lock: LockEntry,
    pub(crate) adapter: Adapter,
}

/// A path, and the guard that may follow it.
///
/// # Errors
/// A sentence: the guard is none, or the path cannot be told from one with a guard.
pub(crate) fn split(text: &str) -> Result<(&str, &'static guards::Entry), String> {
    let none = guards::find("none").expect("the catalog has it");
    let Some((path, name)) = text.rsplit_once('+') else { return Ok((text, none)) };
    let Some(guard) = guards::find(name) else {
        if !Path::new(text).exists() && Path::new(path).exists() {
            let names: Vec<_> = guards::ENTRIES.iter().map(|entry| entry.name).collect();
            return Err(format!("unknown guard `{name}`{}", hint(name, &names)));
        }
        return Ok((text, none));
    };
    if path.rsplit_once('+').is_some_and(|(_, name)| guards::find(name).is_some()) {
        return Err(format!("{path} ends as if a guard followed; give the program another name"));
    }
    Ok((path, guard))
}

/// The lock at `path`.
///
/// Strategies are copied about as freely as the names of a catalog, so what is read here is kept for as long as the
/// program runs: once for each path that anybody spells, however often scenarios are read.
///
/// # Errors
/// A sentence: nothing is there that could be started, or the manifest is wrong.
pub(crate) fn find(path: &str) -> Result<&'static Spoken, String> {
    static KNOWN: Mutex<BTreeMap<String, &Spoken>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(spoken) = known.get(path) {
        return Ok(spoken);
    }
    let spoken: &'static Spoken = Box::leak(Box::new(read(path)?));
    known.insert(path.to_owned(), spoken);
    Ok(spoken)
}

fn read(path: &str) -> Result<Spoken, String> {
    if path.is_empty() {
        return Err("`external:` is followed by a program, or a directory with an adapter.toml: external:adapters/redis-py".to_owned());
    }
    let place = Path::new(path);
    let absolute = std::path::absolute(place).map_err(|error| format!("{path}: {error}"))?;
    let is = std::fs::metadata(place).map_err(|error| {
        let shown = absolute.display();
        format!("{path}: {error} (a path is relative to the working directory: {shown})")
    })?;
    if is.is_dir() {
        return manifest(path, &absolute);
    }
    can_be_started(path, place)?;
    Ok(Spoken { lock: entry(path), adapter: adapter(path, absolute, Vec::new()) })
}

fn can_be_started(path: &str, file: &Path) -> Result<(), String> {
    let is = std::fs::metadata(file).map_err(|error| format!("{path}: {error}"))?;
    if is.permissions().mode() & 0o111 == 0 {
        return Err(format!("{path} cannot be started: chmod +x {}", file.display()));
    }
    Ok(())
}

fn entry(path: &str) -> LockEntry {
    LockEntry { name: Box::leak(format!("{PREFIX}{path}").into_boxed_str()), ..EXTERNAL }
}

fn adapter(path: &str, program: PathBuf, arguments: Vec<String>) -> Adapter {
    Adapter { name: format!("{PREFIX}{path}"), program, arguments }
}

fn manifest(path: &str, directory: &Path) -> Result<Spoken, String> {
    let file = Path::new(path).join(MANIFEST);
    let text = std::fs::read_to_string(&file).map_err(|error| {
        format!("{path} is a directory, and its {MANIFEST} cannot be read: {error}; or name a program in it")
    })?;
    let source = Source::new(&file, &text);
    let spoken = match DeTable::parse(&text) {
        Ok(table) => {
            let mut reader =
                Reader::new(&source, "an adapter's manifest", 0..0, table.into_inner());
            let spoken = fields(path, directory, &mut reader);
            reader.finish();
            spoken
        }
        Err(error) => {
            source.problem(&error.span().unwrap_or(0..0), error.message());
            None
        }
    };
    match (spoken, source.problems()) {
        (_, Some(problems)) => Err(problems.to_string()),
        (Some(spoken), None) => Ok(spoken),
        (None, None) => unreachable!("a manifest that is not there has its problem noted"),
    }
}

fn fields(path: &str, directory: &Path, reader: &mut Reader<'_, '_>) -> Option<Spoken> {
    let at = reader.key_span("command");
    let mut words = reader.texts("command").into_iter();
    let redis = reader.number("redis", 0..=MOST_SERVERS);
    let (tokens, renews) = (reader.truth("tokens"), reader.truth("renews"));
    let summary = reader.text("summary");
    let Some(first) = words.next() else {
        reader.problem_at(at.as_ref(), "`command` says what is started: [\"./lock.py\"]");
        return None;
    };
    let word = first.get_ref();
    let mut program = PathBuf::from(word);
    if word.starts_with("./") || word.starts_with("../") {
        program = directory.join(word);
        if let Err(why) = can_be_started(word, &program) {
            reader.source().problem(&first.span(), why);
        }
    }
    let fallback = entry(path);
    let lock = LockEntry {
        needs: match redis {
            None => fallback.needs,
            Some(0) => Needs::Nothing,
            Some(1) => Needs::OneRedis,
            Some(several) => Needs::IndependentRedis(several as usize),
        },
        tokens: if tokens.unwrap_or(false) { Tokens::Drawn } else { fallback.tokens },
        renews: renews.unwrap_or(fallback.renews),
        summary: summary
            .map_or(fallback.summary, |text| Box::leak(text.into_inner().into_boxed_str())),
        ..fallback
    };
    let arguments = words.map(toml::Spanned::into_inner).collect();
    Some(Spoken { lock, adapter: adapter(path, program, arguments) })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use crate::Strategy;

    use super::*;

    /// A directory with a program in it that could be started, and `manifest`.
    fn place(manifest: &str) -> (tempfile::TempDir, String) {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("lock.sh");
        fs::write(&program, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        fs::write(directory.path().join("plain.txt"), "").unwrap();
        if !manifest.is_empty() {
            fs::write(directory.path().join(MANIFEST), manifest).unwrap();
        }
        let path = directory.path().to_str().unwrap().to_owned();
        (directory, path)
    }

    fn refusal(text: &str) -> String {
        Strategy::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_program_is_started_as_it_is_on_one_redis_and_gives_no_tokens() {
        let (_directory, path) = place("");
        for guard in ["", "+unique"] {
            let spelled = format!("external:{path}/lock.sh{guard}");
            let strategy = Strategy::parse(&spelled).unwrap();
            assert_eq!(strategy.to_string(), spelled);
            assert_eq!(strategy, Strategy::parse(&strategy.to_string()).unwrap());
            let adapter = strategy.adapter.unwrap();
            assert_eq!(adapter.program, Path::new(&path).join("lock.sh"));
            assert_eq!((strategy.lock.needs, strategy.lock.renews), (Needs::OneRedis, true));
            assert!(strategy.live_only().unwrap().contains("a program by itself"));
        }
        let refused = refusal(&format!("external:{path}/lock.sh+fencing"));
        assert!(refused.contains("tokens = true"), "{refused}");
    }

    #[test]
    fn a_manifest_says_what_is_started_and_what_it_can_do() {
        let (_directory, path) = place(
            "command = [\"./lock.sh\", \"--x\"]\nredis = 5\ntokens = true\nrenews = false\nsummary = \"mine\"",
        );
        let strategy = Strategy::parse(&format!("external:{path}+fencing")).unwrap();
        let LockEntry { needs, tokens, renews, summary, .. } = *strategy.lock;
        assert_eq!((needs, tokens), (Needs::IndependentRedis(5), Tokens::Drawn));
        assert_eq!((renews, summary), (false, "mine"));
        let adapter = strategy.adapter.unwrap();
        assert!(adapter.program.is_absolute() && adapter.program.ends_with("lock.sh"));
        assert_eq!(adapter.arguments, ["--x"]);
        let (_directory, path) = place("command = [\"python3\", \"-c\", \"\"]");
        let on_path = Strategy::parse(&format!("external:{path}")).unwrap();
        assert_eq!(on_path.adapter.unwrap().program, Path::new("python3"));
    }

    #[test]
    fn what_cannot_be_started_is_refused_with_the_reason() {
        let (_directory, path) = place("");
        for (text, why) in [
            ("external".to_owned(), "is followed by a program"),
            ("external:".to_owned(), "is followed by a program"),
            (format!("external:{path}/missing"), "relative to the working directory"),
            (format!("external:{path}/plain.txt"), "chmod +x"),
            (format!("external:{path}"), "its adapter.toml cannot be read"),
            (format!("external:{path}/lock.sh+uniqe"), "did you mean `unique`?"),
            (format!("external:{path}/a+unique+none"), "another name"),
        ] {
            let refused = refusal(&text);
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    #[test]
    fn a_wrong_manifest_is_told_with_its_lines() {
        for (manifest, why) in [
            ("redis = 1", "1:1: `command` says what is started"),
            ("command = []", "1:1: `command` says what is started"),
            ("command = [\"./lock.py\"]", "1:12: ./lock.py: No such file"),
            ("command = [\"a\"]\nredis = -1", "2:9: `redis` is a whole number from 0 to 31"),
            (
                "command = [\"a\"]\ntoken = true",
                "2:1: unknown key `token` in an adapter's manifest; did you mean `tokens`?",
            ),
            ("command", "1:8: "),
        ] {
            let (_directory, path) = place(manifest);
            let refused = refusal(&format!("external:{path}"));
            assert!(refused.contains(&format!("{MANIFEST}:{why}")), "{manifest}: {refused}");
        }
    }
}
