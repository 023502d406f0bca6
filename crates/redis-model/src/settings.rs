//! What CONFIG SET may change.

use std::fmt::Write as _;

use bytes::Bytes;

/// The settings of a running server.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Empty: no password is asked for.
    pub(crate) password: Bytes,
    pub(crate) notifications: Notifications,
}

/// `notify-keyspace-events`: which changes are told to subscribers, one letter for each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Notifications(u16);

/// In the order in which Redis writes them.
const LETTERS: &[u8] = b"g$lshzxetdKEmn";
/// What the letter `A` stands for.
const ALL: &[u8] = b"g$lshzxetd";

impl Notifications {
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut parsed = Self::default();
        for &letter in text {
            let letters = if letter == b'A' { ALL } else { &[letter] };
            for letter in letters {
                parsed.0 |= Self::bit(*letter)?;
            }
        }
        Some(parsed)
    }

    fn bit(letter: u8) -> Option<u16> {
        let place = LETTERS.iter().position(|&known| known == letter)?;
        Some(1 << place)
    }

    pub(crate) fn has(self, letter: u8) -> bool {
        Self::bit(letter).is_some_and(|bit| self.0 & bit != 0)
    }

    pub(crate) fn text(self) -> String {
        let mut text = String::new();
        let all = ALL.iter().all(|&letter| self.has(letter));
        if all {
            text.push('A');
        }
        for &letter in LETTERS.iter().filter(|letter| !(all && ALL.contains(letter))) {
            if self.has(letter) {
                let _ = write!(text, "{}", char::from(letter));
            }
        }
        text
    }
}
