//! What becomes of an adapter that does not do as it should: each must be seen for what it is, and nothing it has taken may
//! be left.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_locks::{Acquisition, Drift, Driver, Lock, LockError, LockSession, Policy, Wait};
use lockproof_model::{HolderId, LockName, in_full};
use lockproof_rig::LinkUse;
use lockproof_rig::{HolderEffect, Rig};
use lockproof_testkit::adapters::{Manner, SOUND};
use lockproof_testkit::{Bench, Subject};

/// Long enough for an answer, short enough to wait for one that does not come.
const LIMIT: Duration = Duration::from_millis(500);
/// Nothing ends by itself.
const LONG: Duration = Duration::from_secs(120);

/// One promise, of an adapter of that manner.
pub(crate) struct Adapted {
    pub(crate) name: &'static str,
    manner: fn() -> lockproof_rig::Adapter,
    run: for<'a> fn(&'a Bench) -> BoxFuture<'a, ()>,
}

impl Adapted {
    pub(crate) fn conduct(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let subject = Subject {
                entry: &SOUND,
                draw_tokens: false,
                adapter: Some(self.manner),
                database: None,
            };
            let bench = Bench::start(subject, "embedded", LinkUse::Direct).await;
            let bench = bench.expect("the servers can be started");
            let ended = bench.env.timeout(Duration::from_secs(60), (self.run)(&bench)).await;
            ended.expect("the trial does not hang");
        });
    }
}

pub(crate) const TRIALS: &[Adapted] = &[
    Adapted {
        name: "another_version_of_the_protocol_does_not_open",
        manner: || Manner::OtherVersion.adapter(),
        run: |bench| does_not_open(bench, "it speaks version 2 of the protocol").boxed(),
    },
    Adapted {
        name: "a_first_line_for_people_does_not_open",
        manner: || Manner::NoHello.adapter(),
        run: |bench| does_not_open(bench, "its first line is no hello").boxed(),
    },
    Adapted {
        name: "one_that_dies_at_once_does_not_open_and_its_last_words_are_told",
        manner: || Manner::DiesAtOnce.adapter(),
        run: |bench| {
            does_not_open(bench, "it ended (exit status: 3): no such module: redis").boxed()
        },
    },
    Adapted {
        name: "one_that_dies_over_an_acquire_leaves_it_unknown_and_the_next_withdraws_it",
        manner: || Manner::DiesOverAcquire.adapter(),
        run: |bench| is_withdrawn(bench, "it ended (exit status: 3)").boxed(),
    },
    Adapted {
        name: "one_that_does_not_answer_leaves_an_acquire_unknown_and_withdraws_it",
        manner: || Manner::SilentOnAcquire.adapter(),
        run: |bench| is_withdrawn(bench, "reference did not answer to acquire").boxed(),
    },
    Adapted {
        name: "nonsense_is_shown_and_leaves_an_acquire_unknown_and_withdrawn",
        manner: || Manner::Garbled.adapter(),
        run: |bench| is_withdrawn(bench, "it said what is no answer").boxed(),
    },
    Adapted {
        name: "an_answer_that_nobody_waits_for_leaves_an_acquire_unknown_and_withdrawn",
        manner: || Manner::Stranger.adapter(),
        run: |bench| is_withdrawn(bench, "which nobody has made").boxed(),
    },
    Adapted {
        name: "an_answer_beside_the_point_leaves_an_acquire_unknown_and_withdrawn",
        manner: || Manner::BesideThePoint.adapter(),
        run: |bench| is_withdrawn(bench, "answered `released` to acquire").boxed(),
    },
    Adapted {
        name: "what_it_says_has_failed_is_definite",
        manner: || Manner::Fails.adapter(),
        run: |bench| is_definite(bench, "reference: acquire: not today").boxed(),
    },
    Adapted {
        name: "a_ttl_between_its_steps_is_refused_before_it_is_asked",
        manner: || Manner::WholeSeconds.adapter(),
        run: |bench| between_steps(bench).boxed(),
    },
    Adapted {
        name: "it_is_killed_with_its_holder_and_a_fresh_one_knows_the_lock_by_its_owner_value",
        manner: || Manner::Sound.adapter(),
        run: |bench| killed(bench).boxed(),
    },
    Adapted {
        name: "it_stands_still_with_its_holder_as_the_kernel_shows",
        manner: || Manner::Sound.adapter(),
        run: |bench| stopped(bench).boxed(),
    },
];

