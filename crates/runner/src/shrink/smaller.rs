//! Scenarios that are a step smaller than another.

use std::time::Duration;

use lockproof_faults::parse_duration;
use lockproof_scenario::{Scenario, with_faults};
use lockproof_workload::{Pace, Stop};

/// Scenarios that are a step smaller, those that take away most first.
pub(super) fn smaller(scenario: &Scenario) -> Vec<Scenario> {
    let mut candidates = leaps(scenario);
    for faults in fewer(&scenario.fault_fields) {
        candidates.extend(with_faults(scenario, &faults));
    }
    let load = &scenario.load;
    for holders in steps_down(load.holders, 1) {
        let mut smaller = scenario.clone();
        smaller.load.holders = holders;
        let faults: Vec<_> =
            scenario.fault_fields.iter().map(|fields| among(fields, holders)).collect();
        // Read again: a replay that names holders which are gone could not be read.
        candidates.extend(with_faults(&smaller, &faults));
    }
    let mut with = |change: &dyn Fn(&mut Scenario)| {
        let mut smaller = scenario.clone();
        change(&mut smaller);
        candidates.push(smaller);
    };
    if let Stop::After(bookings) = load.stop {
        for fewer in steps_down(bookings, 1) {
            with(&|scenario| scenario.load.stop = Stop::After(fewer));
        }
        for slots in steps_down(load.slots, 1) {
            let slots = load.flow.whole_slots(&load.settings, slots);
            if slots == load.slots {
                continue;
            }
            with(&|scenario| scenario.load.slots = slots);
            // Both at once: on fewer slots alone more holders crowd on each.
            let bookings = bookings.min(slots.saturating_mul(2)).max(1);
            with(&|scenario| {
                scenario.load.slots = slots;
                scenario.load.stop = Stop::After(bookings);
            });
        }
    } else {
        with(&|scenario| scenario.load.stop = Stop::After(64));
    }
    if load.pace != Pace::Closed {
        with(&|scenario| scenario.load.pace = Pace::Closed);
    }
    if !load.settings.work.is_zero() {
        with(&|scenario| scenario.load.settings.work = Duration::ZERO);
    }
    if !load.settings.think.is_zero() {
        with(&|scenario| scenario.load.settings.think = Duration::ZERO);
    }
    if scenario.wait.tries > 1 {
        with(&|scenario| scenario.wait = lockproof_locks::Wait::NEVER);
    }
    // A fault that comes every so often needs to come but once, and seldom for as long.
    for (index, fields) in scenario.fault_fields.iter().enumerate() {
        for simpler in simpler(fields).into_iter().chain(shorter(fields)) {
            let mut faults = scenario.fault_fields.clone();
            faults[index] = simpler;
            candidates.extend(with_faults(scenario, &faults));
        }
    }
    candidates
}

/// Almost nothing, which is often enough: two or three holders, one slot, one fault that comes once.
fn leaps(scenario: &Scenario) -> Vec<Scenario> {
    let mut leaps = Vec::new();
    for (holders, bookings) in [(2, 2), (3, 3), (3, 5)] {
        if scenario.load.holders < holders || scenario.load.attempts() <= bookings {
            continue;
        }
        let mut small = scenario.clone();
        small.load.holders = holders;
        small.load.slots = 1;
        small.load.stop = Stop::After(bookings);
        for fault in &scenario.fault_fields {
            let fault = &among(fault, holders);
            for once in simpler(fault).into_iter().take(2).chain([fault.clone()]) {
                leaps.extend(with_faults(&small, &[once]));
            }
        }
    }
    leaps
}

/// The list without some of its items: one alone, halves, all but one.
fn fewer(items: &[String]) -> Vec<Vec<String>> {
    let mut lists = Vec::new();
    if items.len() > 1 {
        lists.extend(items.iter().map(|item| vec![item.clone()]));
    }
    if items.len() > 2 {
        for index in 0..items.len() {
            let mut rest = items.to_vec();
            rest.remove(index);
            lists.push(rest);
        }
    }
    if !items.is_empty() {
        lists.insert(0, Vec::new());
    }
    lists
}

