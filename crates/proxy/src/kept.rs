//! What a pump keeps of one direction because a toxic does not let it pass yet: first in, first out.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::spec::ToxicId;

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

/// Why one toxic keeps a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Obstacle {
    /// Not before this long after it was read.
    Delay(Duration),
    /// Not while the toxic is there.
    Hold,
}

impl Kept {
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
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

    /// All that is kept, oldest first.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut KeptChunk> {
        self.chunks.iter_mut()
    }

    /// When the oldest chunk may go; `None` while there is none or a toxic holds it. Those behind it wait for it,
    /// so this is all that there is to know.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.chunks.front()?.due()
    }

    /// The end of the stream, if it is the oldest.
    pub(crate) fn end(&self) -> Option<End> {
        match self.chunks.front()?.load {
            Load::End(end) => Some(end),
            Load::Bytes(_) => None,
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
            self.cost -= chunk.cost();
            self.chunks.pop_front();
        }
        Ok(())
    }
}

impl KeptChunk {
    /// What is still to be delivered; nothing for the end of the stream.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.load {
            Load::Bytes(bytes) => &bytes[self.written..],
            Load::End(_) => &[],
        }
    }

    pub(crate) fn obstruct(&mut self, toxic: ToxicId, obstacle: Obstacle) {
        self.obstacles.push((toxic, obstacle));
    }

    /// Takes away the obstacles of toxics that are not there any more.
    pub(crate) fn keep_obstacles_of(&mut self, is_there: impl Fn(ToxicId) -> bool) {
        self.obstacles.retain(|(toxic, _)| is_there(*toxic));
    }

    fn due(&self) -> Option<Instant> {
        let mut delay = Duration::ZERO;
        for (_, obstacle) in &self.obstacles {
            match obstacle {
                Obstacle::Delay(longer) => delay = delay.saturating_add(*longer),
                Obstacle::Hold => return None,
            }
        }
        self.read_at.checked_add(delay) // a delay beyond the end of time is a hold
    }

    fn cost(&self) -> usize {
        let bytes = match &self.load {
            Load::Bytes(bytes) => bytes.len(),
            Load::End(_) => 0,
        };
        bytes + size_of::<Self>()
    }
}
