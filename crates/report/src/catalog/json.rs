//! `results.json`: the report itself, from which every other rendering can be made.

use std::io;

use lockproof_model::RunReport;
use serde::Serialize;

use super::RenderingEntry;
use crate::Rendering;

pub(super) const ENTRY: RenderingEntry = RenderingEntry {
    name: "json",
    summary: "the whole report, schema-versioned",
    build: |_| Box::new(Json),
};

#[derive(Debug)]
struct Json;

impl Rendering for Json {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn render(&self, report: &RunReport, out: &mut dyn io::Write) -> io::Result<()> {
        to_json(report, out)
    }
}

/// Indented, with a line break at the end: these files are read by people and compared by `diff`.
pub(crate) fn to_json(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}
