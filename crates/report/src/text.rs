//! Numbers, widths and line breaks.

use std::time::Duration;

use crate::style::{Ink, Style};

/// A time as the table shows it: `35 µs`, `0.3 ms`, `51 ms`, `1.2 s`.
pub(crate) fn time(micros: f64) -> String {
    if micros < 99.5 {
        format!("{micros:.0} µs")
    } else if micros < 9_950.0 {
        format!("{:.1} ms", micros / 1e3)
    } else if micros < 999_500.0 {
        format!("{:.0} ms", micros / 1e3)
    } else {
        format!("{:.1} s", micros / 1e6)
    }
}

/// Seconds with one digit: availability is counted in seconds.
pub(crate) fn seconds(value: Duration) -> String {
    format!("{:.1} s", value.as_secs_f64())
}

/// `1 cell`, `2 cells`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Breaks `text` at spaces into lines of at most `width` characters, as far as its words allow.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut rest = paragraph;
        while let Some(at) = break_before(rest, width) {
            let (line, tail) = rest.split_at(at);
            lines.push(line.trim_end().to_owned());
            rest = tail.trim_start();
        }
        lines.push(rest.to_owned());
    }
    lines
}

/// Where to break a text that is too long: at the last wide gap that fits, since what stands between gaps
/// belongs together, else at the last space that fits, else at the first there is.
fn break_before(text: &str, width: usize) -> Option<usize> {
    let (too_long, _) = text.char_indices().nth(width)?;
    let start = text.len() - text.trim_start().len();
    let (fits, rest) = text.split_at(too_long);
    let gap = fits.rfind(WIDE_GAP).filter(|at| *at > start);
    // A line may end where the space is that does not fit any more.
    let space = if rest.starts_with(' ') { Some(too_long) } else { fits.rfind(' ') };
    gap.or(space.filter(|at| *at > start)).or_else(|| rest.find(' ').map(|at| too_long + at))
}

/// What sets two things apart within one line of a story.
const WIDE_GAP: &str = "   ";

/// Lays `parts` out with a separator between them, and breaks the line between two that do not fit.
pub(crate) fn flow(parts: &[Part], separator: Separator, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut columns = 0;
    for part in parts {
        let taken = separator.between.chars().count() + part.columns;
        if columns == 0 {
            line.push_str(&part.shown);
            columns = part.columns;
        } else if columns + taken <= width {
            line = format!("{line}{}{}", separator.between, part.shown);
            columns += taken;
        } else {
            lines.push(format!("{line}{}", separator.at_break));
            line = format!("  {}", part.shown);
            columns = 2 + part.columns;
        }
    }
    lines.push(line);
    lines
}

/// What stands between two parts.
#[derive(Clone, Copy)]
pub(crate) struct Separator {
    between: &'static str,
    /// What remains of it where the line is broken.
    at_break: &'static str,
}

impl Separator {
    pub(crate) const DOT: Self = Self { between: " · ", at_break: "" };
    pub(crate) const COMMA: Self = Self { between: ", ", at_break: "," };
}

/// A text that is not broken, with the columns that it takes: colour takes none.
pub(crate) struct Part {
    pub(crate) shown: String,
    pub(crate) columns: usize,
}

impl Part {
    pub(crate) fn new(style: Style, ink: Ink, text: &str) -> Self {
        Self { shown: style.paint(ink, text), columns: text.chars().count() }
    }

    pub(crate) fn plain(text: String) -> Self {
        Self { columns: text.chars().count(), shown: text }
    }
}

/// The same in ASCII. Signs keep their width, so that columns stay columns.
pub(crate) fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '✔' => plain.push('+'),
            '✘' | '×' => plain.push('x'),
            '·' => plain.push('|'),
            '░' => plain.push(':'),
            '–' => plain.push('-'),
            'µ' => plain.push('u'),
            '←' => plain.push_str("<-"),
            '…' => plain.push_str("..."),
            sign if sign.is_ascii() => plain.push(sign),
            _ => plain.push('?'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_that_suits_them() {
        let shown = [35.4, 310.0, 9_940.0, 9_960.0, 51_200.0, 999_600.0, 1_240_000.0].map(time);
        assert_eq!(shown, ["35 µs", "0.3 ms", "9.9 ms", "10 ms", "51 ms", "1.0 s", "1.2 s"]);
    }

    #[test]
    fn lines_break_at_spaces_and_never_inside_a_word() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("incomprehensible word", 5), ["incomprehensible", "word"]);
        assert_eq!(wrap("   led in", 6), ["   led", "in"]);
        assert_eq!(wrap("fits", 4), ["fits"]);
        assert_eq!(wrap("fits too", 4), ["fits", "too"]);
    }

    #[test]
    fn what_stands_between_wide_gaps_stays_together() {
        assert_eq!(
            wrap("acquire ok    4.318 check: free", 24),
            ["acquire ok", "4.318 check: free"]
        );
        assert_eq!(wrap("commit   ← its lease ended", 20), ["commit", "← its lease ended"]);
    }

    #[test]
    fn ascii_leaves_nothing_that_a_plain_terminal_cannot_show() {
        assert_eq!(ascii("✘ 3 µs · ░░ ← … ž"), "x 3 us | :: <- ... ?");
    }
}
