//! Fields of a scenario file by their address, and the same file with other values in them.
//!
//! The text is changed where the value stands and read again as a whole, so that every value passes what a written one
//! would have to pass.

use std::ops::Range;
use std::path::Path;

use lockproof_faults::parse_duration;
use lockproof_model::Amount;
use toml::de::{DeTable, DeValue};

use crate::plan::Scenario;
use crate::source::Problems;
use crate::suggest::nearest;

/// A field that can be made larger or smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialled {
    /// Its address in full: `fault.1.for` where `fault.for` was asked for.
    pub field: String,
    /// The kind of the fault that it belongs to.
    pub fault: Option<String>,
    /// What the file says.
    pub written: Amount,
    /// Where the value stands.
    place: Range<usize>,
}

/// The field at `address` of the scenario in `text`: tables and keys with dots between them, faults numbered from 1 and
/// the first meant where no number is given.
///
/// # Errors
/// A sentence: there is no such field in the file, or it has neither a number nor a duration.
pub fn dial(text: &str, address: &str) -> Result<Dialled, String> {
    let table = DeTable::parse(text).map_err(|error| error.message().to_owned())?;
    let mut fields = Vec::new();
    collect(table.get_ref(), "", None, &mut fields);
    let full = in_full(address);
    if let Some(field) = fields.iter().find(|field| field.address == full) {
        let written = field.written.ok_or_else(|| {
            format!("`{address}` is neither a number nor a duration, and cannot be varied")
        })?;
        let Field { address: field, fault, place, .. } = field.clone();
        return Ok(Dialled { field, fault, written, place });
    }
    let known: Vec<_> = fields
        .iter()
        .filter(|field| field.written.is_some())
        .map(|field| field.address.as_str())
        .collect();
    let meant = nearest(&full, known.iter().copied());
    let meant = meant.map(|field| format!("did you mean `{field}`? ")).unwrap_or_default();
    Err(format!(
        "the file does not say `{address}`, so there is nothing to vary; {meant}it says: {}",
        known.join(", ")
    ))
}

/// The scenario in `text` with these values, at the path that problems name.
///
/// # Errors
/// Everything that a file with these values would be refused for.
pub fn with_amounts(
    path: &Path,
    text: &str,
    amounts: &[(&Dialled, Amount)],
) -> Result<Scenario, Problems> {
    let mut amounts = amounts.to_vec();
    // From the end, so that places before it stay where they are.
    amounts.sort_by_key(|(dial, _)| std::cmp::Reverse(dial.place.start));
    let mut text = text.to_owned();
    for (dial, amount) in amounts {
        text.replace_range(dial.place.clone(), &amount.toml());
    }
    crate::parse(path, &text)
}

#[derive(Clone)]
struct Field {
    address: String,
    fault: Option<String>,
    /// None where it cannot be varied.
    written: Option<Amount>,
    place: Range<usize>,
}

fn in_full(address: &str) -> String {
    match address.strip_prefix("fault.") {
        Some(rest) if !rest.starts_with(|c: char| c.is_ascii_digit()) => format!("fault.1.{rest}"),
        _ => address.to_owned(),
    }
}

/// Every value of `table` and of what is in it.
fn collect(table: &DeTable<'_>, within: &str, fault: Option<&str>, fields: &mut Vec<Field>) {
    for (key, value) in table {
        let key = key.get_ref();
        let address = if within.is_empty() { key.to_string() } else { format!("{within}.{key}") };
        match value.get_ref() {
            DeValue::Table(inner) => collect(inner, &address, fault, fields),
            DeValue::Array(items) if items.iter().all(|item| item.get_ref().is_table()) => {
                for (number, item) in (1..).zip(items.iter()) {
                    let Some(inner) = item.get_ref().as_table() else { continue };
                    let kind = inner.iter().find(|(key, _)| &*key.get_ref().to_string() == "kind");
                    let kind = kind.and_then(|(_, value)| value.get_ref().as_str());
                    collect(inner, &format!("{address}.{number}"), kind, fields);
                }
            }
            other => fields.push(Field {
                address,
                fault: fault.map(ToOwned::to_owned),
                written: amount(other),
                place: value.span(),
            }),
        }
    }
}

fn amount(value: &DeValue<'_>) -> Option<Amount> {
    match value {
        DeValue::String(text) => {
            let duration = parse_duration(text).ok()?;
            u64::try_from(duration.as_nanos()).ok().map(Amount::Nanoseconds)
        }
        DeValue::Integer(int) => {
            u64::from_str_radix(int.as_str(), int.radix()).ok().map(Amount::Count)
        }
        DeValue::Float(float) => thousandths(float.as_str()),
        _ => None,
    }
}

