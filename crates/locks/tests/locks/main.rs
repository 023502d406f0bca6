//! Every lock of the catalog against the contract of its traits, on every kind of server there is; and the locks that
//! programs speak for: a reference, this very binary, and the adapters that are shipped.

mod adapter_packages;
mod adapters;
#[path = "../../../redis-model/tests/interop/programs.rs"]
#[expect(dead_code, reason = "other tests have more use for it")]
mod programs;
mod shipped;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use lockproof_locks::{Coordinator, ENTRIES};
use lockproof_rig::DatabaseEngine;
use lockproof_testkit::adapters::{Manner, SOUND, be_one};
use lockproof_testkit::conformance::locks::trials;
use lockproof_testkit::{Subject, coordinator_is_here, database_is_here, redis_server_is_here};

/// A provider, and the module by whose name `cargo xtask test` knows what a trial needs.
const REDIS: [(&str, &str); 2] = [("embedded", "embedded"), ("process", "redis_server")];

fn main() -> ExitCode {
    if be_one() {
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (provider, module) in REDIS {
        let absent = if provider == "process" { redis_server_is_here().err() } else { None };
        let reference = Subject::all_of(&SOUND)
            .map(|subject| Subject { adapter: Some(|| Manner::Sound.adapter()), ..subject });
        let subjects = ENTRIES.iter().flat_map(Subject::all_of);
        let of_redis = subjects.filter(|subject| {
            let needs = subject.entry.needs;
            needs.coordinator().is_none() && needs.database().is_none()
        });
        add_all(&arguments, &mut trials, of_redis.chain(reference), provider, module, absent);
    }
    for service in Coordinator::ALL {
        let absent = coordinator_is_here(service).err();
        let subjects = ENTRIES.iter().flat_map(Subject::all_of);
        let of_it = subjects.filter(|subject| subject.entry.needs.coordinator() == Some(service));
        add_all(&arguments, &mut trials, of_it, "process", service.word(), absent);
    }
    for engine in DatabaseEngine::ALL {
        let is_here = if engine.is_server() { database_is_here(engine) } else { Ok(String::new()) };
        let database = engine.is_server().then_some(engine);
        let subjects = ENTRIES.iter().flat_map(Subject::all_of).filter(|subject| {
            let needs = subject.entry.needs;
            needs.database().is_some() && needs.refuses(engine.word()).is_none()
        });
        let of_it = subjects.map(|subject| Subject { database, ..subject });
        add_all(&arguments, &mut trials, of_it, "embedded", engine.word(), is_here.err());
    }
    trials.extend(adapters::TRIALS.iter().map(|trial| {
        let name = format!("adapter::{}", trial.name);
        Trial::test(name, || {
            trial.conduct();
            Ok(())
        })
    }));
    trials.extend(shipped::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn add_all(
    arguments: &Arguments,
    to: &mut Vec<Trial>,
    subjects: impl Iterator<Item = Subject>,
    provider: &'static str,
    module: &str,
    absent: Option<String>,
) {
    if let Some(why) = &absent {
        say(arguments, why);
    }
    for subject in subjects {
        add(arguments, to, subject, provider, module, absent.is_some());
    }
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
        let applies =
            trial.applies_to(&subject).and_then(|()| of_one_process(&subject, trial.name));
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

/// What one holder's request leaves behind another one's cannot undo in order where each is a process of its own.
fn of_one_process(subject: &Subject, trial: &str) -> Result<(), String> {
    const ORDERED: [&str; 2] = [
        "a_dropped_first_acquire_that_is_withdrawn_leaves_nothing",
        "an_acquire_without_an_answer_is_unknown_and_can_be_withdrawn",
    ];
    const TAKEN: [&str; 2] = [
        "an_acquire_dropped_once_the_servers_took_it_leaves_nothing_once_withdrawn",
        "an_acquire_of_the_driver_dropped_once_the_servers_took_it_leaves_nothing_once_settled",
    ];
    let needs = subject.entry.needs;
    let of_a_session = needs.database().is_some() && !needs.ends_by_itself();
    match subject.adapter {
        Some(_) if ORDERED.contains(&trial) => {
            Err("requests of two adapters reach a server in no order".to_owned())
        }
        _ if needs.database().is_some() && ORDERED.contains(&trial) => {
            Err("requests of two holders reach a database in no order".to_owned())
        }
        _ if needs.database().is_some() && subject.database.is_none() && TAKEN.contains(&trial) => {
            Err("a file may have answered before anybody looks".to_owned())
        }
        _ if of_a_session && trial == "a_withdrawn_claim_frees_the_lock" => {
            Err("nobody gives back the lock of another holder's session".to_owned())
        }
        _ => Ok(()),
    }
}

#[expect(clippy::print_stderr, reason = "a skip says why, where people who run tests read it")]
fn say(arguments: &Arguments, what: &str) {
    if !arguments.list {
        eprintln!("{what}");
    }
}
