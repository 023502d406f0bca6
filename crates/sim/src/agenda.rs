//! What happens when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;

/// Something that is due.
pub(crate) enum Happening {
    /// A sleep ends.
    Wake(Waker),
    /// A message arrives, a server acts: anything that no task waits for.
    Call(Box<dyn FnOnce()>),
}

/// Names an entry as long as it is on the agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryId {
    slot: usize,
    /// Tells an entry from the one that had its slot before.
    number: u64,
}

/// A heap of happenings, those of one instant in the order in which they were put there.
#[derive(Default)]
pub(crate) struct Agenda {
    heap: BinaryHeap<Reverse<(u64, u64, usize)>>,
    slots: Vec<(u64, Option<Happening>)>,
    free: Vec<usize>,
    last_number: u64,
    /// Entries that were taken off and still lie in the heap.
    stale: usize,
}

impl Agenda {
    /// Puts `happening` at `at`, in nanoseconds.
    pub(crate) fn put(&mut self, at: u64, happening: Happening) -> EntryId {
        self.last_number += 1;
        let number = self.last_number;
        let entry = (number, Some(happening));
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = entry;
                slot
            }
            None => {
                self.slots.push(entry);
                self.slots.len() - 1
            }
        };
        self.heap.push(Reverse((at, number, slot)));
        EntryId { slot, number }
    }

    /// What stands at `id`, to change whom it wakes.
    pub(crate) fn get_mut(&mut self, id: EntryId) -> Option<&mut Happening> {
        let (number, happening) = self.slots.get_mut(id.slot)?;
        happening.as_mut().filter(|_| *number == id.number)
    }

    /// Takes an entry off, if it is still there; the caller drops it outside any lock.
    pub(crate) fn take(&mut self, id: EntryId) -> Option<Happening> {
        let (number, happening) = self.slots.get_mut(id.slot)?;
        let taken = happening.take_if(|_| *number == id.number);
        if taken.is_some() {
            self.free.push(id.slot);
            self.stale += 1;
            // Time limits are set for every request and hardly ever run out.
            if self.stale > 64 && self.stale * 2 > self.heap.len() {
                let slots = &self.slots;
                self.heap.retain(|Reverse((_, number, slot))| {
                    slots[*slot].0 == *number && slots[*slot].1.is_some()
                });
                self.stale = 0;
            }
        }
        taken
    }

    /// When the next thing is due.
    pub(crate) fn next(&mut self) -> Option<u64> {
        while let Some(Reverse((at, number, slot))) = self.heap.peek() {
            if self.slots[*slot].0 == *number && self.slots[*slot].1.is_some() {
                return Some(*at);
            }
            self.heap.pop();
            self.stale = self.stale.saturating_sub(1);
        }
        None
    }

    /// The next thing, and when it is due.
    pub(crate) fn pop(&mut self) -> Option<(u64, Happening)> {
        loop {
            let Reverse((at, number, slot)) = self.heap.pop()?;
            let (named, happening) = &mut self.slots[slot];
            match happening.take_if(|_| *named == number) {
                Some(happening) => {
                    self.free.push(slot);
                    return Some((at, happening));
                }
                None => self.stale = self.stale.saturating_sub(1),
            }
        }
    }

    /// The next thing that is due by `now`.
    pub(crate) fn due(&mut self, now: u64) -> Option<Happening> {
        if self.heap.peek().is_none_or(|Reverse((at, ..))| *at > now) || self.next()? > now {
            return None;
        }
        self.pop().map(|(_, happening)| happening)
    }

    /// Everything, for somebody who drops it.
    pub(crate) fn clear(&mut self) -> Vec<Happening> {
        self.heap.clear();
        self.free.clear();
        self.slots.drain(..).filter_map(|(_, happening)| happening).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Held against a list that is searched.
        #[test]
        fn an_agenda_gives_what_is_due_in_order_and_forgets_what_was_taken_off(
            steps in proptest::collection::vec((0_u64..50, any::<bool>(), 0_usize..8), 1..300),
        ) {
            let mut agenda = Agenda::default();
            let mut list: Vec<(u64, EntryId)> = Vec::new();
            for (at, takes_off, which) in steps {
                if takes_off && !list.is_empty() {
                    let (_, id) = list.remove(which % list.len());
                    prop_assert!(agenda.take(id).is_some());
                    prop_assert!(agenda.take(id).is_none());
                } else {
                    list.push((at, agenda.put(at, Happening::Wake(Waker::noop().clone()))));
                }
                prop_assert_eq!(agenda.next(), list.iter().map(|(at, _)| *at).min());
            }
            let mut given = Vec::new();
            while let Some(at) = agenda.next() {
                prop_assert!(agenda.due(at.wrapping_sub(1).min(at)).is_none() || at == 0);
                if at > 0 {
                    prop_assert!(agenda.due(at).is_some());
                }
                given.push(at);
            }
            list.sort_by_key(|(at, id)| (*at, id.number));
            prop_assert_eq!(given, list.iter().map(|(at, _)| *at).collect::<Vec<_>>());
        }
    }
}
