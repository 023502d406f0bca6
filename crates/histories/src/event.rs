//! From events, an invocation or a completion each, to operations.

use std::collections::BTreeMap;

use crate::error::{Place, ReadError};
use crate::{Action, LockHistory, LockOperation};

/// More operations than this are no history that anybody has patience for.
const MOST: usize = 20_000_000;

/// How an event says that its operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

impl Kind {
    pub(crate) fn find(word: &str) -> Option<Self> {
        match word {
            "invoke" => Some(Self::Invoke),
            "ok" => Some(Self::Ok),
            "fail" => Some(Self::Fail),
            "info" => Some(Self::Info),
            _ => None,
        }
    }
}

pub(crate) fn action(word: &str) -> Option<Action> {
    match word {
        "acquire" => Some(Action::Acquire),
        "release" => Some(Action::Release),
        _ => None,
    }
}

/// One line of a stored history.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    pub(crate) action: Action,
    pub(crate) process: String,
    /// Who owns the lock, where that is not the process.
    pub(crate) owner: Option<String>,
    pub(crate) lock: Option<String>,
    pub(crate) fence: Option<u64>,
}

/// The operations so far, and whose is open.
#[derive(Debug, Default)]
pub(crate) struct Pairing {
    history: LockHistory,
    locks: BTreeMap<String, u32>,
    owners: BTreeMap<String, u32>,
    /// The place of the operation that each process has in flight.
    open: BTreeMap<String, usize>,
    failed: Vec<usize>,
    events: u64,
}

impl Pairing {
    pub(crate) fn take(&mut self, event: Event) -> Result<(), ReadError> {
        let wrong = |what: String| Err(ReadError::new(event.place, what));
        self.events += 1;
        let Event { process, kind, action, .. } = &event;
        if *kind == Kind::Invoke {
            if self.history.operations.len() == MOST {
                return wrong(format!("more than {MOST} operations"));
            }
            let operation = LockOperation {
                lock: numbered(
                    &mut self.locks,
                    &mut self.history.locks,
                    event.lock.as_deref().unwrap_or("lock"),
                ),
                owner: numbered(
                    &mut self.owners,
                    &mut self.history.owners,
                    event.owner.as_ref().unwrap_or(process),
                ),
                action: *action,
                fence: event.fence,
                invoked: self.events,
                completed: None,
                line: event.place.line,
            };
            if self.open.insert(process.clone(), self.history.operations.len()).is_some() {
                return wrong(format!(
                    "process {process} invokes while its last operation has no end"
                ));
            }
            self.history.operations.push(operation);
            return Ok(());
        }
        let Some(place) = self.open.remove(process) else {
            return wrong(format!("process {process} has nothing in flight that this could end"));
        };
        let operation = &mut self.history.operations[place];
        if operation.action != *action {
            return wrong(format!("process {process} ends another operation than it has invoked"));
        }
        match kind {
            Kind::Ok => {
                operation.completed = Some(self.events);
                operation.fence = event.fence.or(operation.fence);
                if let Some(owner) = &event.owner {
                    operation.owner = numbered(&mut self.owners, &mut self.history.owners, owner);
                }
            }
            Kind::Fail => self.failed.push(place),
            // What nobody knows may happen at any later time.
            Kind::Info | Kind::Invoke => {}
        }
        Ok(())
    }

    /// What was read. An operation that is still open is one of which nobody knows.
    pub(crate) fn finish(self, end: Place) -> Result<LockHistory, ReadError> {
        let Self { mut history, mut failed, .. } = self;
        if history.operations.is_empty() {
            return Err(ReadError::new(end, "the file holds no operation on a lock"));
        }
        failed.sort_unstable();
        history.failed = u32::try_from(failed.len()).unwrap_or(u32::MAX);
        let mut place = 0;
        history.operations.retain(|_| {
            place += 1;
            failed.binary_search(&(place - 1)).is_err()
        });
        Ok(history)
    }
}

fn numbered(known: &mut BTreeMap<String, u32>, names: &mut Vec<String>, name: &str) -> u32 {
    if let Some(number) = known.get(name) {
        return *number;
    }
    let number = u32::try_from(names.len()).unwrap_or(u32::MAX);
    known.insert(name.to_owned(), number);
    names.push(name.to_owned());
    number
}
