//! What faults of servers share: their fields, and how they are done.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{Instant, in_full};
use lockproof_rig::{Affliction, Link, LinkSelector, Rig, RigError, ServerEffect, ServerKind};

use crate::catalog::Field;
use crate::{ArgumentError, Arguments, Healed, Injection};

/// The field that names servers of either kind.
pub(crate) const SERVERS: Field = Field {
    name: "servers",
    summary: "which: redis, redis-1 …, redis-minority, redis-majority, etcd, zookeeper, database",
};

/// The field that names Redis servers.
pub(crate) const REDIS_SERVERS: Field =
    Field { name: "servers", summary: "which: redis, redis-1 …, redis-minority, redis-majority" };

/// The `servers` of a fault, required.
pub(crate) fn servers(arguments: &mut Arguments) -> Result<Vec<LinkSelector>, ArgumentError> {
    let texts = arguments.texts("servers")?;
    if texts.is_empty() {
        return Err(ArgumentError::missing("servers", "\"redis-1\""));
    }
    let parse = |text: &String| {
        text.parse().map_err(|_| {
            let what = format!("`{text}` names no server; available: {}", available(SERVERS));
            ArgumentError::new("servers", what)
        })
    };
    texts.iter().map(parse).collect()
}

/// The same where only Redis servers can suffer the fault.
pub(crate) fn redis_servers(arguments: &mut Arguments) -> Result<Vec<LinkSelector>, ArgumentError> {
    let servers = servers(arguments)?;
    if let Some(other) = servers.iter().find(|server| server.kind() != ServerKind::Redis) {
        let available = available(REDIS_SERVERS);
        let what = format!(
            "`{other}` is no Redis server, and no other can suffer this; available: {available}"
        );
        return Err(ArgumentError::new("servers", what));
    }
    Ok(servers)
}

fn available(field: Field) -> &'static str {
    field.summary.trim_start_matches("which: ")
}

/// Does `effect` to servers.
pub(crate) fn afflict<'a>(
    rig: &'a dyn Rig,
    selectors: &'a [LinkSelector],
    effect: ServerEffect,
    nothing: &'static str,
) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
    let all = rig.redis_servers();
    let mut servers: Vec<Link> =
        selectors.iter().flat_map(|selector| selector.resolve(all)).collect();
    // Named twice, as in ["redis-1", "redis"], it suffers once.
    servers.sort_unstable();
    servers.dedup();
    async move {
        let affliction = rig.afflict(&servers, effect).await?;
        Ok(Box::new(Afflicted { affliction, nothing }) as Box<dyn Injection>)
    }
    .boxed()
}

/// Servers that suffer something until it is healed.
#[derive(Debug)]
struct Afflicted {
    affliction: Box<dyn Affliction>,
    /// What to say when nobody noticed.
    nothing: &'static str,
}

impl Injection for Afflicted {
    fn heal(self: Box<Self>, _now: Instant) -> BoxFuture<'static, Healed> {
        let Self { affliction, nothing } = *self;
        async move {
            match affliction.heal().await {
                Ok(Some(observed)) => Healed { bit: true, observed },
                Ok(None) => Healed { bit: false, observed: nothing.to_owned() },
                // What cannot be proved did not happen, as far as a verdict goes.
                Err(error) => Healed { bit: false, observed: in_full(&error) },
            }
        }
        .boxed()
    }
}
