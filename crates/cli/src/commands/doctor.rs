//! `lockproof doctor`: what this machine can run, what is missing and how to get it; which of the servers that are
//! named can be used; and, asked for it, what killed runs have left there.

use std::fmt::Write;

use comfy_table::{Table, presets};
use lockproof_model::{ServerInfo, in_full};
use lockproof_rig::ExternalServers;
use lockproof_rig::live::{Probe, inspect, probes, sweep_servers};

use crate::arguments::DoctorArguments;
use crate::exit::{Exit, Failure};
use crate::{machine, servers, terminal};

pub(crate) fn run(arguments: &DoctorArguments) -> Result<Exit, Failure> {
    let servers = servers::named(&arguments.servers)?;
    if arguments.sweep {
        return sweep(&servers);
    }
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
    let (named, exit) = look_at(&servers)?;
    terminal::answer(&format!("{head}\n\n{}{named}", table.trim_fmt())).map(|_| exit)
}

/// The servers that are named, each in a paragraph of its own: what is wrong with one takes a sentence.
fn look_at(servers: &ExternalServers) -> Result<(String, Exit), Failure> {
    let seen = inspect(servers).map_err(|error| Failure::infrastructure(in_full(&error)))?;
    let (mut text, mut exit) = (String::new(), Exit::Held);
    for (url, seen) in seen {
        let (sign, lines) = match seen {
            Ok(info) => ("ok", settings(&info)),
            Err(error) => {
                exit = Exit::Infrastructure;
                ("--", format!("   {}", in_full(&error)))
            }
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "\n\n{sign} {url}\n{lines}");
    }
    Ok((text, exit))
}

fn settings(info: &ServerInfo) -> String {
    let mut lines = vec![format!("   {} {}", info.kind, info.version)];
    for setting in &info.settings {
        let value = if setting.value.is_empty() { "(empty)" } else { &setting.value };
        let warning = setting.warning.as_ref().map(|warning| format!(": {warning}"));
        lines.push(format!("   {} {value}{}", setting.name, warning.unwrap_or_default()));
    }
    lines.join("\n")
}

fn sweep(servers: &ExternalServers) -> Result<Exit, Failure> {
    if *servers == ExternalServers::default() {
        return Err(Failure::usage(
            "which servers are to be swept? name them: --redis-url URL,… and --database-url URL",
        ));
    }
    let swept = sweep_servers(servers).map_err(|error| Failure::infrastructure(in_full(&error)))?;
    if swept.is_empty() {
        return terminal::answer("nothing of killed runs was left");
    }
    let exit = if swept.left.is_empty() { Exit::Held } else { Exit::Infrastructure };
    terminal::answer(&swept.to_string()).map(|_| exit)
}
