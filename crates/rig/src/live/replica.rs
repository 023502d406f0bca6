//! A replica that is behind by a known time.
//!
//! Replication of Redis is asynchronous, and on one machine next to immediate; a proxy between the two makes it late.
//! Promoted, the replica takes its primary's port over, so that clients find it where the primary was.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use lockproof_proxy::{Direction, Latency, Proxy, ToxicSpec};
use redis::InfoDict;

use super::background::Background;
use super::children::Running;
use super::redis_control::RedisProcess;
use super::redis_server::{Home, who_answers};
use super::straight::{dial_address, set};
use crate::RigError;

const SYNCHRONISED_WITHIN: Duration = Duration::from_secs(20);
const PROMOTED_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(5);

/// A replica of one server. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Replica {
    home: Home,
    running: Running,
    /// Until it is cut off.
    link: Option<Proxy>,
    background: Background,
}

impl Replica {
    /// Starts one that is `lag` behind `primary`, and waits until it has everything.
    pub(super) async fn start(primary: &Home, lag: Duration) -> Result<Self, RigError> {
        let cannot = |error| RigError::new("cannot link a replica").because(error);
        let background = Background::start().map_err(cannot)?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let link = background.run(Proxy::start(listen, primary.address, 0)).await;
        let link = link.map_err(cannot)?;
        let home = primary.beside()?;
        let (running, _) = home.start(Some(link.address())).await?;
        synchronised(home.address).await?;
        // Late from now on; the first copy needs no waiting.
        link.add_toxic(ToxicSpec::new(Latency::new(lag)).only(Direction::Downstream));
        Ok(Self { home, running, link: Some(link), background })
    }

    /// The replica as a server of its own, and the link by which it follows its primary.
    pub(super) fn apart(self) -> (RedisProcess, ReplicationLink) {
        let Self { home, running, link, background } = self;
        (RedisProcess::new(home, running, Vec::new()), ReplicationLink { link, background })
    }

    /// Waits until it has everything of whoever is in its primary's place.
    pub(super) async fn follows_again(&self) -> Result<(), RigError> {
        synchronised(self.home.address).await
    }

    /// Cuts it off from its primary: what is on its way is lost.
    pub(super) async fn cut_off(&mut self) {
        if let Some(link) = self.link.take() {
            self.background.run(link.shutdown()).await;
        }
    }

    /// Makes it a primary at `address`, which nobody listens on any more. Gives the process.
    pub(super) async fn promote(self, address: SocketAddr) -> Result<Running, RigError> {
        let because = |error| RigError::new("cannot promote a replica").because(error);
        let mut connection = dial_address(self.home.address).await.map_err(because)?;
        let mut follow_nobody = redis::cmd("REPLICAOF");
        follow_nobody.arg("NO").arg("ONE");
        follow_nobody.query_async::<()>(&mut connection).await.map_err(because)?;
        set(&mut connection, "port", &address.port().to_string()).await.map_err(because)?;
        let deadline = tokio::time::Instant::now() + PROMOTED_WITHIN;
        loop {
            let answers = who_answers(address).await.ok().and_then(|(_, process)| process);
            if answers == Some(self.running.id()) {
                return Ok(self.running);
            }
            if tokio::time::Instant::now() >= deadline {
                let what = format!("a promoted replica did not answer within {PROMOTED_WITHIN:?}");
                return Err(RigError::new(what));
            }
            tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await;
        }
    }
}

/// The way by which a replica follows its primary, late. Dropping it cuts the replica off.
#[derive(Debug)]
pub(super) struct ReplicationLink {
    link: Option<Proxy>,
    background: Background,
}

impl ReplicationLink {
    /// Cuts the replica off: what is on its way is lost.
    pub(super) async fn cut(&mut self) {
        if let Some(link) = self.link.take() {
            self.background.run(link.shutdown()).await;
        }
    }
}

/// Waits until `replicas` of the server at `primary` acknowledge what is written to it: one that has its first copy counts
/// for WAIT only once it has said so, which it does every second.
pub(super) async fn acknowledged(primary: SocketAddr, replicas: usize) -> Result<(), RigError> {
    const KEY: &str = "lockproof:are-you-there";
    let because = |error| RigError::new("cannot ask a server for its replicas").because(error);
    let mut connection = dial_address(primary).await.map_err(because)?;
    redis::cmd("SET").arg(KEY).arg(1).exec_async(&mut connection).await.map_err(because)?;
    redis::cmd("DEL").arg(KEY).exec_async(&mut connection).await.map_err(because)?;
    let mut wait = redis::cmd("WAIT");
    wait.arg(replicas).arg(SYNCHRONISED_WITHIN.as_millis());
    let there: usize = wait.query_async(&mut connection).await.map_err(because)?;
    if there < replicas {
        let what =
            format!("{there} of {replicas} replicas answered within {SYNCHRONISED_WITHIN:?}");
        return Err(RigError::new(what));
    }
    Ok(())
}

async fn synchronised(replica: SocketAddr) -> Result<(), RigError> {
    let deadline = tokio::time::Instant::now() + SYNCHRONISED_WITHIN;
    while tokio::time::Instant::now() < deadline {
        if let Ok(mut connection) = dial_address(replica).await {
            let mut info = redis::cmd("INFO");
            let info: redis::RedisResult<InfoDict> =
                info.arg("replication").query_async(&mut connection).await;
            let up = info.ok().and_then(|info| info.get::<String>("master_link_status"));
            if up.as_deref() == Some("up") {
                return Ok(());
            }
        }
        tokio::time::sleep_until(tokio::time::Instant::now() + POLL).await;
    }
    Err(RigError::new(format!(
        "a replica did not get its first copy within {SYNCHRONISED_WITHIN:?}"
    )))
}
