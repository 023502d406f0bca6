use lockproof_scenario::{Problems, Scenario, parse, resolved};
pub(crate) fn with_faults(scenario: &Scenario, faults: &[String]) -> Result<Scenario, Problems> {
    let mut other = scenario.clone();
    other.fault_fields = faults.to_vec();
    parse(&scenario.path, &resolved(&other))
}
