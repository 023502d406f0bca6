//! The model against a real redis-server: the same commands, the same replies.
//!
//! Sequences of commands over several connections run on both; every reply and every push is
//! compared byte for byte, after the few normalisations that `compare.rs` names and
//! `DIFFERENCES.md` explains. In `lives.rs` clocks jump, and servers die and come back, with what
//! they have kept or with nothing. Skipped, aloud, where no redis-server is installed.

mod action;
mod compare;
mod connection;
mod duel;
mod lives;
mod real;
mod templates;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use action::sequence;
use duel::Duel;
use real::RealServer;

/// Enough to meet every template; a long run says how many by the environment.
const CASES: u32 = 1_500;
const ACTIONS_MAX: usize = 40;

#[test]
fn the_model_answers_as_redis_does() {
    let Some(server) = RealServer::start() else {
        skip();
        return;
    };
    let (mut runner, seed) = runner(1);
    let duel = std::cell::RefCell::new(Duel::new(&server));
    let outcome = runner.run(&sequence(ACTIONS_MAX), |actions| {
        duel.borrow_mut().run(&actions).map_err(TestCaseError::fail)
    });
    if let Err(failure) = outcome {
        panic!("seed {seed}: {failure}");
    }
}

/// A runner of so many cases, one in `costs` as many as the cheapest test has, and its seed.
fn runner(costs: u32) -> (TestRunner, u64) {
    let cases = from_environment("LOCKPROOF_DIFFERENTIAL_CASES").unwrap_or(CASES.into());
    let cases = cases.div_ceil(costs.into());
    let seed = from_environment("LOCKPROOF_DIFFERENTIAL_SEED").unwrap_or(0);
    let config = Config {
        cases: u32::try_from(cases).unwrap_or(u32::MAX),
        failure_persistence: None,
        max_shrink_iters: 20_000 / costs,
        ..Config::default()
    };
    // A fixed seed: what has passed once passes again, until somebody asks for another one.
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    (TestRunner::new_with_rng(config, rng), seed)
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

fn skip() {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "redis-server is not on PATH, and this is CI: install it"
    );
    say("skipped: redis-server is not on PATH");
}

#[expect(
    clippy::print_stderr,
    reason = "a test that did not run must not look like one that passed"
)]
fn say(line: &str) {
    eprintln!("{line}");
}
