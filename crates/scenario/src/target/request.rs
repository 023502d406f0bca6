//! A request of `[target]`: `acquire`, `check`, `verify`, `book`, `release`.

use lockproof_http_target::{
    Again, Call, Expected, METHODS, Meaning, Pointer, Release, RequestPlan, StatusSet, Statuses,
    Template,
};
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::DeValue;

use super::places::Places;
use crate::reader::{Reader, Value};
use crate::suggest::hint;

/// The request of that name, where there is one. What it captures is known to those that follow.
pub(super) fn read(
    target: &mut Reader<'_, '_>,
    call: Call,
    places: &mut Places,
) -> Option<RequestPlan> {
    let mut reader = target.table(call.word())?;
    let plan = plan(&mut reader, places);
    reader.finish();
    plan
}

/// The one that gives the lock back, which says when, too.
pub(super) fn release(target: &mut Reader<'_, '_>, places: &mut Places) -> Option<Release> {
    let mut reader = target.table(Call::Release.word())?;
    let unless_booked = reader.truth("unless-booked").unwrap_or(false);
    let request = plan(&mut reader, places);
    reader.finish();
    Some(Release { request: request?, unless_booked })
}

/// The fields that every request has.
pub(super) fn plan(reader: &mut Reader<'_, '_>, places: &mut Places) -> Option<RequestPlan> {
    let line = line(reader, places);
    let headers = headers(reader, places);
    let body = reader.text("body").map(|body| places.template(reader, body));
    let mut statuses = Statuses::default();
    for meaning in Meaning::ALL {
        read_statuses(reader, meaning, &mut statuses);
    }
    let accept = expected(reader, "accept");
    let capture = capture(reader);
    let again = again(reader);
    capture.iter().for_each(|(name, _)| places.learn(name));
    let (method, path) = line?;
    Some(RequestPlan { method, path, headers, body, statuses, accept, capture, again })
}

/// `POST /api/bookings`
fn line(reader: &mut Reader<'_, '_>, places: &mut Places) -> Option<(&'static str, Template)> {
    if !reader.has("request") {
        reader.problem("`request` is missing: a method and a path, such as \"POST /bookings\"");
    }
    let text = reader.text("request")?;
    let span = text.span();
    let Some((method, path)) = text.get_ref().split_once(' ') else {
        let what = "a request is a method and a path, such as \"POST /bookings\"";
        reader.source().problem(&span, what);
        return None;
    };
    let known = METHODS.into_iter().find(|known| *known == method);
    if known.is_none() {
        reader
            .source()
            .problem(&span, format!("unknown method `{method}`{}", hint(method, &METHODS)));
    }
    let path = path.trim();
    if !path.starts_with('/') || path.contains(char::is_whitespace) {
        let what = format!("`{path}` is no path: it begins with a slash and has no spaces");
        reader.source().problem(&span, what);
    }
    let path = places.template(reader, Spanned::new(span, path.to_owned()));
    Some((known?, path))
}

pub(super) fn headers(reader: &mut Reader<'_, '_>, places: &mut Places) -> Vec<(String, Template)> {
    named_templates(reader, "headers", places)
}

/// A table of texts, each a template.
pub(super) fn named_templates(
    reader: &mut Reader<'_, '_>,
    field: &'static str,
    places: &mut Places,
) -> Vec<(String, Template)> {
    let Some(mut table) = reader.table(field) else { return Vec::new() };
    let mut named = Vec::new();
    for (name, _, value) in table.rest() {
        match value.get_ref() {
            DeValue::String(text) => {
                let text = Spanned::new(value.span(), text.to_string());
                named.push((name, places.template(&table, text)));
            }
            other => {
                let what = format!("`{name}` takes a string, found {}", other.type_str());
                table.source().problem(&value.span(), what);
            }
        }
    }
    named
}

