//! `[target]`: a booking service that is put to the test, in place of strategies of the catalogs.
//!
//! ```toml
//! [target]
//! kind = "http"
//! base-url = "http://127.0.0.1:8080"      # of one that runs, or a command that starts one
//! [target.book]
//! request = "POST /bookings"
//! body = '{"slot":{slot},"customer":"{reference}"}'
//! [target.bookings]
//! request = "GET /bookings?slot={slot}"
//! rows = "/bookings"
//! ```
//!
//! What takes the place of strategies are variants: the same service, started or reached in another way. Every template is
//! held against the names that it can have before anything is started.

mod answers;
mod bookings;
mod places;
mod request;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lockproof_faults::{FaultPlan, Reach};
use lockproof_http_target::{BaseUrl, Call, Requests, Target, Template};
use lockproof_locks::{EXTERNAL, LockEntry, Needs, Tokens};
use lockproof_model::Step;
use lockproof_rig::LinkSelector;
use lockproof_workload::{ENTRIES, FlowEntry};
use toml::Spanned;

use self::places::{OF_SERVERS, Places};
use crate::parse::positive;
use crate::reader::Reader;
use crate::strategy::Strategy;
use crate::suggest::hint;

pub use self::answers::{AnswersExpected, Bounds};
pub(crate) use self::answers::{read as read_answers, rendered as rendered_answers};

/// How long a service may take for one answer, unless the scenario says it.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// What the one variant is called where none is named.
const ONLY_VARIANT: &str = "service";

/// A service as a scenario describes it.
#[derive(Clone, Debug)]
pub struct ServiceTarget {
    /// What it is asked.
    pub asked: Arc<Target>,
    /// The ways in which it is put to the test, a cell each.
    pub variants: Vec<Variant>,
    /// How many Redis servers of the run's own it uses.
    pub redis_servers: usize,
    /// Whether it uses a database of the run's own.
    pub database: bool,
    /// The table as the scenario writes it, without its variants.
    pub written: String,
}

/// A service, reached or started in one way.
#[derive(Clone, Debug)]
pub struct Variant {
    /// As the report calls it.
    pub name: String,
    /// Where it is.
    pub place: ServicePlace,
    /// The table as the scenario writes it, where there is one.
    written: String,
}

/// Where a service is.
#[derive(Clone, Debug)]
pub enum ServicePlace {
    /// It runs.
    Running(BaseUrl),
    /// The run starts it.
    Started(ServiceCommand),
}

/// How a service is started.
#[derive(Clone, Debug)]
pub struct ServiceCommand {
    /// A program on PATH, or a path; `lockproof` is this program.
    pub program: String,
    /// What it is told.
    pub arguments: Vec<Template>,
    /// What its environment has beside this program's.
    pub environment: Vec<(String, Template)>,
    /// What a service that is ready answers with a status below 500; without it, one that listens is ready.
    pub ready: Option<String>,
}

impl ServiceTarget {
    /// The variant that `strategy` stands for.
    #[must_use]
    pub fn variant(&self, strategy: &Strategy) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.name == strategy.lock.name)
    }

    /// The table as TOML that reads the same, with the variants that `is_kept`.
    pub(crate) fn rendered(&self, is_kept: impl Fn(&str) -> bool) -> String {
        let named = self.variants.iter().filter(|variant| !variant.written.is_empty());
        let kept = named.filter(|variant| is_kept(&variant.name));
        let variants = kept.map(|variant| format!("\n\n[[target.variant]]\n{}", variant.written));
        std::iter::once(format!("[target]\n{}", self.written)).chain(variants).collect()
    }

    /// Its variants as strategies, which is what a cell has.
    pub(crate) fn strategies(&self) -> Vec<Strategy> {
        let strategy =
            |variant: &Variant| Strategy::of_service(entry(&variant.name, self.redis_servers));
        self.variants.iter().map(strategy).collect()
    }

    /// The steps of its bookings as a flow, which is what a load has.
    pub(crate) fn flow(&self) -> &'static FlowEntry {
        flow_of(self.asked.requests.steps())
    }
}

/// The `[target]` table, where there is one.
pub(crate) fn read(top: &mut Reader<'_, '_>) -> Option<ServiceTarget> {
    let mut reader = top.table("target")?;
    // Before anything is read of the rest, and after the variants: of those a report keeps the ones that ran.
    let tables = reader.tables("variant");
    let written = reader.written();
    kind(&mut reader);
    let mut places = Places::of_bookings();
    let headers = request::headers(&mut reader, &mut places);
    let time_limit = positive(&mut reader, "time-limit").unwrap_or(TIME_LIMIT);
    let requests = requests(&mut reader, &mut places);
    let bookings = bookings::read(&mut reader, &mut places);
    let redis = reader.number("redis", 1..=31);
    let mut of_servers = Places::new(OF_SERVERS);
    let variants = variants(&mut reader, tables, &mut of_servers);
    reader.finish();
    let names = |prefix: &str| of_servers.used.iter().any(|name| name.starts_with(prefix));
    let redis_servers = match redis {
        Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
        None => usize::from(names("redis")),
    };
    let database = names("database");
    let mut secrets = places.secrets;
    secrets = secrets.and(&of_servers.secrets);
    let asked = Target { headers, time_limit, requests: requests?, bookings: bookings?, secrets };
    Some(ServiceTarget { asked: Arc::new(asked), variants, redis_servers, database, written })
}

