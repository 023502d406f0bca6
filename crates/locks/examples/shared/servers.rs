//! The servers of an example.

use std::net::Ipv4Addr;

use lockproof_env::Env;
use lockproof_redis_model::{Options, Server, SharedServer, WallClock, serve};
use tokio::net::TcpListener;

/// Those whose URLs are given on the command line; where none is, as many models in this process, which end with it.
pub(crate) async fn servers(env: &Env, count: usize) -> std::io::Result<Vec<String>> {
    let given: Vec<String> = std::env::args().filter(|word| word.contains("://")).collect();
    if !given.is_empty() {
        return Ok(given);
    }
    println!("no redis://… on the command line, so {count} × the redis model, in this process");
    let mut urls = Vec::new();
    for _ in 0..count {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        urls.push(format!("redis://{}/", listener.local_addr()?));
        let server = SharedServer::new(Server::new(Options::default()));
        let env_of_clock = env.clone();
        let clock = move || WallClock::default().after(env_of_clock.now().since_start());
        drop(env.spawn(async move { drop(serve(listener, server, clock).await) }));
    }
    Ok(urls)
}

/// What an operator does by mistake: the server forgets the lock.
pub(crate) async fn forget(url: &str, key: &str) -> redis::RedisResult<()> {
    let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    redis::cmd("DEL").arg(key).exec_async(&mut connection).await
}
