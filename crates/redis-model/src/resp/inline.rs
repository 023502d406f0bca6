//! Requests as a person types them: words, quoted where they hold spaces.

use bytes::Bytes;

/// Splits a line by the rules of Redis' `sdssplitargs`; `None` when a quote is left open or is
/// followed by anything but a space.
pub(super) fn split(line: &[u8]) -> Option<Vec<Bytes>> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Some(words);
        }
        let (word, after) = take_word(rest)?;
        words.push(Bytes::from(word));
        rest = after;
    }
}

/// A word may change between plain and quoted once: the closing quote ends it.
fn take_word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'"' => return finish(word, double_quoted(after)?),
            b'\'' => return finish(word, single_quoted(after)?),
            b' ' | b'\t' | b'\n' | b'\r' | 0 => break,
            plain => word.push(plain),
        }
        rest = after;
    }
    // A zero byte ends the line in C.
    let rest = if rest.first() == Some(&0) { &[] } else { rest };
    Some((word, rest))
}

fn finish(mut word: Vec<u8>, (quoted, rest): (Vec<u8>, &[u8])) -> Option<(Vec<u8>, &[u8])> {
    word.extend(quoted);
    match rest.first() {
        Some(byte) if !byte.is_ascii_whitespace() => None,
        _ => Some((word, rest)),
    }
}

fn double_quoted(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    loop {
        let (byte, after) = match rest {
            [b'"', after @ ..] => return Some((word, after)),
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex(*high) << 4 | hex(*low), after)
            }
            [b'\\', escaped, after @ ..] => (unescaped(*escaped), after),
            [byte, after @ ..] => (*byte, after),
            [] => return None,
        };
        word.push(byte);
        rest = after;
    }
}

fn single_quoted(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    loop {
        let (byte, after) = match rest {
            [b'\'', after @ ..] => return Some((word, after)),
            [b'\\', b'\'', after @ ..] => (b'\'', after),
            [byte, after @ ..] => (*byte, after),
            [] => return None,
        };
        word.push(byte);
        rest = after;
    }
}

const fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    }
}

const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_are_split_as_redis_does() {
        let words = |line: &str| split(line.as_bytes()).map(|words| words.join(&b"|"[..]));
        for (line, joined) in [
            ("", ""),
            ("  set  k v ", "set|k|v"),
            ("set k \"a b\"", "set|k|a b"),
            ("set k 'a \\' b'", "set|k|a ' b"),
            ("\"\\x41\\n\\q\"", "A\nq"),
            ("a\"b\"", "ab"),
            ("\"\"", ""),
        ] {
            assert_eq!(words(line).as_deref(), Some(joined.as_bytes()), "{line}");
        }
        for line in ["\"open", "'open", "\"a\"b", "'a'b", "\"a\\"] {
            assert_eq!(words(line), None, "{line}");
        }
    }
}
