//! Faults by the time line of the load.

use std::time::Duration;

use lockproof_faults::{Lasts, Trigger};

use crate::support::{Noted, in_time, until};
use crate::triggers::armed;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[tokio::test]
async fn a_window_opens_after_its_begin_and_closes_after_its_end() {
    let (plan, counts) = Noted::new().plan(Trigger::Window { from: ms(20), until: Some(ms(50)) });
    let (env, triggers) = armed(&[plan]);
    let start = env.now();
    triggers.begin(start);
    until(&env, || counts.healed() == 1).await;
    let (records, summaries) = triggers.end().await;
    let record = &records[0];
    assert!(record.injected >= start + ms(20), "{record:?}");
    assert!(record.healed.unwrap() >= start + ms(50), "{record:?}");
    assert_eq!((record.holder, record.slot), (None, None));
    assert_eq!((summaries[0].injected, summaries[0].bit), (1, 1));
    assert_eq!(summaries[0].label, "noted 20ms–50ms");
}

#[tokio::test]
async fn a_window_without_an_end_lasts_to_that_of_the_load() {
    let (plan, counts) = Noted::new().plan(Trigger::Window { from: ms(0), until: None });
    let (env, triggers) = armed(&[plan]);
    triggers.begin(env.now());
    until(&env, || counts.injected() == 1).await;
    env.sleep(ms(20)).await;
    assert_eq!(counts.healed(), 0);
    let (records, _) = in_time(&env, triggers.end()).await;
    assert_eq!(counts.healed(), 1);
    assert!(records[0].bit);
}

#[tokio::test]
async fn a_window_that_the_load_never_reaches_never_opens() {
    let hour = Duration::from_secs(3600);
    let (plan, counts) = Noted::new().plan(Trigger::Window { from: hour, until: None });
    let (env, triggers) = armed(&[plan]);
    triggers.begin(env.now());
    let (records, summaries) = in_time(&env, triggers.end()).await;
    assert_eq!(counts.injected(), 0);
    assert!(records.is_empty());
    assert_eq!((summaries[0].injected, summaries[0].bit), (0, 0));
}

#[tokio::test]
async fn a_window_of_something_that_is_over_at_once_heals_at_once() {
    let instant = Noted { lasts: Lasts::AnInstant, ..Noted::new() };
    let hour = Duration::from_secs(3600);
    let (plan, counts) = instant.plan(Trigger::Window { from: ms(0), until: Some(hour) });
    let (env, triggers) = armed(&[plan]);
    triggers.begin(env.now());
    until(&env, || counts.healed() == 1).await;
}
