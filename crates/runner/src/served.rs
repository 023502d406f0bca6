//! A cell whose holders are customers of a service: the service stands on the cell's servers, and its own table is the
//! judge.
//!
//! ```text
//!   LiveRig: servers, links ── places ──▶ command, environment ──▶ ServiceProcess      or a base URL of one that runs
//!                                                                       ▲
//!   conduct ── Customers ── Courier ────────────────────────────────────┤
//!           └─ table: the bookings of each slot, read back ─────────────┘ or straight from its database
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lockproof_bookings::ForeignDatabase;
use lockproof_env::Env;
use lockproof_http_target::{
    BaseUrl, Courier, Filling, Found, HttpRequest, NoAnswer, ReadBack, Target, TcpCourier,
    TemplateError, Values, values_of_slot,
};
use lockproof_model::{
    AnswerCount, BookingTable, FencingToken, HolderId, ServerInfo, SlotId, SlotRow, in_full,
};
use lockproof_rig::System;
use lockproof_rig::live::{LiveRig, ServicePlaces, ServiceProcess, ServiceProgram};
use lockproof_scenario::{Scenario, ServiceCommand, ServicePlace, ServiceTarget};
use lockproof_workload::{Couriers, Customers, Ledger, StepGate};

use crate::cell::CellPlan;
use crate::conduct::Terms;

/// How `command` calls this very program.
const THIS_PROGRAM: &str = "lockproof";
/// A service that has just been let go of by a fault needs a moment before it tells of its bookings.
const READ_TRIES: u32 = 50;
const BETWEEN_READS: Duration = Duration::from_millis(200);

/// A service that stands, and what is noted of it.
#[derive(Debug)]
pub(crate) struct Service {
    asked: Arc<Target>,
    base: BaseUrl,
    /// Of the whole run.
    values: Values,
    /// Tells this run's bookings from those of others.
    run: String,
    /// The database of the run's own, where the service has been given that.
    judge_url: Option<String>,
    ledger: Ledger,
    info: ServerInfo,
}

/// What a service's own tables hold in the end.
pub(crate) struct Judged {
    pub(crate) table: BookingTable,
    /// What contradicts itself in them, a sentence each.
    pub(crate) contradictions: Vec<String>,
}

impl Service {
    /// Starts the service of `plan` on the servers of `rig`, or finds it where it runs. The process is none where it runs.
    ///
    /// The error is a sentence.
    pub(crate) async fn stand(
        plan: &CellPlan,
        target: &ServiceTarget,
        rig: &LiveRig,
        salt: u64,
    ) -> Result<(Self, Option<ServiceProcess>), String> {
        let nowhere = || format!("nothing is known of {}", plan.cell.strategy);
        let variant = target.variant(&plan.cell.strategy).ok_or_else(nowhere)?;
        let run = format!("{:08x}", salt & 0xffff_ffff);
        let mut values = target.asked.secrets.clone();
        values.set("run", run.as_str());
        values.set("ttl_ms", plan.scenario.ttl.as_millis().to_string());
        let uses_servers = target.database || target.redis_servers > 0;
        let places = uses_servers.then(|| rig.service_places()).transpose();
        let places = places.map_err(|error| in_full(&error))?;
        let (base, process, version) = match &variant.place {
            ServicePlace::Running(base) => {
                reach(base).await?;
                (base.clone(), None, format!("at {base}"))
            }
            ServicePlace::Started(command) => {
                let port = ServiceProcess::free_port().map_err(|error| in_full(&error))?;
                let base = BaseUrl::local(port);
                let values = told(values.clone(), port, places.as_ref());
                let program = program(command, &values).map_err(|error| error.to_string())?;
                let process = ServiceProcess::start(&program, || is_ready(&base, command)).await;
                let process = process.map_err(|error| in_full(&error))?;
                (base, Some(process), shown(command))
            }
        };
        let service = Self {
            asked: Arc::clone(&target.asked),
            base,
            values,
            run,
            judge_url: places.filter(|_| target.database).map(|places| places.judge_url),
            ledger: Ledger::default(),
            info: ServerInfo::new("booking service", version),
        };
        Ok((service, process))
    }

