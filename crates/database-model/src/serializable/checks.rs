//! When an antidependency is dangerous, and who has to give way.

use super::{Serializable, State, Sxact, SxactId, Target};
use crate::answer::SqlError;

const REFUSED: Result<(), SqlError> = Err(SqlError::SerializationFailure);

impl Serializable {
    /// Refuses whoever another transaction needs to fail, as every look at a row and every write does.
    pub(crate) fn may_read(&self, id: SxactId) -> Result<(), SqlError> {
        if self.get(id).is_some_and(|sxact| sxact.is_doomed) { REFUSED } else { Ok(()) }
    }

    /// `CheckForSerializableConflictOut`: what `reader` looks at was replaced, unseen, by `writer` (0 for one that is
    /// not serializable).
    pub(crate) fn conflict_out(&mut self, reader: SxactId, writer: u32) -> Result<(), SqlError> {
        let writer = SxactId(writer);
        if self.get(writer).is_none() || writer == reader {
            return Ok(());
        }
        self.conflict(reader, writer, reader)
    }

    /// `CheckForSerializableConflictIn`: `writer` changes what those have read of whose targets `is_read` says so.
    pub(super) fn conflicts_in(
        &mut self,
        writer: SxactId,
        is_read: impl Fn(&Sxact, Target) -> bool,
    ) -> Result<(), SqlError> {
        self.may_read(writer)?;
        let Some(sxact) = self.get_mut(writer) else { return Ok(()) };
        sxact.has_written = true;
        let xmin = sxact.xmin;
        let mut readers = std::mem::take(&mut self.readers);
        readers.clear();
        for (number, sxact) in (self.forgotten + 1..).zip(&self.sxacts) {
            // The server compares with the oldest transaction of the snapshot, so some that do not overlap count too.
            let overlaps = match sxact.state {
                State::Open => !sxact.is_doomed,
                State::Committed => xmin < sxact.finished_before,
                State::Gone => false,
            };
            if overlaps && SxactId(number) != writer {
                let locks = sxact.locks.iter().filter(|lock| is_read(sxact, lock.target));
                let first = locks.map(|lock| lock.order).min();
                readers.extend(first.map(|order| (order, SxactId(number))));
            }
        }
        readers.sort_unstable();
        let mut readers_left = readers.iter();
        let outcome =
            readers_left.try_for_each(|&(_, reader)| self.conflict(reader, writer, writer));
        self.readers = readers;
        outcome
    }

    /// `FlagRWConflict`, on behalf of `me`, who is one of the two.
    fn conflict(&mut self, reader: SxactId, writer: SxactId, me: SxactId) -> Result<(), SqlError> {
        if self.get(reader).is_some_and(|sxact| sxact.out.contains(&writer)) {
            return Ok(());
        }
        if self.is_dangerous(reader, writer) {
            let is_prepared = self.get(writer).is_some_and(|sxact| sxact.prepared > 0);
            if me == writer || is_prepared {
                return REFUSED;
            }
            if let Some(writer) = self.get_mut(writer) {
                writer.is_doomed = true;
            }
        }
        if let Some(sxact) = self.get_mut(reader) {
            sxact.out.push(writer);
        }
        if let Some(sxact) = self.get_mut(writer) {
            sxact.into.push(reader);
        }
        Ok(())
    }

    /// `OnConflict_CheckForSerializationFailure`.
    fn is_dangerous(&self, reader: SxactId, writer: SxactId) -> bool {
        let (Some(r), Some(w)) = (self.get(reader), self.get(writer)) else { return false };
        // R ─▶ W ─▶ T2, and W has committed after T2.
        if w.is_committed() && w.earliest_out.is_some() {
            return true;
        }
        // R ─▶ W ─▶ T2, and T2 has committed before both, and before R began if R has only read.
        let pivots = w.out.iter().filter_map(|&t2| self.get(t2)).any(|t2| {
            t2.prepared > 0
                && (!r.is_committed() || t2.prepared <= r.committed)
                && (!w.is_committed() || t2.prepared <= w.committed)
                && (!r.is_read_only() || t2.prepared <= r.began)
        });
        if pivots {
            return true;
        }
        // T0 ─▶ R ─▶ W, and W has committed before both others, and before T0 began if T0 has only read.
        w.prepared > 0
            && !r.is_read_only()
            && r.into.iter().filter_map(|&t0| self.get(t0)).any(|t0| {
                !t0.is_doomed
                    && (!t0.is_committed() || t0.committed >= w.prepared)
                    && (!t0.is_read_only() || t0.began >= w.prepared)
            })
    }

    /// `PreCommit_CheckForSerializationFailure`: with this commit, others may become dangerous.
    pub(crate) fn prepare(&mut self, id: SxactId) -> Result<(), SqlError> {
        self.may_read(id)?;
        let Some(sxact) = self.get(id) else { return Ok(()) };
        for place in 0..sxact.into.len() {
            let Some(&near) = self.get(id).and_then(|sxact| sxact.into.get(place)) else { break };
            let is_pivot = self.get(near).is_some_and(|near| {
                let is_open = !near.is_committed() && !near.is_doomed;
                is_open
                    && near.into.iter().any(|&far| {
                        let far_is_open = |far: &Sxact| !far.is_committed() && !far.is_doomed;
                        far == id || self.get(far).is_some_and(far_is_open)
                    })
            });
            if is_pivot && let Some(near) = self.get_mut(near) {
                near.is_doomed = true;
            }
        }
        self.sequence += 1;
        let sequence = self.sequence;
        if let Some(sxact) = self.get_mut(id) {
            sxact.prepared = sequence;
        }
        Ok(())
    }
}
