//! A scenario written out reads the same.

use std::path::{Path, PathBuf};

use lockproof_scenario::{files_under, load, parse, resolved};

use crate::support::{FINE, read};

fn committed() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let scenarios = files_under(&folder).expect("the folder can be read");
    assert!(scenarios.len() >= 11, "{scenarios:?}");
    scenarios
}

#[test]
fn every_committed_scenario_parses_and_reads_the_same_once_written_out() {
    for path in committed() {
        let first = load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        let text = resolved(&first);
        let second =
            parse(&path, &text).unwrap_or_else(|problems| panic!("{problems}\nof\n{text}"));
        assert_eq!(resolved(&second), text, "{}", path.display());
        assert_eq!(first.faults.len(), second.faults.len());
        for (one, other) in first.faults.iter().zip(&second.faults) {
            assert_eq!(one.label(), other.label());
            assert_eq!((&one.trigger, &one.holders), (&other.trigger, &other.holders));
            assert_eq!(format!("{:?}", one.fault), format!("{:?}", other.fault));
        }
        assert_eq!(format!("{:?}", first.load), format!("{:?}", second.load));
        assert_eq!(first.require, second.require);
    }
}

#[test]
fn a_fault_is_written_out_with_every_field_that_it_was_given() {
    let fault = r#"
[[fault]]
kind = "latency"
links = ["redis-1", "redis"]
delay = "20ms"
jitter = "5ms"
from = "1s"
until = "2s"
holders = [1, 0x2]
"#;
    let text = resolved(&read(&format!("{FINE}{fault}")).unwrap());
    assert!(text.contains(&fault.replace("0x2", "2")), "{text}");
    read(&text).unwrap();
}
