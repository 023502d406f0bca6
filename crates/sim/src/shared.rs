//! Sharing within one simulation.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use fragile::Fragile;

/// An [`Rc`] that may be where a `Send` is asked for, since it never leaves its simulation's thread.
///
/// Holders are written for both worlds, and in the live one they move between threads; here there is but one. An `Arc`
/// counts atomically all the same, and a `Mutex` locks: with three or four of each in every message they took a third of
/// a schedule's time.
///
/// # Panics
/// Whatever is done to it on another thread, dropping included.
pub struct Shared<T: ?Sized>(Fragile<Rc<T>>);

impl<T> Shared<T> {
    /// `value`, to be shared on this thread.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self::from(Rc::new(value))
    }
}

impl<T: ?Sized> Shared<T> {
    /// The same value, for whoever stays on this thread anyway.
    #[must_use]
    pub fn as_rc(&self) -> &Rc<T> {
        self.0.get()
    }
}

impl<T: ?Sized> From<Rc<T>> for Shared<T> {
    fn from(value: Rc<T>) -> Self {
        Self(Fragile::new(value))
    }
}

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self::from(Rc::clone(self.as_rc()))
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn clones_share_one_value() {
        let one = Shared::new(Cell::new(1));
        one.clone().set(2);
        assert_eq!(one.get(), 2);
    }

    #[test]
    fn another_thread_is_refused() {
        let shared = Shared::new(Cell::new(1));
        let looks = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| shared.get()));
        assert!(std::thread::scope(|scope| scope.spawn(looks).join().unwrap()).is_err());
        assert_eq!(shared.get(), 1);
    }
}
