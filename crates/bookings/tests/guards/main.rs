//! Every guard of the catalog against what a guard promises, on every engine there is.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use lockproof_bookings::catalog::ENTRIES;
use lockproof_testkit::conformance::guards::{Engine, trials};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut to_run = Vec::new();
    for engine in Engine::ALL {
        let here = engine.is_here();
        if let Err(why) = &here {
            say(&arguments, why);
        }
        for entry in ENTRIES {
            for trial in trials() {
                let applies = trial.applies_to(entry, engine);
                if let Err(why) = &applies {
                    say(&arguments, &format!("{} is skipped: {why}", trial.name));
                }
                // The engine is a module, by which `cargo xtask test` knows what a trial needs.
                let name = format!("guard::{}::{}::{}", entry.name, engine.name(), trial.name);
                let conduct = move || {
                    trial.conduct(entry, engine);
                    Ok(())
                };
                let ignored = here.is_err() || applies.is_err();
                to_run.push(Trial::test(name, conduct).with_ignored_flag(ignored));
            }
        }
    }
    libtest_mimic::run(&arguments, to_run).exit_code()
}

#[expect(clippy::print_stderr, reason = "a skip says why, where people who run tests read it")]
fn say(arguments: &Arguments, what: &str) {
    if !arguments.list {
        eprintln!("{what}");
    }
}
