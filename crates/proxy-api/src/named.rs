//! A proxy as the API knows it: with a name, switched on or off, its toxics kept while it is off.

use std::net::{Ipv4Addr, SocketAddr};

use lockproof_proxy::{Direction, Protocol, Proxy};
use serde_json::{Value as Json, json};

use crate::ApiError;
use crate::body::Body;
use crate::toxic::NamedToxic;

/// What a proxy is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyConfig {
    /// What it is called.
    pub name: String,
    /// Where it listens; nothing: on a free port of loopback.
    pub listen: String,
    /// Where its server is.
    pub upstream: String,
    /// Whether it is switched on.
    pub enabled: bool,
}

impl ProxyConfig {
    /// What a body asks for. `place` says which of several bodies it is.
    pub(crate) fn read(body: &Body, place: &str) -> Result<Self, ApiError> {
        let text = |name| Ok::<_, ApiError>(body.text(name)?.unwrap_or_default());
        let config = Self {
            name: text("name")?,
            listen: text("listen")?,
            upstream: text("upstream")?,
            enabled: body.flag("enabled")?.unwrap_or(true),
        };
        for (field, value) in [("name", &config.name), ("upstream", &config.upstream)] {
            if value.is_empty() {
                return Err(ApiError::missing(format!("{field}{place}")));
            }
        }
        Ok(config)
    }
}

#[derive(Debug)]
pub(crate) struct NamedProxy {
    /// `listen` is where it really does, once it was switched on.
    config: ProxyConfig,
    seed: u64,
    protocol: Option<Protocol>,
    toxics: Vec<NamedToxic>,
    /// While it is switched on.
    running: Option<Proxy>,
}

impl NamedProxy {
    /// Switched on, if it is to be.
    pub(crate) async fn new(
        config: ProxyConfig,
        seed: u64,
        protocol: Option<Protocol>,
    ) -> Result<Self, ApiError> {
        let enabled = config.enabled;
        let config = ProxyConfig { enabled: false, ..config };
        let mut proxy = Self { config, seed, protocol, toxics: Vec::new(), running: None };
        if enabled {
            proxy.switch_on().await?;
        }
        Ok(proxy)
    }

    pub(crate) fn listen(&self) -> &str {
        &self.config.listen
    }

    /// Whether it would be another proxy.
    pub(crate) async fn differs(&self, other: &ProxyConfig) -> Result<bool, ApiError> {
        let listen = resolve(&other.listen).await?;
        Ok(self.config.listen != listen.to_string() || self.config.upstream != other.upstream)
    }

    pub(crate) async fn switch_on(&mut self) -> Result<(), ApiError> {
        if self.running.is_some() {
            return Ok(());
        }
        let address = resolve(&self.config.listen).await?;
        let proxy = Proxy::start(address, self.config.upstream.as_str(), self.seed);
        let proxy =
            proxy.await.map_err(|why| ApiError::cannot_listen(&self.config.listen, &why))?;
        if let Some(protocol) = self.protocol {
            proxy.follow(protocol);
        }
        for toxic in &mut self.toxics {
            toxic.id = Some(proxy.add_toxic(toxic.spec()));
        }
        self.config.listen = proxy.address().to_string();
        self.config.enabled = true;
        self.running = Some(proxy);
        Ok(())
    }

    /// Its connections are closed, and its port is free, when this returns.
    pub(crate) async fn switch_off(&mut self) {
        self.config.enabled = false;
        if let Some(proxy) = self.running.take() {
            proxy.shutdown().await;
        }
    }

    /// Another address, another server, on or off: what a body says, and else as it is.
    pub(crate) async fn change(&mut self, body: &Body) -> Result<(), ApiError> {
        let wanted = ProxyConfig {
            listen: body.text("listen")?.unwrap_or_else(|| self.config.listen.clone()),
            upstream: body.text("upstream")?.unwrap_or_else(|| self.config.upstream.clone()),
            enabled: body.flag("enabled")?.unwrap_or(self.config.enabled),
            ..self.config.clone()
        };
        if self.differs(&wanted).await? {
            self.switch_off().await;
            self.config.listen = wanted.listen;
            self.config.upstream = wanted.upstream;
        }
        if wanted.enabled {
            return self.switch_on().await;
        }
        self.switch_off().await;
        Ok(())
    }

