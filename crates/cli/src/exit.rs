//! Exit codes, and the errors that carry one.

use std::process::ExitCode;

use lockproof_model::Status;

/// What the program says to its caller. Of several, the one of the smallest code above zero wins, but for
/// infrastructure, which is worse than inconclusive: 1 > 5 > 3 > 4 > 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every expectation held.
    Held,
    /// A strategy expected to be safe sold a slot twice, or a control no longer fails.
    Violated,
    /// Usage, or an invalid scenario.
    Usage,
    /// The run could not have shown a violation.
    Inconclusive,
    /// A cell costs more than the baseline allows.
    Regressed,
    /// A server could not be started or reached.
    Infrastructure,
    /// Interrupted from the keyboard.
    Interrupted,
    /// Asked to terminate.
    Terminated,
}

impl From<Status> for Exit {
    fn from(status: Status) -> Self {
        match status {
            Status::Met => Self::Held,
            Status::Inconclusive => Self::Inconclusive,
            Status::Regressed => Self::Regressed,
            Status::Infrastructure => Self::Infrastructure,
            Status::Failed => Self::Violated,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Held => 0,
            Exit::Violated => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Regressed => 4,
            Exit::Infrastructure => 5,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        })
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) what: String,
}

impl Failure {
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, what: what.into() }
    }

    pub(crate) fn infrastructure(what: impl Into<String>) -> Self {
        Self { exit: Exit::Infrastructure, what: what.into() }
    }
}
