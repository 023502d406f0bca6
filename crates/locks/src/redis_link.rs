//! One holder's way to one Redis server.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use lockproof_env::{Alarm, Env};
use lockproof_model::HolderId;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind};

use crate::scripts::{Call, Script};
use crate::{Backends, LockError, RedisConnection, Result};

/// How long a session that opens waits for a connection. The limit of a request is about validity, which is not yet
/// at stake.
const OPEN_LIMIT: Duration = Duration::from_secs(2);

/// A connection that is dialled when it is first needed and again after it broke.
///
/// A command is never sent twice: after a broken connection its outcome is unknown, and it is the next
/// command that finds a new connection. (A driver that resends turns a lost answer into "somebody else has
/// it", failure mode F19.)
#[derive(Debug)]
pub(crate) struct RedisLink {
    backends: Arc<dyn Backends>,
    server: usize,
    holder: HolderId,
    alarm: Alarm,
    /// How long to wait for a connection, and then for each answer.
    limit: Duration,
    /// Loaded on each new connection.
    scripts: Vec<&'static Script>,
    connection: Option<RedisConnection>,
}

impl RedisLink {
    pub(crate) fn new(
        backends: &Arc<dyn Backends>,
        server: usize,
        holder: HolderId,
        env: &Env,
        limit: Duration,
    ) -> Self {
        let (backends, alarm) = (Arc::clone(backends), Alarm::new(env.clone()));
        Self { backends, server, holder, alarm, limit, scripts: Vec::new(), connection: None }
    }

    /// The same link, loading `scripts` on each new connection, so that running one takes a single request. Whoever
    /// asks several servers and leaves at a quorum needs that: the second request of one that did not know the
    /// script would never be sent.
    pub(crate) fn with_scripts(mut self, scripts: Vec<&'static Script>) -> Self {
        self.scripts = scripts;
        self
    }

    /// Makes sure that there is a connection, before anything depends on its being quick.
    pub(crate) async fn open(&mut self) -> Result<()> {
        self.dial(OPEN_LIMIT).await
    }

    async fn dial(&mut self, limit: Duration) -> Result<()> {
        if self.connection.is_none() {
            let connecting =
                pin!(connect(&*self.backends, self.server, self.holder, &self.scripts));
            let dialled = self.alarm.limit(limit, connecting).await.map_err(|elapsed| {
                let what = format!("could not reach redis server {}", self.server + 1);
                LockError::definite(what).because(elapsed)
            })?;
            self.connection = Some(dialled?);
        }
        Ok(())
    }

    /// Sends one command. An error reply settles that it had no effect.
    pub(crate) async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T> {
        match self.send(command).await? {
            Ok(value) => Ok(value),
            Err(error) if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) => {
                Err(error_reply(self.server, error, LockError::definite))
            }
            Err(error) => Err(error_reply(self.server, error, LockError::indefinite)),
        }
    }

    /// Runs a script by its digest, with its text when the server does not know it.
    ///
    /// An error reply is indefinite unless its code says that the script never began: a script that fails
    /// half-way keeps what it had written.
    pub(crate) async fn run<T: FromRedisValue>(&mut self, call: &Call<'_>) -> Result<T> {
        let mut answer = self.send(call.by_digest()).await?;
        if answer.as_ref().is_err_and(|error| error.kind() == NOSCRIPT) {
            // Boxed, as all that is rare: a future is as large as its largest branch, and one is made for every request.
            answer = Box::pin(self.send(&call.by_text())).await?;
        }
        answer.map_err(|error| {
            let certainty =
                if never_began(&error) { LockError::definite } else { LockError::indefinite };
            error_reply(self.server, error, certainty)
        })
    }

    /// The outer error: no answer. The inner one: the server's, or one of the connection's own.
    async fn send<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<Result<T, RedisError>> {
        if self.connection.is_none() {
            Box::pin(self.dial(self.limit)).await?;
        }
        let Some(connection) = &mut self.connection else { unreachable!("dialled just above") };
        let reply = {
            let request = pin!(connection.request(command));
            self.alarm.limit(self.limit, request).await.map_err(|elapsed| {
                LockError::indefinite(format!("redis server {} did not answer", self.server + 1))
                    .because(elapsed)
            })?
        };
        let parsed = reply
            .and_then(redis::Value::extract_error)
            .and_then(|value| T::from_redis_value(value).map_err(RedisError::from));
        if parsed.as_ref().is_err_and(RedisError::is_unrecoverable_error) {
            self.connection = None;
        }
        Ok(parsed)
    }
}

async fn connect(
    backends: &dyn Backends,
    server: usize,
    holder: HolderId,
    scripts: &[&'static Script],
) -> Result<RedisConnection> {
    let mut connection = backends.redis(server, holder).await?;
    for script in scripts {
        let loaded = connection.request(&script.load()).await;
        let loaded = loaded.and_then(redis::Value::extract_error);
        loaded.map_err(|error| error_reply(server, error, LockError::definite))?;
    }
    Ok(connection)
}

fn error_reply(server: usize, error: RedisError, certainty: fn(String) -> LockError) -> LockError {
    certainty(format!("redis server {} answered with an error", server + 1)).because(error)
}

const NOSCRIPT: ErrorKind = ErrorKind::Server(ServerErrorKind::NoScript);

/// Codes with which a server refuses before it runs anything.
fn never_began(error: &RedisError) -> bool {
    use ServerErrorKind as Kind;
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            Kind::BusyLoading
                | Kind::NoScript
                | Kind::Moved
                | Kind::Ask
                | Kind::ClusterDown
                | Kind::CrossSlot
                | Kind::MasterDown
                | Kind::NoPerm
        ),
        ErrorKind::AuthenticationFailed => true,
        _ => matches!(error.code(), Some("NOAUTH" | "BUSY")),
    }
}
