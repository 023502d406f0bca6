//! A lock on a majority of several Redis servers, which survives the loss of a minority and no more.
//!
//! ```text
//! cargo run -p lockproof-locks --example redlock                                   # nothing needed
//! cargo run -p lockproof-locks --example redlock redis://a/ redis://b/ redis://c/  # on servers of yours
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use lockproof_env::{Env, live};
use lockproof_locks::{
    Acquisition, Drift, Driver, KeepAlive, LockSettings, Policy, SharedConnections, Wait, find,
};
use lockproof_model::{HolderId, LockName};

#[path = "shared/servers.rs"]
mod servers;

const TTL: Duration = Duration::from_millis(600);

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let env = live::env(live::entropy());
    let urls = servers::servers(&env, 5).await?;
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let backends = Arc::new(SharedConnections::to(env.clone(), &urls)?);
    let settings = LockSettings::default();
    let entry = find("redlock").ok_or("it is in the catalog")?;
    let lock = (entry.build)(settings.clone(), backends, env.clone());
    let wait =
        Wait { tries: 50, delay: Duration::from_millis(10), jitter: Duration::from_millis(20) };
    let policy = Policy { ttl: TTL, wait, drift: Drift::default() };
    let salt = live::entropy();
    let room = LockName::new("room-12:2026-05-01");

    // Three tasks want the same room. Requests that cross may leave nobody a majority: then all try again, each after
    // another pause.
    let mut sellers = Vec::new();
    for holder in [1, 2, 3].map(HolderId) {
        let driver = Driver::open(env.clone(), &lock, holder, policy, salt).await?;
        sellers.push(env.spawn(sell(env.clone(), driver, holder, room.clone())));
    }
    for seller in sellers {
        seller.await?.map_err(|error| error.to_string())?;
    }

    let mut driver = Driver::open(env.clone(), &lock, HolderId(4), policy, salt).await?;
    let Acquisition::Granted { lease, .. } = driver.acquire(&room).await? else {
        return Err("everybody has given it back".into());
    };
    let mut kept = driver.keep_alive(lease, KeepAlive::for_ttl(TTL));
    let (key, quorum) = (settings.redis_key(&room), urls.len() / 2 + 1);
    let (minority, rest) = urls.split_at(urls.len() - quorum);
    for url in minority {
        servers::forget(url, &key).await?;
    }
    env.sleep(TTL).await;
    println!("{} of {} servers forgot it: lost? {}", minority.len(), urls.len(), kept.is_lost());
    servers::forget(rest[0], &key).await?;
    tokio::select! {
        () = env.sleep(TTL * 10) => return Err("nobody said that the lock was lost".into()),
        () = kept.lost() => println!("one more: lost, and nothing may be written any more"),
    }
    driver.release_kept(kept).await?;
    Ok(())
}

async fn sell(
    env: Env,
    mut driver: Driver,
    holder: HolderId,
    room: LockName,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    match driver.acquire(&room).await? {
        Acquisition::Held { tries } => println!("{holder}: held by others at all {tries} tries"),
        Acquisition::Granted { lease, tries, .. } => {
            let left = driver.remaining(&lease);
            println!("{holder}: granted at try {tries}, to be trusted for {left:?}");
            env.sleep(Duration::from_millis(30)).await;
            println!("{holder}: gives it back: {:?}", driver.release(lease).await?);
        }
    }
    Ok(())
}
