//! Every lock of the catalog against the contract of its traits, on every kind of Redis server there is.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use lockproof_locks::ENTRIES;
use lockproof_testkit::conformance::locks::trials;
use lockproof_testkit::{Subject, redis_server_is_here};

/// A provider, and the module by whose name `cargo xtask test` knows what a trial needs.
const SERVERS: [(&str, &str); 2] = [("embedded", "embedded"), ("process", "redis_server")];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (provider, module) in SERVERS {
        let absent = if provider == "process" { redis_server_is_here().err() } else { None };
        if let Some(why) = &absent {
            say(&arguments, why);
        }
        for subject in ENTRIES.iter().flat_map(Subject::all_of) {
            add(&arguments, &mut trials, subject, provider, module, absent.is_some());
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn add(
    arguments: &Arguments,
    to: &mut Vec<Trial>,
    subject: Subject,
    provider: &'static str,
    module: &str,
    absent: bool,
) {
    let mut skipped: Vec<String> = Vec::new();
    for trial in trials() {
        let applies = trial.applies_to(&subject);
        if let Err(why) = &applies {
            skipped.push(why.clone());
        }
        let name = format!("lock::{}::{module}::{}", subject.name(), trial.name);
        let conduct = move || {
            trial.conduct(subject, provider);
            Ok(())
        };
        to.push(Trial::test(name, conduct).with_ignored_flag(absent || applies.is_err()));
    }
    skipped.sort();
    skipped.dedup();
    for why in skipped {
        say(arguments, &format!("skipped for {} on {module}: {why}", subject.name()));
    }
}

#[expect(clippy::print_stderr, reason = "a skip says why, where people who run tests read it")]
fn say(arguments: &Arguments, what: &str) {
    if !arguments.list {
        eprintln!("{what}");
    }
}
