//! A `[[fault]]` in two stages: what every trigger has, then what the fault itself asks for.

use std::collections::BTreeMap;
use std::ops::Range;

use lockproof_faults::{
    Argument, Arguments, Choice, Event, FaultEntry, FaultPlan, Lasts, Reach, Trigger, find,
};
use lockproof_model::{HolderId, Point};
use lockproof_rig::{ServerEffect, Topology};
use lockproof_workload::FlowEntry;
use toml::Spanned;
use toml::de::DeValue;

use crate::Strategy;
use crate::plan::redis_servers;
use crate::reader::{Reader, Value};
use crate::servers::out_of_reach;
use crate::suggest::hint;

/// What a fault is checked against.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) flow: &'static FlowEntry,
    pub(crate) holders: u32,
    pub(crate) strategies: &'a [Strategy],
    pub(crate) servers: Option<u32>,
    pub(crate) topology: Topology,
}

pub(crate) fn read(
    number: u32,
    mut reader: Reader<'_, '_>,
    around: &Surroundings<'_>,
) -> Option<FaultPlan> {
    let Some(kind) = reader.text("kind") else {
        reader.problem("`kind` is missing; for example kind = \"pause-holder\"");
        return None;
    };
    let Some(entry) = find(kind.get_ref()) else {
        let known: Vec<_> = lockproof_faults::ENTRIES.iter().map(|entry| entry.name).collect();
        let what = format!("unknown fault `{}`{}", kind.get_ref(), hint(kind.get_ref(), &known));
        reader.source().problem(&kind.span(), what);
        return None;
    };
    let timing = Timing::read(&mut reader, entry);
    let holders = holders(&mut reader, around);
    let span = reader.span();
    let source = reader.source();
    // Second stage: the rest is the fault's own.
    let (mut arguments, spans) = own_arguments(&mut reader);
    // Before the fault reads its own: of a slip in a required field's name, "is missing" tells half.
    for (name, span) in &spans {
        if entry.fields.iter().all(|field| field.name != name) {
            let mut known = TRIGGER_FIELDS.to_vec();
            known.extend(entry.fields.iter().map(|field| field.name));
            let what =
                format!("unknown key `{name}` in a {} fault{}", entry.name, hint(name, &known));
            source.problem(span, what);
        }
    }
    let fault = match (entry.build)(&mut arguments) {
        Ok(fault) => fault,
        Err(error) => {
            source.problem(spans.get(&error.field).unwrap_or(&span), error.to_string());
            return None;
        }
    };
    let (reach, lasts) = (fault.reach(), fault.lasts());
    let timing = if fault.waits_for_messages() { timing.always_unless_said() } else { timing };
    let mut trigger = timing.trigger(entry.name, &reach, lasts, around, &reader)?;
    if let Trigger::AtStep { point, .. } = &mut trigger {
        *point = fault.injected_at(*point);
    }
    check_reach(&reach, fault.server_effect(), around, &reader);
    Some(FaultPlan { number, kind: entry.name, fault, trigger, holders })
}

const TRIGGER_FIELDS: [&str; 10] =
    ["kind", "at", "every", "nth", "probability", "for", "until-event", "from", "until", "holders"];

/// The fields that say when.
struct Timing {
    at: Option<Spanned<String>>,
    every: Option<u32>,
    nth: Option<u32>,
    probability: Option<f64>,
    length: Option<std::time::Duration>,
    until_event: Option<Spanned<String>>,
    from: Option<std::time::Duration>,
    until: Option<Spanned<std::time::Duration>>,
}

impl Timing {
    /// What a fault that chooses messages says of them is its own, unless it waits for a step.
    fn read(reader: &mut Reader<'_, '_>, entry: &FaultEntry) -> Self {
        let at_step = reader.has("at");
        let is_timing = |name: &str| at_step || entry.fields.iter().all(|own| own.name != name);
        let number = |reader: &mut Reader<'_, '_>, name| {
            if is_timing(name) { reader.number(name, 1..=u32::MAX) } else { None }
        };
        Self {
            at: reader.text("at"),
            every: number(reader, "every"),
            nth: number(reader, "nth"),
            probability: is_timing("probability").then(|| reader.share("probability")).flatten(),
            length: reader.duration("for"),
            until_event: reader.text("until-event"),
            from: reader.duration("from"),
            until: reader.spanned_duration("until"),
        }
    }

