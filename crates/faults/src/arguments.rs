//! The fields of a `[[fault]]`, read by the fault that they belong to.

use std::collections::BTreeMap;
use std::time::Duration;

/// A value as a scenario file writes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// `"…"`
    Text(String),
    /// `10`
    Integer(i64),
    /// `0.5`
    Float(f64),
    /// `true`
    Flag(bool),
    /// `[ … ]`
    List(Vec<Self>),
    /// Anything else, named.
    Other(&'static str),
}

impl Argument {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Flag(_) => "a boolean",
            Self::List(_) => "an array",
            Self::Other(kind) => kind,
        }
    }
}

/// Named values, taken one by one; what is left over was not expected.
#[derive(Clone, Debug, Default)]
pub struct Arguments(BTreeMap<String, Argument>);

impl Arguments {
    /// Those of a table.
    pub fn new(values: impl IntoIterator<Item = (String, Argument)>) -> Self {
        Self(values.into_iter().collect())
    }

    /// Takes a duration such as `"250ms"`.
    ///
    /// # Errors
    /// It is none.
    pub fn duration(&mut self, field: &str) -> Result<Option<Duration>, ArgumentError> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        parse_duration(&text).map(Some).map_err(|what| ArgumentError::new(field, what))
    }

    /// Takes a string.
    ///
    /// # Errors
    /// It is none.
    pub fn text(&mut self, field: &str) -> Result<Option<String>, ArgumentError> {
        match self.0.remove(field) {
            None => Ok(None),
            Some(Argument::Text(text)) => Ok(Some(text)),
            Some(other) => Err(ArgumentError::expected(field, "a string", &other)),
        }
    }

    /// Takes a number, whole or not.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&mut self, field: &str) -> Result<Option<f64>, ArgumentError> {
        match self.0.remove(field) {
            None => Ok(None),
            Some(Argument::Float(number)) => Ok(Some(number)),
            Some(Argument::Integer(number)) => match i32::try_from(number) {
                Ok(number) => Ok(Some(f64::from(number))),
                Err(_) => Err(ArgumentError::new(field, format!("`{field}` is out of range"))),
            },
            Some(other) => Err(ArgumentError::expected(field, "a number", &other)),
        }
    }

    /// Takes a whole number, from 1 on.
    ///
    /// # Errors
    /// It is none.
    pub fn count(&mut self, field: &str) -> Result<Option<u64>, ArgumentError> {
        match self.0.remove(field) {
            None => Ok(None),
            Some(Argument::Integer(number)) => match u64::try_from(number) {
                Ok(number @ 1..) => Ok(Some(number)),
                _ => Err(ArgumentError::new(field, format!("`{field}` is counted from 1"))),
            },
            Some(other) => Err(ArgumentError::expected(field, "a whole number", &other)),
        }
    }

    /// Takes a string or an array of strings.
    ///
    /// # Errors
    /// It is neither.
    pub fn texts(&mut self, field: &str) -> Result<Vec<String>, ArgumentError> {
        let wrong = |other: &Argument| ArgumentError::expected(field, "strings", other);
        match self.0.remove(field) {
            None => Ok(Vec::new()),
            Some(Argument::Text(text)) => Ok(vec![text]),
            Some(Argument::List(items)) => items
                .into_iter()
                .map(|item| match item {
                    Argument::Text(text) => Ok(text),
                    other => Err(wrong(&other)),
                })
                .collect(),
            Some(other) => Err(wrong(&other)),
        }
    }

    /// The name of a field that nobody took.
    #[must_use]
    pub fn left_over(&self) -> Option<&str> {
        self.0.keys().next().map(String::as_str)
    }
}

/// A field of a `[[fault]]` that will not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct ArgumentError {
    /// Which field; that of the whole fault when it is missing.
    pub field: String,
    what: String,
}

impl ArgumentError {
    /// `field` will not do because of `what`.
    pub fn new(field: &str, what: impl Into<String>) -> Self {
        Self { field: field.to_owned(), what: what.into() }
    }

    /// `field` is missing.
    #[must_use]
    pub fn missing(field: &str, example: &str) -> Self {
        Self::new(field, format!("`{field}` is missing; for example {field} = {example}"))
    }

    fn expected(field: &str, expected: &str, found: &Argument) -> Self {
        Self::new(field, format!("`{field}` takes {expected}, not {}", found.kind()))
    }
}

/// A humane duration: `250ms`, `1.5s` is written `1s 500ms`.
///
/// # Errors
/// What is wrong with it and how it should look.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    if text.trim_start().starts_with('-') {
        return Err(format!("`{text}` is negative; time only goes forward here"));
    }
    humantime::parse_duration(text)
        .map_err(|error| format!("`{text}` is no duration ({error}); write 250ms, 2s or 1s 500ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_duration_is_called_negative() {
        assert!(parse_duration("-5ms").unwrap_err().contains("negative"));
        assert!(parse_duration("5").unwrap_err().contains("250ms"));
        assert_eq!(parse_duration("1s 500ms"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn a_field_of_another_type_says_what_it_takes() {
        let mut arguments = Arguments::new([("by".to_owned(), Argument::Integer(3))]);
        let error = arguments.duration("by").unwrap_err();
        assert_eq!(error.to_string(), "`by` takes a string, not an integer");
    }
}
