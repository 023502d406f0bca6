//! Which servers `--provider external` means: of flags, the environment and the scenarios, the first that names any.

use std::sync::Arc;

use lockproof_locks::Coordinator;
use lockproof_rig::live::ProviderEntry;
use lockproof_rig::{
    ContainerImages, CoordinatorUrl, DatabaseEngine, ExternalServers, ServerUrlError,
};
use lockproof_scenario::Scenario;

use crate::arguments::ServerArguments;
use crate::exit::Failure;

const REDIS: &str = "LOCKPROOF_REDIS_URLS";
const DATABASE: &str = "LOCKPROOF_DATABASE_URL";

/// Those of flags and the environment.
pub(crate) fn named(arguments: &ServerArguments) -> Result<ExternalServers, Failure> {
    let environment = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let mut servers = ExternalServers::default();
    let flags: Vec<&str> = arguments.redis_url.iter().map(|url| url.0.as_str()).collect();
    let variable = environment(REDIS).unwrap_or_default();
    let (origin, urls) = match flags.is_empty() {
        false => ("--redis-url", flags),
        true => (REDIS, variable.split(',').map(str::trim).collect()),
    };
    for url in urls.into_iter().filter(|url| !url.is_empty()) {
        servers.redis.push(url.parse().map_err(|error| wrong(origin, &error))?);
    }
    if let Some(twice) = servers.twice() {
        return Err(Failure::usage(format!("{origin}: {twice}")));
    }
    for (service, flag, url, variable) in [
        (Coordinator::Etcd, "--etcd-url", &arguments.etcd_url, "LOCKPROOF_ETCD_URL"),
        (
            Coordinator::ZooKeeper,
            "--zookeeper-url",
            &arguments.zookeeper_url,
            "LOCKPROOF_ZOOKEEPER_URL",
        ),
    ] {
        let (origin, url) = match url {
            Some(url) => (flag, Some(url.clone())),
            None => (variable, environment(variable)),
        };
        if let Some(url) = url {
            let url =
                CoordinatorUrl::parse(service, &url).map_err(|error| wrong(origin, &error))?;
            servers.coordinators.insert(service, url);
        }
    }
    let (origin, url) = match &arguments.database_url {
        Some(url) => ("--database-url", Some(url.0.clone())),
        None => (DATABASE, environment(DATABASE)),
    };
    if let Some(url) = url {
        servers.database = Some(url.parse().map_err(|error| wrong(origin, &error))?);
    }
    Ok(servers)
}

fn images(arguments: &ServerArguments) -> ContainerImages {
    let default = ContainerImages::default();
    ContainerImages {
        redis: arguments.redis_image.clone().unwrap_or(default.redis),
        postgres: arguments.postgres_image.clone().unwrap_or(default.postgres),
    }
}

fn wrong(origin: &str, error: &ServerUrlError) -> Failure {
    Failure::usage(format!("{origin}: {error}"))
}

