//! Text with places that are filled in: `/slots/{slot}/bookings`.
//!
//! A place is a name in braces: letters, digits, `_`, `.` and `-`, beginning with a letter. Whatever else stands in braces
//! stands for itself, so that JSON can be written as it is.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// What the places of templates are filled with, by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, String>);

impl Values {
    /// Gives `name` a value, another one where it has one.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The same with those of `other`, which win.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().map(|(name, value)| (name.clone(), value.clone())));
        self
    }
}

/// Names alone: a value may be secret.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Where a template stands, which decides how a value is written in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// As it is.
    Plain,
    /// In a path: whatever is not unreserved there, percent-encoded.
    Path,
    /// In a string of JSON.
    Json,
    /// In a literal of SQL, between quotes.
    Sql,
}

/// A text with places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    /// Each place with its braces.
    places: Vec<Range<usize>>,
}

/// A place has no value yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{{{0}}} has no value here")]
pub struct TemplateError(pub String);

impl Template {
    /// The template that is written so.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let mut places = Vec::new();
        let mut from = 0;
        while let Some(open) = text[from..].find('{').map(|at| from + at) {
            let inside = &text[open + 1..];
            let length = inside.find(|c| !is_of_name(c)).unwrap_or(inside.len());
            let named = inside.starts_with(|c: char| c.is_ascii_alphabetic());
            if named && inside[length..].starts_with('}') {
                places.push(open..open + length + 2);
            }
            from = open + 1;
        }
        Self { text, places }
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of its places, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| &self.text[place.start + 1..place.end - 1])
    }

    /// The text with its places filled in.
    ///
    /// # Errors
    /// A place has no value.
    pub fn fill(&self, values: &Values, filling: Filling) -> Result<String, TemplateError> {
        let mut filled = String::with_capacity(self.text.len() + 32);
        let mut from = 0;
        for (place, name) in self.places.iter().zip(self.names()) {
            let value = values.get(name).ok_or_else(|| TemplateError(name.to_owned()))?;
            filled.push_str(&self.text[from..place.start]);
            filling.write(value, &mut filled);
            from = place.end;
        }
        filled.push_str(&self.text[from..]);
        Ok(filled)
    }

    /// Whether every place has a value.
    #[must_use]
    pub fn can_be_filled(&self, values: &Values) -> bool {
        self.names().all(|name| values.get(name).is_some())
    }
}

const fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

impl Filling {
    fn write(self, value: &str, out: &mut String) {
        match self {
            Self::Plain => out.push_str(value),
            Self::Path => value.bytes().for_each(|byte| write_percent(byte, out)),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                out.push_str(&quoted[1..quoted.len() - 1]);
            }
            Self::Sql => out.push_str(&value.replace('\'', "''")),
        }
    }
}

/// RFC 3986, section 2.3.
fn write_percent(byte: u8, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
        out.push(char::from(byte));
    } else {
        out.push('%');
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, filling: Filling) -> Result<String, TemplateError> {
        let mut values = Values::default();
        values.set("slot", "7");
        values.set("lock_id", "a\"b/ü");
        Template::new(text).fill(&values, filling)
    }

    #[test]
    fn places_are_names_in_braces_and_json_is_left_as_it_is() {
        let json = r#"{"slot":{slot},"of":{},"a":{"b":"{lock_id}"},"{":"}"}"#;
        let names: Vec<_> = Template::new(json).names().map(ToOwned::to_owned).collect();
        assert_eq!(names, ["slot", "lock_id"]);
        let whole = filled(json, Filling::Json).unwrap();
        assert_eq!(whole, r#"{"slot":7,"of":{},"a":{"b":"a\"b/ü"},"{":"}"}"#);
        assert!(serde_json::from_str::<serde_json::Value>(&whole).is_ok());
    }

    #[test]
    fn a_value_cannot_leave_its_place() {
        assert_eq!(filled("/x/{lock_id}", Filling::Path).unwrap(), "/x/a%22b%2F%C3%BC");
        let mut values = Values::default();
        values.set("name", "o'brien");
        let query = Template::new("'{name}'").fill(&values, Filling::Sql).unwrap();
        assert_eq!(query, "'o''brien'");
    }

    #[test]
    fn a_place_without_a_value_is_named() {
        let error = filled("{slot} {token}", Filling::Plain).unwrap_err();
        assert_eq!(error.to_string(), "{token} has no value here");
        assert!(!Template::new("{token}").can_be_filled(&Values::default()));
    }

    #[test]
    fn values_show_their_names_alone() {
        let mut values = Values::default();
        values.set("env.TOKEN", "s3cret");
        assert_eq!(format!("{values:?}"), r#"{"env.TOKEN"}"#);
    }
}
