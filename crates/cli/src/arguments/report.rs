//! What `lockproof report` is told.

use std::path::PathBuf;

use clap::Args;

use super::Format;

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// Report directories: one, or several that are parts of one run
    #[arg(required = true, value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,

    /// Write a report directory there as well; it must not exist, or be empty
    #[arg(long, env = "LOCKPROOF_REPORT_OUT")]
    pub(crate) out: Option<PathBuf>,

    /// How to show the results on stdout
    #[arg(long, env = "LOCKPROOF_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
