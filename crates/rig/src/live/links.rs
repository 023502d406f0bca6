//! The links of a rig, and what disturbs them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use lockproof_model::HolderId;
use lockproof_proxy::Proxy;

use super::background::Background;
use super::disturbed::Disturbed;
use crate::{Link, LinkEffect, LinkUse, Protocol, RigError};

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
        servers: BTreeMap<Link, (SocketAddr, Option<Protocol>)>,
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
        for (&link, &(server, protocol)) in &servers {
            for &user in &users {
                let seed = seed.wrapping_add(u64::try_from(proxies.len()).unwrap_or_default());
                let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let proxy = background.run(Proxy::start(listen, server, seed)).await;
                let proxy = proxy.map_err(cannot)?;
                if user.is_some()
                    && let Some(protocol) = protocol
                {
                    // What happens to one holder's requests needs to know them.
                    proxy.follow(protocol);
                }
                proxies.insert((link, user), Arc::new(proxy));
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
        effect: &LinkEffect,
    ) -> Result<Disturbed, RigError> {
        let wanted = |user: Option<HolderId>| {
            holders.is_empty() || user.is_some_and(|user| holders.contains(&user))
        };
        let proxies = self.proxies.iter();
        let proxies = proxies
            .filter(|&(&(link, user), _)| links.contains(&link) && wanted(user))
            .map(|(&(link, _), proxy)| (link, Arc::clone(proxy)));
        let disturbed = Disturbed::new(effect, proxies.collect());
        disturbed.ok_or_else(|| {
            let names: Vec<_> = links.iter().map(ToString::to_string).collect();
            RigError::new(format!("no link {} can be disturbed", names.join(", ")))
        })
    }
}
