//! The envelope of a strategy: how far a field of its scenario can go before a schedule breaks the table.
//!
//! Every point has the same seeds, so that points differ by the value alone, and what is found is the same for a seed.

mod boundary;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lockproof_model::{
    Amount, CellReport, Dial, Envelope, LiveOutcome, Shape, Status, Tried, Verdict,
};
use lockproof_scenario::{Cell, Dialled, Problems, Scenario, Strategy, with_amounts};

use crate::cell::CellPlan;
use crate::explore::{Search, explore};
use crate::matrix::cells_of;
use boundary::{boundary, first_change};

/// Values of the second field for each of which a boundary is sought.
const ROWS: u64 = 7;

/// A field and the values that it is given.
#[derive(Clone, Debug)]
pub struct Varied {
    /// Where it stands in the file.
    pub dialled: Dialled,
    /// From where to where.
    pub dial: Dial,
}

/// What is varied in what.
#[derive(Debug)]
pub struct Survey<'a> {
    /// Where the scenario is.
    pub path: &'a Path,
    /// Its text.
    pub text: &'a str,
    /// The field whose boundary is sought.
    pub dial: &'a Varied,
    /// The field for some of whose values it is sought.
    pub against: Option<&'a Varied>,
    /// The seed of everything random.
    pub seed: u64,
    /// How far to look at each point.
    pub search: &'a Search,
}

impl Survey<'_> {
    /// The scenario at a point, with `strategy` alone.
    ///
    /// # Errors
    /// What a file with these values would be refused for, or why the strategy does not fit in.
    pub fn scenario(
        &self,
        strategy: &Strategy,
        at: Amount,
        against: Option<Amount>,
    ) -> Result<Scenario, String> {
        let mut amounts = vec![(&self.dial.dialled, at)];
        amounts.extend(self.against.zip(against).map(|(varied, at)| (&varied.dialled, at)));
        let refused = |problems: Problems| {
            let told: Vec<_> = amounts
                .iter()
                .map(|(dialled, at)| format!("{} = {}", dialled.field, at.toml()))
                .collect();
            format!("with {} the scenario is refused:\n{problems}", told.join(" and "))
        };
        let mut scenario = with_amounts(self.path, self.text, &amounts).map_err(refused)?;
        scenario.admits(strategy)?;
        let cell = scenario.cell(strategy).unwrap_or_else(|| Cell::expected_safe(*strategy));
        scenario.cells = vec![cell];
        Ok(scenario)
    }

    /// The values of the second field; nothing once where there is none.
    #[must_use]
    pub fn rows(&self) -> Vec<Option<Amount>> {
        let Some(Varied { dial, .. }) = self.against else { return vec![None] };
        let (steps, rows) = (dial.steps(), (ROWS - 1).min(dial.steps()).max(1));
        let at = |row: u64| dial.at(steps / rows * row + steps % rows * row / rows);
        (0..=rows).map(|row| Some(at(row))).collect()
    }

    /// The envelope of `strategy` for one value of the second field; none where the search was interrupted.
    ///
    /// # Errors
    /// A value is refused by the scenario.
    ///
    /// # Panics
    /// When a schedule does: a bug, with its seed in the message.
    pub fn envelope(
        &self,
        strategy: &Strategy,
        against: Option<Amount>,
        now: &(impl Fn() -> Duration + Sync),
    ) -> Result<Option<Envelope>, String> {
        let dial = &self.dial.dial;
        let (mut tried, mut refused) = (BTreeMap::new(), None);
        let places = boundary(dial.steps(), |place| {
            let at = dial.at(place);
            match self.point(strategy, at, against, now) {
                Ok(Some(point)) => {
                    let survives = point.broken.is_none();
                    tried.insert(place, point);
                    Some(survives)
                }
                Ok(None) => None,
                Err(why) => {
                    refused = Some(why);
                    None
                }
            }
        });
        if let Some(why) = refused {
            return Err(why);
        }
        let Some(places) = places else { return Ok(None) };
        let (shape, odd) = shape(&places, dial);
        Ok(Some(Envelope {
            strategy: strategy.to_string(),
            against,
            shape,
            odd,
            tried: tried.into_values().collect(),
            live: Vec::new(),
        }))
    }

    fn point(
        &self,
        strategy: &Strategy,
        at: Amount,
        against: Option<Amount>,
        now: &(impl Fn() -> Duration + Sync),
    ) -> Result<Option<Tried>, String> {
        let scenario = Arc::new(self.scenario(strategy, at, against)?);
        let plan = self.plan(scenario);
        let explored = explore(&plan, self.search, now, &|_| {});
        // An interrupted search of a point says nothing, unless it has found something.
        if explored.found.is_none() && self.search.halt.load(Ordering::Relaxed) {
            return Ok(None);
        }
        Ok(Some(Tried {
            at,
            schedules: explored.figures.schedules,
            bit: explored.figures.bit,
            broken: explored.found.map(|(_, _, broken)| broken.sentence),
        }))
    }

    /// The plan of a scenario with one cell.
    ///
    /// # Panics
    /// When it has none: a bug.
    #[must_use]
    pub fn plan(&self, scenario: Arc<Scenario>) -> CellPlan {
        cells_of(&[scenario], self.seed).pop().expect("a point has one strategy")
    }
}

/// What the places come to, and which of them do not fit in.
fn shape(places: &boundary::Tried, dial: &Dial) -> (Shape, Vec<Amount>) {
    let is_first_survived = places.values().next().copied().unwrap_or(true);
    let Some((before, after)) = first_change(places) else {
        return (if is_first_survived { Shape::Survives } else { Shape::Breaks }, Vec::new());
    };
    let (low, high) = (dial.at(before), dial.at(after));
    let shape = if is_first_survived {
        Shape::UpTo { survives: low, breaks: high }
    } else {
        Shape::From { breaks: low, survives: high }
    };
    // Up to the change everything is as the first; whatever is so again beyond it is odd.
    let beyond = places.range(after..).filter(|(_, survives)| **survives == is_first_survived);
    (shape, beyond.map(|(place, _)| dial.at(*place)).collect())
}

/// The two values beside the boundary; none where there is none.
#[must_use]
pub fn beside(shape: Shape) -> Vec<Amount> {
    match shape {
        Shape::Survives | Shape::Breaks => Vec::new(),
        Shape::UpTo { survives, breaks } => vec![survives, breaks],
        Shape::From { breaks, survives } => vec![breaks, survives],
    }
}

/// What a live cell says of its value, whatever was expected of it.
#[must_use]
pub fn live_outcome(cell: &CellReport) -> LiveOutcome {
    let reason = || cell.judgement.reasons.first().cloned().unwrap_or_default();
    if cell.duplicates > 0 || cell.layers.effect == Verdict::Violated {
        return LiveOutcome::Broke(cell.duplicates);
    }
    match cell.judgement.status {
        Status::Inconclusive | Status::Infrastructure => LiveOutcome::Undecided(reason()),
        Status::Met | Status::Regressed | Status::Failed => LiveOutcome::Held(cell.bookings),
    }
}

#[cfg(test)]
mod tests;
