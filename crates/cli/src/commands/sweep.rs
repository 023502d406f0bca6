//! `lockproof sweep`: how far a field of a scenario can go before each strategy breaks.

use std::sync::Arc;
use std::time::Duration;

use lockproof_env::live::{entropy, stopwatch};
use lockproof_model::{Amount, Dial, Envelope, LiveTry, SWEEP_SCHEMA_VERSION, Shape, Sweep, World};
use lockproof_report::{Latest, SweepFormat};
use lockproof_rig::live::{PROVIDERS, ProviderEntry};
use lockproof_runner::{CellPlan, Matrix, Survey, Varied, beside, contestants, live_outcome};
use lockproof_scenario::{Scenario, Strategy, amount_like, dial};

use crate::arguments::{Color, SweepArguments, SweepFormatName, Vary};
use crate::commands::explore::search_of_tables;
use crate::commands::run::{
    end, fit_for_engine, fit_for_provider, jobs, provider, settings, started_by,
};
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::keeper::Keeper;
use crate::progress::Display;
use crate::{machine, results, selection, servers, terminal};

mod confirm;

use confirm::Watcher;

/// A point is as small as its scenario; one that takes longer live hangs.
const LIMIT: Duration = Duration::from_secs(60);
const MILLISECOND: u64 = 1_000_000;
const MICROSECOND: u64 = 1000;

pub(crate) fn run(arguments: &SweepArguments, color: Color, verbose: u8) -> Result<Exit, Failure> {
    // Everything that can be rejected is rejected before anything starts.
    let entry = provider(&arguments.provider)?;
    let paths = [arguments.path.clone()];
    let scenarios = selection::load(&paths, &arguments.strategy)?;
    let [_] = scenarios.as_slice() else {
        return Err(Failure::usage("a sweep is of one scenario; name its file"));
    };
    let scenarios = selection::of_world(scenarios, World::Sim)?;
    let scenario = &scenarios[0];
    let named = !arguments.strategy.is_empty();
    let strategies = contestants([&**scenario], named);
    if strategies.is_empty() {
        return Err(Failure::usage(
            "this scenario has controls alone, which are unsafe on purpose; name those to sweep: --strategy",
        ));
    }
    let text = std::fs::read_to_string(&scenario.path).map_err(|error| {
        Failure::usage(format!("cannot read {}: {error}", scenario.path.display()))
    })?;
    let (first, second) = varied(&arguments.vary, &text)?;
    let interrupt = Interrupt::listen("ending the sweep; nothing is kept of it")
        .map_err(|error| Failure::infrastructure(format!("cannot listen for signals: {error}")))?;
    let seed = arguments.seed.unwrap_or_else(entropy);
    let search = search_of_tables(arguments.seeds, arguments.jobs, &interrupt);
    let survey = Survey {
        path: &scenario.path,
        text: &text,
        dial: &first,
        against: second.as_ref(),
        seed,
        search: &search,
    };
    check_ends(&survey, &strategies)?;
    let command = command(arguments, seed);
    let manifest = machine::manifest(command.clone(), seed, World::Sim, "simulated", None);
    let keeper = Keeper::create(&arguments.out, &scenarios, &manifest)?;
    let total = strategies.len() * survey.rows().len();
    let mut display = Display::new(arguments.show_progress, total);
    let envelopes = envelopes(&survey, &strategies, &mut display)?;
    display.end();
    let Some(mut envelopes) = envelopes else { return Ok(interrupted(&interrupt)) };
    let mut unconfirmed = None;
    if arguments.confirm_live {
        unconfirmed = confirm(&mut envelopes, &survey, entry, arguments, &interrupt, verbose)?;
    }
    if let Some(exit) = interrupt.exit() {
        return Ok(exit);
    }
    let sweep = Sweep {
        schema_version: SWEEP_SCHEMA_VERSION,
        command,
        scenario: scenario.name.clone(),
        title: scenario.title.clone(),
        seed,
        schedules: arguments.seeds,
        under: under(scenario, &survey),
        dial: first.dial.clone(),
        against: second.as_ref().map(|varied| varied.dial.clone()),
        envelopes,
        unconfirmed,
    };
    let kept = keeper.finish_sweep(&sweep);
    let format = match arguments.format {
        SweepFormatName::Text => SweepFormat::Text(terminal::style(color, verbose)),
        SweepFormatName::Json => SweepFormat::Json,
    };
    results::show_sweep(format, &sweep)?;
    match kept {
        Ok(Latest::Occupied(path)) => {
            terminal::error(&format!("{} is no link and was left alone", path.display()));
        }
        Ok(Latest::Linked(_)) => {}
        Err(error) => {
            return Err(Failure::infrastructure(format!("the report is incomplete: {error}")));
        }
    }
    terminal::error(&format!("kept in {}", keeper.path().display()));
    Ok(Exit::Held)
}

