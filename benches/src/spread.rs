//! A median, and how sure it is.

use std::fmt;

/// The median of a few numbers, and an interval that holds the true one in 95 cases of 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The number in the middle.
    pub median: f64,
    low: f64,
    high: f64,
}

impl Spread {
    /// That of `numbers`.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        let (len, rank) = (numbers.len(), rank(numbers.len()));
        let median = f64::midpoint(numbers[(len - 1) / 2], numbers[len / 2]);
        Self { median, low: numbers[rank], high: numbers[len - 1 - rank] }
    }
}

/// How many numbers to leave out at either end. The true median lies outside what is left when so few of `len` throws
/// of a coin show heads; no assumption is made about how the numbers are distributed.
fn rank(len: usize) -> usize {
    let mut probability = (0..len).fold(1.0, |half, _| half / 2.0);
    let (mut left_out, mut outside) = (0, probability);
    loop {
        #[expect(clippy::cast_precision_loss, reason = "a few repetitions")]
        let next = probability * (len - left_out) as f64 / (left_out + 1) as f64;
        probability = next;
        outside += next;
        if 2.0 * outside > 0.05 || 2 * (left_out + 1) >= len {
            return left_out;
        }
        left_out += 1;
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2} to {:.2})", self.median, self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_turns_leave_out_one_at_either_end_and_five_none() {
        assert_eq!((5..=12).map(rank).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1, 1, 2]);
        let nine = Spread::of((1..=9).rev().map(f64::from).collect());
        assert_eq!(nine, Spread { median: 5.0, low: 2.0, high: 8.0 });
        assert_eq!(nine.to_string(), "5.00 (2.00 to 8.00)");
    }
}
