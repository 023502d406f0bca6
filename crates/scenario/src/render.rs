//! A scenario as it was understood, every default written out.

use std::fmt::Write;

use humantime::format_duration;
use lockproof_locks::Replication;
use lockproof_model::Expectation;
use lockproof_rig::sim::RedisDriver;
use lockproof_rig::{ExternalServers, SessionLimits, Topology};
use lockproof_workload::{FlowField, FlowSettings, Load, Pace, Rate, Spacing, Stop};

use crate::Scenario;
use crate::parse::usual_replication;
use crate::plan::SCHEMA_VERSION;
use crate::target::rendered_answers;

/// The scenario as TOML that reads the same. Faults stand as they were written: what they leave out has no default.
#[must_use]
pub fn resolved(scenario: &Scenario) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_resolved(scenario, &mut out);
    out
}

fn write_resolved(scenario: &Scenario, out: &mut String) -> std::fmt::Result {
    let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let list = |texts: Vec<String>| toml::Value::from(texts).to_string();
    let strategies = scenario.cells.iter().map(|cell| cell.strategy.to_string()).collect();
    writeln!(out, "schema_version = {SCHEMA_VERSION}")?;
    writeln!(out, "name = {}", quote(&scenario.name))?;
    writeln!(out, "title = {}", quote(&scenario.title))?;
    writeln!(out, "catalog = {}", list(scenario.catalog.clone()))?;
    if let Some(only) = &scenario.only {
        let because = quote(&only.because);
        writeln!(out, "only = {}\nbecause = {because}", quote(only.word()))?;
    }
    let is_kept = |name: &str| scenario.cells.iter().any(|cell| cell.strategy.lock.name == name);
    let load = &scenario.load;
    match &scenario.target {
        None => {
            writeln!(out, "strategies = {}", list(strategies))?;
            writeln!(out, "\n[workload]\nflow = {}", quote(load.flow.name))?;
        }
        // As it is written, since what it leaves out is not asked.
        Some(target) => writeln!(out, "\n{}\n\n[workload]", target.rendered(is_kept))?,
    }
    writeln!(out, "holders = {}", load.holders)?;
    writeln!(out, "holders-as = {}", quote(scenario.holders_as.word()))?;
    writeln!(out, "slots = {}", load.slots)?;
    writeln!(out, "capacity = {}", scenario.capacity)?;
    match load.stop {
        Stop::After(bookings) => writeln!(out, "bookings = {bookings}")?,
        Stop::AtTime(length) => writeln!(out, "for = \"{}\"", format_duration(length))?,
    }
    writeln!(out, "arrivals = {}", arrivals(&load.pace))?;
    write_settings(load, out)?;
    writeln!(out, "\n[lock]\nttl = \"{}\"", format_duration(scenario.ttl))?;
    writeln!(
        out,
        "wait = {{ tries = {}, delay = \"{}\", jitter = \"{}\" }}",
        scenario.wait.tries,
        format_duration(scenario.wait.delay),
        format_duration(scenario.wait.jitter)
    )?;
    if let Some(servers) = scenario.servers {
        writeln!(out, "servers = {servers}")?;
    }
    // A scenario of which one strategy is left does not speak of what the others need.
    let keeps = scenario.cells.iter().any(|cell| cell.strategy.policy.keep.is_some());
    if let Some(renewals) = scenario.renewals.filter(|_| keeps) {
        writeln!(out, "renewals = {renewals}")?;
    }
    let Replication { acknowledgements, within } = scenario.replication;
    if scenario.replication != usual_replication(scenario.time_limit) {
        writeln!(out, "acknowledgements = {acknowledgements}")?;
        writeln!(out, "acknowledged-within = \"{}\"", format_duration(within))?;
    }
    if scenario.target.is_none() {
        writeln!(out, "time-limit = \"{}\"", format_duration(scenario.time_limit))?;
        writeln!(out, "server-time-limit = \"{}\"", format_duration(scenario.server_time_limit))?;
    }
    write_servers(scenario, out)?;
    write_limits(&scenario.limits, out)?;
    for fields in &scenario.fault_fields {
        writeln!(out, "\n[[fault]]\n{fields}")?;
    }
    writeln!(out, "\n[expect]")?;
    for cell in &scenario.cells {
        let expect = match cell.expect {
            Expectation::Bookings(count) => format!("{{ bookings = {count} }}"),
            Expectation::Shows(kind) => format!("{{ shows = {} }}", quote(kind)),
            Expectation::Blocked(least) => {
                format!("{{ blocked = \"{}\" }}", format_duration(least))
            }
            other => quote(&other.to_string()),
        };
        writeln!(out, "{} = {expect}", quote(&cell.strategy.to_string()))?;
    }
    out.push_str(&rendered_answers(&scenario.answers, is_kept));
    let require = &scenario.require;
    writeln!(out, "\n[require]\nbookings = {}", require.bookings)?;
    writeln!(out, "faults-bitten = {}\ncontended = {}", require.faults_bitten, require.contended)?;
    let Some(replay) = &scenario.replay else { return Ok(()) };
    writeln!(out, "\n[replay]\nseed = \"{:#x}\"", replay.seed)?;
    if replay.driver == RedisDriver::Library {
        writeln!(out, "wire = true")?;
    }
    writeln!(out, "digest = {}", quote(&replay.digest))?;
    writeln!(out, "order = [")?;
    for turn in &replay.order {
        writeln!(out, "    \"{turn}\",")?;
    }
    writeln!(out, "]")
}

