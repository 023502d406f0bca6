//! `@fred`: what a lock is told over it is what it is told over the usual driver, and what had no answer is sent again.

use std::sync::Arc;
use std::time::Duration;

use lockproof_bookings::{Constraints, Layout};
use lockproof_locks::{Backends, LockSettings, RedisConnection};
use lockproof_model::HolderId;
use lockproof_rig::live::{LiveRig, find_driver, find_provider};
use lockproof_rig::{
    DatabasePlan, Direction, ExternalServers, Link, LinkEffect, LinkUse, Rig, RigPlan, ServerNeeds,
    System, Topology,
};
use redis::{Cmd, Value, cmd};

const HOLDER: HolderId = HolderId(1);

async fn rig(driver: &str, links: LinkUse) -> (LiveRig, Arc<dyn Backends>) {
    let env = lockproof_env::live::env(1);
    let entry = find_provider("embedded").expect("a provider of that name");
    let provider = (entry.start)(&ExternalServers::default()).expect("the provider starts");
    let plan = RigPlan {
        name: "fred".to_owned(),
        holders: 1,
        redis_servers: 1,
        coordinator: None,
        topology: Topology::default(),
        links,
        lock: LockSettings::default(),
        needs: ServerNeeds::default(),
        database: DatabasePlan::default(),
        layout: Layout { slots: 1, capacity: 1, constraints: Constraints::NONE },
        seed: 1,
    };
    let driver = find_driver(driver).expect("a driver of that name");
    let rig = LiveRig::start_with_driver(&env, provider.as_ref(), plan, driver).await;
    let rig = rig.expect("the servers start");
    let backends = rig.backends();
    (rig, backends)
}

async fn ask(connection: &mut RedisConnection, words: &[&str]) -> Result<Value, String> {
    let mut command: Cmd = cmd(words[0]);
    command.arg(&words[1..]);
    let answer = command.query_async::<Value>(connection).await;
    // The texts around them are each library's own.
    answer.map_err(|error| format!("{:?} {:?}", error.code(), error.detail()))
}

#[tokio::test]
async fn every_kind_of_reply_is_the_same_over_both_drivers() {
    let script =
        "return {1, 'two', {false, redis.status_reply('three')}, redis.call('GET', KEYS[1])}";
    let commands: [&[&str]; 11] = [
        &["SET", "a", "1", "NX", "PX", "60000"],
        &["SET", "a", "2", "NX", "PX", "60000"],
        &["GET", "a"],
        &["GET", "none"],
        &["INCR", "a"],
        &["EVAL", script, "1", "a"],
        &["EVALSHA", "ffffffffffffffffffffffffffffffffffffffff", "0"],
        &["HSET", "h", "field", "value"],
        &["HGETALL", "h"],
        &["INCR", "h"],
        &["NOSUCHCOMMAND"],
    ];
    let mut answers = Vec::new();
    for driver in ["redis-rs", "fred"] {
        let (_rig, backends) = rig(driver, LinkUse::Direct).await;
        let mut connection = backends.redis(0, HOLDER).await.unwrap();
        let mut told = Vec::new();
        for words in commands {
            told.push(ask(&mut connection, words).await);
        }
        answers.push(told);
    }
    assert_eq!(answers[0], answers[1]);
}

/// The key is its own and the answer says that it is somebody's: F19.
#[tokio::test]
async fn what_was_carried_out_and_not_answered_is_sent_again() {
    let set = ["SET", "a", "mine", "NX", "PX", "60000"];
    for (driver, resent) in [("redis-rs", false), ("fred", true)] {
        let (rig, backends) = rig(driver, LinkUse::PerHolder).await;
        let mut connection = backends.redis(0, HOLDER).await.unwrap();
        let lost = rig.disturb(&[Link::Redis(0)], &[HOLDER], LinkEffect::Lose(Direction::ToClient));
        let lost = lost.unwrap();
        let patience = Duration::from_secs(30);
        let answer = tokio::time::timeout(patience, ask(&mut connection, &set)).await;
        let answer = answer.expect("an answer or an error");
        drop(lost);
        if resent {
            assert_eq!(answer, Ok(Value::Nil), "it finds its own key");
        } else {
            assert!(answer.is_err(), "{answer:?}");
        }
        let mut again = backends.redis(0, HOLDER).await.unwrap();
        let kept = ask(&mut again, &["GET", "a"]).await;
        assert_eq!(kept, Ok(Value::BulkString(b"mine".to_vec())), "it was carried out once");
    }
}

#[test]
fn its_settings_in_force_are_told() {
    let settings = (find_driver("fred").unwrap().settings)();
    let told = |setting: &str| {
        settings.iter().find(|known| known.setting == setting).map(|known| known.value.as_str())
    };
    assert!(told("max_command_attempts").is_some_and(|value| value.starts_with("3: ")));
    assert!(told("reconnect policy").is_some_and(|value| value.contains("1000 ms")));
    assert!(told("TCP_NODELAY").is_some_and(|value| value.contains("off")));
    assert!(told("pipelining").is_some());
}
