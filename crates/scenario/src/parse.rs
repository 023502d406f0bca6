//! From text to plan.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use lockproof_faults::FaultPlan;
use lockproof_locks::{LockSettings, Replication, Wait};
use lockproof_model::{Expectation, FAILURE_MODES, failure_mode, kinds};
use lockproof_rig::sim::RedisDriver;
use lockproof_workload::{FlowSettings, Load, Pace, Stop};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::arrivals;
use crate::database;
use crate::faults::{self, Surroundings};
use crate::flow;
use crate::holders::{self, HoldersAs};
use crate::only::{self, Only};
use crate::plan::{Cell, Replay, Require, SCHEMA_VERSION, Scenario, unasked_ttl};
use crate::reader::Reader;
use crate::servers;
use crate::source::{Problem, Problems, Source};
use crate::strategy::Strategy;
use crate::suggest::hint;
use crate::target::{self, ServiceTarget};

/// Reads the scenario file at `path`.
///
/// # Errors
/// Everything wrong with it, in the order of the file.
pub fn load(path: &Path) -> Result<Scenario, Problems> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let what = format!("cannot read the scenario: {error}");
        Problems(vec![Problem { path: path.to_owned(), line: 0, column: 0, what }])
    })?;
    parse(path, &text)
}

/// The same scenario with its faults replaced by these: each the fields of one `[[fault]]`, as
/// [`Scenario::fault_fields`] holds them.
///
/// # Errors
/// Everything wrong with them, placed in the text of each.
pub fn with_faults(scenario: &Scenario, faults: &[String]) -> Result<Scenario, Problems> {
    let strategies: Vec<_> = scenario.cells.iter().map(|cell| cell.strategy).collect();
    let around = Surroundings {
        flow: scenario.load.flow,
        holders: scenario.load.holders,
        strategies: &strategies,
        servers: scenario.servers,
        topology: scenario.topology,
    };
    let (mut plans, mut fields) = (Vec::new(), Vec::new());
    let mut problems = Vec::new();
    for (number, text) in (1..).zip(faults) {
        match one_fault(number, text, &around) {
            Ok((plan, written)) => {
                plans.push(plan);
                fields.push(written);
            }
            Err(Problems(more)) => problems.extend(more),
        }
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    Ok(Scenario { faults: plans, fault_fields: fields, ..scenario.clone() })
}

/// One fault's fields by themselves, with the plan that they come to.
fn one_fault(
    number: u32,
    text: &str,
    around: &Surroundings<'_>,
) -> Result<(FaultPlan, String), Problems> {
    let name = format!("[[fault]] {number}");
    let source = Source::new(Path::new(&name), text);
    let read = match DeTable::parse(text) {
        Ok(table) => {
            let reader = Reader::new(&source, name.as_str(), 0..0, table.into_inner());
            let written = reader.written();
            faults::read(number, reader, around).map(|plan| (plan, written))
        }
        Err(error) => {
            source.problem(&error.span().unwrap_or(0..0), error.message());
            None
        }
    };
    match (read, source.problems()) {
        (_, Some(problems)) => Err(problems),
        (Some(fault), None) => Ok(fault),
        (None, None) => unreachable!("a fault that is not there has its problem noted"),
    }
}

/// Reads a scenario from `text`, which problems place in `path`.
///
/// # Errors
/// Everything wrong with it, in the order of the text.
pub fn parse(path: &Path, text: &str) -> Result<Scenario, Problems> {
    let source = Source::new(path, text);
    let scenario = match DeTable::parse(text) {
        Ok(table) => {
            let whole = 0..0;
            scenario(path, Reader::new(&source, "a scenario", whole, table.into_inner()))
        }
        Err(error) => {
            source.problem(&error.span().unwrap_or(0..0), error.message());
            None
        }
    };
    match (scenario, source.problems()) {
        (_, Some(problems)) => Err(problems),
        (Some(scenario), None) => Ok(scenario),
        (None, None) => unreachable!("a scenario that is not there has its problem noted"),
    }
}

fn scenario(path: &Path, mut top: Reader<'_, '_>) -> Option<Scenario> {
    schema_version(&mut top);
    let name = name(path, &mut top);
    let title = top.text("title").map_or_else(|| name.clone(), Spanned::into_inner);
    let catalog = catalog(&mut top);
    let only: Option<Only> = only::read(&mut top);
    let listed = top.key_span("strategies");
    let is_of_service = top.has("target");
    let target = target::read(&mut top);
    let strategies = strategies(&mut top, target.as_ref(), is_of_service);
    let Workload { load, holders_as, capacity } = workload(&mut top, &strategies, target.as_ref());
    for why in strategies.iter().filter_map(|strategy| strategy.unfit_for(capacity)) {
        top.problem_at(listed.as_ref(), why);
    }
    let lock = lock(&mut top, &strategies, is_of_service);
    let servers = servers::read(&mut top, &strategies, lock.replication);
    let database = database::read(&mut top);
    let around = Surroundings {
        flow: load.flow,
        holders: load.holders,
        strategies: &strategies,
        servers: lock.servers,
        topology: servers.topology,
    };
    let tables = top.tables("fault");
    let fault_fields = tables.iter().map(Reader::written).collect();
    let fault_places: Vec<(usize, usize)> =
        tables.iter().map(|table| table.place_of("kind")).collect();
    let faults: Vec<_> = (1..)
        .zip(tables)
        .filter_map(|(number, reader)| faults::read(number, reader, &around))
        .collect();
    if let Some(target) = &target {
        for (plan, &(line, column)) in faults.iter().zip(&fault_places) {
            if let Some(why) = target::refuses(target, plan) {
                let what = format!("{} cannot be done here: {why}", plan.label());
                top.source().problem_in(line, column, what);
            }
        }
    }
    // Of a service that could not be read nobody knows what to expect.
    let is_unread = is_of_service && target.is_none();
    let expected = ["expect", "expect-answers"].map(|table| is_unread.then(|| top.take(table)));
    drop(expected);
    let cells = expectations(&mut top, &strategies);
    let answers = target::read_answers(&mut top, target.as_ref());
    let require = require(&mut top);
    let replay = replay(&mut top);
    top.finish();
    Some(Scenario {
        path: path.to_owned(),
        name,
        title,
        catalog,
        only: only.or_else(|| target.as_ref().map(|_| Only::service())),
        target,
        answers,
        cells,
        load,
        holders_as,
        capacity,
        ttl: lock.ttl,
        wait: lock.wait,
        servers: lock.servers,
        renewals: lock.renewals,
        replication: lock.replication,
        replicas: servers.replicas,
        time_limit: lock.time_limit,
        server_time_limit: lock.server_time_limit,
        topology: servers.topology,
        replica_lag: servers.replica_lag,
        engine: database.engine,
        limits: database.limits,
        faults,
        fault_fields,
        fault_places,
        external: servers.external,
        require,
        replay,
    })
}

fn schema_version(top: &mut Reader<'_, '_>) {
    if !top.has("schema_version") {
        top.problem(format!(
            "`schema_version` is missing; write schema_version = {SCHEMA_VERSION}"
        ));
    }
    let span = top.key_span("schema_version");
    if let Some(version) = top.number("schema_version", 0..=u32::MAX)
        && version != SCHEMA_VERSION
    {
        let what = format!("this program reads schema_version {SCHEMA_VERSION}, not {version}");
        top.problem_at(span.as_ref(), what);
    }
}

/// The failure modes that it shows, by their numbers.
fn catalog(top: &mut Reader<'_, '_>) -> Vec<String> {
    let ids = top.texts("catalog");
    for id in &ids {
        if failure_mode(id.get_ref()).is_none() {
            let last = FAILURE_MODES.last().map(|mode| mode.id).unwrap_or_default();
            let what = format!("`{}` is no failure mode: they are F01 to {last}", id.get_ref());
            top.source().problem(&id.span(), what);
        }
    }
    ids.into_iter().map(Spanned::into_inner).collect()
}

fn name(path: &Path, top: &mut Reader<'_, '_>) -> String {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("scenario").to_owned();
    let Some(name) = top.text("name") else { return stem };
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.get_ref().is_empty() || !name.get_ref().chars().all(fits) {
        let what =
            "a name has lower-case letters, digits and dashes: it becomes part of file names";
        top.source().problem(&name.span(), what);
    }
    name.into_inner()
}

/// Those of `strategies`, or a service's variants.
fn strategies(
    top: &mut Reader<'_, '_>,
    target: Option<&ServiceTarget>,
    is_of_service: bool,
) -> Vec<Strategy> {
    let span = top.key_span("strategies");
    let texts = top.texts("strategies");
    if is_of_service {
        if span.is_some() {
            let what = "a [target] has a lock and a guard of its own; what `strategies` are elsewhere are its [[target.variant]]s";
            top.problem_at(span.as_ref(), what);
        }
        return target.map(ServiceTarget::strategies).unwrap_or_default();
    }
    if texts.is_empty() {
        let what = "name at least one strategy: strategies = [\"redis-set-nx\", \"row-lock\"]";
        top.problem_at(span.as_ref(), what);
    }
    let mut strategies: Vec<Strategy> = Vec::new();
    for text in texts {
        match Strategy::parse(text.get_ref()) {
            Ok(strategy) => {
                if strategies.contains(&strategy) {
                    top.source().problem(&text.span(), format!("{strategy} is listed twice"));
                }
                strategies.push(strategy);
            }
            Err(error) => top.source().problem(&text.span(), error.to_string()),
        }
    }
    strategies
}

/// The `[workload]` table.
struct Workload {
    load: Load,
    holders_as: HoldersAs,
    capacity: u32,
}

fn workload(
    top: &mut Reader<'_, '_>,
    strategies: &[Strategy],
    target: Option<&ServiceTarget>,
) -> Workload {
    let fallback = &lockproof_workload::ENTRIES[0];
    let missing = Load {
        flow: fallback,
        holders: 8,
        slots: 1,
        stop: Stop::After(1),
        pace: Pace::Closed,
        settings: FlowSettings::default(),
    };
    let Some(mut reader) = top.table("workload") else {
        top.problem("[workload] is missing: who books what?");
        return Workload { load: missing, holders_as: HoldersAs::default(), capacity: 1 };
    };
    let flow = match target {
        None => flow::read(&mut reader, strategies),
        Some(target) => flow::of_service(&mut reader, target),
    };
    let as_span = reader.key_span("holders-as");
    let (holders, holders_as) = holders::read(&mut reader);
    if target.is_some() && holders_as == HoldersAs::Processes {
        let what =
            "the customers of a service are tasks: what could be killed with them is the service's";
        reader.problem_at(as_span.as_ref(), what);
    }
    let slots_span = reader.value_span("slots");
    let slots = reader.number("slots", 1..=1_000_000).unwrap_or(1);
    let capacity = reader.number("capacity", 1..=1_000_000).unwrap_or(1);
    let ends = reader.has("bookings") || reader.has("for");
    let bookings = reader.number("bookings", 1..=10_000_000);
    let length = reader.duration("for");
    let pace = arrivals::read(&mut reader);
    let settings = flow::settings(&mut reader, flow, (slots, slots_span));
    let stop = match (bookings, length) {
        (Some(bookings), None) => Stop::After(bookings),
        (None, Some(length)) => Stop::AtTime(length),
        (Some(_), Some(_)) => {
            reader.problem("a load ends after so many `bookings` or after `for` a time, not both");
            Stop::After(1)
        }
        // What is there and cannot be read has been told.
        (None, None) if ends => Stop::After(1),
        (None, None) => {
            reader.problem("when does the load end? write bookings = 400 or for = \"10s\"");
            Stop::After(1)
        }
    };
    reader.finish();
    Workload { load: Load { flow, holders, slots, stop, pace, settings }, holders_as, capacity }
}

/// The `[lock]` table.
struct Lock {
    ttl: Duration,
    wait: Wait,
    servers: Option<u32>,
    renewals: Option<u32>,
    replication: Replication,
    time_limit: Duration,
    server_time_limit: Duration,
}

fn lock(top: &mut Reader<'_, '_>, strategies: &[Strategy], is_of_service: bool) -> Lock {
    let defaults = LockSettings::default();
    let mut lock = Lock {
        ttl: Duration::from_secs(10),
        wait: Wait::NEVER,
        servers: None,
        renewals: None,
        replication: defaults.replication,
        time_limit: defaults.time_limit,
        server_time_limit: defaults.server_time_limit,
    };
    let Some(mut reader) = top.table("lock") else { return lock };
    if is_of_service {
        for field in OF_OUR_LOCKS.iter().filter(|field| reader.has(field)) {
            let what = "the lock is the service's: of it only `ttl` and `wait` are said here";
            reader.problem_at(reader.key_span(field).as_ref(), what);
        }
    }
    if let Some(ttl) = reader.spanned_duration("ttl") {
        let whole = Duration::from_millis(u64::try_from(ttl.get_ref().as_millis()).unwrap_or(0));
        if ttl.get_ref().is_zero() || *ttl.get_ref() != whole {
            let what = "a TTL is a whole number of milliseconds, at least 1ms: a lock that ends at once protects nothing";
            reader.source().problem(&ttl.span(), what);
        } else {
            let unasked = strategies.iter().filter_map(|strategy| unasked_ttl(whole, strategy));
            // Said once of a lock, whatever guards go with it.
            for why in unasked.collect::<BTreeSet<_>>() {
                reader.source().problem(&ttl.span(), why);
            }
        }
        lock.ttl = ttl.into_inner();
    }
    if let Some(mut wait) = reader.table("wait") {
        lock.wait.tries = wait.number("tries", 1..=1_000_000).unwrap_or(1);
        lock.wait.delay = wait.duration("delay").unwrap_or_default();
        lock.wait.jitter = wait.duration("jitter").unwrap_or_default();
        wait.finish();
    }
    lock.servers = reader.number("servers", 1..=99);
    lock.time_limit = positive(&mut reader, "time-limit").unwrap_or(lock.time_limit);
    lock.server_time_limit =
        positive(&mut reader, "server-time-limit").unwrap_or(lock.server_time_limit);
    let renewals = reader.key_span("renewals");
    lock.renewals = reader.number("renewals", 0..=u32::MAX);
    if lock.renewals.is_some() && strategies.iter().all(|strategy| strategy.policy.keep.is_none()) {
        let what = "`renewals` bounds how often a lease is renewed, and no strategy renews any; spell one with a policy that does: redis-set-nx~keep-alive";
        reader.problem_at(renewals.as_ref(), what);
    }
    lock.replication = replication(&mut reader, &lock);
    reader.finish();
    lock
}

/// What a lock of the catalogs has, and one of a service's own is not told.
const OF_OUR_LOCKS: [&str; 6] = [
    "servers",
    "time-limit",
    "server-time-limit",
    "renewals",
    "acknowledgements",
    "acknowledged-within",
];

/// What is asked of replicas where the scenario does not say: an answer before the lock's own time limit.
pub(crate) fn usual_replication(time_limit: Duration) -> Replication {
    let usual = Replication::default();
    let half = u64::try_from((time_limit / 2).as_millis()).unwrap_or(u64::MAX).max(1);
    Replication { within: usual.within.min(Duration::from_millis(half)), ..usual }
}

fn replication(reader: &mut Reader<'_, '_>, lock: &Lock) -> Replication {
    let mut replication = usual_replication(lock.time_limit);
    if let Some(count) = reader.number("acknowledgements", 1..=99) {
        replication.acknowledgements = count;
    }
    if let Some(within) = reader.spanned_duration("acknowledged-within") {
        let millis = u64::try_from(within.get_ref().as_millis()).unwrap_or(0);
        if millis == 0 || *within.get_ref() != Duration::from_millis(millis) {
            let what = "WAIT takes whole milliseconds, at least 1ms; 0 would wait for ever";
            reader.source().problem(&within.span(), what);
        }
        if *within.get_ref() >= lock.time_limit {
            let what = format!(
                "WAIT has to answer before the lock's `time-limit` of {} is over, or nobody learns what it said",
                humantime::format_duration(lock.time_limit)
            );
            reader.source().problem(&within.span(), what);
        }
        replication.within = within.into_inner();
    }
    replication
}

pub(crate) fn positive(reader: &mut Reader<'_, '_>, field: &'static str) -> Option<Duration> {
    let duration = reader.spanned_duration(field)?;
    if duration.get_ref().is_zero() {
        reader.source().problem(&duration.span(), format!("`{field}` is longer than nothing"));
    }
    Some(duration.into_inner())
}

/// A strategy that `[expect]` does not name is expected to be safe.
fn expectations(top: &mut Reader<'_, '_>, strategies: &[Strategy]) -> Vec<Cell> {
    let mut cells: Vec<_> = strategies.iter().copied().map(Cell::expected_safe).collect();
    let Some(mut reader) = top.table("expect") else { return cells };
    for (name, key, value) in reader.rest() {
        // By its spelling first: a service's variants are spelled in no catalog.
        let spelled = strategies.iter().copied().find(|strategy| strategy.to_string() == name);
        let Some(strategy) = spelled.or_else(|| Strategy::parse(&name).ok()) else {
            let names: Vec<_> = strategies.iter().map(ToString::to_string).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let what = format!(
                "[expect] names `{name}`, which `strategies` does not{}",
                hint(&name, &names)
            );
            reader.source().problem(&key, what);
            continue;
        };
        match cells.iter_mut().find(|cell| cell.strategy == strategy) {
            Some(cell) => cell.expect = expectation(&value, &reader).unwrap_or(cell.expect),
            None => {
                let what =
                    format!("[expect] names {strategy}, which `strategies` does not; add it there");
                reader.source().problem(&key, what);
            }
        }
    }
    cells
}

fn expectation(value: &Spanned<DeValue<'_>>, reader: &Reader<'_, '_>) -> Option<Expectation> {
    if let Some(text) = value.get_ref().as_str() {
        return match text.parse() {
            Ok(expectation) => Some(expectation),
            Err(error) => {
                let known = ["duplicates", "no-duplicates", "no-bookings"];
                let meant = crate::nearest(text, known);
                let meant =
                    meant.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
                reader.source().problem(&value.span(), format!("{error}{meant}"));
                None
            }
        };
    }
    if let DeValue::Table(table) = value.get_ref() {
        let mut inner = Reader::new(reader.source(), "an expectation", value.span(), table.clone());
        let expectation = detailed(&mut inner);
        inner.finish();
        return expectation;
    }
    let what = "an expectation is duplicates, no-duplicates, no-bookings, { bookings = N }, { shows = \"…\" } or { blocked = \"…\" }";
    reader.source().problem(&value.span(), what);
    None
}

/// An expectation of more than a word; the first of its fields counts, and another one is told of as unknown.
fn detailed(inner: &mut Reader<'_, '_>) -> Option<Expectation> {
    if inner.has("shows") {
        let kind = inner.text("shows")?;
        let found = kinds::find(kind.get_ref());
        if found.is_none() {
            let what = format!(
                "`{}` is no kind of anomaly{}",
                kind.get_ref(),
                hint(kind.get_ref(), kinds::ALL)
            );
            inner.source().problem(&kind.span(), what);
        }
        return found.map(Expectation::Shows);
    }
    if inner.has("blocked") {
        return positive(inner, "blocked").map(Expectation::Blocked);
    }
    inner.number("bookings", 0..=u32::MAX).map(Expectation::Bookings)
}

fn require(top: &mut Reader<'_, '_>) -> Require {
    let mut require = Require { bookings: 0, faults_bitten: 1, contended: 1 };
    let Some(mut reader) = top.table("require") else { return require };
    require.bookings = reader.number("bookings", 0..=u32::MAX).unwrap_or(require.bookings);
    require.faults_bitten =
        reader.number("faults-bitten", 0..=u32::MAX).unwrap_or(require.faults_bitten);
    require.contended = reader.number("contended", 0..=u32::MAX).unwrap_or(require.contended);
    reader.finish();
    require
}

fn replay(top: &mut Reader<'_, '_>) -> Option<Replay> {
    let mut reader = top.table("replay")?;
    if !reader.has("seed") {
        reader.problem("`seed` is missing; a replay is a seed and a schedule");
    }
    let seed = reader.text("seed").and_then(|text| {
        let parsed = text.get_ref().strip_prefix("0x").map(|hex| u64::from_str_radix(hex, 16));
        let seed = parsed.and_then(Result::ok);
        if seed.is_none() {
            reader.source().problem(&text.span(), "a replay's seed is written \"0x5eed\"");
        }
        seed
    });
    let driver = match reader.truth("wire") {
        Some(true) => RedisDriver::Library,
        Some(false) | None => RedisDriver::StandIn,
    };
    let digest = reader.text("digest").map(Spanned::into_inner).unwrap_or_default();
    let mut order = Vec::new();
    for line in reader.texts("order") {
        match line.get_ref().parse() {
            Ok(turn) => order.push(turn),
            Err(error) => reader.source().problem(&line.span(), format!("{error}")),
        }
    }
    reader.finish();
    Some(Replay { seed: seed?, driver, digest, order })
}