fn interrupted(interrupt: &Interrupt) -> Exit {
    interrupt.exit().unwrap_or(Exit::Interrupted)
}

/// The fields and the values that they are given.
fn varied(asked: &[Vary], text: &str) -> Result<(Varied, Option<Varied>), Failure> {
    let mut varied = Vec::new();
    for vary in asked {
        varied.push(of(vary, text).map_err(|why| Failure::usage(format!("--vary: {why}")))?);
    }
    let mut varied = varied.into_iter();
    match (varied.next(), varied.next(), varied.next()) {
        (Some(first), Some(second), None) if first.dial.field == second.dial.field => {
            let field = first.dial.field;
            Err(Failure::usage(format!("--vary: `{field}` is varied twice; name another field")))
        }
        (Some(first), second, None) => Ok((first, second)),
        _ => Err(Failure::usage("--vary: one field or two can be varied, not more")),
    }
}

fn of(vary: &Vary, text: &str) -> Result<Varied, String> {
    let dialled = dial(text, &vary.field)?;
    let like = dialled.written;
    let (low, high) = (amount_like(&vary.low, like)?, amount_like(&vary.high, like)?);
    if low >= high {
        return Err(format!("`{}` ends where it begins, or before", vary.typed()));
    }
    let step = match &vary.step {
        Some(step) => amount_like(step, like)?,
        None => usual_step(low, high),
    };
    if step.figure() == 0 || step.figure() > high.figure() - low.figure() {
        return Err(format!("a step of {step} does not fit into `{}`", vary.typed()));
    }
    let (field, fault) = (dialled.field.clone(), dialled.fault.clone());
    Ok(Varied { dialled, dial: Dial { field, fault, low, high, step } })
}

/// Whole milliseconds, where both ends are; whole microseconds, where they are; else the smallest there is.
fn usual_step(low: Amount, high: Amount) -> Amount {
    let is_whole = |unit: &u64| [low, high].iter().all(|end| end.figure().is_multiple_of(*unit));
    match low {
        Amount::Nanoseconds(_) => {
            low.with([MILLISECOND, MICROSECOND].into_iter().find(is_whole).unwrap_or(1))
        }
        Amount::Count(_) | Amount::Thousandths(_) => low.with(1),
    }
}

/// The ends are what a scenario is most likely to refuse.
fn check_ends(survey: &Survey<'_>, strategies: &[Strategy]) -> Result<(), Failure> {
    let Dial { low, high, .. } = survey.dial.dial;
    let rows = survey.rows();
    let ends = [rows.first(), rows.last()];
    for strategy in strategies {
        for at in [low, high] {
            for against in ends.into_iter().flatten() {
                survey.scenario(strategy, at, *against).map_err(Failure::usage)?;
            }
        }
    }
    Ok(())
}

/// The envelope of each strategy for each value of the second field; none where the sweep was interrupted.
fn envelopes(
    survey: &Survey<'_>,
    strategies: &[Strategy],
    display: &mut Display,
) -> Result<Option<Vec<Envelope>>, Failure> {
    let mut envelopes = Vec::new();
    for strategy in strategies {
        for against in survey.rows() {
            let at = against.map(|at| format!(" · {at}")).unwrap_or_default();
            let label = format!("{strategy}{at}");
            display.begun(label.clone());
            let found = survey.envelope(strategy, against, &stopwatch());
            let Some(envelope) = found.map_err(Failure::usage)? else { return Ok(None) };
            display.swept(&label, &found_as(&envelope));
            envelopes.push(envelope);
        }
    }
    Ok(Some(envelopes))
}