    /// In effect all the time, where nothing else was said.
    fn always_unless_said(self) -> Self {
        let from = self.from.or_else(|| self.at.is_none().then_some(std::time::Duration::ZERO));
        Self { from, ..self }
    }

    fn trigger(
        self,
        kind: &str,
        reach: &Reach,
        lasts: Lasts,
        around: &Surroundings<'_>,
        reader: &Reader<'_, '_>,
    ) -> Option<Trigger> {
        match (&self.at, self.from, reach) {
            (Some(at), Some(_), _) => {
                reader.source().problem(&at.span(), "a fault has either `at` or `from`, not both");
                None
            }
            (Some(at), None, Reach::HolderAt(point)) => {
                let what = format!("{kind} always comes at {point}; remove `at`");
                reader.source().problem(&at.span(), what);
                None
            }
            (None, None, Reach::HolderAt(point)) => self.at_step(*point, kind, lasts, reader),
            (Some(at), None, _) => {
                let point = self.point(at, around, reader)?;
                self.at_step(point, kind, lasts, reader)
            }
            (None, Some(_), Reach::LockOfHolder | Reach::HolderAt(_)) => {
                let what = format!("{kind} hits a holder at a step; write `at` instead of `from`");
                reader.problem(what);
                None
            }
            (None, Some(from), _) => self.window(from, reader),
            (None, None, _) => {
                reader.problem(
                    "when? write at = \"after-check\" for a step, or from = \"1s\" for a time",
                );
                None
            }
        }
    }

    fn point(
        &self,
        at: &Spanned<String>,
        around: &Surroundings<'_>,
        reader: &Reader<'_, '_>,
    ) -> Option<Point> {
        let steps = around.flow.steps;
        let parsed: Result<Point, _> = at.get_ref().parse();
        match parsed {
            Ok(point) if steps.contains(&point.step) => Some(point),
            Ok(point) => {
                let known: Vec<_> = steps.iter().map(|step| step.word()).collect();
                let what = format!(
                    "the flow {} has no step `{}`, so this fault would never fire; it has {}",
                    around.flow.name,
                    point.step,
                    known.join(", ")
                );
                reader.source().problem(&at.span(), what);
                None
            }
            Err(error) => {
                let spellings: Vec<_> = Point::spellings().collect();
                let spellings: Vec<_> = spellings.iter().map(String::as_str).collect();
                let meant = crate::nearest(at.get_ref(), spellings);
                let meant =
                    meant.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
                reader.source().problem(&at.span(), format!("{error}{meant}"));
                None
            }
        }
    }

    fn at_step(
        &self,
        point: Point,
        kind: &str,
        lasts: Lasts,
        reader: &Reader<'_, '_>,
    ) -> Option<Trigger> {
        let choice = match (self.every, self.nth, self.probability) {
            (None, None, None) => Choice::Every(1),
            (Some(every), None, None) => Choice::Every(every),
            (None, Some(nth), None) => Choice::Nth(nth),
            (None, None, Some(probability)) => Choice::Probability(probability),
            _ => {
                reader.problem("a fault has one of `every`, `nth` and `probability`");
                return None;
            }
        };
        if self.until.is_some() {
            reader.problem("`until` goes with `from`; at a step write `for` or `until-event`");
        }
        let until = match &self.until_event {
            None => None,
            Some(text) => match text.get_ref().parse::<Event>() {
                Ok(event) => Some(event),
                Err(error) => {
                    reader.source().problem(&text.span(), error.to_string());
                    return None;
                }
            },
        };
        match (lasts, self.length) {
            (Lasts::UntilHealed, None) => {
                reader.problem(format!(
                    "{kind} at a step lasts; say how long at most: for = \"500ms\""
                ));
                None
            }
            (Lasts::AnInstant, Some(_)) => {
                reader.problem(format!("{kind} is over at once; remove `for`"));
                None
            }
            (_, length) => Some(Trigger::AtStep { point, choice, length, until }),
        }
    }

