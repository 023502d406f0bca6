//! CONFIG: what the server honours, and nothing else.

use bytes::Bytes;

use super::{Call, Command, Flags, KeyPositions};
use crate::glob;
use crate::reply::{Outcome, Refusal, Reply};
use crate::settings::{Notifications, Settings};

const NONE: KeyPositions = KeyPositions::NONE;
const ADMIN: Flags = Flags::ADMIN.and(Flags::NOSCRIPT);

pub(super) const COMMANDS: &[Command] = &[Command::family("config", CONFIG)];

const CONFIG: &[Command] = &[
    Command::new("config|get", -3, ADMIN, NONE, config_get),
    Command::new("config|set", -4, ADMIN, NONE, config_set),
    Command::new("config|resetstat", 2, ADMIN, NONE, resetstat),
];

/// What CONFIG GET knows and CONFIG SET does not change: what a lock's author asks a server before
/// trusting it.
const FIXED: &[(&str, &str)] =
    &[("appendonly", "no"), ("maxmemory", "0"), ("maxmemory-policy", "noeviction"), ("save", "")];

const PASSWORD: &str = "requirepass";
const NOTIFICATIONS: &str = "notify-keyspace-events";

fn config_get(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let settings = &call.core.settings;
    let mut all: Vec<(&str, Bytes)> =
        FIXED.iter().map(|(name, value)| (*name, Bytes::from_static(value.as_bytes()))).collect();
    all.push((PASSWORD, settings.password.clone()));
    all.push((NOTIFICATIONS, settings.notifications.text().into()));
    all.push(("databases", call.core.keyspace.database_count().to_string().into()));
    let asked = |name: &str| {
        let mut patterns = words[2..].iter().map(|pattern| pattern.to_ascii_lowercase());
        patterns.any(|pattern| glob::matches(&pattern, name.as_bytes()))
    };
    let found = all.into_iter().filter(|(name, _)| asked(name));
    Ok(Reply::Map(found.map(|(name, value)| (Reply::bulk(name), Reply::Bulk(value))).collect()))
}

/// `CONFIG SET name value…`: all of them or none.
fn config_set(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let mut changed = Settings {
        password: call.core.settings.password.clone(),
        notifications: call.core.settings.notifications,
    };
    for pair in words[2..].chunks(2) {
        let [name, value] = pair else { return Err(Refusal::SYNTAX) };
        set(&mut changed, &String::from_utf8_lossy(name).to_ascii_lowercase(), value)?;
    }
    call.core.settings = changed;
    Ok(Reply::OK)
}

fn set(settings: &mut Settings, name: &str, value: &Bytes) -> Result<(), Refusal> {
    let failed = |why: &str| {
        Refusal::new(format!(
            "ERR CONFIG SET failed (possibly related to argument '{name}') - {why}"
        ))
    };
    match name {
        PASSWORD => settings.password = value.clone(),
        NOTIFICATIONS => {
            settings.notifications = Notifications::parse(value)
                .ok_or_else(|| failed("Invalid event class character. Use 'Ag$lshzxeKEtmdn'."))?;
        }
        _ => match FIXED.iter().find(|(fixed, _)| *fixed == name) {
            Some((_, fixed)) if value == fixed.as_bytes() => {}
            Some(_) => {
                return Err(failed("can't set immutable config: the model honours one value"));
            }
            None => {
                return Err(Refusal::new(format!(
                    "ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
                )));
            }
        },
    }
    Ok(())
}

fn resetstat(call: &mut Call<'_>, _words: &[Bytes]) -> Outcome {
    call.core.commands_processed = 0;
    Ok(Reply::OK)
}
