//! Servers that start when they are first needed, and the thread on which holders run.

use std::cell::OnceCell;
use std::sync::Arc;

use lockproof_model::in_full;
use lockproof_rig::live::{Provider, ProviderEntry, find_provider};
use lockproof_rig::{ExternalServers, RigError};
use tokio::runtime::{Builder, Runtime};

/// The servers of one provider. Dropping it stops them.
#[derive(Debug)]
pub struct Servers {
    entry: &'static ProviderEntry,
    provider: OnceCell<Arc<dyn Provider>>,
    runtime: Runtime,
}

impl Servers {
    pub(crate) fn of(provider: &str) -> Self {
        let entry = find_provider(provider).expect("a source names a provider of the catalog");
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the operating system grants an event loop");
        Self { entry, provider: OnceCell::new(), runtime }
    }

    pub(crate) fn provider(&self) -> &dyn Provider {
        self.provider
            .get_or_init(|| standing((self.entry.start)(&ExternalServers::default())))
            .as_ref()
    }

    pub(crate) const fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// What was started.
///
/// # Panics
/// When it was not: a bench without its servers has nothing to say.
pub(crate) fn standing<T>(started: Result<T, RigError>) -> T {
    match started {
        Ok(standing) => standing,
        Err(error) => panic!("{}", in_full(&error)),
    }
}
