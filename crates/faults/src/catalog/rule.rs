//! `rule`: something happens to single requests, by what they ask, or to the replies to them.
//!
//! The second SET of a seat is lost, the acknowledgement of a COMMIT never arrives, each tenth release is late: what no
//! step of a flow and no time names (failure modes F15, F18, F20, F27, F53).

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lockproof_rig::{
    Deed, LinkEffect, LinkRule, LinkSelector, MessageChoice, Pattern, Protocol, Rig, RigError,
    RuleError,
};

use super::{FaultEntry, Field, Worlds};
use crate::links::{Disturbed, READ_LINKS, Whose, disturb, names, read_links};
use crate::{ArgumentError, Arguments, Fault, Injection, Lasts, Occasion, Reach};

pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "rule",
    summary: "something happens to requests on links, by command, key and count, or to their replies",
    fields: &[
        READ_LINKS,
        Field {
            name: "command",
            summary: "only such: SET; of the database a message (Query, Execute …) or what a statement begins with (COMMIT)",
        },
        Field { name: "key", summary: "only with a key like this: *{seat-1}" },
        Field {
            name: "then",
            summary: "delay, hold, delay-reply, hold-reply, drop-request, drop-reply, reset or duplicate (live only)",
        },
        Field { name: "delay", summary: "by how much, for the delays" },
        Field { name: "every", summary: "without `at`: each nth such request" },
        Field { name: "nth", summary: "without `at`: the nth alone" },
        Field { name: "probability", summary: "without `at`: each with this probability" },
    ],
    build: |arguments| Ok(Arc::new(read(arguments)?)),
    worlds: Worlds::Both,
    draw: None,
};

fn read(arguments: &mut Arguments) -> Result<RuleFault, ArgumentError> {
    let links = read_links(arguments)?;
    let wrong = |error: RuleError| ArgumentError::new(error.attribute, error.to_string());
    let mut pattern = Pattern::any(protocol(&links)?);
    if let Some(key) = arguments.text("key")? {
        pattern = pattern.with_key(&key).map_err(wrong)?;
    }
    if let Some(command) = arguments.text("command")? {
        pattern = pattern.named(&command).map_err(wrong)?;
    }
    let then = arguments.text("then")?;
    let then = then.ok_or_else(|| ArgumentError::missing("then", "\"drop-reply\""))?;
    let delay = arguments.duration("delay")?;
    let deed = Deed::parse(&then, delay.unwrap_or_default()).map_err(wrong)?;
    if delay.is_some() && !matches!(deed, Deed::Delay(_) | Deed::DelayReply(_)) {
        let what = format!("`delay` goes with then = \"delay\" or \"delay-reply\", not \"{then}\"");
        return Err(ArgumentError::new("delay", what));
    }
    Ok(RuleFault { links, rule: LinkRule { pattern, choice: choice(arguments)?, deed } })
}

/// What is spoken on all of them.
fn protocol(links: &[LinkSelector]) -> Result<Protocol, ArgumentError> {
    let is_database = |selector: &&LinkSelector| matches!(selector, LinkSelector::Database);
    match links.iter().filter(is_database).count() {
        0 => Ok(Protocol::Redis),
        databases if databases == links.len() => Ok(Protocol::Postgres),
        _ => {
            let what =
                "a rule reads the requests of Redis or those of the database; write one for each";
            Err(ArgumentError::new("links", what))
        }
    }
}

fn choice(arguments: &mut Arguments) -> Result<MessageChoice, ArgumentError> {
    let every = arguments.count("every")?;
    let nth = arguments.count("nth")?;
    let probability = arguments.number("probability")?;
    match (every, nth, probability) {
        (None, None, None) => Ok(MessageChoice::Every(1)),
        (Some(every), None, None) => Ok(MessageChoice::Every(every)),
        (None, Some(nth), None) => Ok(MessageChoice::Nth(nth)),
        (None, None, Some(share)) if (0.0..=1.0).contains(&share) => {
            Ok(MessageChoice::Probability(share))
        }
        (None, None, Some(_)) => {
            Err(ArgumentError::new("probability", "a probability is between 0 and 1"))
        }
        _ => {
            let what = "a rule has one of `every`, `nth` and `probability`";
            Err(ArgumentError::new("probability", what))
        }
    }
}

#[derive(Debug)]
struct RuleFault {
    links: Vec<LinkSelector>,
    rule: LinkRule,
}

impl Fault for RuleFault {
    fn label(&self) -> String {
        format!("rule {} on {}", self.rule, names(&self.links))
    }

    fn reach(&self) -> Reach {
        Reach::Links(self.links.clone())
    }

    fn lasts(&self) -> Lasts {
        Lasts::UntilHealed
    }

    fn needs_live(&self) -> Option<&'static str> {
        match self.rule.deed {
            Deed::Duplicate => Some("that duplicates a request"),
            _ => self.rule.pattern.names_message().then_some("about a kind of message"),
        }
    }

    fn tells_holders_apart(&self) -> bool {
        true
    }

    fn waits_for_messages(&self) -> bool {
        true
    }

    fn inject<'a>(
        &'a self,
        rig: &'a dyn Rig,
        occasion: Occasion<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Injection>, RigError>> {
        let choice = match occasion.occurrence {
            // The step chose already.
            Some(_) => MessageChoice::Nth(1),
            None => self.rule.choice,
        };
        let effect = LinkEffect::Rule(LinkRule { choice, ..self.rule.clone() });
        let disturbed = disturb(rig, occasion, &self.links, effect, Whose::OfTheHolder);
        let injection = disturbed.map(|disturbance| {
            let nothing = "no request that it means was chosen, or none was answered";
            Box::new(Disturbed { disturbance, verb: "", nothing }) as Box<dyn Injection>
        });
        std::future::ready(injection).boxed()
    }
}
