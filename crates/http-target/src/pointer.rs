//! A place in a JSON document. RFC 6901.

use std::str::FromStr;

use serde_json::Value;

/// A JSON pointer: `/lock/id`, `/rows/0`, or nothing for the whole document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer(String);

/// The text is no pointer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no JSON pointer: it is empty or begins with a slash{meant}")]
pub struct PointerError {
    text: String,
    meant: String,
}

impl Pointer {
    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What is there.
    #[must_use]
    pub fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        document.pointer(&self.0)
    }

    /// What is there, as the text of a string, a number or a truth.
    #[must_use]
    pub fn text_in(&self, document: &Value) -> Option<String> {
        match self.find(document)? {
            Value::String(text) => Some(text.clone()),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.starts_with('/') {
            return Ok(Self(text.to_owned()));
        }
        let path = text.trim_start_matches("$.").replace('.', "/");
        Err(PointerError { text: text.to_owned(), meant: format!("; did you mean `/{path}`?") })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_are_text_and_the_rest_is_not_there() {
        let document = json!({ "lock": { "id": "x", "token": 41, "mine": true, "of": null } });
        let text = |pointer: &str| pointer.parse::<Pointer>().unwrap().text_in(&document);
        assert_eq!(text("/lock/id").as_deref(), Some("x"));
        assert_eq!(text("/lock/token").as_deref(), Some("41"));
        assert_eq!(text("/lock/mine").as_deref(), Some("true"));
        assert_eq!(text("/lock/of"), None);
        assert_eq!(text("/lock"), None);
        assert_eq!(text(""), None);
    }

    #[test]
    fn a_path_of_another_kind_is_refused_with_what_was_meant() {
        let error = "$.lock.id".parse::<Pointer>().unwrap_err().to_string();
        assert!(error.ends_with("did you mean `/lock/id`?"), "{error}");
    }
}
