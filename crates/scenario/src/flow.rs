//! The flow of a `[workload]`, and the fields that only some flows have.

use std::ops::Range;

use lockproof_model::Step;
use lockproof_workload::{ENTRIES, FlowEntry, FlowField, FlowSettings, find};

use crate::parse::positive;
use crate::reader::Reader;
use crate::strategy::Strategy;
use crate::suggest::hint;
use crate::target::ServiceTarget;

/// The flow that is named, which every strategy must fit; the first of the catalog where none is.
pub(crate) fn read(reader: &mut Reader<'_, '_>, strategies: &[Strategy]) -> &'static FlowEntry {
    let Some(name) = reader.text("flow") else { return &ENTRIES[0] };
    let Some(flow) = find(name.get_ref()) else {
        let known: Vec<_> = ENTRIES.iter().map(|entry| entry.name).collect();
        let what = format!("unknown flow `{}`{}", name.get_ref(), hint(name.get_ref(), &known));
        reader.source().problem(&name.span(), what);
        return &ENTRIES[0];
    };
    if let Some(why) = strategies.iter().find_map(|strategy| unfit(flow, strategy)) {
        reader.source().problem(&name.span(), why);
    }
    flow
}

/// The requests of a service, of which nothing is chosen by name.
pub(crate) fn of_service(
    reader: &mut Reader<'_, '_>,
    target: &ServiceTarget,
) -> &'static FlowEntry {
    let span = reader.key_span("flow");
    if reader.text("flow").is_some() {
        let what = "the flow is the requests of [target]; leave `flow` out";
        reader.problem_at(span.as_ref(), what);
    }
    target.flow()
}

/// Why `strategy` cannot take `flow`, where it cannot.
pub(crate) fn unfit(flow: &FlowEntry, strategy: &Strategy) -> Option<String> {
    let takes_several = [FlowField::Segments, FlowField::Nights];
    let renews = flow.steps.contains(&Step::Renew);
    if strategy.policy.keep.is_some()
        && (renews || flow.fields.iter().any(|field| takes_several.contains(field)))
    {
        let (flow, policy) = (flow.name, strategy.policy.name);
        let why =
            if renews { "renews its lease by itself" } else { "has several leases at a time" };
        return Some(format!(
            "{strategy} keeps one lease alive, and the flow {flow} {why}; leave `~{policy}` out"
        ));
    }
    let why = flow.tokenless.filter(|_| strategy.guard.needs_token)?;
    Some(format!(
        "{strategy} presents a fencing token at each check, which the flow {} does not have: {why}; leave \
         the strategy out, or choose a guard that needs no token",
        flow.name
    ))
}

/// What the flow is told; a field that it does not have is refused.
pub(crate) fn settings(
    reader: &mut Reader<'_, '_>,
    flow: &'static FlowEntry,
    (slots, slots_span): (u32, Option<Range<usize>>),
) -> FlowSettings {
    for field in FlowField::ALL {
        if reader.has(field.name()) && !flow.fields.contains(&field) {
            let span = reader.key_span(field.name());
            let those = ENTRIES.iter().filter(|entry| entry.fields.contains(&field));
            let those: Vec<_> = those.map(|entry| entry.name).collect();
            let what = format!(
                "the flow {} has no `{}` ({}); flows that have: {}",
                flow.name,
                field.name(),
                field.summary(),
                those.join(", ")
            );
            reader.problem_at(span.as_ref(), what);
        }
    }
    let defaults = FlowSettings::default();
    let segments = reader.number(FlowField::Segments.name(), 1..=MOST_PARTS);
    let nights = reader.number(FlowField::Nights.name(), 1..=MOST_PARTS);
    let settings = FlowSettings {
        work: reader.duration("work").unwrap_or_default(),
        think: reader.duration(FlowField::Think.name()).unwrap_or_default(),
        refresh: positive(reader, FlowField::Refresh.name()),
        parts: segments.or(nights).unwrap_or(defaults.parts),
    };
    let whole = flow.whole_slots(&settings, slots);
    if whole != slots {
        let what = format!(
            "a booking takes {} neighbouring slots, so there is a multiple of that: slots = {whole}",
            settings.parts
        );
        reader.problem_at(slots_span.as_ref(), what);
    }
    settings
}

/// As many slots as the HTTP API takes in one compound lock, twice over.
const MOST_PARTS: u32 = 32;