/// What the flow is told, as far as it has a field for it.
fn write_settings(load: &Load, out: &mut String) -> std::fmt::Result {
    let FlowSettings { work, think, refresh, parts } = load.settings;
    writeln!(out, "work = \"{}\"", format_duration(work))?;
    for field in load.flow.fields {
        let name = field.name();
        match field {
            FlowField::Think => writeln!(out, "{name} = \"{}\"", format_duration(think))?,
            FlowField::Refresh => {
                if let Some(refresh) = refresh {
                    writeln!(out, "{name} = \"{}\"", format_duration(refresh))?;
                }
            }
            FlowField::Segments | FlowField::Nights => writeln!(out, "{name} = {parts}")?,
        }
    }
    Ok(())
}

/// Without their passwords: a report is for others to read, and whoever runs it again has them.
fn write_servers(scenario: &Scenario, out: &mut String) -> std::fmt::Result {
    let ExternalServers { redis, coordinators, database, images: _ } = &scenario.external;
    let topology = scenario.topology;
    let is_named = !redis.is_empty() || !coordinators.is_empty() || database.is_some();
    if is_named || topology != Topology::Independent || scenario.replicas.is_some() {
        writeln!(out, "\n[servers]")?;
    }
    if topology != Topology::Independent {
        writeln!(out, "topology = \"{topology}\"")?;
    }
    if let Some(replicas) = scenario.replicas {
        writeln!(out, "replicas = {replicas}")?;
    }
    if let Some(lag) = scenario.replica_lag {
        writeln!(out, "replica-lag = \"{}\"", format_duration(lag))?;
    }
    if !redis.is_empty() {
        let urls: Vec<_> = redis.iter().map(ToString::to_string).collect();
        writeln!(out, "redis = {}", toml::Value::from(urls))?;
    }
    for (service, url) in coordinators {
        writeln!(out, "{service} = {}", toml::Value::from(url.to_string()))?;
    }
    match database {
        Some(url) => writeln!(out, "database = {}", toml::Value::from(url.to_string())),
        None => Ok(()),
    }
}

fn write_limits(limits: &SessionLimits, out: &mut String) -> std::fmt::Result {
    if limits.is_set() {
        writeln!(out, "\n[database]")?;
    }
    for (name, limit) in [
        ("idle-in-transaction-session-timeout", limits.idle_in_transaction),
        ("lock-timeout", limits.lock),
    ] {
        if let Some(limit) = limit {
            writeln!(out, "{name} = \"{}\"", format_duration(limit))?;
        }
    }
    Ok(())
}

fn arrivals(pace: &Pace) -> String {
    let Pace::Open { spacing, ramp } = pace else { return "{ kind = \"closed\" }".to_owned() };
    let spacing = match spacing {
        Spacing::Constant => "constant",
        Spacing::Poisson => "poisson",
    };
    let rates = match ramp.as_slice() {
        [Rate { per_s, length }] if length.is_zero() => format!("rate_per_s = {per_s:?}"),
        steps => {
            let step = |Rate { per_s, length }: &Rate| {
                format!("{{ rate_per_s = {per_s:?}, for = \"{}\" }}", format_duration(*length))
            };
            format!("ramp = [{}]", steps.iter().map(step).collect::<Vec<_>>().join(", "))
        }
    };
    format!("{{ kind = \"open\", spacing = \"{spacing}\", {rates} }}")
}