/// `refused = [409, "5xx"]`
fn read_statuses(reader: &mut Reader<'_, '_>, meaning: Meaning, statuses: &mut Statuses) {
    let Some(value) = reader.take(meaning.word()) else { return };
    let Some(items) = value.get_ref().as_array() else {
        let what = format!("`{}` takes an array of statuses: [200, \"4xx\"]", meaning.word());
        reader.source().problem(&value.span(), what);
        return;
    };
    for item in items {
        let Some(set) = status(item, reader) else { continue };
        if let Some(other) = statuses.said_of(set) {
            let what = format!("{set} is `{}` already", other.word());
            reader.source().problem(&item.span(), what);
        }
        statuses.say(set, meaning);
    }
}

/// A status, or a class of them.
fn status(item: &Value<'_>, reader: &Reader<'_, '_>) -> Option<StatusSet> {
    let text = match item.get_ref() {
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::String(text) => text.to_string(),
        other => other.type_str().to_owned(),
    };
    match text.parse() {
        Ok(set) => Some(set),
        Err(error) => {
            reader.source().problem(&item.span(), format!("{error}"));
            None
        }
    }
}

/// `{ "/valid" = true }`
pub(super) fn expected(reader: &mut Reader<'_, '_>, field: &'static str) -> Expected {
    let Some(mut table) = reader.table(field) else { return Vec::new() };
    let mut expected = Vec::new();
    for (name, key, value) in table.rest() {
        let pointer = pointer(Spanned::new(key, name), &table);
        let json = scalar(value.get_ref());
        if json.is_none() {
            let what = "what an answer holds is a string, a number, true or false";
            table.source().problem(&value.span(), what);
        }
        expected.extend(pointer.zip(json));
    }
    expected
}

fn scalar(value: &DeValue<'_>) -> Option<Json> {
    match value {
        DeValue::String(text) => Some(Json::from(text.as_ref())),
        DeValue::Boolean(truth) => Some(Json::from(*truth)),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(Json::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().ok().map(Json::from),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// `{ lock_id = "/lockId" }`
fn capture(reader: &mut Reader<'_, '_>) -> Vec<(String, Pointer)> {
    let Some(mut table) = reader.table("capture") else { return Vec::new() };
    let mut captured = Vec::new();
    for (name, key, value) in table.rest() {
        let names = Template::new(format!("{{{name}}}"));
        if names.names().next() != Some(name.as_str()) {
            let what = format!(
                "`{name}` cannot be a name in braces: letters, digits, `_`, `.` and `-`, beginning with a letter"
            );
            table.source().problem(&key, what);
            continue;
        }
        match value.get_ref() {
            DeValue::String(text) => {
                let text = Spanned::new(value.span(), text.to_string());
                captured.extend(pointer(text, &table).map(|pointer| (name, pointer)));
            }
            other => {
                let what = format!("`{name}` takes a JSON pointer, found {}", other.type_str());
                table.source().problem(&value.span(), what);
            }
        }
    }
    captured
}

pub(super) fn pointer(text: Spanned<String>, reader: &Reader<'_, '_>) -> Option<Pointer> {
    match text.get_ref().parse() {
        Ok(pointer) => Some(pointer),
        Err(error) => {
            reader.source().problem(&text.span(), format!("{error}"));
            None
        }
    }
}

/// `again = { when = { "/error" = "in_progress" }, tries = 50, delay = "20ms" }`
fn again(reader: &mut Reader<'_, '_>) -> Option<Again> {
    let mut table = reader.table("again")?;
    let when = expected(&mut table, "when");
    if when.is_empty() {
        table.problem("after which answers? write when = { \"/error\" = \"in_progress\" }");
    }
    let tries = table.number("tries", 2..=10_000).unwrap_or(10);
    let delay = table.duration("delay").unwrap_or(std::time::Duration::from_millis(20));
    table.finish();
    Some(Again { when, tries, delay })
}

/// The keys of a table that name statuses, as [`status`] reads them.
pub(super) fn status_key(text: Spanned<String>, reader: &Reader<'_, '_>) -> Option<StatusSet> {
    match text.get_ref().parse() {
        Ok(set) => Some(set),
        Err(error) => {
            reader.source().problem(&text.span(), format!("{error}"));
            None
        }
    }
}
