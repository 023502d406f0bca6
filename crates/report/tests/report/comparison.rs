//! What is said of strategies beside each other.

use std::time::Duration;

use lockproof_model::{
    Asked, COMPARISON_SCHEMA_VERSION, Compared, Comparison, Cost, Demand, Gap, Stand, Trial,
};
use lockproof_report::{ComparisonFormat, Style, write_comparison};

fn trial(mode: &str, stand: Stand) -> Trial {
    Trial { mode: mode.to_owned(), stand, scenarios: vec!["s".to_owned()] }
}

fn comparison() -> Comparison {
    let locked = Compared {
        strategy: "redis-set-nx".to_owned(),
        parts: vec!["SET NX PX".to_owned(), "nothing ties them".to_owned()],
        needs: Demand {
            servers: Some("one Redis".to_owned()),
            token: true,
            not_on: vec!["sqlite".to_owned()],
        },
        tried: vec![
            trial("F01", Stand::Broken),
            trial("F03", Stand::Held),
            trial("F18", Stand::Blocked),
            trial("own", Stand::Undecided),
        ],
        longest_gap: Some(Gap { lasted: Duration::from_millis(400), scenario: "s".to_owned() }),
        cost: Cost::Measured { p50_us: 310.0, p99_us: 1240.0, bookings_per_s: 812.4 },
        unfit: Vec::new(),
    };
    let unfit = Compared {
        strategy: "row-lock".to_owned(),
        tried: Vec::new(),
        cost: Cost::Unknown("nobody asked".to_owned()),
        unfit: vec!["was never tried under F01 (a process pauses past its TTL)".to_owned()],
        ..locked.clone()
    };
    Comparison {
        schema_version: COMPARISON_SCHEMA_VERSION,
        command: "lockproof compare s.toml".to_owned(),
        schedules: 50,
        cost_of: Some("this machine".to_owned()),
        asked: Asked::default(),
        modes: ["F01", "F03", "F18", "F28", "own"].map(ToOwned::to_owned).into(),
        ranked: vec![locked],
        unfit: vec![unfit],
    }
}

fn shown(comparison: &Comparison, format: ComparisonFormat) -> String {
    let mut out = Vec::new();
    write_comparison(comparison, format, &mut out).expect("a vector takes all");
    let text = String::from_utf8(out).expect("it is text");
    // However the lines were broken.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_strategy_is_told_in_plain_words() {
    for format in [ComparisonFormat::Text(Style::default()), ComparisonFormat::Markdown] {
        let shown = shown(&comparison(), format);
        for said in [
            "redis-set-nx is: SET NX PX; nothing ties them.",
            "It kept the table right under 1 of the 4 modes that it was tried under (there are 5 here; of the others nothing is known)",
            "the table was wrong under F01 (a process pauses past its TTL)",
            "nobody could book for long under F18 (granted, and the reply is lost)",
            "nothing was proved under own.",
            "was 0.4 s of virtual time, in s.",
            "0.3 ms at the median and 1.2 ms at the 99th percentile, and 812 bookings a second",
            "It needs one Redis, the database of the bookings, which cannot be sqlite and a fencing token with each grant.",
            "at most 50 schedules in each cell",
            "measured on this machine",
        ] {
            assert!(shown.contains(said), "{said} in {shown}");
        }
    }
}

#[test]
fn who_is_left_out_is_named_with_the_reason_and_nobody_left_is_said() {
    let nobody = Comparison { ranked: Vec::new(), ..comparison() };
    for format in [ComparisonFormat::Text(Style::default()), ComparisonFormat::Markdown] {
        let shown = shown(&nobody, format);
        assert!(shown.contains("No strategy here is what was asked for."), "{shown}");
        assert!(shown.contains("was never tried under F01"), "{shown}");
    }
}

#[test]
fn a_program_reads_back_what_was_written() {
    let mut out = Vec::new();
    write_comparison(&comparison(), ComparisonFormat::Json, &mut out).unwrap();
    let read: Comparison = serde_json::from_slice(&out).unwrap();
    assert_eq!(read, comparison());
}