/// A share as it is written, to the thousandth; none for what is below zero or no number.
fn thousandths(text: &str) -> Option<Amount> {
    let (whole, rest) = text.split_once('.')?;
    let rest = format!("{rest:0<3}");
    let (rest, finer) = rest.split_at_checked(3)?;
    let whole: u64 = whole.parse().ok()?;
    let is_whole = finer.chars().all(|c| c == '0');
    is_whole.then_some(())?;
    Some(Amount::Thousandths(whole.checked_mul(1000)?.checked_add(rest.parse().ok()?)?))
}

/// Reads an amount of the kind of `like`.
///
/// # Errors
/// A sentence: it is of another kind, or of none.
pub fn amount_like(text: &str, like: Amount) -> Result<Amount, String> {
    let wrong = || format!("`{text}` is not {}, as the file has it there", like.kind());
    match like {
        Amount::Nanoseconds(_) => {
            let duration = parse_duration(text).map_err(|why| format!("{}: {why}", wrong()))?;
            u64::try_from(duration.as_nanos()).map(Amount::Nanoseconds).map_err(|_| wrong())
        }
        Amount::Count(_) => text.parse().map(Amount::Count).map_err(|_| wrong()),
        Amount::Thousandths(_) => thousandths(text).ok_or_else(|| {
            format!("{}; write it with a dot and at most three digits: 0.25", wrong())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# A comment that stays.
schema_version = 1
strategies = ["redis-set-nx"]
[workload]
holders = 4
slots = 4
bookings = 16
[lock]
ttl = "100ms"
wait = { tries = 20, delay = "10ms" }
[[fault]]
kind = "pause-holder"
at = "after-check"
every = 2
for = "300ms"
[[fault]]
kind = "pause-holder"
at = "after-check"
probability = 0.05
for = "1s"
"#;

    #[test]
    fn a_field_is_found_by_its_address_and_the_first_fault_is_meant() {
        for (address, field, written) in [
            ("fault.for", "fault.1.for", Amount::Nanoseconds(300_000_000)),
            ("fault.2.for", "fault.2.for", Amount::Nanoseconds(1_000_000_000)),
            ("fault.2.probability", "fault.2.probability", Amount::Thousandths(50)),
            ("lock.wait.tries", "lock.wait.tries", Amount::Count(20)),
        ] {
            let found = dial(TEXT, address).unwrap();
            assert_eq!((found.field.as_str(), found.written), (field, written));
        }
        assert_eq!(dial(TEXT, "fault.for").unwrap().fault.as_deref(), Some("pause-holder"));
        assert_eq!(dial(TEXT, "lock.ttl").unwrap().fault, None);
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is_meant_and_what_there_is() {
        let why = dial(TEXT, "lock.tll").unwrap_err();
        assert!(why.contains("did you mean `lock.ttl`? it says: "), "{why}");
        let why = dial(TEXT, "fault.3.for").unwrap_err();
        assert!(why.contains("does not say `fault.3.for`"), "{why}");
        let why = dial(TEXT, "fault.at").unwrap_err();
        assert!(why.contains("neither a number nor a duration"), "{why}");
    }

    #[test]
    fn values_are_put_where_the_old_ones_stood_and_have_to_pass() {
        let (ttl, pause) = (dial(TEXT, "lock.ttl").unwrap(), dial(TEXT, "fault.2.for").unwrap());
        let of = |ttl_ms: u64, pause_ms: u64| {
            let millis = |millis: u64| Amount::Nanoseconds(millis * 1_000_000);
            let amounts = [(&ttl, millis(ttl_ms)), (&pause, millis(pause_ms))];
            with_amounts(Path::new("s.toml"), TEXT, &amounts)
        };
        let scenario = of(1234, 5).unwrap();
        assert_eq!(scenario.ttl, std::time::Duration::from_millis(1234));
        assert!(scenario.fault_fields[1].contains("for = \"5ms\""), "{:?}", scenario.fault_fields);
        assert!(scenario.fault_fields[0].contains("for = \"300ms\""));
        let refused = of(0, 5).unwrap_err().to_string();
        assert!(refused.starts_with("s.toml:9:7: a TTL is a whole number"), "{refused}");
    }

    #[test]
    fn an_amount_is_of_the_kind_that_the_file_has() {
        let (time, count) = (Amount::Nanoseconds(0), Amount::Count(0));
        assert_eq!(amount_like("2s", time), Ok(Amount::Nanoseconds(2_000_000_000)));
        assert_eq!(amount_like("7", count), Ok(Amount::Count(7)));
        assert_eq!(amount_like("0.25", Amount::Thousandths(0)), Ok(Amount::Thousandths(250)));
        assert!(amount_like("2", time).unwrap_err().contains("is not a duration"));
        assert!(amount_like("2s", count).unwrap_err().contains("is not a number"));
        assert!(amount_like("0.12345", Amount::Thousandths(0)).is_err());
    }
}
