//! Of intervals met so far, the one that ends last.

use lockproof_model::Instant;

/// The interval that ends last, and the last of any other key than its own.
///
/// Two suffice: whoever asks, one of them is somebody else's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndingLast<K, T> {
    first: Option<Ending<K, T>>,
    second: Option<Ending<K, T>>,
}

#[derive(Clone, Copy, Debug)]
struct Ending<K, T> {
    end: Instant,
    key: K,
    item: T,
}

impl<K: Copy + PartialEq, T: Copy> EndingLast<K, T> {
    /// The last of all whose key is not `key`.
    pub(crate) fn not_of(&self, key: K) -> Option<(Instant, T)> {
        let found = [self.first, self.second].into_iter().flatten().find(|it| it.key != key);
        found.map(|it| (it.end, it.item))
    }

    pub(crate) fn add(&mut self, end: Instant, key: K, item: T) {
        let added = Ending { end, key, item };
        let is_later = |than: &Option<Ending<K, T>>| than.as_ref().is_none_or(|it| end > it.end);
        let is_own = self.first.is_some_and(|first| first.key == key);
        if is_later(&self.first) {
            let before = self.first.replace(added);
            if !is_own {
                self.second = before;
            }
        } else if !is_own && is_later(&self.second) {
            self.second = Some(added);
        }
    }
}

impl<K, T> Default for EndingLast<K, T> {
    fn default() -> Self {
        Self { first: None, second: None }
    }
}
