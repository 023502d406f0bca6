//! From the text of a script to its words.

use bytes::Bytes;

/// A longer source is left to the machine, and so is what nests deeper than this allows.
pub(super) const LONGEST: usize = 4_096;
/// Digits of a number that is surely exact.
const MOST_DIGITS: usize = 15;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// Keywords are names that the parser knows.
    Name(Bytes),
    Text(Bytes),
    Number(f64),
    /// `=`, `==`, `~=` or one character.
    Sign(&'static str),
}

/// The tokens, each with its line; `None` where one is not of the plain part.
pub(super) fn tokens(source: &[u8]) -> Option<Vec<(Token, u32)>> {
    if source.len() > LONGEST {
        return None;
    }
    let (mut rest, mut line, mut tokens) = (source, 1, Vec::new());
    while let Some(&first) = rest.first() {
        let length = match first {
            b'\n' => {
                line += 1;
                1
            }
            b' ' | b'\t' => 1,
            b'-' if rest.starts_with(b"--") && !rest.starts_with(b"--[") => {
                rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())
            }
            _ => {
                let (token, length) = token(first, rest)?;
                tokens.push((token, line));
                length
            }
        };
        rest = &rest[length..];
    }
    Some(tokens)
}

fn token(first: u8, rest: &[u8]) -> Option<(Token, usize)> {
    let run = |of: fn(&u8) -> bool| rest.iter().take_while(|byte| of(byte)).count();
    match first {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
            let length = run(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            Some((Token::Name(Bytes::copy_from_slice(&rest[..length])), length))
        }
        b'0'..=b'9' => {
            let length = run(u8::is_ascii_digit);
            let goes_on =
                rest.get(length).is_some_and(|&byte| byte == b'.' || byte.is_ascii_alphabetic());
            if length > MOST_DIGITS || goes_on {
                return None;
            }
            let digits = std::str::from_utf8(&rest[..length]).ok()?;
            Some((Token::Number(digits.parse().ok()?), length))
        }
        b'\'' | b'"' => {
            let length = rest[1..].iter().position(|&byte| byte == first)?;
            let text = &rest[1..=length];
            // Escapes, and a text without an end.
            let is_plain = !text.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
            is_plain.then(|| (Token::Text(Bytes::copy_from_slice(text)), length + 2))
        }
        _ => {
            const SIGNS: [&str; 11] = ["==", "~=", "=", "(", ")", "[", "]", ",", ";", ".", "-"];
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign.as_bytes()))?;
            // Those that begin something else: `..`, `[[`, a minus.
            let is_plain = sign != "-"
                && !(sign == "." && rest.starts_with(b".."))
                && !(sign == "[" && (rest.starts_with(b"[[") || rest.starts_with(b"[=")));
            is_plain.then_some((Token::Sign(sign), sign.len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_know_their_lines_and_comments_are_none() {
        let name = |text: &'static str| Token::Name(Bytes::from_static(text.as_bytes()));
        let read = tokens(b"if x -- a comment\n  ~= 12 then").unwrap();
        let expected = [
            (name("if"), 1),
            (name("x"), 1),
            (Token::Sign("~="), 2),
            (Token::Number(12.0), 2),
            (name("then"), 2),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_machine() {
        for source in [
            "'a\\n'", "1.5", "0x10", "1e3", "a..b", "[[x]]", "--[[x]]", "a < b", "#a", "-1", "'a",
            "a{}",
        ] {
            assert_eq!(tokens(source.as_bytes()), None, "{source}");
        }
    }
}
