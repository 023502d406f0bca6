//! The name of a script.

use std::fmt;

/// SHA-1 of a script's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sha([u8; 20]);

impl Sha {
    pub(crate) fn of(source: &[u8]) -> Self {
        Self(sha1_smol::Sha1::from(source).digest().bytes())
    }

    /// Reads forty hexadecimal digits, in any case.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 20];
        if text.len() != 2 * bytes.len() {
            return None;
        }
        // All of it is looked at before it is judged, which takes a third of judging digit by digit.
        let mut seen = 0;
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let (upper, lower) = (DIGITS[usize::from(pair[0])], DIGITS[usize::from(pair[1])]);
            seen |= upper | lower;
            *byte = upper << 4 | lower & 0xf;
        }
        (seen <= 0xf).then_some(Self(bytes))
    }
}

/// What each character is worth as a hexadecimal digit; more than any digit is, where it is none.
static DIGITS: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        digits[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

impl fmt::Display for Sha {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}
