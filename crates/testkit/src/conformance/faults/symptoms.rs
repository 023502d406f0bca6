//! How it shows that a fault is in effect.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::clocks::{Whose, has_jumped, runs_fast};
use super::stage::{Stage, reads_on};

/// The holder stands still.
pub(super) fn paused(stage: &mut Stage) -> BoxFuture<'_, bool> {
    std::future::ready(stage.is_paused()).boxed()
}

/// The holder is dead.
pub(super) fn killed(stage: &mut Stage) -> BoxFuture<'_, bool> {
    std::future::ready(stage.is_killed()).boxed()
}

/// The holder's step waits. Whoever holds it up says so; there is nothing else to be seen of it.
pub(super) fn step_held(stage: &mut Stage) -> BoxFuture<'_, bool> {
    std::future::ready(stage.holds_step).boxed()
}

/// Somebody else gets the holder's lock.
pub(super) fn lock_gone(stage: &mut Stage) -> BoxFuture<'_, bool> {
    async { stage.lock_is_gone().await }.boxed()
}

/// The lock's servers do not answer the holder.
pub(super) fn lock_silent(stage: &mut Stage) -> BoxFuture<'_, bool> {
    async { !stage.lock_answers().await }.boxed()
}

/// The database answers nobody.
pub(super) fn database_silent(stage: &mut Stage) -> BoxFuture<'_, bool> {
    async { !stage.database_answers().await }.boxed()
}

/// The transaction that was open is open no more.
pub(super) fn session_lost(stage: &mut Stage) -> BoxFuture<'_, bool> {
    async {
        let Some(connection) = stage.connection.as_deref_mut() else { return true };
        !reads_on(connection).await
    }
    .boxed()
}

/// The database has no room for more.
pub(super) fn no_room(stage: &mut Stage) -> BoxFuture<'_, bool> {
    let address = stage.postgres();
    async move {
        let more = "CREATE TEMPORARY TABLE more AS SELECT repeat('x', 100000) AS x
                    FROM generate_series(1, 100)";
        let Ok(dialled) = address.connect().await else { return false };
        dialled.client().batch_execute(more).await.is_err()
    }
    .boxed()
}

/// A Redis server's clock is somewhere else.
pub(super) fn redis_clock_jumped(stage: &mut Stage) -> BoxFuture<'_, bool> {
    has_jumped(stage, Whose::Redis).boxed()
}

/// A Redis server's clock runs too fast.
pub(super) fn redis_clock_fast(stage: &mut Stage) -> BoxFuture<'_, bool> {
    runs_fast(stage, Whose::Redis).boxed()
}

/// The database's clock is somewhere else.
pub(super) fn database_clock_jumped(stage: &mut Stage) -> BoxFuture<'_, bool> {
    has_jumped(stage, Whose::Database).boxed()
}

/// The database's clock runs too fast.
pub(super) fn database_clock_fast(stage: &mut Stage) -> BoxFuture<'_, bool> {
    runs_fast(stage, Whose::Database).boxed()
}