async fn does_not_open(bench: &Bench, why: &str) {
    let error = bench.lock().open(HolderId(1)).await.expect_err("it cannot be used");
    assert!(error.is_definite() && in_full(&error).contains(why), "{}", in_full(&error));
}

fn seat() -> LockName {
    LockName::new("seat-1")
}

async fn is_withdrawn(bench: &Bench, why: &str) {
    let error = acquire_once(bench, LONG).await;
    assert!(!error.is_definite(), "{}", in_full(&error));
    assert!(in_full(&error).contains(why), "{}", in_full(&error));
    assert_eq!(bench.left_over(&seat()).await, 0, "what it had taken is left");
}

async fn is_definite(bench: &Bench, why: &str) {
    let error = acquire_once(bench, LONG).await;
    assert!(error.is_definite() && in_full(&error).contains(why), "{}", in_full(&error));
}

async fn between_steps(bench: &Bench) {
    let error = acquire_once(bench, Duration::from_millis(1500)).await;
    assert!(error.is_definite(), "{}", in_full(&error));
    assert_eq!(in_full(&error), "reference takes a TTL in steps of 1000 ms, not 1.5s");
    assert_eq!(bench.left_over(&seat()).await, 0);
}

/// Its error, once nothing is under way any more.
async fn acquire_once(bench: &Bench, ttl: Duration) -> LockError {
    let policy = Policy { ttl, wait: Wait::NEVER, drift: Drift::default() };
    let lock = bench.lock_within(LIMIT);
    let driver = Driver::open(bench.env.clone(), &lock, HolderId(1), policy, 1).await;
    let mut driver = driver.expect("it opens");
    let error = driver.acquire(&seat()).await.expect_err("no grant is heard of");
    driver.settle().await;
    error
}

async fn killed(bench: &Bench) {
    let lock = bench.lock();
    let mut session = lock.open(HolderId(1)).await.expect("it opens");
    let claim = bench.claim(&seat());
    session.acquire(&claim, LONG).await.expect("it answers");
    let seen = afflict(bench, HolderEffect::Kill).await;
    assert!(seen.contains("signal: 9"), "{seen}");
    let policy = Policy { ttl: LONG, wait: Wait::NEVER, drift: Drift::default() };
    let driver = Driver::open(bench.env.clone(), &lock, HolderId(1), policy, 1).await;
    let mut driver = driver.expect("another is started");
    // Until the end of the dead one's pipe was seen, nobody knows what came of asking it.
    let held = loop {
        match driver.acquire(&seat()).await {
            Ok(held) => break held,
            Err(error) => assert!(in_full(&error).contains("it was killed"), "{error:?}"),
        }
        driver.settle().await;
    };
    assert!(matches!(held, Acquisition::Held { .. }), "the dead have left it: {held:?}");
    session.withdraw(&claim).await.expect("any of them can");
    assert_eq!(bench.left_over(&seat()).await, 0);
}

async fn stopped(bench: &Bench) {
    let mut session = bench.session(1).await;
    session.acquire(&bench.claim(&seat()), LONG).await.expect("it answers");
    let seen = afflict(bench, HolderEffect::Pause).await;
    let proof = seen.contains("in state T") && seen.contains(" after SIGCONT at ");
    assert!(proof, "{seen}");
    session.withdraw(&bench.claim(&seat())).await.expect("it goes on");
}

async fn afflict(bench: &Bench, effect: HolderEffect) -> String {
    let affliction = bench.rig.afflict_holders(&[HolderId(1)], effect).await;
    let affliction = affliction.expect("it can be done");
    assert_eq!(affliction.hit(), [HolderId(1)]);
    affliction.heal().await.expect("it can be undone").join("; ")
}
