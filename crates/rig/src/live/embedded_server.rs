//! One embedded server: the redis model behind a socket, and what faults do to it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_clock_shim::Clock;
use lockproof_env::Group;
use lockproof_env::live::wall_clock_ns;
use lockproof_redis_model::{Options, Server, SharedServer, WallClock, serve_connection};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::background::Background;
use super::control::Control;
use crate::{Keeps, RigError, ServerEffect, ServerNeeds};

/// A model server that listens. Dropping it ends it and its connections.
#[derive(Debug)]
pub(super) struct EmbeddedServer {
    address: SocketAddr,
    model: Model,
    state: Mutex<State>,
    /// Last: the tasks run there.
    background: Arc<Background>,
}

#[derive(Debug)]
struct State {
    /// Accepts and serves; empty while it is down.
    acceptor: JoinSet<()>,
    downs: u32,
    pauses: u32,
    /// Its clock and the real one, in ns, when it began to drift.
    drifts_since: Option<(i64, i64)>,
}

/// What all its connections share.
#[derive(Clone, Debug)]
struct Model {
    server: SharedServer,
    clock: Arc<Mutex<Clock>>,
    /// None of them runs while it is paused.
    group: Group,
}

impl EmbeddedServer {
    pub(super) fn start(
        background: &Arc<Background>,
        address: SocketAddr,
        listener: TcpListener,
        needs: ServerNeeds,
    ) -> Self {
        let mut server = Server::new(Options::default());
        server.set_replica_lags(needs.replica_lags());
        let model = Model {
            server: SharedServer::new(server),
            clock: Arc::new(Mutex::new(Clock::RIGHT)),
            group: Group::new(),
        };
        let mut acceptor = JoinSet::new();
        acceptor.spawn_on(serve(listener, model.clone()), background.handle());
        let state = State { acceptor, downs: 0, pauses: 0, drifts_since: None };
        let background = Arc::clone(background);
        Self { address, model, state: Mutex::new(state), background }
    }

    async fn crash(&self) -> Vec<String> {
        let mut acceptor = {
            let mut state = self.state();
            state.downs += 1;
            std::mem::take(&mut state.acceptor)
        };
        if acceptor.is_empty() {
            return Vec::new();
        }
        // Waited for, so that its port is free and its connections are closed.
        self.background.run(async move { acceptor.shutdown().await }).await;
        vec!["died".to_owned()]
    }

    async fn restart(&self, keeps: Keeps) -> Result<Vec<String>, RigError> {
        {
            let mut state = self.state();
            state.downs = state.downs.saturating_sub(1);
            if state.downs > 0 {
                return Ok(Vec::new());
            }
        }
        let lost = match keeps {
            Keeps::Nothing => self.drop_all(),
            Keeps::EverySecond | Keeps::Everything => 0,
        };
        // Scripts are not persisted.
        self.model.server.with(Server::forget_scripts);
        let listener = self.background.run(TcpListener::bind(self.address)).await;
        let listener =
            listener.map_err(|error| RigError::new("cannot listen where it did").because(error))?;
        let serve = serve(listener, self.model.clone());
        self.state().acceptor.spawn_on(serve, self.background.handle());
        Ok(vec![format!("was started again without {lost} keys")])
    }

    fn drop_all(&self) -> usize {
        let now = self.model.now();
        self.model.server.with(|server| {
            let keys = server.keys_matching(0, b"*", now);
            keys.iter().filter(|key| server.drop_key(0, key, now)).count()
        })
    }

    fn let_go_on(&self) {
        let mut state = self.state();
        state.pauses = state.pauses.saturating_sub(1);
        if state.pauses == 0 {
            self.model.group.resume();
        }
    }

    fn pause(&self) {
        self.state().pauses += 1;
        self.model.group.pause();
    }

