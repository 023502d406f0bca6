//! What whoever runs on somebody else's servers should know before it begins.

use super::{postgres, redis};
use crate::{ExternalServers, RedisUrl, RigError};

/// One process under two names is no two servers.
pub(super) fn twins(
    servers: &ExternalServers,
    seen: &[redis::Seen],
) -> Result<Vec<String>, RigError> {
    let mut notices = Vec::new();
    let named: Vec<_> = servers.redis.iter().zip(seen).collect();
    for (place, (url, this)) in named.iter().enumerate() {
        let twin = named[..place]
            .iter()
            .find(|(_, other)| !this.process.is_empty() && this.process == other.process);
        let Some((other, _)) = twin else { continue };
        let db = |url: &RedisUrl| url.connection().redis_settings().db();
        if db(url) == db(other) {
            return Err(redis::unusable(
                url,
                &format!(
                    "it is the same server as {other}, and a quorum would count it twice; name another"
                ),
            ));
        }
        notices.push(format!("{url} and {other} are one process: a quorum over both is not one of independent servers"));
    }
    Ok(notices)
}

/// Each setting that is warned of once, after the servers that have it.
pub(super) fn warnings(
    servers: &ExternalServers,
    redis: &[redis::Seen],
    database: Option<&postgres::Seen>,
) -> Vec<String> {
    let redis = servers.redis.iter().zip(redis).map(|(url, seen)| (url.to_string(), &seen.info));
    let database = servers.database.as_ref().zip(database);
    let database = database.map(|(url, seen)| (url.to_string(), &seen.info));
    let mut warnings: Vec<(String, Vec<String>)> = Vec::new();
    for (url, info) in redis.chain(database) {
        for setting in &info.settings {
            let Some(warning) = &setting.warning else { continue };
            let value = if setting.value.is_empty() { "empty" } else { &setting.value };
            let warning = format!("{} is {value}: {warning}", setting.name);
            match warnings.iter_mut().find(|(known, _)| *known == warning) {
                Some((_, urls)) => urls.push(url.clone()),
                None => warnings.push((warning, vec![url.clone()])),
            }
        }
    }
    let line = |(warning, urls): (String, Vec<String>)| format!("{}: {warning}", urls.join(", "));
    warnings.into_iter().map(line).collect()
}
