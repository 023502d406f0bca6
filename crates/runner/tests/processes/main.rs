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
    ("verdicts::tasks_and_processes_agree::no_lock_control", || verdicts::agree("no-lock-control")),
    ("verdicts::tasks_and_processes_agree::room_inventory", || verdicts::agree("room-inventory")),
    ("verdicts::tasks_and_processes_agree::lock_lost", || verdicts::agree("lock-lost")),
    ("verdicts::tasks_and_processes_agree::redis_latency", || verdicts::agree("redis-latency")),
    ("verdicts::tasks_and_processes_agree::process_paused_past_ttl", || {
        verdicts::agree("process-paused-past-ttl")
    }),
    ("verdicts::tasks_and_processes_agree::process_killed", || verdicts::agree("process-killed")),
    ("verdicts::a_history_of_processes_has_the_shape_of_one_of_tasks", verdicts::of_one_shape),
    ("verdicts::a_link_of_one_holder_is_that_of_its_process", verdicts::over_a_link_of_ones_own),
    ("verdicts::the_stamps_of_all_processes_lie_on_one_axis", verdicts::on_one_axis),
];

/// On real redis-servers and Postgres. By the module's name `cargo xtask test` knows what a trial needs.
const PROCESS: &[(&str, Body)] = &[
    (
        "postgres::redis_server::a_process_that_is_stopped_past_its_lease_sells_the_slot_twice",
        || {
            verdicts::hold("process-paused-past-ttl", "process");
        },
    ),
    ("postgres::redis_server::a_process_that_is_killed_sells_nothing_twice", || {
        verdicts::hold("process-killed", "process");
    }),
];

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
    let trial = |&(name, body): &(&'static str, Body)| {
        Trial::test(name, move || {
            body();
            Ok(())
        })
    };
    let real = PROCESS.iter().map(|each| trial(each).with_ignored_flag(missing.is_some()));
    let trials = EMBEDDED.iter().map(trial).chain(real).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
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
