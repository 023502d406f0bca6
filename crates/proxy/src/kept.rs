//! What a pump keeps of one direction because something does not let it pass yet: first in, first out.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::spec::ToxicId;
use crate::toxic::Cut;

#[derive(Debug, Default)]
pub(crate) struct Kept {
    chunks: VecDeque<KeptChunk>,
    cost: usize,
    ended: bool,
}

/// A chunk, or the end of the stream, and what stands in its way.
#[derive(Debug)]
pub(crate) struct KeptChunk {
    load: Load,
    /// How much of the load is delivered already.
    written: usize,
    pub(crate) read_at: Instant,
    obstacles: Vec<(ToxicId, Obstacle)>,
}

#[derive(Debug)]
enum Load {
    Bytes(Vec<u8>),
    /// Nothing: a place at which something may happen.
    Mark,
    End(End),
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a FIN, after its last byte.
    Finished,
    /// With an RST, or by an error.
    Broken,
}

/// Why a chunk is not delivered at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Obstacle {
    /// Not before this long after it was read.
    Delay(Duration),
    /// Not while the toxic is there.
    Hold,
    /// The connection ends in its place.
    Cut(Cut),
    /// The same, also when the toxic is not there any more.
    CutForGood,
}

/// What there is to do about the oldest chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Next {
    /// There is none, or it is held.
    Nothing,
    /// This, at that instant.
    At(Instant, Do),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Do {
    Write,
    /// It is only a place, and nothing happens there (any more).
    Forget,
    Deliver(End),
    /// End the connection, which this toxic wanted.
    Cut(ToxicId, Cut),
}

impl Kept {
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Memory in use. A chunk costs more than its bytes, so a flood of single bytes is bounded too.
    pub(crate) const fn cost(&self) -> usize {
        self.cost
    }

    /// Whether the end of the stream is (or was) here: there is nothing more to read.
    pub(crate) const fn has_end(&self) -> bool {
        self.ended
    }

    pub(crate) fn keep_bytes(&mut self, bytes: &[u8], read_at: Instant) -> &mut KeptChunk {
        self.keep(Load::Bytes(bytes.to_vec()), read_at)
    }

    pub(crate) fn keep_end(&mut self, end: End, read_at: Instant) -> &mut KeptChunk {
        self.ended = true;
        self.keep(Load::End(end), read_at)
    }

    fn keep(&mut self, load: Load, read_at: Instant) -> &mut KeptChunk {
        let chunk = KeptChunk { load, written: 0, read_at, obstacles: Vec::new() };
        self.cost += chunk.cost();
        self.chunks.push_back(chunk);
        self.chunks.back_mut().expect("it was just pushed")
    }

    /// Chunk number `place`, the oldest being 0; none that is only a place.
    pub(crate) fn chunk(&mut self, place: usize) -> Option<&mut KeptChunk> {
        self.chunks.get_mut(place).filter(|chunk| !matches!(chunk.load, Load::Mark))
    }

    /// Makes two chunks of one, the first with `length` bytes; what stands in the way of one stands in that of both.
    pub(crate) fn split(&mut self, place: usize, length: usize) {
        let Some(chunk) = self.chunks.get_mut(place) else { return };
        let Load::Bytes(bytes) = &mut chunk.load else { return };
        self.cost -= bytes.len() + size_of::<KeptChunk>();
        let rest = bytes.split_off((chunk.written + length).min(bytes.len()));
        self.cost += bytes.len() + size_of::<KeptChunk>();
        let (load, written) = (Load::Bytes(rest), 0);
        let obstacles = chunk.obstacles.clone();
        let rest = KeptChunk { load, written, read_at: chunk.read_at, obstacles };
        self.cost += rest.cost();
        self.chunks.insert(place + 1, rest);
    }

    /// Something may happen after chunk number `place`.
    pub(crate) fn mark_after(&mut self, place: usize) -> &mut KeptChunk {
        let read_at = self.chunks[place].read_at;
        let mark = KeptChunk { load: Load::Mark, written: 0, read_at, obstacles: Vec::new() };
        self.cost += mark.cost();
        self.chunks.insert(place + 1, mark);
        &mut self.chunks[place + 1]
    }

    /// All that is kept, oldest first.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut KeptChunk> {
        self.chunks.iter_mut()
    }

    /// What is to be done next. Chunks behind the oldest wait for it, so this is all that there is to know.
    pub(crate) fn next(&self) -> Next {
        let Some(oldest) = self.chunks.front() else { return Next::Nothing };
        match oldest.due() {
            Some(due) => Next::At(due, oldest.todo()),
            None => Next::Nothing,
        }
    }

    /// The oldest is only a place, and done with.
    pub(crate) fn forget_oldest(&mut self) {
        if let Some(chunk) = self.chunks.pop_front() {
            self.cost -= chunk.cost();
        }
    }

    /// Delivers of the oldest chunk what the sink takes.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it has delivered nothing.
    pub(crate) async fn write_to(
        &mut self,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        let Some(chunk) = self.chunks.front_mut() else { return Ok(()) };
        let written = sink.write(chunk.bytes()).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        chunk.written += written;
        if chunk.bytes().is_empty() {
            self.forget_oldest();
        }
        Ok(())
    }
}

impl KeptChunk {
    /// What is still to be delivered; nothing for the end of the stream.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.load {
            Load::Bytes(bytes) => &bytes[self.written..],
            Load::Mark | Load::End(_) => &[],
        }
    }

    pub(crate) fn obstruct(&mut self, toxic: ToxicId, obstacle: Obstacle) {
        self.obstacles.push((toxic, obstacle));
    }

    /// Takes away the obstacles of toxics that are not there any more.
    pub(crate) fn keep_obstacles_of(&mut self, is_there: impl Fn(ToxicId) -> bool) {
        let stays = |&(toxic, obstacle): &(ToxicId, Obstacle)| {
            matches!(obstacle, Obstacle::CutForGood) || is_there(toxic)
        };
        self.obstacles.retain(stays);
    }

    fn due(&self) -> Option<Instant> {
        let mut delay = Duration::ZERO;
        for (_, obstacle) in &self.obstacles {
            match obstacle {
                Obstacle::Delay(longer) => delay = delay.saturating_add(*longer),
                Obstacle::Hold => return None,
                Obstacle::Cut(_) | Obstacle::CutForGood => {}
            }
        }
        self.read_at.checked_add(delay) // a delay beyond the end of time is a hold
    }

    fn todo(&self) -> Do {
        let cut = self.obstacles.iter().find_map(|(toxic, obstacle)| match obstacle {
            Obstacle::Cut(cut) => Some(Do::Cut(*toxic, *cut)),
            Obstacle::CutForGood => Some(Do::Cut(*toxic, Cut::Close)),
            Obstacle::Delay(_) | Obstacle::Hold => None,
        });
        cut.unwrap_or(match self.load {
            Load::Bytes(_) => Do::Write,
            Load::Mark => Do::Forget,
            Load::End(end) => Do::Deliver(end),
        })
    }

    fn cost(&self) -> usize {
        let bytes = match &self.load {
            Load::Bytes(bytes) => bytes.len(),
            Load::Mark | Load::End(_) => 0,
        };
        bytes + size_of::<Self>()
    }
}
