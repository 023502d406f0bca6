//! Numbers as people say them.

use std::time::Duration;

use lockproof_model::{Anomaly, OperationId, SlotId};

use crate::kinds;

/// `208 ms`, `0.3 ms`, `35 µs`, `1.2 s`.
pub(crate) fn duration(value: Duration) -> String {
    let nanos = value.as_nanos();
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..100_000 => format!("{} µs", nanos / 1_000),
        100_000..10_000_000 => tenths(nanos / 100_000, "ms"),
        10_000_000..1_000_000_000 => format!("{} ms", nanos / 1_000_000),
        _ => tenths(nanos / 100_000_000, "s"),
    }
}

/// `twice`, `3 times`.
pub(crate) fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

/// A witness: its operations in the order of their invocation, each once.
pub(crate) fn witness(operations: impl IntoIterator<Item = OperationId>) -> Vec<OperationId> {
    let mut witness: Vec<_> = operations.into_iter().collect();
    witness.sort_unstable();
    witness.dedup();
    witness
}

/// Turns what was found into anomalies, and what is beyond a thousand into one that counts it.
///
/// Under the lock `none` every grant is an anomaly. A report with a hundred thousand sentences helps nobody.
pub(crate) fn listed<T>(found: &[T], describe: impl Fn(&T) -> Anomaly) -> Vec<Anomaly> {
    const LISTED: usize = 1000;
    let (shown, further) = found.split_at(found.len().min(LISTED));
    let mut anomalies: Vec<_> = shown.iter().map(&describe).collect();
    if let Some(first) = further.first() {
        anomalies.push(Anomaly {
            kind: kinds::FURTHER.to_owned(),
            slot: SlotId(0),
            count: u32::try_from(further.len()).unwrap_or(u32::MAX),
            sentence: format!("and {} more of these", further.len()),
            witness: describe(first).witness,
        });
    }
    anomalies
}

fn tenths(tenths: u128, unit: &str) -> String {
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {unit}"),
        (whole, tenth) => format!("{whole}.{tenth} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_that_suits_them() {
        let say = |nanos| duration(Duration::from_nanos(nanos));
        assert_eq!(say(800), "800 ns");
        assert_eq!(say(35_400), "35 µs");
        assert_eq!(say(310_000), "0.3 ms");
        assert_eq!(say(9_000_000), "9 ms");
        assert_eq!(say(208_400_000), "208 ms");
        assert_eq!(say(1_250_000_000), "1.2 s");
    }
}
