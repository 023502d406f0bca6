//! What a request says, field by field.
//!
//! Read by hand, so that the first field that is missing or malformed is named. What becomes part of a key is held to
//! characters that no key is made of: else one tenant could name another's.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde_json::{Map, Value as Json};

use crate::answer::Refused;
use crate::app::App;

/// Longest part of a key, in bytes.
const NAME_MAX: usize = 128;
/// Longest other text, in bytes.
pub(crate) const TEXT_MAX: usize = 1_024;

/// The members of a request's body.
#[derive(Clone, Debug)]
pub(crate) struct Fields(Map<String, Json>);

impl FromRequest<Arc<App>> for Fields {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refused> {
        let limit = app.config.body_bytes_max;
        let bytes = to_bytes(request.into_body(), limit).await.map_err(|_| {
            let message = format!("a body has up to {limit} bytes, and comes to its end");
            Refused::with(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", &message)
        })?;
        Self::read(&bytes)
    }
}

impl Fields {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refused> {
        // The parser bounds how deep JSON may go.
        match serde_json::from_slice(bytes) {
            Ok(Json::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(Refused::field("body", "the body is a JSON object")),
            Err(error) => Err(Refused::field("body", format!("the body is no JSON: {error}"))),
        }
    }

    /// Those of a member that is itself an object.
    pub(crate) fn of(value: &Json, field: &str) -> Result<Self, Refused> {
        match value {
            Json::Object(members) => Ok(Self(members.clone())),
            _ => Err(Refused::field(field, "each of them is an object")),
        }
    }

    /// The same members in one spelling, whatever their order was: what two equal requests have in common.
    pub(crate) fn canonical(&self) -> String {
        let mut text = String::new();
        write_canonical(&Json::Object(self.0.clone()), &mut text);
        text
    }

    pub(crate) fn member(&self, field: &str) -> Option<&Json> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// A text, where there is one.
    pub(crate) fn text(&self, field: &str) -> Result<Option<String>, Refused> {
        match self.member(field) {
            None => Ok(None),
            Some(Json::String(text)) if text.len() > TEXT_MAX => {
                Err(Refused::field(field, format!("it has up to {TEXT_MAX} bytes")))
            }
            Some(Json::String(text)) if text.chars().any(char::is_control) => {
                Err(Refused::field(field, "it has no control characters"))
            }
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Refused::field(field, "it is a text")),
        }
    }

    pub(crate) fn required_text(&self, field: &str) -> Result<String, Refused> {
        let text = self.text(field)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| Refused::field(field, "it is missing"))
    }

    /// A part of a key.
    pub(crate) fn name(&self, field: &str) -> Result<String, Refused> {
        name(field, self.required_text(field)?)
    }

    /// A day that there is.
    pub(crate) fn date(&self, field: &str) -> Result<String, Refused> {
        let text = self.required_text(field)?;
        let is_date = is_shaped(&text, "dddd-dd-dd") && text.parse::<jiff::civil::Date>().is_ok();
        if is_date { Ok(text) } else { Err(Refused::field(field, "it is a date, YYYY-MM-DD")) }
    }

    /// A time of day to the minute.
    pub(crate) fn time(&self, field: &str) -> Result<String, Refused> {
        let text = self.required_text(field)?;
        minutes_of(&text).map(|_| text).ok_or_else(|| Refused::field(field, "it is a time, HH:MM"))
    }

    /// The same, where there is one.
    pub(crate) fn optional_time(&self, field: &str) -> Result<Option<String>, Refused> {
        self.member(field).map(|_| self.time(field)).transpose()
    }

    pub(crate) fn uuid(&self, field: &str) -> Result<String, Refused> {
        let text = self.required_text(field)?;
        if is_uuid(&text) {
            Ok(text.to_ascii_lowercase())
        } else {
            Err(Refused::field(field, "it is a UUID"))
        }
    }

    /// A whole number within bounds, where there is one.
    pub(crate) fn integer(
        &self,
        field: &str,
        bounds: RangeInclusive<i64>,
    ) -> Result<Option<i64>, Refused> {
        let Some(value) = self.member(field) else { return Ok(None) };
        let number = whole(value).filter(|number| bounds.contains(number));
        let (least, most) = (bounds.start(), bounds.end());
        let wrong =
            || Refused::field(field, format!("it is a whole number from {least} to {most}"));
        number.map(Some).ok_or_else(wrong)
    }

