//! What happens to the model database: it stands still, it dies, a session of it is ended.

use std::fmt;

use lockproof_database_model::SessionId;
use lockproof_model::HolderId;

use super::database::{Server, SimWire};
use crate::{Link, ServerEffect};

type Arrival = Box<dyn FnOnce()>;

/// Whether the database stands up, and what waits for that. Two faults may overlap, so they are counted.
#[derive(Default)]
pub(super) struct Standing {
    pauses: u32,
    downs: u32,
    waiting: Vec<Arrival>,
}

impl Standing {
    pub(super) const fn is_paused(&self) -> bool {
        self.pauses > 0
    }

    pub(super) const fn is_down(&self) -> bool {
        self.downs > 0
    }

    /// What has arrived comes again when the pause is over.
    pub(super) fn wait(&mut self, arrival: Arrival) {
        self.waiting.push(arrival);
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pauses, downs, waiting } = self;
        f.debug_struct("Standing")
            .field("pauses", pauses)
            .field("downs", downs)
            .field("waiting", &waiting.len())
            .finish()
    }
}

/// Something that the database suffers until it is ended. Whoever drops it has ended it.
#[derive(Debug)]
pub(super) struct DatabaseAffliction {
    database: SimWire,
    effect: ServerEffect,
    observed: Option<String>,
}

impl SimWire {
    /// Does `effect`, as far as the model knows it: what it does not know is refused before a run.
    pub(super) fn afflict(self, effect: ServerEffect) -> DatabaseAffliction {
        let observed = match effect {
            ServerEffect::Pause => {
                self.0.desk.borrow_mut().standing.pauses += 1;
                None
            }
            ServerEffect::Crash { .. } => self.0.crash(),
            _ => None,
        };
        DatabaseAffliction { database: self, effect, observed }
    }

    /// The server ends the session of `holder`.
    pub(super) fn end_session(&self, holder: HolderId) -> Option<String> {
        let ended = self.0.terminate(|owner, _| owner == holder);
        (ended > 0).then(|| format!("the session of {holder} was ended"))
    }
}

impl Server {
    /// Every session ends, and what was not committed with it. Of one that nobody uses nobody notices that it dies.
    fn crash(&self) -> Option<String> {
        let ended = {
            let mut desk = self.desk.borrow_mut();
            desk.standing.downs += 1;
            let open: Vec<_> = desk.open.drain(..).map(|(_, session, _)| session).collect();
            open.iter().for_each(|&session| desk.database.terminate(session));
            // Nobody is answered: the answers died with it.
            desk.waiting.clear();
            drop(desk.database.take_woken());
            open.len()
        };
        self.network.break_all(Link::Database);
        (ended > 0).then(|| format!("database died with {ended} sessions"))
    }

    /// Ends sessions, and says how many; who waited for their locks goes on.
    pub(super) fn terminate(&self, wanted: impl Fn(HolderId, SessionId) -> bool) -> usize {
        let mut desk = self.desk.borrow_mut();
        let (ended, left): (Vec<_>, Vec<_>) = std::mem::take(&mut desk.open)
            .into_iter()
            .partition(|(holder, session, _)| wanted(*holder, *session));
        desk.open = left;
        for (_, session, _) in &ended {
            desk.waiting.remove(session);
            desk.limited.forget(*session);
            desk.database.terminate(*session);
        }
        let woken = desk.woken();
        drop(desk);
        ended.iter().for_each(|(.., wire)| self.network.break_off(wire.as_rc()));
        self.deliver(woken);
        ended.len()
    }
}

impl DatabaseAffliction {
    /// Ends it, and says what was seen of it.
    pub(super) fn end(self) -> Option<String> {
        let Self { database, effect, observed } = self;
        let mut desk = database.0.desk.borrow_mut();
        match effect {
            ServerEffect::Pause => {
                desk.standing.pauses -= 1;
                if desk.standing.is_paused() {
                    return None;
                }
                let waited = std::mem::take(&mut desk.standing.waiting);
                drop(desk);
                let count = waited.len();
                waited.into_iter().for_each(|arrival| arrival());
                (count > 0).then(|| format!("{count} statements waited at the database"))
            }
            ServerEffect::Crash { .. } => {
                desk.standing.downs -= 1;
                observed
            }
            _ => None,
        }
    }
}