fn kind(reader: &mut Reader<'_, '_>) {
    match reader.text("kind") {
        None if reader.span().is_empty() => {}
        None => reader.problem("`kind` is missing; write kind = \"http\""),
        Some(kind) if kind.get_ref() == "http" => {}
        Some(kind) => {
            let what = format!(
                "unknown kind of target `{}`{}",
                kind.get_ref(),
                hint(kind.get_ref(), &["http"])
            );
            reader.source().problem(&kind.span(), what);
        }
    }
}

fn requests(reader: &mut Reader<'_, '_>, places: &mut Places) -> Option<Requests> {
    // In the order of a booking, since each may use what an earlier answer told.
    let acquire = request::read(reader, Call::Acquire, places);
    let check = request::read(reader, Call::Check, places);
    let verify = request::read(reader, Call::Verify, places);
    if !reader.has(Call::Book.word()) {
        reader.problem(
            "what books? write [target.book] with request = \"POST /bookings\" and a body",
        );
    }
    let book = request::read(reader, Call::Book, places);
    let release = request::release(reader, places);
    Some(Requests { acquire, check, verify, book: book?, release })
}

fn variants<'s, 'a>(
    reader: &mut Reader<'s, 'a>,
    tables: Vec<Reader<'s, 'a>>,
    places: &mut Places,
) -> Vec<Variant> {
    let is_told = reader.has("base-url") || reader.has("command");
    let base = base_url(reader);
    let command = command(reader, places);
    if let (Some(base), Some(_)) = (&base, &command) {
        let what = "a service runs at `base-url` or is started by `command`, not both";
        reader.source().problem(&base.span(), what);
    }
    let place = match (base, command) {
        (_, Some(command)) => Some(ServicePlace::Started(command)),
        (Some(base), None) => Some(ServicePlace::Running(base.into_inner())),
        (None, None) => None,
    };
    if tables.is_empty() {
        if !is_told {
            reader.problem("where is the service? write base-url = \"http://127.0.0.1:8080\", or command = [\"…\"] to start it");
        }
        let name = ONLY_VARIANT.to_owned();
        let written = String::new();
        return place.map(|place| Variant { name, place, written }).into_iter().collect();
    }
    let mut variants: Vec<Variant> = Vec::new();
    for mut table in tables {
        let Some(variant) = variant(&mut table, place.as_ref(), &variants, places) else {
            continue;
        };
        table.finish();
        variants.push(variant);
    }
    variants
}

fn variant(
    table: &mut Reader<'_, '_>,
    common: Option<&ServicePlace>,
    known: &[Variant],
    places: &mut Places,
) -> Option<Variant> {
    let written = table.written();
    let name = variant_name(table, known)?;
    let base = base_url(table);
    let words = table.key_span("arguments").or_else(|| table.key_span("environment"));
    let arguments = templates(table, "arguments", places);
    let environment = environment(table, places);
    let place = match (base, common) {
        (Some(base), _) => {
            if words.is_some() {
                let what = "a service that runs at a `base-url` is told nothing: leave `arguments` and `environment` out";
                table.problem_at(words.as_ref(), what);
            }
            ServicePlace::Running(base.into_inner())
        }
        (None, Some(ServicePlace::Started(command))) => {
            let mut command = command.clone();
            command.arguments.extend(arguments);
            command.environment.extend(environment);
            ServicePlace::Started(command)
        }
        (None, Some(running)) => running.clone(),
        (None, None) => {
            table.problem("where is it? write base-url = \"http://127.0.0.1:8080\" here, or `command` in [target]");
            return None;
        }
    };
    Some(Variant { name, place, written })
}

fn variant_name(table: &mut Reader<'_, '_>, known: &[Variant]) -> Option<String> {
    if !table.has("name") {
        table.problem("`name` is missing; it is what [expect] and reports call the variant");
    }
    let name = table.text("name")?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let text = name.get_ref().as_str();
    let problem = if text.is_empty() || !text.chars().all(fits) {
        Some("a variant's name has lower-case letters, digits and dashes".to_owned())
    } else if known.iter().any(|variant| variant.name == text) {
        Some(format!("the name {text} is taken by another variant"))
    } else if Strategy::parse(text).is_ok() || Call::ALL.iter().any(|call| call.word() == text) {
        Some(format!("`{text}` means something else already; call it service-{text}, say"))
    } else {
        None
    };
    if let Some(what) = problem {
        table.source().problem(&name.span(), what);
        return None;
    }
    Some(name.into_inner())
}

