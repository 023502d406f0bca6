//! One program, and its three pipes.

use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitStatus;

use bytes::{Buf, BytesMut};
use futures_util::future::join;
use lockproof_model::HolderId;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::live::children::{Running, signal_group};

/// A longer line is no message.
const LONGEST: usize = 64 << 10;

/// A program that runs. Dropping it kills it, and whatever it has started.
#[derive(Debug)]
pub(super) struct Child {
    running: Running,
    /// Who stopped it and has not let it go on.
    pauses: u32,
}

/// Its ends of the pipes to it.
pub(super) struct Pipes {
    pub(super) stdin: pipe::Sender,
    pub(super) stdout: pipe::Receiver,
    pub(super) stderr: pipe::Receiver,
}

impl Child {
    pub(super) fn of(mut running: Running) -> io::Result<(Self, Pipes)> {
        let (stdin, stdout) = running.take_pipes().expect("it was started with pipes");
        let stderr = running.stderr().expect("it was started with pipes");
        let pipes = Pipes {
            stdin: pipe::Sender::from_owned_fd(OwnedFd::from(stdin))?,
            stdout: pipe::Receiver::from_owned_fd(OwnedFd::from(stdout))?,
            stderr: pipe::Receiver::from_owned_fd(OwnedFd::from(stderr))?,
        };
        Ok((Self { running, pauses: 0 }, pipes))
    }

    pub(super) fn id(&self) -> u32 {
        self.running.id()
    }

    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        self.running.exited()
    }

    /// Stops it, until each who did has let it go on.
    pub(super) fn stop(&mut self) {
        self.pauses += 1;
        signal_group(self.id(), Signal::STOP);
    }

    /// Takes one stop back; whether it goes on.
    pub(super) fn let_go_on(&mut self) -> bool {
        self.pauses = self.pauses.saturating_sub(1);
        if self.pauses == 0 {
            signal_group(self.id(), Signal::CONT);
        }
        self.pauses == 0
    }

    /// Kills it, and gives what became of it.
    pub(super) fn kill(mut self) -> io::Result<ExitStatus> {
        signal_group(self.id(), Signal::KILL);
        self.running.kill()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Before it is waited for: until then its number is nobody else's.
        if self.exited().is_none() {
            signal_group(self.id(), Signal::KILL);
        }
    }
}

/// Writes lines until nobody has any more, or nobody reads them.
pub(super) async fn write(mut pipe: pipe::Sender, mut lines: UnboundedReceiver<String>) {
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        if let Err(error) = pipe.write_all(line.as_bytes()).await {
            tracing::debug!(%error, "an adapter reads no more");
            return;
        }
    }
}

/// What is left of a program that says nothing more.
pub(super) struct Said {
    /// The last line of its standard error.
    pub(super) last_words: Option<String>,
    /// Why it is not understood, where it is not.
    pub(super) broken: Option<String>,
}

/// Hands on each line of its output, and logs each of its standard error, to the end of both.
pub(super) async fn hear(
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
    says: &UnboundedSender<Result<String, String>>,
    holder: HolderId,
    adapter: &str,
) -> Said {
    let output = async {
        let mut lines = Lines::new(stdout);
        loop {
            match lines.next().await {
                Ok(Some(line)) => drop(says.send(Ok(line))),
                Ok(None) => return None,
                Err(error) => return Some(format!("its output cannot be read: {error}")),
            }
        }
    };
    let errors = async {
        let (mut lines, mut last) = (Lines::new(stderr), None);
        while let Ok(Some(line)) = lines.next().await {
            tracing::warn!(%holder, adapter, "{line}");
            last = Some(line).filter(|line| !line.trim().is_empty()).or(last);
        }
        last
    };
    let (broken, last_words) = join(output, errors).await;
    Said { last_words, broken }
}

/// Lines out of a pipe.
struct Lines {
    pipe: pipe::Receiver,
    read: BytesMut,
}

impl Lines {
    fn new(pipe: pipe::Receiver) -> Self {
        Self { pipe, read: BytesMut::new() }
    }

    /// The next whole line; what has no end when the pipe ends was never said.
    async fn next(&mut self) -> io::Result<Option<String>> {
        let mut looked_at = 0;
        loop {
            if let Some(end) = self.read[looked_at..].iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(looked_at + end);
                self.read.advance(1);
                let line = std::str::from_utf8(&line).map_err(io::Error::other)?;
                return Ok(Some(line.trim_end_matches('\r').to_owned()));
            }
            looked_at = self.read.len();
            if looked_at > LONGEST {
                return Err(io::Error::other(format!("a line is longer than {LONGEST} bytes")));
            }
            if self.pipe.read_buf(&mut self.read).await? == 0 {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn lines() -> (io::PipeWriter, Lines) {
        let (reader, writer) = io::pipe().unwrap();
        (writer, Lines::new(pipe::Receiver::from_owned_fd(reader.into()).unwrap()))
    }

    #[tokio::test]
    async fn lines_come_out_whole_whatever_comes_at_once() {
        let (mut writer, mut lines) = lines();
        writer.write_all("a\n\nb\r\nü".as_bytes()).unwrap();
        for expected in ["a", "", "b"] {
            assert_eq!(lines.next().await.unwrap().as_deref(), Some(expected));
        }
        writer.write_all(b"!\nhalf").unwrap();
        drop(writer);
        assert_eq!(lines.next().await.unwrap().as_deref(), Some("ü!"));
        assert_eq!(lines.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_is_no_text_and_what_has_no_end_is_refused() {
        let (mut writer, mut lines) = lines();
        writer.write_all(b"\xff\n").unwrap();
        assert!(lines.next().await.is_err());
        let (mut writer, mut lines) = self::lines();
        let writing = std::thread::spawn(move || writer.write_all(&vec![b'x'; LONGEST * 2]));
        assert!(lines.next().await.unwrap_err().to_string().contains("longer than"));
        drop(lines);
        drop(writing.join().unwrap());
    }
}
