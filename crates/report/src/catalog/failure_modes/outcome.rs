//! What became of the strategies of one scenario, those with one reason together.

use lockproof_model::{CellReport, Expectation, Finding, Status, kinds};

use super::words;
use crate::catalog::terminal::safety;
use crate::text;

/// Strategies by what became of them, and why; in the order in which they came.
pub(super) struct Outcomes<'a> {
    broken: Vec<Group<'a>>,
    kept: Vec<Group<'a>>,
}

struct Group<'a> {
    why: String,
    strategies: Vec<&'a str>,
}

impl<'a> Outcomes<'a> {
    pub(super) fn of(cell: &'a CellReport) -> Self {
        let mut outcomes = Self { broken: Vec::new(), kept: Vec::new() };
        outcomes.add(cell);
        outcomes
    }

    pub(super) fn add(&mut self, cell: &'a CellReport) {
        let (side, why) = match harm(cell) {
            Some(why) => (&mut self.broken, why),
            None => (&mut self.kept, kept_by(cell)),
        };
        match side.iter_mut().find(|group| group.why == why) {
            Some(group) => group.strategies.push(&cell.strategy),
            None => side.push(Group { why, strategies: vec![&cell.strategy] }),
        }
    }

    pub(super) fn broken(&self) -> String {
        listed(&self.broken)
    }

    pub(super) fn kept(&self) -> String {
        listed(&self.kept)
    }
}

fn listed(groups: &[Group<'_>]) -> String {
    if groups.is_empty() {
        return "–".to_owned();
    }
    let group = |group: &Group<'_>| {
        let names: Vec<_> = group.strategies.iter().map(|name| format!("`{name}`")).collect();
        format!("{}: {}", names.join(", "), words::cell(&group.why))
    };
    groups.iter().map(group).collect::<Vec<_>>().join("<br>")
}

/// What the strategy suffers, where it suffers anything.
fn harm(cell: &CellReport) -> Option<String> {
    if let Status::Infrastructure | Status::Inconclusive = cell.judgement.status {
        let reason = cell.judgement.reasons.first().map_or("no reason", String::as_str);
        return Some(format!("nothing was shown, {reason}"));
    }
    if let Some(Expectation::Shows(kind)) = cell.expectation {
        return sentence_of(cell, kind);
    }
    if let Some(Expectation::Blocked(least)) = cell.expectation {
        return Some(format!("blocked: nothing is sold for {} or longer", text::seconds(least)));
    }
    sentence_of(cell, kinds::DUPLICATE_BOOKING)
        .or_else(|| (cell.duplicates > 0).then(|| format!("{} sold twice", cell.duplicates)))
}

/// Why, in the words of the smallest schedule that showed it, or of the one that ran.
fn sentence_of(cell: &CellReport, kind: &str) -> Option<String> {
    let violation =
        cell.exploration.as_ref().and_then(|exploration| exploration.violation.as_ref());
    let searched = violation.filter(|violation| violation.anomaly == kind);
    let anomalies = cell.findings.iter().flat_map(|finding: &Finding| &finding.anomalies);
    let seen = || anomalies.clone().find(|anomaly| anomaly.kind == kind);
    let sentence = searched
        .map(|violation| &violation.sentence)
        .or_else(|| seen().map(|anomaly| &anomaly.sentence))?;
    Some(words::general(sentence))
}

/// What kept the table right. Where nobody was refused a write, the lock or the guard that waits has kept them apart.
fn kept_by(cell: &CellReport) -> String {
    match safety(cell) {
        by if by.starts_with("fenced") => "fenced".to_owned(),
        by if by.starts_with("guard") => "the guard refused".to_owned(),
        by if by == "no duplicate" => "held".to_owned(),
        by => by,
    }
}
