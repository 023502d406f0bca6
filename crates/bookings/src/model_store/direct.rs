//! The wire that does nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use lockproof_database_model::{Answer, Database, Executed, SessionId, SqlError, Statement};
use lockproof_model::HolderId;
use tokio::sync::oneshot;

use super::{NoAnswer, Reply, Wire, WireSession};

/// Takes each statement to the database at once and brings its answer back as soon as there is one.
#[derive(Clone, Debug)]
pub struct Direct {
    desk: Arc<Mutex<Desk>>,
}

#[derive(Debug)]
struct Desk {
    database: Database,
    /// Who waits for an answer, in the order of the statements.
    waiting: BTreeMap<SessionId, VecDeque<oneshot::Sender<Result<Answer, SqlError>>>>,
}

/// One holder's session.
#[derive(Debug)]
pub struct DirectSession {
    wire: Direct,
    session: SessionId,
}

impl Direct {
    /// A way to `database`.
    #[must_use]
    pub fn to(database: Database) -> Self {
        Self { desk: Arc::new(Mutex::new(Desk { database, waiting: BTreeMap::new() })) }
    }

    fn with<T>(&self, visit: impl FnOnce(&mut Desk) -> T) -> T {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let value = visit(&mut desk);
        desk.deliver();
        value
    }
}

impl Desk {
    fn deliver(&mut self) {
        for (session, result) in self.database.take_woken() {
            if let Some(answer) = self.waiting.get_mut(&session).and_then(VecDeque::pop_front) {
                // Nobody listens when the statement's future was dropped.
                let _ = answer.send(result);
            }
        }
    }
}

impl Wire for Direct {
    type Session = DirectSession;

    fn connect(&self, _holder: HolderId) -> BoxFuture<'_, Result<DirectSession, NoAnswer>> {
        async {
            let session = self.with(|desk| desk.database.connect());
            Ok(DirectSession { wire: self.clone(), session })
        }
        .boxed()
    }

    fn administer(&self, visit: &mut dyn FnMut(&mut Database)) {
        self.with(|desk| {
            visit(&mut desk.database);
            let Desk { database, waiting } = desk;
            // Who belonged to tables that are gone gets no answer.
            waiting.retain(|&session, _| database.is_connected(session));
        });
    }
}

impl WireSession for DirectSession {
    fn send(&mut self, statement: Statement) -> impl Future<Output = Reply> + Send + use<> {
        let session = self.session;
        self.wire.with(|desk| match desk.database.execute(session, statement) {
            Executed::Done(result) => ready(Ok(result)).boxed(),
            Executed::Blocked => {
                let (answer, answered) = oneshot::channel();
                desk.waiting.entry(session).or_default().push_back(answer);
                answered.map(|answer| answer.map_err(|_| NoAnswer)).boxed()
            }
        })
    }

    fn is_closed(&self) -> bool {
        !self.wire.with(|desk| desk.database.is_connected(self.session))
    }
}

impl Drop for DirectSession {
    fn drop(&mut self) {
        self.wire.with(|desk| {
            desk.waiting.remove(&self.session);
            desk.database.disconnect(self.session);
        });
    }
}