    /// Who takes part in a load on it.
    pub(crate) fn customers(
        &self,
        env: &Env,
        scenario: &Scenario,
        terms: &Terms,
        system: &dyn System,
        gate: Arc<dyn StepGate>,
    ) -> Customers {
        Customers {
            env: env.clone(),
            target: Arc::clone(&self.asked),
            couriers: Arc::new(To(self.base.clone())),
            values: self.values.clone(),
            ttl: scenario.ttl,
            wait: scenario.wait,
            ledger: self.ledger.clone(),
            gate,
            groups: system.groups(),
            halt: terms.halt.clone().unwrap_or_default(),
        }
    }

    /// How it answered.
    pub(crate) fn answers(&self) -> Vec<AnswerCount> {
        self.ledger.answers()
    }

    /// Itself, as a report names it, before the servers of the run's own that it uses.
    pub(crate) fn servers(&self, of_run: Vec<ServerInfo>) -> Vec<ServerInfo> {
        // The last is the database, which every rig has.
        let given = of_run.len() - usize::from(self.judge_url.is_none() && !of_run.is_empty());
        std::iter::once(self.info.clone()).chain(of_run.into_iter().take(given)).collect()
    }

    /// The bookings of each slot, read back.
    ///
    /// The error is a sentence: they could not be read, which is no empty table.
    pub(crate) async fn table(&self, env: &Env, scenario: &Scenario) -> Result<Judged, String> {
        let mut judged = Judged { table: BookingTable::default(), contradictions: Vec::new() };
        let mut courier = TcpCourier::new(self.base.clone());
        for slot in (1..=scenario.load.slots).map(SlotId) {
            let values = self.values.clone().and(&values_of_slot(slot.0));
            let mut tried = 1;
            let (found, counter) = loop {
                match self.bookings_of(&mut courier, &values).await {
                    Ok(read) => break read,
                    Err(error) if tried >= READ_TRIES => {
                        return Err(format!("the bookings of {slot} cannot be read back: {error}"));
                    }
                    Err(_) => env.sleep(BETWEEN_READS).await,
                }
                tried += 1;
            };
            let capacity = scenario.capacity;
            judged.table.slots.push(SlotRow { slot, capacity, version: 0, fence: FencingToken(0) });
            if let Some(counter) = counter.filter(|&counter| counter != as_count(found.len())) {
                let rows = found.len();
                judged.contradictions.push(format!(
                    "the service counts {counter} bookings of {slot}, and has {rows}"
                ));
            }
            let rows = (1..).zip(&found);
            let row = |(unit, found)| self.ledger.row(found, slot, unit, &self.run);
            judged.table.bookings.extend(rows.map(row));
        }
        judged.table.bookings.sort_by_key(|row| row.id);
        Ok(judged)
    }

    async fn bookings_of(
        &self,
        courier: &mut TcpCourier,
        values: &Values,
    ) -> Result<(Vec<Found>, Option<i64>), String> {
        let unfilled = |error: TemplateError| error.to_string();
        match &self.asked.bookings {
            ReadBack::Endpoint { request, rows } => {
                let made = request.make(&self.asked.headers, values).map_err(unfilled)?;
                let answer = answer(courier, &made, self.asked.time_limit).await;
                let answer = answer.map_err(|error| in_full(&error))?;
                rows.read(request, &answer).map_err(|error| error.to_string())
            }
            ReadBack::Sql { url, query, counter } => {
                let mut of_database = values.clone();
                if let Some(judge) = &self.judge_url {
                    of_database.set("database_url", judge.as_str());
                }
                let url = url.fill(&of_database, Filling::Plain).map_err(unfilled)?;
                let database: ForeignDatabase =
                    url.parse().map_err(|error| format!("the database's URL: {error}"))?;
                let query = query.fill(values, Filling::Sql).map_err(unfilled)?;
                let rows = database.rows(&query).await.map_err(|error| in_full(&error))?;
                let column = |row: &[Option<String>], at: usize| row.get(at).cloned().flatten();
                let found =
                    rows.iter().map(|row| Found { id: column(row, 0), reference: column(row, 1) });
                let counter = match counter {
                    None => None,
                    Some(counter) => {
                        let counter = counter.fill(values, Filling::Sql).map_err(unfilled)?;
                        let rows = database.rows(&counter).await;
                        let rows = rows.map_err(|error| in_full(&error))?;
                        // A counter that nobody has begun has no row.
                        let number = rows.first().and_then(|row| column(row, 0));
                        Some(number.and_then(|text| text.parse().ok()).unwrap_or(0))
                    }
                };
                Ok((found.collect(), counter))
            }
        }
    }
}

