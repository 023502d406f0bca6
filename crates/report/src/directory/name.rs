//! Names that are safe as files.

/// One strategy under one scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellName<'a> {
    /// The scenario's name.
    pub scenario: &'a str,
    /// The strategy as it is spelled.
    pub strategy: &'a str,
}

impl CellName<'_> {
    /// `<scenario>.<strategy>`, safe as a file name and different for different cells.
    pub(super) fn file_stem(self) -> String {
        format!("{}.{}", safe(self.scenario), safe(self.strategy))
    }
}

/// The name as it is where it consists of letters, digits, `-`, `_` and `+`; anything else is written as in a
/// URL, so that no name leaves its directory and two names never become one.
pub(super) fn safe(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+') {
            safe.push(char::from(byte));
        } else {
            safe.push_str(format!("%{byte:02X}").as_str());
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_directory() {
        assert_eq!(safe("holder-paused_past+ttl2"), "holder-paused_past+ttl2");
        assert_eq!(safe("../etc/passwd"), "%2E%2E%2Fetc%2Fpasswd");
        assert_eq!(safe("ü"), "%C3%BC");
    }

    #[test]
    fn a_dot_in_a_name_is_not_the_one_between_two_names() {
        let stem = |scenario, strategy| CellName { scenario, strategy }.file_stem();
        assert_ne!(stem("a.b", "c"), stem("a", "b.c"));
    }
}
