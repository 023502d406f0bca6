//! What reaches a session without its asking.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::reply::Reply;

/// Bytes that may wait for a slow reader, as Redis' `client-output-buffer-limit pubsub`.
const BYTES_MAX: usize = 32 << 20;

/// Pushes to one session, and the answer that it is blocked for.
///
/// The server keeps weak references only: a session that is dropped is forgotten by itself.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    /// Whether there may be anything inside, so that looking costs no lock.
    filled: AtomicBool,
    /// The wait that is under way; 0 for none.
    ticket: AtomicU64,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Mail {
    pushes: VecDeque<Reply>,
    bytes: usize,
    overflowed: bool,
    answer: Option<Reply>,
}

impl Mailbox {
    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a push; a reader that is too slow loses all of them and is to be disconnected.
    pub(crate) fn push(&self, push: Vec<Reply>) {
        let size = push.iter().map(|part| 16 + part.text_len()).sum::<usize>();
        {
            let mut mail = self.mail();
            if mail.overflowed {
                return;
            }
            mail.bytes += size;
            if mail.bytes > BYTES_MAX {
                *mail = Mail { overflowed: true, ..Mail::default() };
            } else {
                mail.pushes.push_back(Reply::Push(push));
            }
        }
        self.wake();
    }

    /// Begins a wait for an answer.
    pub(crate) fn begin_wait(&self, ticket: u64) {
        self.ticket.store(ticket, Ordering::Relaxed);
    }

    pub(crate) fn is_waiting(&self, ticket: u64) -> bool {
        self.ticket.load(Ordering::Relaxed) == ticket
    }

    pub(crate) fn end_wait(&self) {
        self.ticket.store(0, Ordering::Relaxed);
    }

    /// Ends the wait with an answer.
    pub(crate) fn answer(&self, reply: Reply) {
        self.end_wait();
        self.mail().answer = Some(reply);
        self.wake();
    }

    pub(crate) fn take_answer(&self) -> Option<Reply> {
        if self.filled.load(Ordering::Acquire) { self.mail().answer.take() } else { None }
    }

    pub(crate) fn take_pushes(&self) -> Vec<Reply> {
        if !self.filled.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut mail = self.mail();
        mail.bytes = 0;
        let pushes = mail.pushes.drain(..).collect();
        self.filled.store(mail.answer.is_some() || mail.overflowed, Ordering::Release);
        pushes
    }

    pub(crate) fn has_overflowed(&self) -> bool {
        self.filled.load(Ordering::Acquire) && self.mail().overflowed
    }

    /// Resolves when something may have come since the last look.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn wake(&self) {
        self.filled.store(true, Ordering::Release);
        self.arrived.notify_one();
    }
}