    fn steer(&self, change: impl FnOnce(&mut Clock, i64)) -> (i64, i64) {
        let mut clock = self.model.clock();
        let now = real_ns();
        let before = clock.at(now);
        change(&mut clock, now);
        (before, clock.at(now))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control for EmbeddedServer {
    fn begin(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            Ok(match effect {
                ServerEffect::Pause => {
                    self.pause();
                    vec!["stood still".to_owned()]
                }
                ServerEffect::Crash { .. } => self.crash().await,
                ServerEffect::ClockJump { by_ms } => {
                    let by = by_ms.saturating_mul(1_000_000);
                    let (before, after) = self.steer(|clock, now| clock.jump(now, by));
                    let (before, after) = (before / 1_000_000, after / 1_000_000);
                    vec![format!("TIME went from {before} to {after} ms")]
                }
                ServerEffect::ClockRate(rate) => {
                    let (shown, _) = self.steer(|clock, now| clock.run_at(now, rate));
                    self.state().drifts_since = Some((shown, real_ns()));
                    Vec::new()
                }
                ServerEffect::Evict | ServerEffect::Flush => {
                    let gone = self.drop_all();
                    let verb = if effect == ServerEffect::Evict { "evicted" } else { "lost" };
                    if gone > 0 { vec![format!("{verb} {gone} keys")] } else { Vec::new() }
                }
                ServerEffect::Failover { .. } => {
                    return Err(RigError::new("an embedded server has no replica"));
                }
                ServerEffect::FillDisk => {
                    return Err(RigError::new("an embedded server has no disk"));
                }
            })
        }
        .boxed()
    }

    fn end(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>> {
        async move {
            match effect {
                ServerEffect::Crash { keeps } => self.restart(keeps).await,
                ServerEffect::Pause => {
                    self.let_go_on();
                    Ok(Vec::new())
                }
                ServerEffect::ClockRate(_) => {
                    let (shown, _) = self.steer(|clock, now| clock.run_at(now, 1.0));
                    let since = self.state().drifts_since.take();
                    let told = since.map(|(its, ours)| {
                        let (its, ours) =
                            ((shown - its) / 1_000_000, (real_ns() - ours) / 1_000_000);
                        format!("TIME went on by {its} ms in {ours} ms")
                    });
                    Ok(told.into_iter().collect())
                }
                ServerEffect::ClockJump { .. }
                | ServerEffect::Failover { .. }
                | ServerEffect::Evict
                | ServerEffect::Flush
                | ServerEffect::FillDisk => Ok(Vec::new()),
            }
        }
        .boxed()
    }

    fn relieve(&self, effect: ServerEffect) {
        match effect {
            ServerEffect::Pause => self.let_go_on(),
            ServerEffect::ClockRate(_) => {
                self.steer(|clock, now| clock.run_at(now, 1.0));
            }
            // A server that is down ends with the rig, which is about to be dropped.
            _ => {}
        }
    }
}

impl Model {
    fn now(&self) -> WallClock {
        WallClock::from_unix_nanos(self.clock().at(real_ns()).unsigned_abs())
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn real_ns() -> i64 {
    i64::try_from(wall_clock_ns()).unwrap_or(i64::MAX)
}

/// Accepts until it is dropped; its connections end with it.
async fn serve(listener: TcpListener, model: Model) {
    let mut connections = JoinSet::new();
    while let Ok(stream) = accept(&listener, &mut connections).await {
        // Nagle would let a reply wait for the next request's acknowledgement.
        drop(stream.set_nodelay(true));
        let Model { server, group, .. } = model.clone();
        let model = model.clone();
        let served = serve_connection(stream, server, move || model.now());
        connections.spawn(async move { drop(group.gate(served).await) });
    }
}

/// The next client, taking ended connections off the set meanwhile.
async fn accept(
    listener: &TcpListener,
    connections: &mut JoinSet<()>,
) -> std::io::Result<TcpStream> {
    while connections.try_join_next().is_some() {}
    listener.accept().await.map(|(stream, _peer)| stream)
}
