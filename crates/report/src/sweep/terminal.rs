//! A bar per envelope, then each in plain words.

use lockproof_model::{Envelope, Sweep};

use super::words;
use crate::style::{Ink, Style};
use crate::text;

/// Columns of a bar.
const BAR: usize = 48;

pub(super) fn lines(sweep: &Sweep, style: Style) -> Vec<String> {
    let mut lines = vec![style.paint(Ink::Heading, &sweep.scenario)];
    lines.extend(text::wrap(&sweep.title, style.columns()));
    lines.extend(text::wrap(&words::provenance(sweep), style.columns()));
    lines.push(String::new());
    lines.extend(bars(sweep, style));
    for envelope in &sweep.envelopes {
        lines.push(String::new());
        lines.extend(text::wrap(&words::sentence(envelope, sweep), style.columns()));
        for remark in words::remarks(envelope) {
            let broken = text::wrap(&remark, style.columns().saturating_sub(3));
            lines.extend(broken.into_iter().map(|line| format!("   {line}")));
        }
    }
    if let Some(why) = &sweep.unconfirmed {
        lines.push(String::new());
        lines.extend(text::wrap(&format!("not confirmed live: {why}"), style.columns()));
    }
    lines.extend([String::new(), format!("repeat: {}", sweep.command)]);
    lines
}

fn bars(sweep: &Sweep, style: Style) -> Vec<String> {
    let name = |envelope: &Envelope| match envelope.against {
        Some(at) => format!("{}  {at}", envelope.strategy),
        None => envelope.strategy.clone(),
    };
    let width = sweep.envelopes.iter().map(|envelope| name(envelope).chars().count()).max();
    let width = width.unwrap_or(0);
    let (low, high) = (sweep.dial.low.to_string(), sweep.dial.high.to_string());
    let room = BAR.saturating_sub(low.chars().count() + high.chars().count());
    let axis = format!("{:width$}  {low}{:room$}{high}", "", "");
    let mut lines = vec![style.paint(Ink::Faint, &axis)];
    for envelope in &sweep.envelopes {
        let bar: String = (0..BAR).map(|column| sign(envelope, sweep, column)).collect();
        lines.push(format!("{:width$}  {bar}", name(envelope)));
    }
    let legend = "# survived, . broken, ? both; between values that were tried, as the one below";
    lines.push(style.paint(Ink::Faint, &format!("{:width$}  {legend}", "")));
    lines
}

/// What came of the values that one column stands for; where none was tried, of the next column below: survived only
/// where all of that was.
fn sign(envelope: &Envelope, sweep: &Sweep, column: usize) -> char {
    let (low, high) = (sweep.dial.low.figure(), sweep.dial.high.figure());
    let span = u128::from(high - low).max(1);
    let column_of = |figure: u64| {
        let place = u128::from(figure.saturating_sub(low)) * (BAR as u128) / span;
        usize::try_from(place).unwrap_or(BAR).min(BAR - 1)
    };
    let outcomes_in = |wanted: usize| {
        let points = envelope.tried.iter();
        let here = points.filter(move |point| column_of(point.at.figure()) == wanted);
        here.map(|point| point.broken.is_none())
    };
    let here: Vec<bool> = outcomes_in(column).collect();
    let columns = envelope.tried.iter().map(|point| column_of(point.at.figure()));
    let below = columns.filter(|tried| *tried < column).max();
    match (here.contains(&true), here.contains(&false)) {
        (true, true) => '?',
        (true, false) => '#',
        (false, false) if below.is_some_and(|below| outcomes_in(below).all(|held| held)) => '#',
        (false, _) => '.',
    }
}