/// Those that a run of `scenarios` on `provider` is to use, if that provider is to be told.
pub(crate) fn of_run(
    provider: &ProviderEntry,
    arguments: &ServerArguments,
    scenarios: &[Arc<Scenario>],
    destructive: bool,
) -> Result<ExternalServers, Failure> {
    if !provider.shared {
        let urls = [&arguments.etcd_url, &arguments.zookeeper_url];
        if !arguments.redis_url.is_empty()
            || arguments.database_url.is_some()
            || urls.iter().any(|url| url.is_some())
        {
            return Err(Failure::usage(format!(
                "the provider {} starts servers of its own; to use those of the URLs add --provider external",
                provider.name
            )));
        }
        return Ok(ExternalServers { images: images(arguments), ..ExternalServers::default() });
    }
    let mut servers = named(arguments)?;
    if servers.redis.is_empty() {
        let each = scenarios.iter().map(|scenario| (scenario, scenario.external.redis.clone()));
        servers.redis = the_only(each.filter(|(_, urls)| !urls.is_empty()))?.unwrap_or_default();
    }
    for service in Coordinator::ALL {
        if servers.coordinators.contains_key(&service) {
            continue;
        }
        let each = scenarios.iter().filter_map(|scenario| {
            Some((scenario, scenario.external.coordinators.get(&service)?.clone()))
        });
        servers.coordinators.extend(the_only(each)?.map(|url| (service, url)));
    }
    if servers.database.is_none() {
        let each = scenarios
            .iter()
            .filter_map(|scenario| Some((scenario, scenario.external.database.clone()?)));
        servers.database = the_only(each)?;
    }
    if servers == ExternalServers::default() {
        return Err(Failure::usage(format!(
            "--provider external has to be told where the servers are: --redis-url URL,… and --database-url URL, {REDIS} and {DATABASE}, or [servers] in a scenario"
        )));
    }
    if let Some(why) = scenarios.iter().find_map(|scenario| other_database(scenario, &servers)) {
        return Err(Failure::usage(why));
    }
    let problems =
        scenarios.iter().flat_map(|scenario| scenario.problems_on(&servers, destructive));
    let problems: Vec<_> = problems.map(|problem| problem.to_string()).collect();
    if problems.is_empty() {
        return Ok(servers);
    }
    Err(Failure::usage(format!("cannot be run on these servers\n{}", problems.join("\n"))))
}

/// Why the database that `servers` name is not the one that `scenario` wants, where it is not.
fn other_database(scenario: &Scenario, servers: &ExternalServers) -> Option<String> {
    let path = scenario.path.display();
    match (scenario.engine?, &servers.database) {
        (DatabaseEngine::Sqlite, Some(url)) => {
            Some(format!("{path}: bookings are to go to sqlite, and {url} is named; leave one out"))
        }
        (engine, None) if engine.is_server() => Some(format!(
            "{path}: bookings are to go to {engine}, and none is named: --database-url URL, or {DATABASE}"
        )),
        _ => None,
    }
}

/// What the scenarios name, if they agree: a run has one set of servers.
fn the_only<'a, T: PartialEq>(
    mut named: impl Iterator<Item = (&'a Arc<Scenario>, T)>,
) -> Result<Option<T>, Failure> {
    let Some((first, servers)) = named.next() else { return Ok(None) };
    match named.find(|(_, other)| *other != servers) {
        None => Ok(Some(servers)),
        Some((other, _)) => Err(Failure::usage(format!(
            "{} and {} name different [servers]; run them one by one, or say which: --redis-url, --etcd-url, --zookeeper-url, --database-url",
            first.path.display(),
            other.path.display()
        ))),
    }
}

/// Flags that name `servers` and images again, without passwords, for the command that repeats a run.
pub(crate) fn flags(servers: &ExternalServers) -> String {
    let mut flags = String::new();
    let urls: Vec<_> = servers.redis.iter().map(ToString::to_string).collect();
    if !urls.is_empty() {
        flags = format!(" --redis-url {}", quoted(&urls.join(",")));
    }
    for (service, url) in &servers.coordinators {
        flags = format!("{flags} --{service}-url {}", quoted(&url.to_string()));
    }
    if let Some(url) = &servers.database {
        flags = format!("{flags} --database-url {}", quoted(&url.to_string()));
    }
    let (images, default) = (&servers.images, ContainerImages::default());
    for (flag, image, default) in [
        ("--redis-image", &images.redis, &default.redis),
        ("--postgres-image", &images.postgres, &default.postgres),
    ] {
        if image != default {
            flags = format!("{flags} {flag} {}", quoted(image));
        }
    }
    flags
}

/// A shell would make something else of `?`, `&` and `*`.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || ":/@._-,=".contains(c);
    if word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_its_servers_without_passwords_and_survives_a_shell() {
        let servers = ExternalServers {
            redis: vec!["redis://a:1".parse().unwrap(), "redis://:s3cret@b".parse().unwrap()],
            database: Some("postgres://me@db/shop".parse().unwrap()),
            ..ExternalServers::default()
        };
        assert_eq!(
            flags(&servers),
            " --redis-url 'redis://a:1,redis://:***@b' --database-url postgres://me@db/shop"
        );
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
