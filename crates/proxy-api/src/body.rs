//! What a request's JSON says, read as leniently as Go's decoder reads it: names in any case, unknown members ignored,
//! null the same as nothing, and whatever follows the first value as well.

use serde_json::{Map, Value};

use crate::ApiError;

/// The members of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body(Map<String, Value>);

impl Body {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ApiError> {
        Self::of(first(bytes)?)
    }

    /// A list of objects.
    pub(crate) fn read_all(bytes: &[u8]) -> Result<Vec<Self>, ApiError> {
        match first(bytes)? {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => items.into_iter().map(Self::of).collect(),
            other => Err(wrong("the body", "an array", &other)),
        }
    }

    fn of(value: Value) -> Result<Self, ApiError> {
        match value {
            Value::Null => Ok(Self::default()),
            Value::Object(members) => Ok(Self(members)),
            other => Err(wrong("the body", "an object", &other)),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, ApiError> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(wrong(name, "a string", other)),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(wrong(name, "true or false", other)),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, ApiError> {
        match self.member(name) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| wrong(name, "a number", value)),
        }
    }

    /// The members of an object that is a member.
    pub(crate) fn members(&self, name: &str) -> Result<Map<String, Value>, ApiError> {
        match self.member(name) {
            None => Ok(Map::new()),
            Some(Value::Object(members)) => Ok(members.clone()),
            Some(other) => Err(wrong(name, "an object", other)),
        }
    }

    fn member(&self, name: &str) -> Option<&Value> {
        let exact = self.0.get(name);
        let similar =
            || self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v);
        exact.or_else(similar).filter(|value| !value.is_null())
    }
}

fn first(bytes: &[u8]) -> Result<Value, ApiError> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter();
    match values.next() {
        Some(value) => value.map_err(ApiError::bad_body),
        None => Err(ApiError::bad_body("EOF")),
    }
}

pub(crate) fn wrong(name: &str, expected: &str, found: &Value) -> ApiError {
    let kind = match found {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    ApiError::bad_body(format!("{name} takes {expected}, not {kind} ({found})"))
}

/// As Go writes it: whole where it is.
pub(crate) fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
    if value.fract() == 0.0 && value.abs() < 1e9 {
        return Value::from(value as i64);
    }
    Value::from(value)
}
