//! Playing on the model.

use lockproof_database_model::{
    Database, Executed, Isolation, Layout, PredicateLocks, SessionId, Statement,
};

use crate::script::{CAPACITY, Enforced, Line, SESSIONS, SLOTS, Transcript, told};

/// A model with its sessions, writing down what happens.
pub(crate) struct Stage {
    database: Database,
    sessions: [SessionId; SESSIONS],
    in_transaction: [bool; SESSIONS],
    transcript: Transcript,
}

impl Stage {
    pub(crate) fn new(enforced: Enforced) -> Self {
        // A server's tables are as small here, so its indexes have one page.
        let predicate_locks = PredicateLocks::OnePage;
        let layout = Layout {
            slots: SLOTS,
            capacity: CAPACITY,
            unique_unit: enforced == Enforced::UniqueUnit,
            exclude_overlap: enforced == Enforced::NoOverlap,
            predicate_locks,
        };
        let mut database = Database::new(layout);
        let sessions = [(); SESSIONS].map(|()| database.connect());
        let table = database.table();
        let transcript = Transcript { enforced, lines: Vec::new(), table };
        Self { database, sessions, in_transaction: [false; SESSIONS], transcript }
    }

    /// Plays a statement, unless its session waits; in a transaction of this level, if one is given.
    pub(crate) fn play(
        &mut self,
        session: usize,
        statement: Statement,
        isolation: Option<Isolation>,
    ) {
        if self.database.is_blocked(self.sessions[session]) {
            return;
        }
        match statement {
            Statement::Commit | Statement::Rollback => self.in_transaction[session] = false,
            Statement::Begin(_) => self.in_transaction[session] = true,
            _ => {
                if let Some(isolation) = isolation.filter(|_| !self.in_transaction[session]) {
                    self.in_transaction[session] = true;
                    self.say(session, Statement::Begin(isolation));
                }
            }
        }
        self.say(session, statement);
    }

    fn say(&mut self, session: usize, statement: Statement) {
        let outcome = match self.database.execute(self.sessions[session], statement) {
            Executed::Done(result) => told(result),
            Executed::Blocked => None,
        };
        let name = |id| self.sessions.iter().position(|&other| other == id).expect("it is ours");
        let woken = self.database.take_woken().into_iter();
        let mut woken: Vec<_> = woken.map(|(id, result)| (name(id), told(result))).collect();
        woken.sort_by_key(|(session, _)| *session);
        self.transcript.lines.push(Line { session, statement, outcome, woken });
    }

    /// Commits what is open, one session after the other as they stop waiting.
    pub(crate) fn finish(mut self) -> Transcript {
        let mut left: Vec<_> = (0..SESSIONS).collect();
        while !left.is_empty() {
            let before = left.len();
            left.retain(|&session| {
                let waits = self.database.is_blocked(self.sessions[session]);
                if !waits {
                    self.play(session, Statement::Commit, None);
                    self.play(session, Statement::AdvisoryUnlockAll, None);
                }
                waits
            });
            assert!(left.len() < before, "everybody waits for ever: {:#?}", self.transcript);
        }
        self.transcript.table = self.database.table();
        self.transcript
    }
}
