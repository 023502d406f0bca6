//! What faults can do to one live server.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};

use crate::{Affliction, Link, RigError, ServerEffect};

/// A hand on one server. Dropping the last one stops the server, unless it is somebody else's.
///
/// Every answer is what was *observed* at the server, since that an order was given proves nothing.
pub(super) trait Control: Debug + Send + Sync {
    /// Does `effect`, and says what was observed; nothing yet where its end will tell.
    ///
    /// # Errors
    /// This server cannot suffer it, or did not.
    fn begin(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>>;

    /// Ends `effect`, and says what was observed.
    ///
    /// # Errors
    /// It could not be ended.
    fn end(&self, effect: ServerEffect) -> BoxFuture<'_, Result<Vec<String>, RigError>>;

    /// Ends `effect` as well as can be done at once, for somebody who cannot wait.
    fn relieve(&self, effect: ServerEffect);
}

/// Does `effect` to all of `servers` at the same time.
pub(super) async fn afflict(
    servers: Vec<(Link, Arc<dyn Control>)>,
    effect: ServerEffect,
) -> Result<Box<dyn Affliction>, RigError> {
    // Made first: dropped half-way, it relieves.
    let mut afflicted = Afflicted { servers, effect, observed: Vec::new() };
    let begun = afflicted.servers.iter().map(|(_, server)| server.begin(effect));
    let begun = join_all(begun).await;
    for ((link, _), observed) in afflicted.servers.iter().zip(begun) {
        afflicted.observed.extend(named(*link, observed?));
    }
    Ok(Box::new(afflicted))
}

/// Servers that suffer something.
#[derive(Debug)]
struct Afflicted {
    servers: Vec<(Link, Arc<dyn Control>)>,
    effect: ServerEffect,
    observed: Vec<String>,
}

impl Affliction for Afflicted {
    fn heal(mut self: Box<Self>) -> BoxFuture<'static, Result<Option<String>, RigError>> {
        async move {
            let ended = self.servers.iter().map(|(_, server)| server.end(self.effect));
            let ended = join_all(ended).await;
            // From here on there is nothing to relieve.
            let servers = std::mem::take(&mut self.servers);
            let mut told = std::mem::take(&mut self.observed);
            for ((link, _), observed) in servers.iter().zip(ended) {
                told.extend(named(*link, observed?));
            }
            Ok((!told.is_empty()).then(|| told.join("; ")))
        }
        .boxed()
    }
}

impl Drop for Afflicted {
    fn drop(&mut self) {
        self.servers.iter().for_each(|(_, server)| server.relieve(self.effect));
    }
}

fn named(link: Link, observed: Vec<String>) -> impl Iterator<Item = String> {
    observed.into_iter().map(move |text| format!("{link} {text}"))
}
