//! All proxies, by name.

use std::collections::BTreeMap;

use lockproof_proxy::Protocol;
use serde_json::{Map, Value as Json};
use tokio::sync::Mutex;

use crate::ApiError;
use crate::body::Body;
use crate::named::{NamedProxy, ProxyConfig};

/// Proxies by name. Dropping it stops them.
#[derive(Debug)]
pub struct Fleet {
    seed: u64,
    protocol: Option<Protocol>,
    proxies: Mutex<BTreeMap<String, NamedProxy>>,
}

impl Fleet {
    /// None yet. `seed` decides what toxics draw, of each proxy by its name. Where there is a `protocol`, connections are
    /// followed in it from the start, so that rules apply to those that are open when they are added.
    #[must_use]
    pub fn new(seed: u64, protocol: Option<Protocol>) -> Self {
        Self { seed, protocol, proxies: Mutex::default() }
    }

    /// Makes one, and says where it listens.
    ///
    /// # Errors
    ///
    /// There is one of that name, or the address cannot be listened on.
    pub async fn create(&self, config: ProxyConfig) -> Result<String, ApiError> {
        let name = config.name.clone();
        self.add(config).await?;
        self.with(&name, |proxy| Ok(proxy.listen().to_owned())).await
    }

    /// Stops all; their ports are free when this returns.
    pub async fn shutdown(&self) {
        for proxy in self.proxies.lock().await.values_mut() {
            proxy.switch_off().await;
        }
    }

    pub(crate) async fn add(&self, config: ProxyConfig) -> Result<Json, ApiError> {
        let mut proxies = self.proxies.lock().await;
        if proxies.contains_key(&config.name) {
            return Err(ApiError::proxy_exists());
        }
        self.put(&mut proxies, config).await
    }

    async fn put(
        &self,
        proxies: &mut BTreeMap<String, NamedProxy>,
        config: ProxyConfig,
    ) -> Result<Json, ApiError> {
        let name = config.name.clone();
        let proxy = NamedProxy::new(config, self.seed_of(&name), self.protocol).await?;
        let json = proxy.json();
        proxies.insert(name, proxy);
        Ok(json)
    }

    /// Makes those that are not there, and makes those anew that differ. What was made before an error stays.
    pub(crate) async fn populate(
        &self,
        configs: Vec<ProxyConfig>,
    ) -> (Vec<Json>, Option<ApiError>) {
        let mut proxies = self.proxies.lock().await;
        let mut made = Vec::new();
        for config in configs {
            match self.add_or_replace(&mut proxies, config).await {
                Ok(json) => made.push(json),
                Err(error) => return (made, Some(error)),
            }
        }
        (made, None)
    }

    async fn add_or_replace(
        &self,
        proxies: &mut BTreeMap<String, NamedProxy>,
        config: ProxyConfig,
    ) -> Result<Json, ApiError> {
        if let Some(known) = proxies.get_mut(&config.name) {
            if !known.differs(&config).await? {
                return Ok(known.json());
            }
            known.switch_off().await;
        }
        self.put(proxies, config).await
    }

    pub(crate) async fn json(&self) -> Json {
        let proxies = self.proxies.lock().await;
        let all: Map<_, _> =
            proxies.iter().map(|(name, proxy)| (name.clone(), proxy.json())).collect();
        Json::Object(all)
    }

    pub(crate) async fn change(&self, name: &str, body: &Body) -> Result<Json, ApiError> {
        let mut proxies = self.proxies.lock().await;
        let proxy = proxies.get_mut(name).ok_or_else(ApiError::no_proxy)?;
        proxy.change(body).await?;
        Ok(proxy.json())
    }

    pub(crate) async fn remove(&self, name: &str) -> Result<(), ApiError> {
        let removed = self.proxies.lock().await.remove(name);
        removed.ok_or_else(ApiError::no_proxy)?.switch_off().await;
        Ok(())
    }

    /// Switches all on, and removes their toxics.
    pub(crate) async fn reset(&self) -> Result<(), ApiError> {
        for proxy in self.proxies.lock().await.values_mut() {
            proxy.switch_on().await?;
            proxy.remove_toxics();
        }
        Ok(())
    }

    /// Does something with one of them.
    pub(crate) async fn with<T>(
        &self,
        name: &str,
        visit: impl FnOnce(&mut NamedProxy) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut proxies = self.proxies.lock().await;
        visit(proxies.get_mut(name).ok_or_else(ApiError::no_proxy)?)
    }

    /// So that what one proxy draws depends on no other.
    fn seed_of(&self, name: &str) -> u64 {
        // FNV-1a, which will be the same tomorrow.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        name.bytes().fold(self.seed ^ 0xcbf2_9ce4_8422_2325, mix)
    }
}
