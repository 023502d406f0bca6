//! The names that templates may have.

use std::collections::BTreeSet;

use lockproof_http_target::{Template, Values};
use toml::Spanned;

use crate::reader::Reader;
use crate::suggest::hint;

/// Before the name of a variable of this program's environment.
const ENVIRONMENT: &str = "env.";

/// What is known of a slot, whoever asks for it.
pub(super) const OF_SLOTS: &[&str] =
    &["slot", "slot_date", "slot_time", "slot_end", "night", "next_day", "run", "ttl_ms"];
/// What an attempt knows beside its slot.
const OF_ATTEMPTS: &[&str] = &["holder", "attempt", "reference", "owner", "uuid"];
/// What whoever starts a service knows.
pub(super) const OF_SERVERS: &[&str] = &[
    "port",
    "redis_url",
    "redis_urls",
    "redis_host",
    "redis_port",
    "database_url",
    "run",
    "ttl_ms",
];

/// The names that are known at one place of a scenario.
#[derive(Debug)]
pub(super) struct Places {
    known: Vec<String>,
    /// Those that some template had.
    pub(super) used: BTreeSet<String>,
    /// The variables of the environment that some template had.
    pub(super) secrets: Values,
}

impl Places {
    pub(super) fn new(known: &[&str]) -> Self {
        let known = known.iter().map(|&name| name.to_owned()).collect();
        Self { known, used: BTreeSet::new(), secrets: Values::default() }
    }

    /// Those of the requests of a booking.
    pub(super) fn of_bookings() -> Self {
        Self::new(&[OF_SLOTS, OF_ATTEMPTS].concat())
    }

    /// From here on `name` is known, too.
    pub(super) fn learn(&mut self, name: &str) {
        if !self.known.iter().any(|known| known == name) {
            self.known.push(name.to_owned());
        }
    }

    /// The template that is written so, each of its names held against what is known.
    pub(super) fn template(&mut self, reader: &Reader<'_, '_>, text: Spanned<String>) -> Template {
        let span = text.span();
        let template = Template::new(text.into_inner());
        let names: Vec<_> = template.names().map(ToOwned::to_owned).collect();
        for name in names {
            if let Some(variable) = name.strip_prefix(ENVIRONMENT) {
                match std::env::var(variable) {
                    Ok(value) => self.secrets.set(&name, value),
                    Err(_) => {
                        let what = format!(
                            "the environment has no {variable}, which {{{name}}} stands for; set it"
                        );
                        reader.source().problem(&span, what);
                    }
                }
            } else if !self.known.contains(&name) {
                let known: Vec<_> = self.known.iter().map(String::as_str).collect();
                let what = format!(
                    "nothing is known here that {{{name}}} could stand for{}",
                    hint(&name, &known)
                );
                reader.source().problem(&span, what);
            }
            self.used.insert(name);
        }
        template
    }
}