fn as_count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// The ways to one service.
#[derive(Debug)]
struct To(BaseUrl);

impl Couriers for To {
    fn courier(&self, _holder: HolderId) -> Box<dyn Courier> {
        Box::new(TcpCourier::new(self.0.clone()))
    }
}

/// What the places of a command and an environment are filled with.
fn told(mut values: Values, port: u16, places: Option<&ServicePlaces>) -> Values {
    values.set("port", port.to_string());
    let Some(places) = places else { return values };
    values.set("database_url", places.database_url.as_str());
    if let Some((host, port, url)) = places.redis.first() {
        values.set("redis_host", host.as_str());
        values.set("redis_port", port.to_string());
        values.set("redis_url", url.as_str());
        let urls: Vec<_> = places.redis.iter().map(|(.., url)| url.as_str()).collect();
        values.set("redis_urls", urls.join(","));
    }
    values
}

fn program(command: &ServiceCommand, values: &Values) -> Result<ServiceProgram, String> {
    let fill = |template: &lockproof_http_target::Template| {
        template.fill(values, Filling::Plain).map_err(|error| error.to_string())
    };
    let program = match command.program.as_str() {
        THIS_PROGRAM => std::env::current_exe()
            .map_err(|error| format!("the system does not say where this program is: {error}"))?,
        other => PathBuf::from(other),
    };
    let arguments = command.arguments.iter().map(fill).collect::<Result<_, _>>()?;
    let environment = command.environment.iter();
    let environment = environment
        .map(|(name, value)| Ok((name.clone(), fill(value)?)))
        .collect::<Result<_, String>>()?;
    Ok(ServiceProgram { program, arguments, environment })
}

/// As the scenario writes it: what is filled in may be secret.
fn shown(command: &ServiceCommand) -> String {
    let words = command.arguments.iter().map(lockproof_http_target::Template::text);
    std::iter::once(command.program.as_str()).chain(words).collect::<Vec<_>>().join(" ")
}

/// Whether a service that was started takes requests.
async fn is_ready(base: &BaseUrl, command: &ServiceCommand) -> bool {
    let Some(path) = &command.ready else {
        return tokio::net::TcpStream::connect(base.place()).await.is_ok();
    };
    let request =
        HttpRequest { method: "GET", path: path.clone(), headers: Vec::new(), body: None };
    let asked = answer(&mut TcpCourier::new(base.clone()), &request, Duration::from_secs(1)).await;
    asked.is_ok_and(|answer| answer.status < 500)
}

async fn reach(base: &BaseUrl) -> Result<(), String> {
    let connected = tokio::net::TcpStream::connect(base.place()).await;
    connected.map(drop).map_err(|error| {
        format!(
            "the service at {base} cannot be reached: {error}; start it, or let `command` do so"
        )
    })
}

/// By the clock of the machine: this is before the run's time, or after it.
async fn answer(
    courier: &mut TcpCourier,
    request: &HttpRequest,
    limit: Duration,
) -> Result<lockproof_http_target::HttpAnswer, NoAnswer> {
    let asked = tokio::time::timeout(limit, courier.send(request)).await;
    asked.unwrap_or_else(|_| Err(NoAnswer::indefinite(format!("no answer within {limit:?}"))))
}