fn base_url(reader: &mut Reader<'_, '_>) -> Option<Spanned<BaseUrl>> {
    let text = reader.text("base-url")?;
    match text.get_ref().parse() {
        Ok(base) => Some(Spanned::new(text.span(), base)),
        Err(error) => {
            reader.source().problem(&text.span(), format!("{error}"));
            None
        }
    }
}

fn command(reader: &mut Reader<'_, '_>, places: &mut Places) -> Option<ServiceCommand> {
    let at = reader.key_span("command");
    let mut words = reader.texts("command").into_iter();
    let ready = reader.text("ready");
    let has_environment = reader.key_span("environment");
    let environment = environment(reader, places);
    let Some(program) = words.next() else {
        if at.is_some() {
            reader.problem_at(
                at.as_ref(),
                "`command` says what is started: [\"./service\", \"--port\", \"{port}\"]",
            );
        } else if let Some(span) = has_environment.or(ready.as_ref().map(Spanned::span)) {
            reader.problem_at(Some(&span), "this goes with `command`, which starts the service");
        }
        return None;
    };
    let arguments: Vec<_> = words.map(|word| places.template(reader, word)).collect();
    let told = arguments.iter().chain(environment.iter().map(|(_, value)| value));
    if !told.flat_map(Template::names).any(|name| name == "port") {
        let what =
            "nothing tells the service where to listen: have {port} in `command` or `environment`";
        reader.problem_at(at.as_ref(), what);
    }
    if let Some(ready) = ready.as_ref().filter(|ready| !ready.get_ref().starts_with('/')) {
        reader.source().problem(&ready.span(), "`ready` is a path, such as \"/health\"");
    }
    let ready = ready.map(Spanned::into_inner);
    Some(ServiceCommand { program: program.into_inner(), arguments, environment, ready })
}

fn templates(
    reader: &mut Reader<'_, '_>,
    field: &'static str,
    places: &mut Places,
) -> Vec<Template> {
    let texts = reader.texts(field);
    texts.into_iter().map(|text| places.template(reader, text)).collect()
}

fn environment(reader: &mut Reader<'_, '_>, places: &mut Places) -> Vec<(String, Template)> {
    request::named_templates(reader, "environment", places)
}

/// What a cell of a variant called `name` has for a lock: nothing of ours, on so many Redis servers, which faults may
/// reach. Kept for the life of the program, as those of external locks are, so that a strategy stays as small.
fn entry(name: &str, redis_servers: usize) -> &'static LockEntry {
    static KNOWN: Mutex<BTreeMap<(String, usize), &LockEntry>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (name.to_owned(), redis_servers);
    known.entry(key).or_insert_with(|| {
        Box::leak(Box::new(LockEntry {
            name: Box::leak(name.to_owned().into_boxed_str()),
            summary: "a booking service, with a lock of its own",
            needs: match redis_servers {
                0 => Needs::Nothing,
                1 => Needs::OneRedis,
                several => Needs::IndependentRedis(several),
            },
            tokens: Tokens::None("the lock is the service's own"),
            renews: false,
            ..EXTERNAL
        }))
    })
}

/// A flow of these steps. What its customers do is no flow of the catalog's, which they have in name alone.
fn flow_of(steps: Vec<Step>) -> &'static FlowEntry {
    static KNOWN: Mutex<BTreeMap<Vec<Step>, &FlowEntry>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(flow) = known.get(&steps) {
        return flow;
    }
    let flow: &'static FlowEntry = Box::leak(Box::new(FlowEntry {
        name: "http",
        summary: "the requests of a target",
        steps: Box::leak(steps.clone().into_boxed_slice()),
        fields: &[],
        ..ENTRIES[0]
    }));
    known.insert(steps, flow);
    flow
}

/// Why a fault cannot be done where the holders are customers of a service, where it cannot.
pub(crate) fn refuses(target: &ServiceTarget, plan: &FaultPlan) -> Option<&'static str> {
    let reach = plan.fault.reach();
    let on_database = match &reach {
        Reach::Links(links) | Reach::Servers(links) => links.contains(&LinkSelector::Database),
        _ => false,
    };
    match reach {
        Reach::Links(_) if !plan.holders.is_empty() || plan.fault.tells_holders_apart() => {
            Some("the links are the service's, which tells nobody for whom it asks")
        }
        Reach::LockOfHolder => Some("which key its lock has only the service knows"),
        Reach::DatabaseSession => Some("the sessions at the database are the service's"),
        _ if on_database && !target.database => Some(
            "the service is given no database of the run's: have {database_url} in `command` or `environment`",
        ),
        _ => None,
    }
}
