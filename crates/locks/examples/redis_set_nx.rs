//! A lock on one Redis: waiting for it, keeping it alive, and learning that it was lost.
//!
//! ```text
//! cargo run -p lockproof-locks --example redis_set_nx                        # nothing needed
//! cargo run -p lockproof-locks --example redis_set_nx redis://127.0.0.1/     # on a server of yours
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use lockproof_env::live;
use lockproof_locks::{
    Acquisition, Drift, Driver, KeepAlive, LockSettings, Policy, SharedConnections, Wait, find,
};
use lockproof_model::{HolderId, LockName};

#[path = "shared/servers.rs"]
mod servers;

const TTL: Duration = Duration::from_millis(600);

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    // Time, randomness and tasks: here tokio's and the operating system's.
    let env = live::env(live::entropy());
    let urls = servers::servers(&env, 1).await?;
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let backends = Arc::new(SharedConnections::to(env.clone(), &urls)?);
    let entry = find("redis-set-nx").ok_or("it is in the catalog")?;
    let lock = (entry.build)(LockSettings::default(), backends, env.clone());

    // One driver per task that locks. A hundred tries, each up to 20 ms after the last, and no two tasks in step.
    let millis = Duration::from_millis;
    let wait = Wait { tries: 100, delay: millis(10), jitter: millis(10) };
    let policy = Policy { ttl: TTL, wait, drift: Drift::default() };
    let salt = live::entropy();
    let mut first = Driver::open(env.clone(), &lock, HolderId(1), policy, salt).await?;
    let mut second = Driver::open(env.clone(), &lock, HolderId(2), policy, salt).await?;
    let room = LockName::new("room-12:2026-05-01");

    // Keeping: two TTLs of work under one lock.
    let Acquisition::Granted { lease, .. } = first.acquire(&room).await? else {
        return Err("somebody else has the room".into());
    };
    println!("first: granted, to be trusted for {:?}", first.remaining(&lease));
    let kept = first.keep_alive(lease, KeepAlive::for_ttl(TTL));
    env.sleep(TTL * 2).await;
    println!("first: after {:?} of work it is {}", TTL * 2, held(kept.is_lost()));

    // Waiting: the second asks until the first gives it back.
    let room_again = room.clone();
    let waiting = env.spawn(async move {
        let acquired = second.acquire(&room_again).await;
        (second, acquired)
    });
    env.sleep(TTL / 4).await;
    println!("first: gives it back: {:?}", first.release_kept(kept).await?);
    let (mut second, acquired) = waiting.await?;
    let Acquisition::Granted { lease, tries, .. } = acquired? else {
        return Err("a hundred tries were not enough".into());
    };
    println!("second: granted at try {tries}");

    // Losing: the server forgets the key under the second's feet.
    let mut kept = second.keep_alive(lease, KeepAlive::for_ttl(TTL));
    servers::forget(urls[0], &LockSettings::default().redis_key(&room)).await?;
    tokio::select! {
        () = env.sleep(TTL * 10) => return Err("nobody said that the lock was lost".into()),
        () = kept.lost() => println!("second: lost it, and must not write any more"),
    }
    println!("second: gives back what it has not: {:?}", second.release_kept(kept).await?);
    Ok(())
}

const fn held(is_lost: bool) -> &'static str {
    if is_lost { "lost" } else { "held" }
}
