//! The settings of servers that can change an outcome, the weightiest first.

use std::collections::BTreeMap;

use lockproof_model::ServerSetting;
use redis::aio::MultiplexedConnection;
use redis::{InfoDict, cmd};
use tokio_postgres::Client;

/// What is said of a setting that a managed Redis keeps to itself.
const FORBIDDEN: &str = "unknown (CONFIG is not allowed)";

/// Redis' settings, from CONFIG, or from what INFO says of them where CONFIG is forbidden.
pub(super) async fn of_redis(
    connection: &mut MultiplexedConnection,
    info: &InfoDict,
) -> Vec<ServerSetting> {
    let mut settings = Vec::new();
    for name in ["maxmemory-policy", "appendonly", "appendfsync", "save", "maxmemory"] {
        let mut config = cmd("CONFIG");
        config.arg("GET").arg(name);
        let told: Result<BTreeMap<String, String>, _> = config.query_async(connection).await;
        let value = told.ok().and_then(|mut told| told.remove(name));
        let value = value.or_else(|| from_info(info, name));
        settings.push(plain(name, value.unwrap_or_else(|| FORBIDDEN.to_owned())));
    }
    if let Some(replicas) = info.get::<u32>("connected_slaves").filter(|&replicas| replicas > 0) {
        settings.push(plain("replicas", replicas.to_string()));
    }
    warn_of_redis(&mut settings);
    settings
}

fn from_info(info: &InfoDict, name: &str) -> Option<String> {
    match name {
        "maxmemory-policy" => info.get("maxmemory_policy"),
        "maxmemory" => info.get("maxmemory"),
        "appendonly" => {
            let enabled: u32 = info.get("aof_enabled")?;
            Some(if enabled == 0 { "no" } else { "yes" }.to_owned())
        }
        _ => None,
    }
}

fn warn_of_redis(settings: &mut [ServerSetting]) {
    let value = |settings: &[ServerSetting], name: &str| {
        settings.iter().find(|setting| setting.name == name).map(|setting| setting.value.clone())
    };
    let limited = value(settings, "maxmemory").is_some_and(|limit| limit != "0");
    let forgetful = value(settings, "appendonly").as_deref() == Some("no")
        && value(settings, "save").is_some_and(|save| save.is_empty());
    for setting in settings {
        setting.warning = match setting.name.as_str() {
            // Locks have a TTL, so the volatile policies take them as well.
            "maxmemory-policy" if evicts(&setting.value) && limited => Some(
                "once its memory is full it evicts keys, locks and fencing counters among them",
            ),
            "maxmemory-policy" if evicts(&setting.value) => {
                Some("with a maxmemory it would evict keys, locks and fencing counters among them")
            }
            "appendonly" if forgetful => Some("a restart forgets every lock and fencing counter"),
            "replicas" => Some("replication is asynchronous: a failover may forget a lock"),
            _ => None,
        }
        .map(ToOwned::to_owned);
    }
}

fn evicts(policy: &str) -> bool {
    policy.starts_with("allkeys-") || policy.starts_with("volatile-")
}

/// Postgres' settings, as this session sees them.
pub(super) async fn of_postgres(
    client: &Client,
) -> Result<Vec<ServerSetting>, tokio_postgres::Error> {
    let names = [
        "default_transaction_isolation",
        "synchronous_commit",
        "idle_in_transaction_session_timeout",
        "statement_timeout",
        "lock_timeout",
        "fsync",
        "synchronous_standby_names",
        "max_connections",
    ];
    let mut settings = Vec::new();
    for name in names {
        let row = client.query_one("SELECT current_setting($1, true)", &[&name]).await?;
        // A fork may lack one.
        if let Some(value) = row.get::<_, Option<String>>(0) {
            let warning = warning_of_postgres(name, &value).map(ToOwned::to_owned);
            settings.push(ServerSetting { warning, ..plain(name, value) });
        }
    }
    Ok(settings)
}

fn warning_of_postgres(name: &str, value: &str) -> Option<&'static str> {
    match (name, value) {
        ("synchronous_commit" | "fsync", "off") => {
            Some("a crash may lose bookings that were acknowledged")
        }
        ("idle_in_transaction_session_timeout", value) if value != "0" => {
            Some("a holder that pauses longer within its transaction loses it")
        }
        ("statement_timeout" | "lock_timeout", value) if value != "0" => {
            Some("waiting for a row longer than this is an error")
        }
        _ => None,
    }
}

fn plain(name: &str, value: String) -> ServerSetting {
    ServerSetting { name: name.to_owned(), value, warning: None }
}

/// The bookings' database where none was named.
pub(super) fn of_the_embedded_database() -> Vec<ServerSetting> {
    vec![plain("chosen", "since no database URL was given".to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(settings: &[(&str, &str)]) -> Vec<String> {
        let mut settings: Vec<_> =
            settings.iter().map(|(name, value)| plain(name, (*value).to_owned())).collect();
        warn_of_redis(&mut settings);
        settings.into_iter().filter_map(|setting| setting.warning).collect()
    }

    #[test]
    fn a_server_that_may_forget_a_lock_is_warned_of() {
        for policy in ["allkeys-lru", "volatile-ttl"] {
            let told = warnings(&[("maxmemory-policy", policy), ("maxmemory", "1048576")]);
            assert!(told[0].contains("evicts keys"), "{told:?}");
        }
        let told = warnings(&[("appendonly", "no"), ("save", "")]);
        assert!(told[0].contains("a restart forgets"), "{told:?}");
        let safe = [("maxmemory-policy", "noeviction"), ("appendonly", "yes"), ("save", "")];
        assert_eq!(warnings(&safe), [""; 0]);
        let unknown =
            [("maxmemory-policy", FORBIDDEN), ("appendonly", FORBIDDEN), ("save", FORBIDDEN)];
        assert_eq!(warnings(&unknown), [""; 0], "what is not known is not warned of");
    }

    #[test]
    fn a_database_that_may_lose_a_booking_is_warned_of() {
        assert!(warning_of_postgres("fsync", "off").is_some());
        assert!(warning_of_postgres("idle_in_transaction_session_timeout", "1min").is_some());
        assert!(warning_of_postgres("idle_in_transaction_session_timeout", "0").is_none());
    }
}
