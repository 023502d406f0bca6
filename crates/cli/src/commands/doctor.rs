//! `lockproof doctor`: what this machine can run, what is missing and how to get it.

use comfy_table::{Table, presets};
use lockproof_rig::live::{Probe, probes};

use crate::exit::{Exit, Failure};
use crate::{machine, terminal};

pub(crate) fn run() -> Result<Exit, Failure> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["", "what", "found", "what it is for"]);
    for Probe { what, found, purpose, remedy } in probes() {
        let (sign, found) = match found {
            Some(found) => ("ok", found),
            None => ("--", format!("missing; {remedy}")),
        };
        table.add_row([sign.to_owned(), what.to_owned(), found, purpose.to_owned()]);
    }
    let head = format!("lockproof {} on {}", env!("CARGO_PKG_VERSION"), machine::description());
    terminal::answer(&format!("{head}\n\n{}", table.trim_fmt()))
}
