//! Whole messages over a pipe, one end in this process and one in another.
//!
//! ```text
//!   ┌────────┬───────────────────┐
//!   │ length │ JSON              │   length: four bytes, the greatest first
//!   └────────┴───────────────────┘
//! ```

use std::fs::File;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use bytes::{Buf, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

/// Beyond this something else than a message was read.
const LONGEST: usize = 16 << 20;
const HEAD: usize = 4;

/// The end of a pipe at which messages of one kind come out.
#[derive(Debug)]
pub struct PipeReader<T> {
    pipe: pipe::Receiver,
    read: BytesMut,
    kind: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> PipeReader<T> {
    /// Reads from `end`, without ever blocking the runtime that calls this.
    ///
    /// # Errors
    /// It is no pipe.
    pub fn new(end: OwnedFd) -> io::Result<Self> {
        let pipe = pipe::Receiver::from_owned_fd(end)?;
        Ok(Self { pipe, read: BytesMut::new(), kind: PhantomData })
    }

    /// The same pipe, from here on with messages of another kind.
    #[must_use]
    pub fn with<U: DeserializeOwned>(self) -> PipeReader<U> {
        PipeReader { pipe: self.pipe, read: self.read, kind: PhantomData }
    }

    /// The next message; none when the other end is closed. A message that is not whole then was never sent: whoever
    /// wrote it has died over it.
    ///
    /// # Errors
    /// What came is no such message.
    ///
    /// # Cancel safety
    /// Dropped, nothing is lost: the next call gives the message.
    pub async fn next(&mut self) -> io::Result<Option<T>> {
        loop {
            if let Some(frame) = take_frame(&mut self.read)? {
                return Ok(Some(serde_json::from_slice(&frame)?));
            }
            if self.pipe.read_buf(&mut self.read).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// The first frame, once it is whole.
fn take_frame(read: &mut BytesMut) -> io::Result<Option<Bytes>> {
    let Some(head) = read.first_chunk::<HEAD>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "what came is no message"));
    }
    if read.len() < HEAD + length {
        return Ok(None);
    }
    read.advance(HEAD);
    Ok(Some(read.split_to(length).freeze()))
}

/// The end of a pipe into which messages are put, from any thread and without a runtime.
///
/// Writing blocks, on purpose: on return the message is the kernel's, and survives its writer. It takes longer than a
/// moment only where the reader has left a whole pipe full of messages unread.
#[derive(Debug)]
pub struct PipeWriter(Mutex<Outbox>);

#[derive(Debug)]
struct Outbox {
    pipe: File,
    queued: Vec<u8>,
}

impl PipeWriter {
    /// Writes into `end`.
    #[must_use]
    pub fn new(end: OwnedFd) -> Self {
        Self(Mutex::new(Outbox { pipe: File::from(end), queued: Vec::new() }))
    }

    /// Keeps `message` to be sent with the next one.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn queue<T: Serialize>(&self, message: &T) -> io::Result<()> {
        self.outbox().push(message)
    }

    /// Sends `message`, after those that are queued.
    ///
    /// # Errors
    /// The other end is closed.
    pub fn send<T: Serialize>(&self, message: &T) -> io::Result<()> {
        let mut outbox = self.outbox();
        outbox.push(message)?;
        let Outbox { pipe, queued } = &mut *outbox;
        pipe.write_all(queued)?;
        queued.clear();
        Ok(())
    }

    fn outbox(&self) -> std::sync::MutexGuard<'_, Outbox> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    fn push<T: Serialize>(&mut self, message: &T) -> io::Result<()> {
        let start = self.queued.len();
        self.queued.extend([0; HEAD]);
        serde_json::to_writer(&mut self.queued, message)?;
        let length = u32::try_from(self.queued.len() - start - HEAD).map_err(io::Error::other)?;
        self.queued[start..start + HEAD].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair<T: DeserializeOwned>() -> (PipeWriter, PipeReader<T>) {
        let (reader, writer) = io::pipe().unwrap();
        (PipeWriter::new(writer.into()), PipeReader::new(reader.into()).unwrap())
    }

    #[tokio::test]
    async fn messages_come_out_whole_and_in_order_whatever_their_size() {
        let (writer, mut reader) = pair::<Vec<String>>();
        // The last fits into no pipe, so it is written while it is read.
        let messages = [vec![], vec!["ä\n".to_owned()], vec!["x".repeat(300_000); 3]];
        let sent = messages.clone();
        let sending = std::thread::spawn(move || {
            writer.queue(&sent[0]).unwrap();
            sent[1..].iter().for_each(|message| writer.send(message).unwrap());
        });
        for message in messages {
            assert_eq!(reader.next().await.unwrap(), Some(message));
        }
        sending.join().unwrap();
        assert_eq!(reader.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_is_queued_waits_for_the_next_and_a_dropped_read_loses_nothing() {
        let (writer, mut reader) = pair::<u32>();
        writer.queue(&1).unwrap();
        assert!(futures_util::poll!(std::pin::pin!(reader.next())).is_pending());
        writer.send(&2).unwrap();
        assert_eq!(reader.next().await.unwrap(), Some(1));
        assert_eq!(reader.next().await.unwrap(), Some(2));
    }

    #[tokio::test]
    async fn a_message_that_its_writer_died_over_was_never_sent_and_nonsense_is_no_message() {
        let (writer, mut reader) = pair::<u32>();
        writer.outbox().pipe.write_all(&[0, 0, 0, 9, b'1']).unwrap();
        drop(writer);
        assert_eq!(reader.next().await.unwrap(), None);
        for nonsense in [b"running 1 test".as_slice(), b"\0\0\0\x03abc"] {
            let (writer, mut reader) = pair::<u32>();
            writer.outbox().pipe.write_all(nonsense).unwrap();
            assert!(reader.next().await.is_err());
        }
    }

    #[test]
    fn a_writer_is_told_that_nobody_reads_any_more() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let writer = PipeWriter::new(writer.into());
        assert_eq!(writer.send(&1).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