    fn window(&self, from: std::time::Duration, reader: &Reader<'_, '_>) -> Option<Trigger> {
        let at_steps = [
            ("every", self.every.is_some()),
            ("nth", self.nth.is_some()),
            ("probability", self.probability.is_some()),
            ("until-event", self.until_event.is_some()),
            ("for", self.length.is_some()),
        ];
        if let Some((field, _)) = at_steps.iter().find(|(_, present)| *present) {
            reader
                .problem(format!("`{field}` goes with `at`; a time window has `from` and `until`"));
            return None;
        }
        if let Some(until) = self.until.as_ref().filter(|until| *until.get_ref() <= from) {
            reader.source().problem(&until.span(), "`until` is not after `from`");
            return None;
        }
        Some(Trigger::Window { from, until: self.until.as_ref().map(|until| *until.get_ref()) })
    }
}

fn holders(reader: &mut Reader<'_, '_>, around: &Surroundings<'_>) -> Vec<HolderId> {
    let Some(value) = reader.take("holders") else { return Vec::new() };
    let Some(items) = value.get_ref().as_array() else {
        reader.source().problem(&value.span(), "`holders` takes an array of numbers: [1, 3]");
        return Vec::new();
    };
    let mut holders = Vec::new();
    for item in items {
        let integer = item.get_ref().as_integer();
        let number = integer.and_then(|int| u32::from_str_radix(int.as_str(), int.radix()).ok());
        match number.filter(|number| (1..=around.holders).contains(number)) {
            Some(number) => holders.push(HolderId(number)),
            None => {
                let what = format!("holders are numbered from 1 to {}", around.holders);
                reader.source().problem(&item.span(), what);
            }
        }
    }
    holders
}

fn check_reach(
    reach: &Reach,
    effect: Option<ServerEffect>,
    around: &Surroundings<'_>,
    reader: &Reader<'_, '_>,
) {
    if let Some(why) = out_of_reach(around.topology, reach, effect) {
        reader.problem(why);
    }
    for strategy in around.strategies {
        let servers = redis_servers(strategy, around.servers, around.topology);
        if let Some(lack) = lack(reach, strategy, servers) {
            reader.problem(lack);
        }
    }
}

/// What `strategy`, on so many Redis servers, lacks for a fault to reach it.
pub(crate) fn lack(reach: &Reach, strategy: &Strategy, servers: usize) -> Option<String> {
    match reach {
        Reach::Links(selectors) | Reach::Servers(selectors) => {
            let coordinators = selectors.iter().filter_map(|selector| selector.coordinator());
            let mut foreign =
                coordinators.filter(|service| strategy.lock.needs.coordinator() != Some(*service));
            if let Some(service) = foreign.next() {
                return Some(format!("{strategy} has no {service}: its lock does not run on one"));
            }
            let missing = selectors.iter().find(|links| links.resolve(servers).is_empty())?;
            let what = if matches!(reach, Reach::Links(_)) { "link" } else { "server" };
            Some(format!("{strategy} has no {what} {missing}: it runs on {servers} Redis servers"))
        }
        Reach::LockOfHolder if servers == 0 && strategy.lock.needs.coordinator().is_none() => {
            Some(format!("{strategy} has no server that could drop a lock"))
        }
        Reach::LockOfHolder | Reach::Holder | Reach::HolderAt(_) | Reach::DatabaseSession => None,
    }
}

fn own_arguments(reader: &mut Reader<'_, '_>) -> (Arguments, BTreeMap<String, Range<usize>>) {
    let (mut values, mut spans) = (Vec::new(), BTreeMap::new());
    for (name, key, value) in reader.rest() {
        // A wrong value is shown where the value is, an unknown key where the key is; the value's place serves both.
        spans.insert(name.clone(), key.start..value.span().end);
        values.push((name, argument(&value)));
    }
    (Arguments::new(values), spans)
}

fn argument(value: &Value<'_>) -> Argument {
    match value.get_ref() {
        DeValue::String(text) => Argument::Text(text.to_string()),
        DeValue::Integer(int) => {
            int.as_str().parse().map_or(Argument::Other("a number"), Argument::Integer)
        }
        DeValue::Float(float) => {
            float.as_str().parse().map_or(Argument::Other("a number"), Argument::Float)
        }
        DeValue::Boolean(flag) => Argument::Flag(*flag),
        DeValue::Array(items) => Argument::List(items.iter().map(argument).collect()),
        DeValue::Datetime(_) => Argument::Other("a date"),
        DeValue::Table(_) => Argument::Other("a table"),
    }
}
