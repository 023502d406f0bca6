//! The one mechanism: moves the bytes of one direction, and performs what toxics and rules decided.

use std::future;
use std::io;
use std::ops::{ControlFlow, Range};
use std::pin::pin;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::select;
use tokio::time::{Instant, sleep_until};

use crate::follow::Mark;
use crate::kept::{Do, End, Kept, Next};
use crate::present::Present;
use crate::toxic::Cut;

/// How much memory one direction of a connection keeps, in bytes, before it stops reading.
pub const KEPT_LIMIT: usize = 1024 * 1024;

/// As much as one read takes, in bytes: the longest chunk.
const BUFFER: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct Pump<'a, R, W> {
    source: R,
    sink: W,
    buffer: Box<[u8]>,
    toxics: Present<'a>,
    /// What rules do to what was read last.
    marks: Vec<Mark>,
    kept: Kept,
}

/// What came first, of all that a pump waits for while there are toxics or kept bytes.
enum Event {
    News,
    Ending,
    Due,
    Wrote(io::Result<()>),
    Read(io::Result<usize>),
}

impl<'a, R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Pump<'a, R, W> {
    pub(crate) fn new(source: R, sink: W, toxics: Present<'a>) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { source, sink, buffer, toxics, marks: Vec::new(), kept: Kept::default() }
    }

    /// Moves bytes until the end of the stream is delivered, or nobody is left to deliver to.
    ///
    /// `Err` says how the whole connection is to end, whatever the other direction still does.
    pub(crate) async fn run(mut self) -> Result<(), Cut> {
        loop {
            self.toxics.refresh(&mut self.kept);
            let flow = if self.toxics.has_no_toxic() && self.kept.is_empty() {
                self.copy().await
            } else {
                self.step().await?
            };
            if flow.is_break() {
                return Ok(());
            }
        }
    }

    /// The fast path: copies while there is no toxic, and no rule marks anything. When that changes, or the stream
    /// ends, what is in hand is kept.
    async fn copy(&mut self) -> ControlFlow<()> {
        let mut news = self.toxics.news();
        let mut changed = pin!(news.changed());
        loop {
            let read = select! { biased;
                read = self.source.read(&mut self.buffer) => read,
                _ = &mut changed => return ControlFlow::Continue(()),
            };
            let Ok(length @ 1..) = read else {
                self.kept.keep_end(self.end_of(&read), Instant::now());
                return ControlFlow::Continue(());
            };
            // A rule that was added before these bytes were read is to see them.
            self.toxics.refresh(&mut self.kept);
            self.toxics.follow(&self.buffer[..length], &mut self.marks);
            if !self.marks.is_empty() || !self.toxics.has_no_toxic() {
                self.keep_bytes(0..length);
                return ControlFlow::Continue(());
            }
            let mut written = 0;
            while written < length && !self.toxics.is_stale() {
                let wrote = select! { biased;
                    wrote = self.sink.write(&self.buffer[written..length]) => wrote,
                    _ = &mut changed => break,
                };
                match wrote {
                    Ok(more @ 1..) => written += more,
                    Ok(0) | Err(_) => return self.give_up(),
                }
            }
            if written < length {
                self.kept.keep_bytes(&self.buffer[written..length], Instant::now());
                return ControlFlow::Continue(());
            }
        }
    }

    /// The slow path: waits for the next thing to happen, and does it.
    async fn step(&mut self) -> Result<ControlFlow<()>, Cut> {
        let now = Instant::now();
        let (due, writes) = match self.kept.next() {
            Next::Nothing => (None, false),
            Next::At(due, todo) if due <= now => match todo {
                Do::Write => (Some(due), true),
                Do::Forget => {
                    self.kept.forget_oldest();
                    return Ok(ControlFlow::Continue(()));
                }
                Do::Deliver(end) => return self.deliver_end(end).await,
                Do::Cut(toxic, cut) => {
                    self.toxics.cut(toxic, cut);
                    return Err(cut);
                }
            },
            Next::At(due, _) => (Some(due), false),
        };
        let has_room = !self.kept.has_end() && self.kept.cost() < KEPT_LIMIT;
        let mut news = self.toxics.news();
        let event = select! { biased;
            _ = news.changed() => Event::News,
            () = until(self.toxics.ending()) => Event::Ending,
            wrote = self.kept.write_to(&mut self.sink), if writes => Event::Wrote(wrote),
            () = until(due), if !writes => Event::Due,
            read = self.source.read(&mut self.buffer), if has_room => Event::Read(read),
        };
        match event {
            Event::News | Event::Due | Event::Wrote(Ok(())) => {}
            Event::Ending => return self.toxics.end().map_or(Ok(ControlFlow::Continue(())), Err),
            Event::Wrote(Err(_)) => return Ok(self.give_up()),
            Event::Read(read) => self.keep(&read),
        }
        Ok(ControlFlow::Continue(()))
    }

    fn keep(&mut self, read: &io::Result<usize>) {
        // What was added before these bytes were read is to see them.
        self.toxics.refresh(&mut self.kept);
        if let Ok(length @ 1..) = *read {
            self.toxics.follow(&self.buffer[..length], &mut self.marks);
            self.keep_bytes(0..length);
            return;
        }
        let (end, from) = (self.end_of(read), self.kept.len());
        self.kept.keep_end(end, Instant::now());
        self.toxics.judge(&mut self.kept, from);
    }

    /// Keeps what was just read, with what its marks say, and asks the toxics about it.
    fn keep_bytes(&mut self, all: Range<usize>) {
        let (now, from) = (Instant::now(), self.kept.len());
        let mut unmarked = all.start;
        for mark in self.marks.drain(..) {
            let Range { start, end } = mark.range;
            if unmarked < start {
                self.kept.keep_bytes(&self.buffer[unmarked..start], now);
            }
            self.toxics.carry_out(mark, &self.buffer, &mut self.kept, now);
            unmarked = end;
        }
        if unmarked < all.end {
            self.kept.keep_bytes(&self.buffer[unmarked..all.end], now);
        }
        self.toxics.judge(&mut self.kept, from);
    }

    /// How the stream ended that gave this last. A socket whose other half broke may only say that it is at its end.
    fn end_of(&self, read: &io::Result<usize>) -> End {
        let is_broken = read.is_err() || self.toxics.meeting().is_broken();
        if is_broken { End::Broken } else { End::Finished }
    }

    async fn deliver_end(&mut self, end: End) -> Result<ControlFlow<()>, Cut> {
        match end {
            End::Broken => Err(Cut::Reset),
            End::Finished => match self.sink.shutdown().await {
                Ok(()) => Ok(ControlFlow::Break(())),
                Err(_) => Ok(self.give_up()),
            },
        }
    }

    /// The receiver is gone. The other direction reads of it, and brings the news to the sender: through its own
    /// toxics, for a partition lets no RST through.
    fn give_up(&self) -> ControlFlow<()> {
        self.toxics.meeting().set_broken();
        ControlFlow::Break(())
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => future::pending().await,
    }
}

#[cfg(test)]
mod tests;
