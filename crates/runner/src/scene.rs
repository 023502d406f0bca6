//! The attempts that prove a violation, cut out of a run for a drawing.

use lockproof_model::{
    Anomaly, AttemptId, Evidence, Expectation, FaultRecord, Finding, History, Instant, Layer,
    Operation, Scene, Verdict,
};

/// Scenes of a cell: the first explains, the rest repeat it.
const SCENES: usize = 3;
/// Beyond these a drawing is a crowd.
const ATTEMPTS_MAX: usize = 3;
const OPERATIONS_MAX: usize = 60;
const INJECTIONS_MAX: usize = 6;

/// The first violations of the table, and the first of what the expectation says that there shall be.
pub(crate) fn scenes(
    evidence: &Evidence<'_>,
    findings: &[Finding],
    expectation: Expectation,
) -> Vec<Scene> {
    let violated = |finding: &&Finding| finding.verdict == Verdict::Violated;
    let anomalies = findings.iter().filter(violated).flat_map(|finding| {
        let of_table = finding.layer == Layer::Effect;
        let shows = move |anomaly: &&Anomaly| of_table || expectation.shows(&anomaly.kind);
        finding.anomalies.iter().filter(shows)
    });
    anomalies.filter_map(|anomaly| scene(evidence, anomaly)).take(SCENES).collect()
}

/// `None` where the witness is no operation, and nothing could be drawn.
fn scene(evidence: &Evidence<'_>, anomaly: &Anomaly) -> Option<Scene> {
    let witness = anomaly.witness.iter().filter_map(|id| evidence.history.operation(*id));
    let mut attempts: Vec<AttemptId> = witness.map(|operation| operation.attempt).collect();
    attempts.sort_unstable();
    attempts.dedup();
    attempts.truncate(ATTEMPTS_MAX);
    let of_them = |operation: &&Operation| attempts.contains(&operation.attempt);
    let operations: Vec<_> = evidence.history.operations.iter().filter(of_them).cloned().collect();
    if operations.is_empty() || operations.len() > OPERATIONS_MAX {
        return None;
    }
    Some(Scene {
        slot: anomaly.slot,
        anomaly: anomaly.kind.clone(),
        sentence: anomaly.sentence.clone(),
        injections: injections(evidence.faults, &operations),
        history: History::assemble(operations, Vec::new()),
    })
}

/// What stood while they worked, on one of them or on everybody.
fn injections(faults: &[FaultRecord], operations: &[Operation]) -> Vec<FaultRecord> {
    let begun = operations.iter().map(|operation| operation.invoked).min();
    let ended = operations.iter().map(|op| op.completed.unwrap_or(op.invoked)).max();
    let (begun, ended) = (begun.unwrap_or_default(), ended.unwrap_or_default());
    let stood = |fault: &&FaultRecord| {
        fault.injected <= ended && fault.healed.unwrap_or(Instant::FAR_FUTURE) >= begun
    };
    let concerns = |fault: &&FaultRecord| {
        let of_holder = |holder| operations.iter().any(|operation| operation.holder == holder);
        fault.bit && fault.holder.is_none_or(of_holder)
    };
    faults.iter().filter(stood).filter(concerns).take(INJECTIONS_MAX).cloned().collect()
}
