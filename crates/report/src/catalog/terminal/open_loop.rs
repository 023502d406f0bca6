//! What an open loop shows that a closed one hides: what waiting for a free holder cost.

use lockproof_model::CellReport;

use super::hanging;
use crate::style::{Ink, Style};
use crate::text::time;

/// A line for each cell whose attempts arrived at a rate.
pub(super) fn lines(cells: &[CellReport], style: Style) -> Vec<String> {
    let told = cells.iter().filter_map(|cell| Some((cell, told(cell)?)));
    told.flat_map(|(cell, text)| {
        hanging("·", Ink::Faint, &format!("{}: {text}", cell.strategy), style)
    })
    .collect()
}

/// Response time counts from the intended start, service time from the actual one; the difference is the wait.
fn told(cell: &CellReport) -> Option<String> {
    let (offered, response, service) = (cell.offered_per_s?, cell.response?, cell.service?);
    Some(format!(
        "{offered:.0} attempts/s offered; response p50 {}, p99 {}; service p50 {}, p99 {}; backlog up to {}",
        time(response.p50_us),
        time(response.p99_us),
        time(service.p50_us),
        time(service.p99_us),
        cell.backlog
    ))
}
