//! What was run: scenario, seed, servers, and whether the faults took effect.

use std::collections::BTreeMap;

use lockproof_model::{CellReport, FaultSummary, ServerInfo, ServerSetting};

use crate::style::{Ink, Style};
use crate::text::{self, Part, Separator};

/// `holder-paused-past-ttl · seed 0x5eed · embedded redis model, sqlite 3.50 · fault pause-holder 500ms bit 11/11`
pub(super) fn lines(cells: &[CellReport], seed: u64, style: Style) -> Vec<String> {
    let Some(first) = cells.first() else { return Vec::new() };
    let mut parts = vec![Part::new(style, Ink::Heading, &first.scenario)];
    parts.push(Part::plain(format!("seed {seed:#x}")));
    parts.extend(servers(cells).map(Part::plain));
    parts.extend(faults(cells).into_iter().map(Part::plain));

    let mut lines = text::flow(&parts, Separator::DOT, style.columns());
    lines.extend(settings(cells, style));
    lines.extend(title(first, style));
    lines
}

fn title(cell: &CellReport, style: Style) -> Vec<String> {
    let modes = match cell.catalog.as_slice() {
        [] => String::new(),
        modes => format!(" ({})", modes.join(", ")),
    };
    let title = format!("{}{modes}", cell.title);
    let lines = text::wrap(&title, style.columns());
    lines.iter().map(|line| style.paint(Ink::Faint, line)).collect()
}

/// Every server of any cell: strategies of one scenario use different ones.
fn servers(cells: &[CellReport]) -> Option<String> {
    let mut servers: Vec<ServerInfo> = Vec::new();
    for server in cells.iter().flat_map(|cell| &cell.servers) {
        let same =
            |known: &&mut ServerInfo| known.kind == server.kind && known.version == server.version;
        match servers.iter_mut().find(same) {
            Some(known) => known.count = known.count.max(server.count),
            None => servers.push(server.clone()),
        }
    }
    let names: Vec<_> = servers.iter().map(name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// `redis-server: maxmemory-policy noeviction, appendonly no; postgres: default_transaction_isolation read committed`:
/// of servers that the run did not set up itself, the two weightiest settings and those that are warned of.
fn settings(cells: &[CellReport], style: Style) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for server in cells.iter().flat_map(|cell| &cell.servers) {
        let settings = server.settings.iter().enumerate();
        let shown = settings.filter(|(place, setting)| *place < 2 || setting.warning.is_some());
        let shown: Vec<_> = shown.map(|(_, setting)| setting_line(setting)).collect();
        let line = format!("{}: {}", server.kind, shown.join(", "));
        if !shown.is_empty() && !told.contains(&line) {
            told.push(line);
        }
    }
    let lines = text::wrap(&told.join("; "), style.columns());
    let lines = lines.iter().filter(|line| !line.is_empty());
    lines.map(|line| style.paint(Ink::Faint, line)).collect()
}

fn setting_line(setting: &ServerSetting) -> String {
    let value = if setting.value.is_empty() { "empty" } else { &setting.value };
    match &setting.warning {
        Some(warning) => format!("{} {value} ({warning})", setting.name),
        None => format!("{} {value}", setting.name),
    }
}

fn name(server: &ServerInfo) -> String {
    let ServerInfo { kind, version, count, .. } = server;
    let version = if version.is_empty() { String::new() } else { format!(" {version}") };
    let count = if *count > 1 { format!(" ×{count}") } else { String::new() };
    format!("{kind}{version}{count}")
}

/// `fault pause-holder 500ms bit 11/11`, summed over the cells.
fn faults(cells: &[CellReport]) -> Vec<String> {
    let mut sums: BTreeMap<u32, FaultSummary> = BTreeMap::new();
    for fault in cells.iter().flat_map(|cell| &cell.faults) {
        let none = FaultSummary { injected: 0, bit: 0, ..fault.clone() };
        let sum = sums.entry(fault.fault).or_insert(none);
        sum.injected = sum.injected.saturating_add(fault.injected);
        sum.bit = sum.bit.saturating_add(fault.bit);
    }
    let is_one = sums.len() == 1;
    let show = |sum: &FaultSummary| {
        let number = if is_one { String::new() } else { format!(" {}", sum.fault) };
        format!("fault{number} {} bit {}/{}", sum.label, sum.bit, sum.injected)
    };
    sums.values().map(show).collect()
}
