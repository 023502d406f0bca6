//! Every rendering, in documentation order. To add one: its file, and its two lines here.

use std::path::PathBuf;

use crate::{Rendering, Style};

mod csv;
mod failure_modes;
mod github;
mod html;
mod json;
mod junit;
mod markdown;
mod ndjson;
mod terminal;

pub(crate) use json::to_json;
pub use ndjson::EVENTS_SCHEMA_VERSION;

/// Every rendering that `--format` can name.
pub const ENTRIES: &[RenderingEntry] = &[
    terminal::ENTRY,
    json::ENTRY,
    ndjson::ENTRY,
    markdown::ENTRY,
    csv::ENTRY,
    junit::ENTRY,
    html::ENTRY,
    github::ENTRY,
    failure_modes::ENTRY,
];

/// The rendering of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static RenderingEntry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

/// What the rest of the program knows of a rendering.
#[derive(Clone, Copy, Debug)]
pub struct RenderingEntry {
    /// As `--format` spells it.
    pub name: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// Makes one.
    pub build: fn(&Settings) -> Box<dyn Rendering>,
}

/// What a rendering may depend on beside the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How text looks.
    pub style: Style,
    /// Where the report directory is, for those that point to it.
    pub directory: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_builds_the_rendering_of_its_name() {
        for entry in ENTRIES {
            assert_eq!((entry.build)(&Settings::default()).name(), entry.name);
            assert!(find(entry.name).is_some());
        }
    }
}