    pub(crate) fn add_toxic(&mut self, mut toxic: NamedToxic) -> Result<&NamedToxic, ApiError> {
        if self.toxics.iter().any(|known| known.name == toxic.name) {
            return Err(ApiError::toxic_exists());
        }
        let followed = || self.toxics.iter().find_map(|toxic| toxic.spec().protocol());
        if let (Some(reads), Some(spoken)) =
            (toxic.spec().protocol(), self.protocol.or_else(followed))
            && reads != spoken
        {
            return Err(ApiError::bad_body(format_args!(
                "connections are followed as {}, so this rule could never match",
                spoken.as_str()
            )));
        }
        toxic.id = self.running.as_ref().map(|proxy| proxy.add_toxic(toxic.spec()));
        self.toxics.push(toxic);
        self.toxics.last().ok_or_else(ApiError::no_toxic)
    }

    pub(crate) fn change_toxic(
        &mut self,
        name: &str,
        body: &Body,
    ) -> Result<&NamedToxic, ApiError> {
        let known = self.toxics.iter_mut().find(|toxic| toxic.name == name);
        let known = known.ok_or_else(ApiError::no_toxic)?;
        let mut changed = known.changed(body)?;
        changed.id = match (&self.running, known.id) {
            (Some(proxy), Some(old)) => Some(proxy.replace_toxic(old, changed.spec())),
            _ => None,
        };
        *known = changed;
        Ok(known)
    }

    pub(crate) fn remove_toxic(&mut self, name: &str) -> Result<(), ApiError> {
        let place = self.toxics.iter().position(|toxic| toxic.name == name);
        let toxic = self.toxics.remove(place.ok_or_else(ApiError::no_toxic)?);
        self.heal(&toxic);
        Ok(())
    }

    pub(crate) fn remove_toxics(&mut self) {
        for toxic in std::mem::take(&mut self.toxics) {
            self.heal(&toxic);
        }
    }

    fn heal(&self, toxic: &NamedToxic) {
        if let (Some(proxy), Some(id)) = (&self.running, toxic.id) {
            proxy.remove_toxic(id);
        }
    }

    pub(crate) fn toxic(&self, name: &str) -> Result<&NamedToxic, ApiError> {
        self.toxics.iter().find(|toxic| toxic.name == name).ok_or_else(ApiError::no_toxic)
    }

    /// First those upstream, then those downstream.
    pub(crate) fn toxics_json(&self) -> Json {
        let of = |stream| self.toxics.iter().filter(move |toxic| toxic.stream() == stream);
        let all = of(Direction::Upstream).chain(of(Direction::Downstream));
        all.map(NamedToxic::json).collect()
    }

    pub(crate) fn json(&self) -> Json {
        let ProxyConfig { name, listen, upstream, enabled } = &self.config;
        json!({
            "name": name,
            "listen": listen,
            "upstream": upstream,
            "enabled": enabled,
            "toxics": self.toxics_json(),
        })
    }
}

/// The address that a text means: `127.0.0.1:0`, `localhost:2000`, `:2000` for every interface.
async fn resolve(listen: &str) -> Result<SocketAddr, ApiError> {
    let text = match listen {
        "" => return Ok((Ipv4Addr::LOCALHOST, 0).into()),
        text if text.starts_with(':') => format!("{}{text}", Ipv4Addr::UNSPECIFIED),
        text => text.to_owned(),
    };
    let found = tokio::net::lookup_host(&text).await;
    let found: Vec<_> = found.map_err(|why| ApiError::cannot_listen(listen, &why))?.collect();
    let first = found.iter().find(|address| address.is_ipv4()).or_else(|| found.first());
    let nothing = || std::io::Error::other("the name leads nowhere");
    first.copied().ok_or_else(|| ApiError::cannot_listen(listen, &nothing()))
}
