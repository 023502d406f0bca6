//! `lockproof holder`: a holder in a process of its own, started by a run and never by people.

use lockproof_rig::live::HolderProgram;

use crate::exit::{Exit, Failure};

/// What makes this program a holder.
const COMMAND: &str = "holder";

/// This program, to be started again as a holder that logs as much as it does; none where the system does not say where
/// it is.
pub(crate) fn program(verbose: u8) -> Option<HolderProgram> {
    let mut arguments = vec![COMMAND.to_owned()];
    arguments.extend((0..verbose).map(|_| "-v".to_owned()));
    HolderProgram::this(arguments).ok()
}

pub(crate) fn run() -> Result<Exit, Failure> {
    lockproof_runner::hold().map(|()| Exit::Held).map_err(Failure::usage)
}
