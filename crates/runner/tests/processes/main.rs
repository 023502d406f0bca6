//! Holders as processes of the operating system, live: what is done to them, what is left of them, and that it makes no
//! difference to any verdict what they are.
//!
//! A binary with a main of its own, since it is started again as the holders of its trials.

mod children;
mod deaths;
mod leftovers;
mod pauses;
mod support;
mod verdicts;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use lockproof_rig::live::probes;
use lockproof_testkit::redis_server_is_here;

/// What makes this program a holder.
const HOLDER: &str = "--holder";

type Body = fn();

/// Those that need no server that has to be installed.
const EMBEDDED: &[(&str, Body)] = &[
    ("pauses::a_pause_is_a_sigstop_that_the_kernel_shows_and_a_sigcont", pauses::is_real),
    ("pauses::by_the_time_line_every_process_stands_still_at_one_time", pauses::of_everybody),
    (
        "deaths::a_killed_process_leaves_its_step_unknown_and_a_fresh_one_takes_the_seat",
        deaths::by_a_fault,
    ),
    (
        "deaths::a_process_that_dies_by_itself_makes_the_run_inconclusive_and_says_so",
        deaths::by_itself,
    ),
    (
        "deaths::a_program_that_is_no_holder_does_not_stand_up",
        deaths::of_a_program_that_is_no_holder,
    ),
    (
        "leftovers::a_load_that_is_cut_short_leaves_no_process_not_even_one_that_stands_still",
        leftovers::of_a_cut,
    ),
    ("leftovers::a_load_leaves_no_process_no_thread_and_no_descriptor", leftovers::of_many_loads),
    ("verdicts::a_history_of_processes_has_the_shape_of_one_of_tasks", verdicts::of_one_shape),
    ("verdicts::a_link_of_one_holder_is_that_of_its_process", verdicts::over_a_link_of_ones_own),
    ("verdicts::the_stamps_of_all_processes_lie_on_one_axis", verdicts::on_one_axis),
];

/// Shipped scenarios that are run both ways.
const COMPARED: [&str; 6] = [
    "no-lock-control",
    "room-inventory",
    "lock-lost",
    "redis-latency",
    "process-paused-past-ttl",
    "process-killed",
];

/// Shipped scenarios that are run on real redis-servers and Postgres. By the module's name `cargo xtask test` knows what
/// a trial needs.
const ON_REAL_SERVERS: [&str; 2] = ["process-paused-past-ttl", "process-killed"];

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(HOLDER) {
        return be_a_holder();
    }
    let mut arguments = Arguments::from_args();
    // One at a time: each looks at the children of this process, and wants to see its own.
    arguments.test_threads = Some(1);
    let missing = missing();
    if let Some(why) = missing.as_ref().filter(|_| !arguments.list) {
        say(why);
    }
    let mut trials: Vec<_> =
        EMBEDDED.iter().map(|&(name, body)| trial(name.to_owned(), body)).collect();
    trials.extend(COMPARED.map(|scenario| {
        let name = format!("verdicts::tasks_and_processes_agree::{}", word(scenario));
        trial(name, move || verdicts::agree(scenario))
    }));
    trials.extend(ON_REAL_SERVERS.map(|scenario| {
        let name = format!("postgres::redis_server::{}_comes_to_what_is_expected", word(scenario));
        let held = trial(name, move || verdicts::hold(scenario, "process"));
        held.with_ignored_flag(missing.is_some())
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: String, body: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        body();
        Ok(())
    })
}

/// As part of a test's name.
fn word(scenario: &str) -> String {
    scenario.replace('-', "_")
}

fn be_a_holder() -> ExitCode {
    match lockproof_runner::hold() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&why);
            ExitCode::FAILURE
        }
    }
}

/// Why trials on real servers are skipped, where they are.
fn missing() -> Option<String> {
    let why = redis_server_is_here().err();
    let found =
        |what: &str| probes().iter().any(|probe| probe.what == what && probe.found.is_some());
    let why = why.or_else(|| {
        let there = found("postgres") && found("initdb");
        (!there).then(|| "skipped: Postgres is missing; apt-get install postgresql".to_owned())
    })?;
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    Some(why)
}

#[expect(clippy::print_stderr, reason = "where people who run tests read it")]
fn say(what: &str) {
    eprintln!("{what}");
}
