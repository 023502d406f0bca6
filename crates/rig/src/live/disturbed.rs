//! Links that are disturbed, by toxics and rules of the proxies in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use lockproof_proxy::{
    Choice, Deed, Direction as Way, Effect, Latency, Pattern, Protocol, Proxy, Resetting, Rule,
    Timeout, ToxicId, ToxicSpec,
};

use crate::{Direction, Disturbance, Link, LinkEffect, LinkRule};

/// A disturbance in force.
#[derive(Debug)]
pub(super) struct Disturbed {
    effect: LinkEffect,
    toxics: Vec<(Link, Arc<Proxy>, ToxicId)>,
    /// Resets under way, and how many connections were reset.
    resets: Vec<(Link, Resetting)>,
    reset: BTreeMap<Link, u64>,
}

impl Disturbed {
    /// Disturbs the links that these proxies stand in; none, if there are none or the effect is not for them.
    pub(super) fn new(effect: &LinkEffect, proxies: Vec<(Link, Arc<Proxy>)>) -> Option<Self> {
        // Single messages are told apart where somebody reads them.
        let reads = matches!(effect, LinkEffect::Lose(_) | LinkEffect::Rule(_));
        let unread = |(link, _): &(Link, Arc<Proxy>)| reads && link.protocol().is_none();
        if proxies.is_empty() || proxies.iter().any(unread) {
            return None;
        }
        let (mut toxics, mut resets) = (Vec::new(), Vec::new());
        let rules = Rules::of(effect);
        for (link, proxy) in proxies {
            match spec(effect, &rules, link.protocol()) {
                Some(spec) => {
                    let toxic = proxy.add_toxic(spec);
                    toxics.push((link, proxy, toxic));
                }
                None => resets.push((link, proxy.reset_connections())),
            }
        }
        Some(Self { effect: effect.clone(), toxics, resets, reset: BTreeMap::new() })
    }

    /// What was done on each link, by its toxics together.
    fn remove(&mut self) -> BTreeMap<Link, Effect> {
        let mut done: BTreeMap<Link, Effect> = BTreeMap::new();
        for (link, proxy, id) in self.toxics.drain(..) {
            let Some(record) = proxy.remove_toxic(id) else { continue };
            let (sum, more) = (done.entry(link).or_default(), record.effect);
            sum.chunks += more.chunks;
            sum.delayed_bytes += more.delayed_bytes;
            sum.held_bytes += more.held_bytes;
            sum.matched += more.matched;
            sum.duplicated += more.duplicated;
            sum.closed += more.closed;
            sum.reset += more.reset;
        }
        done
    }

    /// What was done, in words, where anything was.
    fn told(&self, effect: &Effect) -> Option<String> {
        let Effect { chunks, delayed_bytes, held_bytes, closed, reset, .. } = *effect;
        let (count, text) = match &self.effect {
            LinkEffect::Delay { .. } | LinkEffect::Hold | LinkEffect::HoldOneWay(_) => {
                (chunks, format!("{chunks} chunks ({} bytes)", delayed_bytes + held_bytes))
            }
            LinkEffect::Lose(Direction::ToServer) => (closed, "a request lost".to_owned()),
            LinkEffect::Lose(Direction::ToClient) => {
                (closed, "a reply lost, its request carried out,".to_owned())
            }
            LinkEffect::Reset => (reset, format!("{reset} connections reset")),
            LinkEffect::Rule(rule) => {
                let count = match rule.deed {
                    Deed::DropRequest | Deed::DropReply => closed,
                    Deed::Reset => reset,
                    Deed::Duplicate => effect.duplicated,
                    // One of a rule's messages may come in several chunks.
                    Deed::Delay(_) | Deed::Hold | Deed::DelayReply(_) | Deed::HoldReply => {
                        chunks.min(effect.matched)
                    }
                };
                (count, rule.told(count))
            }
        };
        (count > 0).then_some(text)
    }
}

impl Disturbance for Disturbed {
    fn settled(&mut self) -> BoxFuture<'_, ()> {
        async {
            let resets = self.resets.drain(..);
            let ended = resets.map(|(link, reset)| reset.ended().map(move |count| (link, count)));
            for (link, count) in join_all(ended).await {
                *self.reset.entry(link).or_default() += count;
            }
        }
        .boxed()
    }

    fn heal(mut self: Box<Self>) -> Option<String> {
        let mut done = self.remove();
        for (link, count) in std::mem::take(&mut self.reset) {
            done.entry(link).or_default().reset += count;
        }
        let told = done.iter().filter_map(|(link, effect)| {
            let told = self.told(effect)?;
            Some(format!("{told} on {link}"))
        });
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}

impl Drop for Disturbed {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The rule that does an effect, where one does, in either protocol. Both count together: one request is lost, not one
/// of each.
struct Rules(Option<[Arc<Rule>; 2]>);

impl Rules {
    fn of(effect: &LinkEffect) -> Self {
        let make: &dyn Fn(Protocol) -> Rule = match effect {
            LinkEffect::Lose(Direction::ToServer) => {
                &|protocol| Rule::new(Pattern::any(protocol), Choice::Nth(1), Deed::DropRequest)
            }
            LinkEffect::Lose(Direction::ToClient) => &Rule::lose_next_reply,
            LinkEffect::Rule(LinkRule { pattern, choice, deed }) => {
                &|_| Rule::new(pattern.clone(), *choice, *deed)
            }
            LinkEffect::Delay { .. }
            | LinkEffect::Hold
            | LinkEffect::HoldOneWay(_)
            | LinkEffect::Reset => return Self(None),
        };
        let redis = make(Protocol::Redis);
        let postgres = make(Protocol::Postgres).counting_with(&redis);
        Self(Some([Arc::new(redis), Arc::new(postgres)]))
    }

    fn of_protocol(&self, protocol: Protocol) -> Option<ToxicSpec> {
        let [redis, postgres] = self.0.as_ref()?;
        let rule = match protocol {
            Protocol::Redis => redis,
            Protocol::Postgres => postgres,
        };
        Some(ToxicSpec::rule(Arc::clone(rule)))
    }
}

/// What a proxy is given for an effect; nothing for what is over at once.
fn spec(effect: &LinkEffect, rules: &Rules, protocol: Option<Protocol>) -> Option<ToxicSpec> {
    match *effect {
        LinkEffect::Delay { by, jitter } => Some(ToxicSpec::new(Latency { latency: by, jitter })),
        LinkEffect::Hold => Some(ToxicSpec::new(Timeout::forever())),
        LinkEffect::HoldOneWay(direction) => {
            Some(ToxicSpec::new(Timeout::forever()).only(match direction {
                Direction::ToServer => Way::Upstream,
                Direction::ToClient => Way::Downstream,
            }))
        }
        LinkEffect::Lose(_) | LinkEffect::Rule(_) => rules.of_protocol(protocol?),
        LinkEffect::Reset => None,
    }
}
