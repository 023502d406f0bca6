//! Whether two transcripts tell the same.

use std::fmt::Write;

use lockproof_database_model::{Isolation, Statement};
use lockproof_model::SlotId;

use crate::script::{Line, SESSIONS, Transcript};

/// How two of them compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Alike,
    /// The server refused (40001) a SERIALIZABLE transaction that the model lets go on; not compared any further.
    Refused,
    /// Two waited for one thing, and the server let the second have it; not compared any further.
    Raced,
    Different(String),
}

pub(crate) fn compare(model: &Transcript, server: &Transcript) -> Verdict {
    let mut story = String::new();
    let mut sessions = Sessions::default();
    for (ours, theirs) in model.lines.iter().zip(&server.lines) {
        if ours != theirs {
            if sessions.refused_by_server(ours, theirs) {
                return Verdict::Refused;
            }
            if sessions.race(ours, theirs) {
                return Verdict::Raced;
            }
            let (ours, theirs) = (tell(ours), tell(theirs));
            return Verdict::Different(format!(
                "{story}\nhere the model says\n  {ours}\nand the server\n  {theirs}"
            ));
        }
        writeln!(story, "  {}", tell(ours)).expect("a string takes everything");
        sessions.follow(ours);
    }
    if model.table == server.table {
        return Verdict::Alike;
    }
    Verdict::Different(format!(
        "{story}\nthe model ends with\n  {:?}\nand the server with\n  {:?}",
        model.table, server.table
    ))
}

/// What is known of them so far.
#[derive(Default)]
struct Sessions {
    levels: [Option<Isolation>; SESSIONS],
    /// What each waits for.
    waiting: [Option<Statement>; SESSIONS],
}

impl Sessions {
    fn follow(&mut self, line: &Line) {
        let Line { session, statement, outcome, ref woken } = *line;
        match statement {
            Statement::Begin(level) => self.levels[session] = Some(level),
            Statement::Commit | Statement::Rollback => self.levels[session] = None,
            _ => {}
        }
        if outcome.is_none() {
            self.waiting[session] = Some(statement);
        }
        for (session, _) in woken {
            self.waiting[*session] = None;
        }
    }

    fn refused_by_server(&self, ours: &Line, theirs: &Line) -> bool {
        let refused = |session, ours, theirs| {
            self.levels[session] == Some(Isolation::Serializable)
                && theirs == Some(Err("40001"))
                && ours != theirs
        };
        let told = |woken: &[(usize, _)], session| {
            woken.iter().find(|(other, _)| *other == session).and_then(|(_, outcome)| *outcome)
        };
        refused(ours.session, ours.outcome, theirs.outcome)
            || theirs
                .woken
                .iter()
                .any(|&(session, theirs)| refused(session, told(&ours.woken, session), theirs))
    }

    fn race(&self, ours: &Line, theirs: &Line) -> bool {
        let wanted: Vec<_> = self.waiting.iter().flatten().filter_map(wanted).collect();
        let is_wanted_twice = |thing| wanted.iter().filter(|&other| other == thing).count() > 1;
        ours.outcome == theirs.outcome && wanted.iter().any(is_wanted_twice)
    }
}

/// The slot whose row, or whose bookings, a statement waits for.
fn wanted(statement: &Statement) -> Option<(SlotId, bool)> {
    match *statement {
        Statement::ReadSlot { slot, .. }
        | Statement::RaiseFence { slot, .. }
        | Statement::BumpVersion { slot, .. }
        | Statement::SetVersion { slot, .. }
        | Statement::AddVersion { slot, .. } => Some((slot, true)),
        Statement::Insert(values) => Some((values.slot, false)),
        _ => None,
    }
}

fn tell(line: &Line) -> String {
    let Line { session, statement, outcome, woken } = line;
    let woken = if woken.is_empty() { String::new() } else { format!(", wakes {woken:?}") };
    format!("{session} {statement:?} -> {outcome:?}{woken}")
}
