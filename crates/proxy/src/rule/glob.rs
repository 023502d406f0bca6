//! Patterns of keys, as Redis has them.

/// `*` is any bytes, `?` one, `[a-z]` one of those, `[^a]` one that is not; `\` takes the next one literally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(String);

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// In time of at most the product of both lengths.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let (mut pattern, mut at) = (self.0.as_bytes(), 0);
        // Where to go on after the last star, should what follows it not fit here.
        let mut again: Option<(&[u8], usize)> = None;
        loop {
            if let [b'*', rest @ ..] = pattern {
                again = Some((rest, at));
                pattern = rest;
                continue;
            }
            let fits = match text.get(at) {
                None if pattern.is_empty() => return true,
                None => return false,
                Some(&byte) => one(pattern, byte),
            };
            match (fits, &mut again) {
                (Some(rest), _) => {
                    pattern = rest;
                    at += 1;
                }
                (None, Some((after_star, from))) => {
                    *from += 1;
                    (pattern, at) = (after_star, *from);
                }
                (None, None) => return false,
            }
        }
    }
}

/// What is left of the pattern where its first element fits the byte.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [] => None,
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => class(rest, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte).then_some(rest),
    }
}

fn class(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (is_negated, mut rest) = match pattern {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, pattern),
    };
    let mut is_member = false;
    loop {
        rest = match rest {
            [] => break, // without an end it ends with the pattern
            [b']', after @ ..] => {
                rest = after;
                break;
            }
            [b'\\', literal, after @ ..] => {
                is_member |= *literal == byte;
                after
            }
            [from, b'-', to, after @ ..] if *to != b']' => {
                is_member |= (*from.min(to)..=*from.max(to)).contains(&byte);
                after
            }
            [literal, after @ ..] => {
                is_member |= *literal == byte;
                after
            }
        };
    }
    (is_member != is_negated).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::new(pattern).matches(text.as_bytes())
    }

    #[test]
    fn stars_take_as_much_as_it_needs_for_the_rest_to_fit() {
        assert!(matches("*", "") && matches("seat:*", "seat:") && matches("*:7", "seat:7:7"));
        assert!(matches("a*b*c", "a__b_b_c") && !matches("a*b*c", "a__c_b"));
        assert!(matches("**a", "ba") && !matches("a", "ab") && !matches("ab", "a"));
    }

    #[test]
    fn a_class_is_one_of_its_members_and_a_backslash_is_literal() {
        assert!(matches("[a-c]?", "bx") && !matches("[a-c]?", "dx") && matches("[^a]", "b"));
        assert!(matches("[z-x]", "y") && matches("[]", "]") == matches("[", "x"));
        assert!(matches(r"\*", "*") && !matches(r"\*", "x") && matches(r"[\]]", "]"));
    }

    #[test]
    fn a_pattern_that_invites_backtracking_ends_soon() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
        assert!(!matches(&format!("{}b", "*a".repeat(200)), &"a".repeat(4000)));
    }
}
