//! Waiting for virtual time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::agenda::{EntryId, Happening};
use crate::shared::Shared;
use crate::simulation::Core;

/// Completes at its deadline, to the nanosecond.
pub(crate) struct Sleep {
    core: Shared<Core>,
    deadline: u64,
    entry: Option<EntryId>,
}

impl Sleep {
    pub(crate) const fn new(core: Shared<Core>, deadline: u64) -> Self {
        Self { core, deadline, entry: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.core.nanos() >= self.deadline {
            return Poll::Ready(());
        }
        let mut agenda = self.core.agenda();
        match self.entry.and_then(|entry| agenda.get_mut(entry)) {
            Some(Happening::Wake(known)) => {
                if !known.will_wake(context.waker()) {
                    *known = context.waker().clone();
                }
            }
            _ => {
                let wake = Happening::Wake(context.waker().clone());
                let entry = agenda.put(self.deadline, wake);
                drop(agenda);
                self.entry = Some(entry);
            }
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            let taken = self.core.agenda().take(entry);
            // Outside the borrow.
            drop(taken);
        }
    }
}
