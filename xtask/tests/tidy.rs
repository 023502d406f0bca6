//! The house rules, as part of the test suite.

#[test]
fn the_house_is_tidy() {
    let findings = xtask::tidy::look_at(xtask::root()).unwrap();
    let problems: Vec<_> = findings.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "problems: {}\n{}", problems.len(), problems.join("\n"));
}
