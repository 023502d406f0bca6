//! `lockproof list`: the catalogs.

use comfy_table::{ContentArrangement, Table, presets};
use lockproof_bookings::catalog as guards;
use lockproof_locks::Tokens;
use lockproof_scenario::Strategy;

use crate::arguments::{Catalog, ListArguments};
use crate::exit::{Exit, Failure};
use crate::files::scenario_files;
use crate::terminal;

pub(crate) fn run(arguments: &ListArguments) -> Result<Exit, Failure> {
    let (header, rows) = match arguments.catalog {
        Catalog::Locks => locks(),
        Catalog::Drivers => drivers(),
        Catalog::Policies => policies(),
        Catalog::Guards => guards(),
        Catalog::Strategies => strategies(),
        Catalog::Faults => faults(),
        Catalog::Toxics => toxics(),
        Catalog::Checkers => checkers(),
        Catalog::Flows => flows(),
        Catalog::Providers => providers(),
        Catalog::Scenarios => scenarios(arguments)?,
    };
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(100).set_header(header).add_rows(rows);
    terminal::answer(&table.trim_fmt())
}

type Rows = (Vec<&'static str>, Vec<Vec<String>>);

fn locks() -> Rows {
    let row = |lock: &lockproof_locks::LockEntry| {
        let tokens = match lock.tokens {
            Tokens::Drawn => "yes".to_owned(),
            Tokens::None(why) => format!("no: {why}"),
        };
        let control = lock.control.map(|why| format!("control: {why}")).unwrap_or_default();
        let summary = lock.summary.to_owned();
        vec![lock.name.to_owned(), lock.needs.to_string(), tokens, summary, control]
    };
    let header = vec!["lock", "needs", "fencing tokens", "what it is", ""];
    let external = std::iter::once(&lockproof_locks::EXTERNAL);
    (header, lockproof_locks::ENTRIES.iter().chain(external).map(row).collect())
}

fn drivers() -> Rows {
    let row = |driver: &lockproof_rig::live::DriverEntry| {
        let live_only = driver.live_only.map(|why| format!("live only: {why}"));
        vec![driver.name.to_owned(), driver.summary.to_owned(), live_only.unwrap_or_default()]
    };
    let rows = lockproof_rig::live::DRIVERS.iter().map(row).collect();
    (vec!["driver", "what it does", ""], rows)
}

fn policies() -> Rows {
    let row = |policy: &lockproof_locks::policies::PolicyEntry| {
        vec![policy.name.to_owned(), policy.summary.to_owned()]
    };
    (
        vec!["policy", "what a holder does about its lease"],
        lockproof_locks::policies::ENTRIES.iter().map(row).collect(),
    )
}

fn guards() -> Rows {
    let row = |guard: &guards::Entry| {
        let control = guard.control.map(|why| format!("control: {why}"));
        vec![guard.name.to_owned(), guard.summary.to_owned(), control.unwrap_or_default()]
    };
    (vec!["guard", "what it does", ""], guards::ENTRIES.iter().map(row).collect())
}

fn strategies() -> Rows {
    let row = |strategy: Strategy| {
        let summary = format!("{}; {}", strategy.lock.summary, strategy.guard.summary);
        vec![strategy.to_string(), summary]
    };
    // Each by every driver and policy that fits would be hundreds.
    let mut rows: Vec<_> = Strategy::all().filter(Strategy::is_usual).map(row).collect();
    let ways =
        "and each over every driver and under every policy that fits: list drivers, list policies";
    rows.push(vec!["LOCK@DRIVER~POLICY+GUARD".to_owned(), ways.to_owned()]);
    (vec!["strategy", "lock; guard"], rows)
}

fn faults() -> Rows {
    let row = |fault: &lockproof_faults::FaultEntry| {
        let fields: Vec<_> =
            fault.fields.iter().map(|field| format!("{}: {}", field.name, field.summary)).collect();
        vec![fault.name.to_owned(), fault.summary.to_owned(), fields.join("; ")]
    };
    let rows = lockproof_faults::ENTRIES.iter().map(row).collect();
    (vec!["fault", "what goes wrong", "own fields"], rows)
}

fn toxics() -> Rows {
    let row = |toxic: &lockproof_proxy::Entry| {
        let attributes: Vec<_> = toxic.attributes.iter().map(|attribute| attribute.name).collect();
        vec![toxic.name.to_owned(), toxic.summary.to_owned(), attributes.join(", ")]
    };
    (
        vec!["toxic", "what it does", "attributes"],
        lockproof_proxy::CATALOG.iter().map(row).collect(),
    )
}

fn checkers() -> Rows {
    let row = |checker: &lockproof_checkers::CheckerEntry| {
        let layer = format!("{:?}", checker.layer).to_lowercase();
        vec![checker.name.to_owned(), layer, checker.summary.to_owned()]
    };
    (
        vec!["checker", "layer", "what it finds"],
        lockproof_checkers::ENTRIES.iter().map(row).collect(),
    )
}

fn flows() -> Rows {
    let row = |flow: &lockproof_workload::FlowEntry| {
        let steps: Vec<_> = flow.steps.iter().map(|step| step.word()).collect();
        let fields: Vec<_> = flow.fields.iter().map(|field| field.name()).collect();
        let control = flow.control.map(|why| format!("control: {why}")).unwrap_or_default();
        let summary = flow.summary.to_owned();
        vec![flow.name.to_owned(), summary, steps.join(" → "), fields.join(", "), control]
    };
    let header = vec!["flow", "what it does", "steps", "own fields", ""];
    (header, lockproof_workload::ENTRIES.iter().map(row).collect())
}

fn providers() -> Rows {
    let row = |provider: &lockproof_rig::live::ProviderEntry| {
        vec![provider.name.to_owned(), provider.summary.to_owned()]
    };
    (
        vec!["provider", "where servers come from"],
        lockproof_rig::live::PROVIDERS.iter().map(row).collect(),
    )
}

/// A scenario that does not parse is listed with its first problem, since hiding it would hide the problem.
fn scenarios(arguments: &ListArguments) -> Result<Rows, Failure> {
    let mut rows = Vec::new();
    for path in scenario_files(std::slice::from_ref(&arguments.dir))? {
        rows.push(match lockproof_scenario::load(&path) {
            Ok(scenario) => {
                vec![scenario.name, scenario.catalog.join(" "), scenario.title]
            }
            Err(problems) => {
                let first = problems.0.first().map(ToString::to_string).unwrap_or_default();
                vec![path.display().to_string(), String::new(), format!("invalid: {first}")]
            }
        });
    }
    Ok((vec!["scenario", "shows", "title"], rows))
}
