//! Patterns of KEYS and SCAN.

/// Whether `text` matches `pattern` in the glob dialect of Redis: `*`, `?`, `[a-z]`, `[^a]` and
/// `\`.
///
/// Only the last star is ever taken back, so that the time is bounded by pattern × text however
/// many stars a client sends.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            star = Some((at, read));
            continue;
        }
        if let Some(next) = match_one(pattern, at, text[read]) {
            (at, read) = (next, read + 1);
            continue;
        }
        let Some((after_star, taken)) = star else { return false };
        star = Some((after_star, taken + 1));
        (at, read) = (after_star, taken + 1);
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

/// Matches one byte against the pattern element at `at`, and returns where the next element begins.
fn match_one(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    match *pattern.get(at)? {
        b'?' => Some(at + 1),
        b'[' => match_class(pattern, at + 1, byte),
        b'\\' if at + 1 < pattern.len() => (pattern[at + 1] == byte).then_some(at + 2),
        literal => (literal == byte).then_some(at + 1),
    }
}

/// An unclosed class ends with the pattern, as in Redis.
fn match_class(pattern: &[u8], mut at: usize, byte: u8) -> Option<usize> {
    let negated = pattern.get(at) == Some(&b'^');
    at += usize::from(negated);
    let mut found = false;
    loop {
        match pattern.get(at..) {
            None | Some([]) => break,
            Some([b'\\', escaped, ..]) => {
                found |= *escaped == byte;
                at += 2;
            }
            Some([b']', ..]) => {
                at += 1;
                break;
            }
            Some([low, b'-', high, ..]) => {
                found |= (*low.min(high)..=*low.max(high)).contains(&byte);
                at += 3;
            }
            Some([single, ..]) => {
                found |= *single == byte;
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text) in [
            ("*", ""),
            ("h?llo", "hello"),
            ("h*llo", "heeello"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hbllo"),
            ("h[a-c]llo", "hbllo"),
            ("h[c-a]llo", "hbllo"),
            ("\\*x", "*x"),
            ("a*b*c", "axxbyyc"),
            ("x[ab", "xa"),
            ("**", "anything"),
        ] {
            assert!(matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("h?llo", "hllo"), ("h[^e]llo", "hello"), ("a*b", "ac"), ("\\*x", "ax")]
        {
            assert!(!matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        let pattern = "a*".repeat(200) + "b";
        assert!(!matches(pattern.as_bytes(), "a".repeat(2_000).as_bytes()));
    }
}