/// Smaller numbers down to `least`, the boldest first.
fn steps_down(from: u32, least: u32) -> Vec<u32> {
    let mut steps = vec![least, least + 1, from / 4, from / 2, from.saturating_sub(1)];
    steps.retain(|&step| step >= least && step < from);
    steps.dedup();
    steps
}

/// A fault with those of its `holders` alone that there are; as it is where none is left.
fn among(fields: &str, holders: u32) -> String {
    let line = |line: &str| {
        let list = line.strip_prefix("holders = [").and_then(|rest| rest.strip_suffix(']'));
        let numbers = list.into_iter().flat_map(|list| list.split(", "));
        let left: Vec<_> =
            numbers.filter(|n| n.parse::<u32>().is_ok_and(|n| n <= holders)).collect();
        if left.is_empty() { line.to_owned() } else { format!("holders = [{}]", left.join(", ")) }
    };
    fields.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A fault that comes once, at the first few of its occasions.
fn simpler(fields: &str) -> Vec<String> {
    let repeats = |line: &&str| {
        ["every", "probability"].iter().any(|key| line.starts_with(&format!("{key} =")))
    };
    let numbered = |line: &str| line.strip_prefix("nth = ").and_then(|n| n.parse::<u32>().ok());
    let Some(trigger) = fields.lines().find(|line| repeats(line) || numbered(line).is_some())
    else {
        return Vec::new();
    };
    let most = numbered(trigger).unwrap_or(u32::MAX);
    let once = |n: u32| {
        let line =
            |line: &str| if line == trigger { format!("nth = {n}") } else { line.to_owned() };
        fields.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    (1..=4).filter(|&n| n < most).map(once).collect()
}

/// A fault that lasts half as long, down to a millisecond.
fn shorter(fields: &str) -> Option<String> {
    let length = |line: &str| {
        let text = line.strip_prefix("for = \"")?.strip_suffix('"')?;
        parse_duration(text).ok()
    };
    let lasting = fields.lines().find(|line| length(line).is_some())?;
    let half = Duration::from_millis(u64::try_from(length(lasting)?.as_millis() / 2).ok()?);
    let line = |line: &str| {
        if line == lasting {
            format!("for = \"{}\"", humantime::format_duration(half))
        } else {
            line.to_owned()
        }
    };
    (!half.is_zero()).then(|| fields.lines().map(line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_no_holder_that_is_gone() {
        let fault = "kind = \"partition\"\nholders = [1, 2, 3]\nlinks = [\"redis-1\", \"redis-2\"]";
        assert_eq!(among(fault, 2), fault.replace("[1, 2, 3]", "[1, 2]"));
        assert_eq!(among(fault, 3), fault);
        let of_the_third = fault.replace("[1, 2, 3]", "[3]");
        assert_eq!(among(&of_the_third, 2), of_the_third, "left for the reader to refuse");
    }

    #[test]
    fn a_fault_is_halved_down_to_a_millisecond() {
        let fault = "kind = \"pause-holder\"\nfor = \"500ms\"\nnth = 1";
        assert_eq!(shorter(fault), Some(fault.replace("500ms", "250ms")));
        assert_eq!(shorter(&fault.replace("500ms", "1ms")), None);
        assert_eq!(shorter("kind = \"evict\""), None);
    }

    #[test]
    fn a_fault_that_comes_every_so_often_is_tried_at_its_first_few_occasions() {
        let fault = "kind = \"pause-holder\"\nevery = 5";
        let nths: Vec<_> = simpler(fault);
        assert_eq!(nths[0], "kind = \"pause-holder\"\nnth = 1");
        assert_eq!(nths.len(), 4);
        assert_eq!(simpler("kind = \"pause-holder\"\nnth = 1"), Vec::<String>::new());
    }
}