    /// A number that is not negative, as it was written.
    pub(crate) fn amount(&self, field: &str) -> Result<Option<String>, Refused> {
        match self.member(field) {
            None => Ok(None),
            Some(Json::Number(number)) if number.as_f64().is_some_and(|amount| amount >= 0.0) => {
                Ok(Some(number.to_string()))
            }
            Some(_) => Err(Refused::field(field, "it is a number, zero or more")),
        }
    }

    pub(crate) fn flag(&self, field: &str) -> Result<bool, Refused> {
        match self.member(field) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Refused::field(field, "it is true or false")),
        }
    }
}

/// A whole number, which JSON may write with a fraction of zero.
#[expect(clippy::cast_possible_truncation, reason = "what has no fraction and fits loses nothing")]
fn whole(value: &Json) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let whole = |number: &f64| number.fract() == 0.0 && number.abs() <= EXACT;
    value.as_i64().or_else(|| value.as_f64().filter(whole).map(|number| number as i64))
}

/// `text` as a part of a key, unless it could be taken for the key's own punctuation.
pub(crate) fn name(field: &str, text: String) -> Result<String, Refused> {
    let banned = |c: char| c.is_control() || matches!(c, '{' | '}' | '|' | ':');
    if text.is_empty() || text.len() > NAME_MAX {
        return Err(Refused::field(field, format!("it has 1 to {NAME_MAX} bytes")));
    }
    if text.chars().any(banned) {
        return Err(Refused::field(field, "it has none of { } | : and no control characters"));
    }
    Ok(text)
}

/// Minutes since midnight.
pub(crate) fn minutes_of(time: &str) -> Option<u32> {
    if !is_shaped(time, "dd:dd") {
        return None;
    }
    let (hours, minutes) = time.split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

pub(crate) fn is_uuid(text: &str) -> bool {
    let hyphens = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| {
            if hyphens.contains(&place) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
}

/// Whether `text` has a digit wherever `shape` says `d`, and elsewhere what it says.
fn is_shaped(text: &str, shape: &str) -> bool {
    let fits = |(c, s): (u8, u8)| if s == b'd' { c.is_ascii_digit() } else { c == s };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

fn write_canonical(value: &Json, text: &mut String) {
    match value {
        Json::Object(members) => {
            let mut names: Vec<_> = members.keys().collect();
            names.sort_unstable();
            text.push('{');
            for (place, name) in names.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Json::from(name.as_str()).to_string());
                text.push(':');
                write_canonical(&members[name], text);
            }
            text.push('}');
        }
        Json::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::read(json.as_bytes()).unwrap()
    }

    #[test]
    fn what_a_key_is_made_of_is_in_no_name() {
        for bad in ["a{b", "}", "a|b", "a:b", "a\\r\\n", "\\u0000", ""] {
            assert!(fields(&format!("{{\"t\":\"{bad}\"}}")).name("t").is_err(), "{bad}");
        }
        assert!(name("t", "x".repeat(129)).is_err());
        assert_eq!(
            fields(r#"{"t":"Praxis Dr. Müller-1"}"#).name("t").unwrap(),
            "Praxis Dr. Müller-1"
        );
    }

    #[test]
    fn only_days_and_times_that_there_are_pass() {
        let read = |date: &str| fields(&format!("{{\"d\":\"{date}\"}}")).date("d").is_ok();
        assert!(
            read("2028-02-29") && !read("2026-02-29") && !read("2026-2-1") && !read("20260201")
        );
        assert_eq!(minutes_of("09:30"), Some(570));
        assert!(
            ["24:00", "9:30", "09:60", "0930", "+9:30"].iter().all(|t| minutes_of(t).is_none())
        );
    }

    #[test]
    fn the_order_of_members_is_not_part_of_a_payload() {
        let one = fields(r#"{"b":[1,{"y":2,"x":"ü"}],"a":null}"#);
        let other = fields(r#" {"a":null, "b":[1,{"x":"\u00fc","y":2}]}"#);
        assert_eq!(one.canonical(), other.canonical());
        assert_ne!(one.canonical(), fields(r#"{"b":[1]}"#).canonical());
    }
}