fn found_as(envelope: &Envelope) -> String {
    match envelope.shape {
        Shape::Survives => "survives all of it".to_owned(),
        Shape::Breaks => "survives none of it".to_owned(),
        Shape::UpTo { survives, .. } => format!("survives up to {survives}"),
        Shape::From { survives, .. } => format!("survives from {survives} on"),
    }
}

/// Runs the values beside each boundary live. Gives why it could not, where it could not.
fn confirm(
    envelopes: &mut [Envelope],
    survey: &Survey<'_>,
    entry: &ProviderEntry,
    arguments: &SweepArguments,
    interrupt: &Interrupt,
    verbose: u8,
) -> Result<Option<String>, Failure> {
    let mut plans: Vec<CellPlan> = Vec::new();
    let mut places = Vec::new();
    let mut unfit = None;
    for (number, envelope) in envelopes.iter().enumerate() {
        let strategy = Strategy::parse(&envelope.strategy).expect("it was spelled by itself");
        for at in beside(envelope.shape) {
            let scenario = survey.scenario(&strategy, at, envelope.against);
            match standing(entry, scenario.map_err(Failure::usage)?) {
                Ok(scenario) => {
                    plans.push(CellPlan { index: plans.len(), ..survey.plan(scenario) });
                    places.push((number, at));
                }
                Err(why) => unfit = Some(why),
            }
        }
    }
    if plans.is_empty() {
        return Ok(unfit.or_else(|| Some("no strategy has a boundary in this range".to_owned())));
    }
    let scenarios: Vec<_> = plans.iter().map(|plan| Arc::clone(&plan.scenario)).collect();
    let servers = servers::of_run(entry, &arguments.servers, &scenarios, false)?;
    let provider = started_by(entry, &servers)?;
    let jobs = jobs(arguments.jobs, Some(provider.as_ref()), &scenarios);
    let settings = settings(LIMIT, Some(Arc::clone(&provider)), interrupt, verbose);
    let display = Display::new(arguments.show_progress, plans.len());
    let mut watcher = Watcher { display };
    let cells = Matrix { plans, jobs, settings }.run(&mut watcher);
    watcher.display.end();
    end(provider.as_ref());
    for ((number, at), cell) in places.into_iter().zip(&cells) {
        envelopes[number].live.push(LiveTry { at, outcome: live_outcome(cell) });
    }
    Ok(unfit)
}

/// The scenario, where the provider can have it; else why not.
fn standing(entry: &ProviderEntry, scenario: Scenario) -> Result<Arc<Scenario>, String> {
    if let Some(why) = scenario.needs_simulation() {
        return Err(why);
    }
    let (kept, told) = fit_for_provider(entry, vec![Arc::new(scenario)]);
    let (kept, unfit) = fit_for_engine(entry, kept);
    kept.into_iter().next().ok_or_else(|| told.into_iter().chain(unfit).collect::<String>())
}

/// What the envelope depends on besides, where that is not what is varied.
fn under(scenario: &Scenario, survey: &Survey<'_>) -> Vec<String> {
    let is_varied = |field: &str| {
        let against = survey.against.map(|varied| varied.dial.field.as_str());
        survey.dial.dial.field == field || against == Some(field)
    };
    let amount =
        |time: Duration| Amount::Nanoseconds(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    let mut under = Vec::new();
    if !is_varied("lock.ttl") {
        under.push(format!("TTL {}", amount(scenario.ttl)));
    }
    if !is_varied("workload.work") && !scenario.load.settings.work.is_zero() {
        under.push(format!("{} work", amount(scenario.load.settings.work)));
    }
    under
}

/// The command that repeats the sweep, seed included.
fn command(arguments: &SweepArguments, seed: u64) -> String {
    let mut words = vec![format!("lockproof sweep {}", arguments.path.display())];
    words.extend(arguments.vary.iter().map(|vary| format!("--vary {}", vary.typed())));
    if !arguments.strategy.is_empty() {
        words.push(format!("--strategy {}", arguments.strategy.join(",")));
    }
    words.push(format!("--seeds {}", arguments.seeds));
    if arguments.confirm_live {
        words.push("--confirm-live".to_owned());
    }
    if arguments.provider != PROVIDERS[0].name {
        words.push(format!("--provider {}", arguments.provider));
    }
    format!("{} --seed {seed:#x}", words.join(" "))
}
