//! A toxic as the API knows it: with a name, and attributes that can be changed.

use std::time::Duration;

use lockproof_proxy::{Attributes, Direction, Entry, Kind, ToxicId, ToxicSpec, Value, find};
use serde_json::{Map, Value as Json, json};

use crate::ApiError;
use crate::body::{Body, number, wrong};

#[derive(Clone, Debug)]
pub(crate) struct NamedToxic {
    pub(crate) name: String,
    entry: &'static Entry,
    stream: Direction,
    toxicity: f64,
    attributes: Attributes,
    spec: ToxicSpec,
    /// While its proxy runs.
    pub(crate) id: Option<ToxicId>,
}

impl NamedToxic {
    /// What a body asks for: a downstream toxic of toxicity 1, where it does not say otherwise.
    pub(crate) fn read(body: &Body) -> Result<Self, ApiError> {
        let stream = match body.text("stream")?.map(|stream| stream.to_ascii_lowercase()).as_deref()
        {
            None | Some("downstream") => Direction::Downstream,
            Some("upstream") => Direction::Upstream,
            Some(_) => return Err(ApiError::no_stream()),
        };
        let kind = body.text("type")?.unwrap_or_default();
        let name = body.text("name")?.filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| format!("{kind}_{stream}"));
        let entry = find(&kind).ok_or_else(ApiError::no_type)?;
        let toxicity = body.number("toxicity")?.unwrap_or(1.0);
        let attributes = attributes(entry, &body.members("attributes")?)?;
        let spec = spec(entry, &attributes, stream, toxicity)?;
        Ok(Self { name, entry, stream, toxicity, attributes, spec, id: None })
    }

    /// The same with what a body says otherwise: attributes, each by itself, and toxicity.
    pub(crate) fn changed(&self, body: &Body) -> Result<Self, ApiError> {
        let toxicity = body.number("toxicity")?.unwrap_or(self.toxicity);
        let mut merged = self.attributes.clone();
        merged.extend(attributes(self.entry, &body.members("attributes")?)?);
        let spec = spec(self.entry, &merged, self.stream, toxicity)?;
        Ok(Self { toxicity, attributes: merged, spec, ..self.clone() })
    }

    pub(crate) fn spec(&self) -> ToxicSpec {
        self.spec.clone()
    }

    pub(crate) const fn stream(&self) -> Direction {
        self.stream
    }

    pub(crate) fn json(&self) -> Json {
        let attributes: Map<String, Json> = self
            .entry
            .attributes
            .iter()
            .map(|known| {
                let value = self.attributes.get(known.name).unwrap_or(&known.default);
                (known.name.to_owned(), written(value))
            })
            .collect();
        json!({
            "attributes": attributes,
            "name": self.name,
            "type": self.entry.name,
            "stream": self.stream.as_str(),
            "toxicity": number(self.toxicity),
        })
    }
}

fn spec(
    entry: &Entry,
    attributes: &Attributes,
    stream: Direction,
    toxicity: f64,
) -> Result<ToxicSpec, ApiError> {
    let spec = entry.spec(attributes).map_err(ApiError::bad_body)?;
    Ok(spec.only(stream).toxicity(toxicity))
}

fn attributes(entry: &Entry, given: &Map<String, Json>) -> Result<Attributes, ApiError> {
    let mut attributes = Attributes::new();
    for (name, json) in given.iter().filter(|(_, json)| !json.is_null()) {
        let known = entry.attributes.iter().find(|known| known.name == name);
        // The catalog knows how to say that there is none such; what it would be does not matter.
        let kind = known.map_or(Kind::Text, |known| known.kind());
        let value = match known {
            None => Value::Text(String::new().into()),
            Some(_) => read(kind, json)
                .ok_or_else(|| wrong(&format!("attributes.{name}"), expected(kind), json))?,
        };
        attributes.insert(name.clone(), value);
    }
    Ok(attributes)
}

fn read(kind: Kind, json: &Json) -> Option<Value> {
    Some(match kind {
        Kind::Millis => Value::Millis(Duration::from_millis(json.as_u64()?)),
        Kind::Micros => Value::Micros(Duration::from_micros(json.as_u64()?)),
        Kind::Count => Value::Count(json.as_u64()?),
        Kind::Ratio => Value::Ratio(json.as_f64()?),
        Kind::Text => Value::Text(json.as_str()?.to_owned().into()),
        _ => return None,
    })
}

const fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Millis => "a whole number of milliseconds, not below zero",
        Kind::Micros => "a whole number of microseconds, not below zero",
        Kind::Count => "a whole number, not below zero",
        Kind::Ratio => "a number",
        _ => "a string",
    }
}

fn written(value: &Value) -> Json {
    let whole = |units: u128| Json::from(u64::try_from(units).unwrap_or(u64::MAX));
    match value {
        Value::Millis(duration) => whole(duration.as_millis()),
        Value::Micros(duration) => whole(duration.as_micros()),
        Value::Count(count) => Json::from(*count),
        Value::Ratio(ratio) => number(*ratio),
        Value::Text(text) => Json::from(text.as_ref()),
        other => Json::from(other.to_string()),
    }
}
