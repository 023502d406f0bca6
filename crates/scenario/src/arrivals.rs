//! `arrivals` of a workload: closed, or open at a rate.

use std::time::Duration;

use lockproof_workload::{Pace, Rate, Spacing};

use crate::reader::Reader;
use crate::suggest::hint;

pub(crate) fn read(workload: &mut Reader<'_, '_>) -> Pace {
    let Some(mut reader) = workload.table("arrivals") else { return Pace::Closed };
    let Some(kind) = reader.text("kind") else {
        reader.problem("`kind` is missing; write arrivals = { kind = \"closed\" }");
        return Pace::Closed;
    };
    let pace = match kind.get_ref().as_str() {
        "closed" => Pace::Closed,
        "open" => open(&mut reader),
        other => {
            let what = format!("unknown arrivals `{other}`{}", hint(other, &["closed", "open"]));
            reader.source().problem(&kind.span(), what);
            return Pace::Closed;
        }
    };
    reader.finish();
    pace
}

fn open(reader: &mut Reader<'_, '_>) -> Pace {
    let spacing = match reader.text("spacing") {
        None => Spacing::Constant,
        Some(text) => match text.get_ref().as_str() {
            "constant" => Spacing::Constant,
            "poisson" => Spacing::Poisson,
            other => {
                let hint = hint(other, &["constant", "poisson"]);
                reader.source().problem(&text.span(), format!("unknown spacing `{other}`{hint}"));
                Spacing::Constant
            }
        },
    };
    let flat = reader.rate("rate_per_s");
    let mut ramp: Vec<Rate> = reader.tables("ramp").into_iter().filter_map(step).collect();
    match (flat, ramp.is_empty()) {
        (Some(per_s), true) => ramp.push(Rate { per_s, length: Duration::ZERO }),
        (Some(_), false) => reader.problem("an open loop has a `rate_per_s` or a `ramp`, not both"),
        (None, true) => {
            reader.problem("at which rate? write rate_per_s = 500, or ramp = [{ rate_per_s = 100, for = \"5s\" }]");
        }
        (None, false) => {}
    }
    Pace::Open { spacing, ramp }
}

fn step(mut reader: Reader<'_, '_>) -> Option<Rate> {
    let (rate, length) = (reader.rate("rate_per_s"), reader.duration("for"));
    if rate.is_none() || length.is_none() {
        reader
            .problem("a step of a ramp has a rate and a time: { rate_per_s = 100, for = \"5s\" }");
    }
    reader.finish();
    Some(Rate { per_s: rate?, length: length? })
}
