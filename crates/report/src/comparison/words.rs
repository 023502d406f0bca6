//! What is said of a strategy, from what is known of it.

use lockproof_model::{Compared, Comparison, Cost, Stand, Trial, failure_mode};

use crate::text::{counted, seconds, time};

/// What a mode is called in running text: `F01 (a process pauses past its TTL)`, or a scenario's name.
fn named(trial: &Trial) -> String {
    match failure_mode(&trial.mode) {
        Some(mode) => format!("{} ({})", mode.id, mode.name),
        None => trial.mode.clone(),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Where safety and cost come from.
pub(super) fn provenance(comparison: &Comparison) -> String {
    let safety = format!(
        "Safety: searched in the simulated world, at most {} in each cell; gaps are of its virtual time.",
        counted(usize::try_from(comparison.schedules).unwrap_or(usize::MAX), "schedule")
    );
    match &comparison.cost_of {
        Some(place) => format!("{safety} Cost: measured on {place}."),
        None => format!("{safety} Cost: not measured."),
    }
}

/// The strategy in plain words.
pub(super) fn paragraph(of: &Compared, comparison: &Comparison) -> String {
    let sentences = [what(of), safety(of, comparison), gap(of), cost(&of.cost), needs(of)];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn what(of: &Compared) -> Option<String> {
    Some(format!("{} is: {}.", of.strategy, of.parts.join("; ")))
}

fn safety(of: &Compared, comparison: &Comparison) -> Option<String> {
    let (tried, all) = (of.tried.len(), comparison.modes.len());
    if tried == 0 {
        return Some(
            "It was tried under nothing here, so nothing is known of its safety.".to_owned(),
        );
    }
    let held = of.under(Stand::Held).count();
    let untried = if tried < all {
        format!(" (there are {all} here; of the others nothing is known)")
    } else {
        String::new()
    };
    let mut said = vec![format!(
        "It kept the table right under {held} of the {tried} modes that it was tried under{untried}"
    )];
    for (stand, words) in [
        (Stand::Broken, "the table was wrong under"),
        (Stand::Blocked, "nobody could book for long under"),
        (Stand::Undecided, "nothing was proved under"),
    ] {
        let modes: Vec<_> = of.under(stand).map(named).collect();
        if !modes.is_empty() {
            said.push(format!("{words} {}", listed(&modes)));
        }
    }
    Some(format!("{}.", said.join("; ")))
}

fn gap(of: &Compared) -> Option<String> {
    let gap = of.longest_gap.as_ref()?;
    Some(format!(
        "The longest stretch without a booking, where the table was right, was {} of virtual time, in {}.",
        seconds(gap.lasted),
        gap.scenario
    ))
}

fn cost(cost: &Cost) -> Option<String> {
    Some(match cost {
        Cost::Measured { p50_us, p99_us, bookings_per_s } => format!(
            "With nothing wrong, being alone takes {} at the median and {} at the 99th percentile, and {bookings_per_s:.0} bookings a second are sold.",
            time(*p50_us),
            time(*p99_us)
        ),
        Cost::Unknown(why) => format!("What it costs is not known: {why}."),
    })
}

fn needs(of: &Compared) -> Option<String> {
    Some(format!("It needs {}.", demand(of)))
}

/// What it runs on, as a phrase.
pub(super) fn demand(of: &Compared) -> String {
    let mut needs: Vec<String> = of.needs.servers.iter().cloned().collect();
    let database = "the database of the bookings";
    needs.push(match of.needs.not_on.as_slice() {
        [] => database.to_owned(),
        engines => format!("{database}, which cannot be {}", engines.join(" or ")),
    });
    if of.needs.token {
        needs.push("a fencing token with each grant".to_owned());
    }
    listed(&needs)
}

/// The modes under which it stood so, as a list of numbers; a dash for none.
pub(super) fn modes(of: &Compared, stand: Stand) -> String {
    let modes: Vec<_> = of.under(stand).map(|trial| trial.mode.as_str()).collect();
    if modes.is_empty() { "–".to_owned() } else { modes.join(" ") }
}

/// The columns of cost: p50, p99, bookings a second.
pub(super) fn figures(cost: &Cost) -> [String; 3] {
    match cost {
        Cost::Measured { p50_us, p99_us, bookings_per_s } => {
            [time(*p50_us), time(*p99_us), format!("{bookings_per_s:.0}")]
        }
        Cost::Unknown(_) => ["–", "–", "–"].map(ToOwned::to_owned),
    }
}

/// The longest gap as a column.
pub(super) fn longest(of: &Compared) -> String {
    of.longest_gap.as_ref().map_or_else(|| "–".to_owned(), |gap| seconds(gap.lasted))
}

/// What to say where nobody is left.
pub(super) const NOBODY: &str = "No strategy here is what was asked for.";
