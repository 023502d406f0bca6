//! The links of a rig, and what disturbs them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use lockproof_model::HolderId;
use lockproof_proxy::{Effect, Latency, Proxy, Timeout, ToxicId, ToxicSpec};

use super::background::Background;
use crate::{Disturbance, Link, LinkEffect, LinkUse, RigError};

/// The proxies in the links that can be disturbed.
#[derive(Debug)]
pub(super) struct Links {
    /// Keyed by holder where each has a link of its own, else by `None`.
    proxies: BTreeMap<(Link, Option<HolderId>), Arc<Proxy>>,
    /// Last: the proxies' tasks run there.
    _background: Option<Background>,
}

impl Links {
    pub(super) async fn lay(
        servers: BTreeMap<Link, SocketAddr>,
        usage: LinkUse,
        holders: &[HolderId],
        seed: u64,
    ) -> Result<Self, RigError> {
        let users: Vec<Option<HolderId>> = match usage {
            LinkUse::Direct => {
                return Ok(Self { proxies: BTreeMap::new(), _background: None });
            }
            LinkUse::Shared => vec![None],
            LinkUse::PerHolder => holders.iter().copied().map(Some).collect(),
        };
        let cannot = |error| RigError::new("cannot put a proxy into a link").because(error);
        let background = Background::start().map_err(cannot)?;
        let mut proxies = BTreeMap::new();
        for (&link, &server) in &servers {
            for &user in &users {
                let seed = seed.wrapping_add(u64::try_from(proxies.len()).unwrap_or_default());
                let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let proxy = background.run(Proxy::start(listen, server, seed)).await;
                proxies.insert((link, user), Arc::new(proxy.map_err(cannot)?));
            }
        }
        Ok(Self { proxies, _background: Some(background) })
    }

    /// The proxy by which `holder` goes to the other end of `link`, where there is one.
    pub(super) fn proxy(&self, link: Link, holder: HolderId) -> Option<SocketAddr> {
        let proxy = self.proxies.get(&(link, Some(holder)));
        let proxy = proxy.or_else(|| self.proxies.get(&(link, None)));
        proxy.map(|proxy| proxy.address())
    }

    pub(super) fn disturb(
        &self,
        links: &[Link],
        holders: &[HolderId],
        effect: LinkEffect,
    ) -> Result<Disturbed, RigError> {
        let toxic = match effect {
            LinkEffect::Delay { by, jitter } => ToxicSpec::new(Latency { latency: by, jitter }),
            LinkEffect::Hold => ToxicSpec::new(Timeout::forever()),
            LinkEffect::HoldOneWay(_) | LinkEffect::Lose(_) | LinkEffect::Reset => {
                let what = "the live world's links can be delayed and held; run this one simulated";
                return Err(RigError::new(what));
            }
        };
        let mut disturbed = Disturbed { toxics: Vec::new() };
        for (&(link, user), proxy) in &self.proxies {
            let wanted = holders.is_empty() || user.is_some_and(|user| holders.contains(&user));
            if links.contains(&link) && wanted {
                disturbed.toxics.push((link, Arc::clone(proxy), proxy.add_toxic(toxic.clone())));
            }
        }
        if disturbed.toxics.is_empty() {
            let names: Vec<_> = links.iter().map(ToString::to_string).collect();
            return Err(RigError::new(format!("no link {} can be disturbed", names.join(", "))));
        }
        Ok(disturbed)
    }
}

/// Toxics in force.
#[derive(Debug)]
pub(super) struct Disturbed {
    toxics: Vec<(Link, Arc<Proxy>, ToxicId)>,
}

impl Disturbed {
    fn remove(&mut self) -> BTreeMap<Link, (u64, u64)> {
        let mut met = BTreeMap::new();
        for (link, proxy, id) in self.toxics.drain(..) {
            let Some(record) = proxy.remove_toxic(id) else { continue };
            let Effect { delayed_bytes, held_bytes, chunks, .. } = record.effect;
            if chunks > 0 {
                let (total_chunks, total_bytes) = met.entry(link).or_insert((0, 0));
                *total_chunks += chunks;
                *total_bytes += delayed_bytes + held_bytes;
            }
        }
        met
    }
}

impl Disturbance for Disturbed {
    fn heal(mut self: Box<Self>) -> Option<String> {
        let met = self.remove();
        let told: Vec<_> = met
            .into_iter()
            .map(|(link, (chunks, bytes))| format!("{chunks} chunks ({bytes} bytes) on {link}"))
            .collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}

impl Drop for Disturbed {
    fn drop(&mut self) {
        self.remove();
    }
}
