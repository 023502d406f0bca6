//! The trait, and the two folds over what checkers say.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lockproof_model::{Anomaly, Evidence, Finding, Layer, Layers, SlotId, Verdict};

use crate::kinds;

/// Judges one property of a run.
///
/// # Behavior
/// - The same evidence gives the same finding.
/// - A violation comes with a witness: the smallest set of operations that proves it.
/// - What the evidence does not decide is `Unknown`, never `Valid`.
/// - A million operations are judged in well under a second: sort, never compare all pairs.
pub trait Checker: Debug + Sync {
    /// Its name in scenarios and reports.
    fn name(&self) -> &'static str;

    /// What its finding speaks about.
    fn layer(&self) -> Layer;

    /// Judges.
    fn check(&self, evidence: &Evidence<'_>) -> Finding;
}

/// Asks every checker.
///
/// A checker that panics has judged nothing: its finding is `Unknown` and says so, and the others are
/// still asked.
pub fn judge_all<'c>(
    evidence: &Evidence<'_>,
    checkers: impl IntoIterator<Item = &'c dyn Checker>,
) -> Vec<Finding> {
    checkers.into_iter().map(|checker| judge(evidence, checker)).collect()
}

/// The worst verdict of each layer.
#[must_use]
pub fn layers_of(findings: &[Finding]) -> Layers {
    let worst = |layer| {
        let verdicts = findings.iter().filter(|f| f.layer == layer).map(|f| f.verdict);
        verdicts.max().unwrap_or_default()
    };
    Layers {
        effect: worst(Layer::Effect),
        belief: worst(Layer::Belief),
        service: worst(Layer::Service),
        liveness: worst(Layer::Liveness),
    }
}

fn judge(evidence: &Evidence<'_>, checker: &dyn Checker) -> Finding {
    // Unwind safe: evidence is only read, and a checker that panicked is not asked again.
    let finding = catch_unwind(AssertUnwindSafe(|| checker.check(evidence)));
    finding.unwrap_or_else(|panic| Finding {
        checker: checker.name().to_owned(),
        layer: checker.layer(),
        verdict: Verdict::Unknown,
        anomalies: vec![Anomaly {
            kind: kinds::CHECKER_PANICKED.to_owned(),
            slot: SlotId(0),
            count: 1,
            sentence: format!(
                "the checker {} panicked and judged nothing: {}",
                checker.name(),
                message_of(panic.as_ref())
            ),
            witness: Vec::new(),
        }],
    })
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use lockproof_model::{BookingTable, History};

    use super::*;

    #[derive(Debug)]
    struct Panics;

    impl Checker for Panics {
        fn name(&self) -> &'static str {
            "panics"
        }

        fn layer(&self) -> Layer {
            Layer::Belief
        }

        fn check(&self, _evidence: &Evidence<'_>) -> Finding {
            panic!("slot {} is not there", 7)
        }
    }

    #[test]
    fn a_checker_that_panics_is_unknown_and_the_others_are_asked() {
        let (history, table) = (History::default(), BookingTable::default());
        let evidence = Evidence { history: &history, table: &table, faults: &[], left: &[] };
        let checkers: [&dyn Checker; 2] = [&Panics, crate::ENTRIES[0].checker];

        let findings = judge_all(&evidence, checkers);

        assert_eq!(findings[0].verdict, Verdict::Unknown);
        assert_eq!(
            findings[0].anomalies[0].sentence,
            "the checker panics panicked and judged nothing: slot 7 is not there"
        );
        assert_eq!(findings[1].verdict, Verdict::Valid);
        assert_eq!(layers_of(&findings).belief, Verdict::Unknown);
        assert_eq!(layers_of(&findings).effect, Verdict::Valid);
    }
}
