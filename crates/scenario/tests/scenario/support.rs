//! Scenarios with one thing wrong.

use std::path::Path;

use lockproof_scenario::{Scenario, parse};

/// A scenario that is fine.
pub(crate) const FINE: &str = r#"schema_version = 1
strategies = ["redis-set-nx", "redlock"]

[workload]
holders = 4
bookings = 8

[lock]
ttl = "250ms"
"#;

pub(crate) fn read(text: &str) -> Result<Scenario, String> {
    parse(Path::new("bad.toml"), text).map_err(|problems| problems.to_string())
}

/// Asserts that `text` is refused with exactly these problems, a line each, in this order.
#[track_caller]
pub(crate) fn refused(text: &str, problems: &[&str]) {
    let said = read(text).expect_err("the scenario was accepted");
    let said: Vec<_> = said.lines().map(without_catalog).collect();
    assert_eq!(said, problems, "of\n{text}");
}

/// A message without what there is: catalogs grow.
fn without_catalog(line: &str) -> &str {
    line.find("available: ").map_or(line, |at| &line[..at + "available:".len()])
}

/// [`FINE`] with `from` replaced by `to`.
pub(crate) fn with(from: &str, to: &str) -> String {
    assert!(FINE.contains(from), "{from} is not in the scenario");
    FINE.replace(from, to)
}

/// [`FINE`] with a fault of those fields, which begin at line 12.
pub(crate) fn with_fault(fields: &str) -> String {
    format!("{FINE}\n[[fault]]\n{fields}\n")
}
