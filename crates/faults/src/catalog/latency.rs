//! `latency`: everything on a link takes longer, in both directions.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_rig::{LinkEffect, LinkSelector, Rig, RigError};

use super::partition::{LINKS, disturb, links};
use super::{FaultEntry, Field};
use crate::{ArgumentError, Fault, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "latency",
    summary: "bytes on links arrive later, in both directions",
    fields: &[
        LINKS,
        Field { name: "delay", summary: "by how much, one way" },
        Field { name: "jitter", summary: "by how much more or less, at most" },
    ],
    build: |arguments| {
        let by = arguments
            .duration("delay")?
            .ok_or_else(|| ArgumentError::missing("delay", "\"20ms\""))?;
        let jitter = arguments.duration("jitter")?.unwrap_or_default();
        Ok(Arc::new(Latency { links: links(arguments)?, by, jitter }))
    },
};

#[derive(Debug)]
struct Latency {
    links: Vec<LinkSelector>,
    by: Duration,
    jitter: Duration,
}

impl Fault for Latency {
    fn label(&self) -> String {
        let delay = humantime::format_duration(self.by);
        if self.jitter.is_zero() {
            return format!("latency {delay}");
        }
        format!("latency {delay} ±{}", humantime::format_duration(self.jitter))
    }

    fn reach(&self) -> Reach {
        Reach::Links(self.links.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::UntilHealed
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        let effect = LinkEffect::Delay { by: self.by, jitter: self.jitter };
        std::future::ready(disturb(rig, occasion, &self.links, effect, "delayed")).boxed()
    }
}
