//! What a run cannot show, whatever its verdict: read off the report, so that no reader takes it for more than it is.

use lockproof_model::{FAILURE_MODES, Place, RunReport, Status, World};
use serde::Serialize;

use crate::text::counted;

/// One thing that nobody should conclude.
#[derive(Debug, Serialize)]
pub(super) struct Limit {
    title: String,
    text: String,
}

/// The limits of this run, the weightiest first.
pub(super) fn of(report: &RunReport) -> Vec<Limit> {
    let mut limits = Vec::new();
    let mut add = |title: &str, text: String| limits.push(Limit { title: title.to_owned(), text });
    if report.manifest.interrupted {
        add("It was interrupted", "The cells after the last one here were not run.".to_owned());
    }
    let undecided = report.cells.iter().filter(|cell| {
        matches!(cell.judgement.status, Status::Inconclusive | Status::Infrastructure)
    });
    match undecided.count() {
        0 => {}
        1 => add("One cell decides nothing", UNDECIDED.to_owned()),
        count => add(&format!("{count} cells decide nothing"), UNDECIDED.to_owned()),
    }
    let explored = report.cells.iter().filter_map(|cell| cell.exploration.as_ref());
    let schedules: Vec<u64> = explored.map(|found| found.schedules).collect();
    match (report.manifest.world, schedules.is_empty()) {
        (World::Live, _) => add("That what held always holds", LIVE.to_owned()),
        (World::Sim, true) => add("Other schedules than one of each cell", ONE_SCHEDULE.to_owned()),
        (World::Sim, false) => {
            let all: u64 = schedules.iter().sum();
            let text = format!(
                "{all} schedules were looked at in {}. A strategy that none of them broke may be broken by the next: more --seeds look further, and --buggify adds random faults.",
                counted(schedules.len(), "cell")
            );
            add("Schedules beyond those that were looked at", text);
            add("Latencies of a whole search", OF_THE_FIRST.to_owned());
        }
    }
    if report.manifest.world == World::Sim {
        add("What real servers and clients do", SIMULATED.to_owned());
    } else if report.manifest.provider == "embedded" {
        add("What a real Redis or Postgres does", EMBEDDED.to_owned());
    }
    add("More than one machine", ONE_MACHINE.to_owned());
    let closed = report.cells.iter().filter(|cell| cell.offered_per_s.is_none()).count();
    if closed > 0 {
        let text = format!(
            "{closed} of {} have a closed loop: who is kept waiting asks for nothing meanwhile, so a stalled server slows the load down with it. Response and service time are the same there. What customers would wait is measured by an open loop: arrivals = {{ kind = \"open\", … }}.",
            counted(report.cells.len(), "cell")
        );
        add("What customers wait under a given load", text);
    }
    let toothless = report.cells.iter().flat_map(|cell| &cell.faults);
    let (all, none): (Vec<_>, Vec<_>) = toothless.partition(|fault| fault.bit > 0);
    if !none.is_empty() {
        let text = format!(
            "{} of {} took effect in no injection; where [require] asks for it, the cell is inconclusive.",
            none.len(),
            counted(all.len() + none.len(), "fault")
        );
        add("What faults that never bit would have done", text);
    }
    limits.extend(modes(report));
    limits
}

/// Failure modes that no scenario here shows.
fn modes(report: &RunReport) -> Option<Limit> {
    let is_shown = |id: &str| report.cells.iter().flat_map(|cell| &cell.catalog).any(|m| m == id);
    let missing: Vec<_> = FAILURE_MODES.iter().filter(|mode| !is_shown(mode.id)).collect();
    if missing.is_empty() {
        return None;
    }
    let named = missing.iter().map(|mode| {
        let why = match mode.place {
            Place::Simulated => "not among these scenarios",
            Place::Live(why) | Place::Nowhere(why) => why,
        };
        format!("{} {} ({why})", mode.id, mode.name)
    });
    let title = format!("{} of {} known failure modes", missing.len(), FAILURE_MODES.len());
    Some(Limit { title, text: named.collect::<Vec<_>>().join("; ") + "." })
}

const UNDECIDED: &str = "Too little happened there, its evidence does not decide, or a server was missing. Such a cell is no proof of anything, and the program exits accordingly.";
const LIVE: &str = "A live run sees one order of events, the one that the machine's timing gave it. A violation is proof; its absence is not. `lockproof explore` searches other orders, and says how many it has looked at.";
const ONE_SCHEDULE: &str =
    "Each cell ran one simulated schedule. `lockproof explore` searches through many.";
const OF_THE_FIRST: &str = "Figures, curves and time lines of a search are those of one schedule: the smallest that breaks the cell, or else the first. Their times are virtual, and parameters of the model.";
const SIMULATED: &str = "Servers, network and clock are models, held against real servers by tests. What the models leave out, such as memory pressure, disks and client libraries with a will of their own, was not put to the test: `lockproof run --provider process` does that.";
const EMBEDDED: &str = "The embedded provider serves locks from an in-process model of Redis and bookings from SQLite. Replication, persistence and the concurrency of a database's server are not there; `--provider process` has them.";
const ONE_MACHINE: &str = "Holders and servers ran on one machine and one clock. Network cards, data centres and clocks of several machines are stood in for by faults on links and servers.";
