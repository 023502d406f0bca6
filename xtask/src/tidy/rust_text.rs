//! What of a Rust source is code and what is comment, so that a rule about the one does not trip over the other, nor
//! over a text that a test holds in a string.

/// A source seen twice: each view has the lines and columns of the source, and blanks for what it leaves out.
#[derive(Debug, Default)]
pub(super) struct Views {
    /// Neither comments nor the insides of literals.
    pub(super) code: String,
    /// Comments only.
    pub(super) comments: String,
}

#[derive(Clone, Copy)]
enum Part {
    Code,
    Comment,
    Literal,
}

impl Views {
    /// Reads `source`, which is expected to compile; of anything else the views are merely harmless.
    pub(super) fn of(source: &str) -> Self {
        let mut reader = Reader { rest: source, before: ' ', views: Self::default() };
        while !reader.rest.is_empty() {
            let (part, length) = reader.next();
            reader.take(part, length);
        }
        reader.views
    }
}

struct Reader<'a> {
    rest: &'a str,
    before: char,
    views: Views,
}

impl Reader<'_> {
    /// What comes next, and how many bytes of it.
    fn next(&self) -> (Part, usize) {
        let rest = self.rest;
        if rest.starts_with("//") {
            (Part::Comment, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (Part::Comment, block_comment(rest))
        } else if rest.starts_with('"') {
            (Part::Literal, quoted(rest, '"'))
        } else if let Some(length) = self.raw_string() {
            (Part::Literal, length)
        } else if is_char_literal(rest) {
            (Part::Literal, quoted(rest, '\''))
        } else {
            (Part::Code, rest.chars().next().map_or(0, char::len_utf8))
        }
    }

    /// `r"…"` or `r#"…"#`; the `b` or `c` before is code to us. Not the `r` that ends another word.
    fn raw_string(&self) -> Option<usize> {
        let continues_a_word = self.before.is_alphanumeric() || self.before == '_';
        let is_prefixed = matches!(self.before, 'b' | 'c');
        if continues_a_word && !is_prefixed {
            return None;
        }
        let after = self.rest.strip_prefix('r')?;
        let inside = after.trim_start_matches('#');
        let end = format!("\"{}", &after[..after.len() - inside.len()]);
        let start = self.rest.len() - inside.strip_prefix('"')?.len();
        Some(self.rest[start..].find(&end).map_or(self.rest.len(), |at| start + at + end.len()))
    }

    fn take(&mut self, part: Part, length: usize) {
        let (taken, rest) = self.rest.split_at(length);
        for c in taken.chars() {
            let blank = if c == '\n' { '\n' } else { ' ' };
            let Views { code, comments } = &mut self.views;
            code.push(if matches!(part, Part::Code) { c } else { blank });
            comments.push(if matches!(part, Part::Comment) { c } else { blank });
        }
        self.before = taken.chars().next_back().unwrap_or(' ');
        self.rest = rest;
    }
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a literal between two `quote`s, one of which `text` begins with.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + quote.len_utf8();
        }
    }
    text.len()
}

/// `'a'` and `'\n'` are; the lifetime `'a` is not.
fn is_char_literal(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('\'')
        && match chars.next() {
            Some('\\') => true,
            Some(_) => chars.next() == Some('\''),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        let code = Views::of(source).code;
        assert_eq!(code.chars().count(), source.chars().count());
        code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        assert_eq!(code("a // b\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(code(r#"a "b \" c" d"#), "a d");
        assert_eq!(code(r###"a r#"b " c"# d br"e" f"###), "a d b f");
        assert_eq!(code("var\"x\""), "var");
        assert_eq!(code(r"a '\'' b '\u{1}' '/' c"), "a b c");
    }

    #[test]
    fn lifetimes_are_code() {
        assert_eq!(code("fn f<'a>(x: &'a str) -> &'a str // y"), "fn f<'a>(x: &'a str) -> &'a str");
    }

    #[test]
    fn comments_keep_their_line_and_column() {
        let views = Views::of("let a = \"// no\"; // yes\nb");
        assert_eq!(views.comments, "                 // yes\n ");
    }
}
