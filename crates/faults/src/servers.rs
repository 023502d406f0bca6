//! What faults of Redis servers share: their field, and how they are done.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_model::{Instant, in_full};
use lockproof_rig::{Affliction, Link, LinkSelector, Rig, RigError, ServerEffect};

use crate::catalog::Field;
use crate::{ArgumentError, Arguments, Healed, Injection};

/// The field that names servers.
pub(crate) const SERVERS: Field =
    Field { name: "servers", summary: "which: redis, redis-1 …, redis-minority, redis-majority" };

/// The `servers` of a fault, required.
pub(crate) fn servers(arguments: &mut Arguments) -> Result<Vec<LinkSelector>, ArgumentError> {
    let texts = arguments.texts("servers")?;
    if texts.is_empty() {
        return Err(ArgumentError::missing("servers", "\"redis-1\""));
    }
    texts.iter().map(|text| server(text)).collect()
}

fn server(text: &str) -> Result<LinkSelector, ArgumentError> {
    match text.parse() {
        Ok(LinkSelector::Database) => {
            let what = "`database` is no Redis server, and no other can suffer this; links = [\"database\"] of lose-reply, reset-connections or partition come close";
            Err(ArgumentError::new("servers", what))
        }
        Ok(selector) => Ok(selector),
        Err(_) => {
            let available = "redis, redis-1 …, redis-minority, redis-majority";
            let what = format!("`{text}` names no Redis server; available: {available}");
            Err(ArgumentError::new("servers", what))
        }
    }
}

/// Does `effect` to servers.
pub(crate) fn afflict<'a>(
    rig: &'a dyn Rig,
    selectors: &'a [LinkSelector],
    effect: ServerEffect,
    nothing: &'static str,
) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
    let number = |link| match link {
        Link::Redis(server) => Some(server),
        Link::Database => None,
    };
    let all = rig.redis_servers();
    let mut servers: Vec<usize> =
        selectors.iter().flat_map(|selector| selector.resolve(all)).filter_map(number).collect();
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
