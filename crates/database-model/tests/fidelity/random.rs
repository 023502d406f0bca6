//! Interleavings that nobody thought of.

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::generate::plans;

/// Enough to meet every pair of statements; a long run says how many by the environment.
const CASES: u32 = 1_000;

fn runner() -> TestRunner {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
    };
    let cases = number("LOCKPROOF_FIDELITY_CASES").unwrap_or(CASES.into());
    let seed = number("LOCKPROOF_FIDELITY_SEED").unwrap_or(0);
    let config = Config {
        cases: u32::try_from(cases).unwrap_or(u32::MAX),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    // A fixed seed: what has passed once passes again, until somebody asks for another one.
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// No server needed: nobody waits for ever, and the same is the same.
#[test]
fn the_model_is_repeatable_and_leaves_nobody_waiting() {
    let outcome = runner().run(&plans(), |plan| {
        (plan.play() == plan.play()).then_some(()).ok_or_else(|| TestCaseError::fail("it is not"))
    });
    outcome.unwrap();
}

mod postgres {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use proptest::test_runner::{TestCaseError, TestError};

    use super::runner;
    use crate::compare::{Verdict, compare};
    use crate::generate::plans;
    use crate::script::Transcript;
    use crate::server::Server;
    use crate::stories::on_server;

    /// Two that wait for one thing wake at once on a server, and now and then the second is faster.
    const TRIES: u32 = 4;

    /// More would hide something.
    const LET_PASS_ONE_IN: usize = 100;

    /// What was met.
    #[derive(Debug, Default)]
    struct Tally {
        cases: usize,
        statements: usize,
        waits: usize,
        errors: BTreeMap<&'static str, usize>,
        /// Let pass, as `DIFFERENCES.md` says.
        refused: usize,
        raced: usize,
    }

    impl Tally {
        fn meet(&mut self, model: &Transcript) {
            self.cases += 1;
            self.statements += model.lines.len();
            for line in &model.lines {
                self.waits += usize::from(line.outcome.is_none());
                let woken = line.woken.iter().map(|(_, outcome)| *outcome);
                for error in woken.chain([line.outcome]).filter_map(|outcome| outcome?.err()) {
                    *self.errors.entry(error).or_default() += 1;
                }
            }
        }
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "what was let pass is said aloud")]
    fn the_model_answers_as_a_server_does() {
        on_server(|runtime, config| {
            let server = runtime.block_on(Server::connect(config));
            let tally = RefCell::new(Tally::default());
            let outcome = runner().run(&plans(), |plan| {
                let model = plan.play();
                tally.borrow_mut().meet(&model);
                let mut verdict = Verdict::Alike;
                for _ in 0..TRIES {
                    verdict = compare(&model, &runtime.block_on(server.play(&model)));
                    if verdict == Verdict::Alike {
                        break;
                    }
                }
                match verdict {
                    Verdict::Alike => {}
                    Verdict::Refused => tally.borrow_mut().refused += 1,
                    Verdict::Raced => tally.borrow_mut().raced += 1,
                    Verdict::Different(how) => return Err(TestCaseError::fail(how)),
                }
                Ok(())
            });
            runtime.block_on(server.drop_tables());
            let tally = tally.into_inner();
            eprintln!("{tally:?}");
            match outcome {
                Ok(()) => {}
                // The transcript says more than the plan.
                Err(TestError::Fail(how, _)) => panic!("{how}"),
                Err(TestError::Abort(why)) => panic!("{why}"),
            }
            let let_pass = tally.refused + tally.raced;
            assert!(let_pass * LET_PASS_ONE_IN <= tally.cases + LET_PASS_ONE_IN, "{tally:?}");
        });
    }
}
