//! Typed fields of a table; a field that nobody read is unknown.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use lockproof_faults::parse_duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::source::Source;
use crate::suggest::hint;

/// A value with its place.
pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// One table of a file.
#[derive(Debug)]
pub(crate) struct Reader<'s, 'a> {
    source: &'s Source<'s>,
    /// How messages call the table: `[workload]`.
    name: String,
    span: Range<usize>,
    fields: BTreeMap<String, (Range<usize>, Value<'a>)>,
    /// Every field that was asked for.
    known: Vec<&'static str>,
}

impl<'s, 'a> Reader<'s, 'a> {
    pub(crate) fn new(
        source: &'s Source<'s>,
        name: impl Into<String>,
        span: Range<usize>,
        table: DeTable<'a>,
    ) -> Self {
        let fields = table
            .into_iter()
            .map(|(key, value)| (key.get_ref().to_string(), (key.span(), value)))
            .collect();
        Self { source, name: name.into(), span, fields, known: Vec::new() }
    }

    pub(crate) const fn source(&self) -> &'s Source<'s> {
        self.source
    }

    /// Where the table begins.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Reports a problem of the table as a whole.
    pub(crate) fn problem(&self, what: impl Into<String>) {
        self.source.problem(&self.span, what);
    }

    /// Reports a problem of a field that is (or was) there, else of the table.
    pub(crate) fn problem_at(&self, span: Option<&Range<usize>>, what: impl Into<String>) {
        self.source.problem(span.unwrap_or(&self.span), what);
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The place of a field's name.
    pub(crate) fn key_span(&self, field: &str) -> Option<Range<usize>> {
        self.fields.get(field).map(|(key, _)| key.clone())
    }

    /// The place of a field's value.
    pub(crate) fn value_span(&self, field: &str) -> Option<Range<usize>> {
        self.fields.get(field).map(|(_, value)| value.span())
    }

    /// Whether a field is there and a string.
    pub(crate) fn is_text(&self, field: &str) -> bool {
        self.fields.get(field).is_some_and(|(_, value)| value.get_ref().as_str().is_some())
    }

    /// Line and column of a field's name, or else of the table.
    pub(crate) fn place_of(&self, field: &str) -> (usize, usize) {
        self.source.position(self.key_span(field).unwrap_or_else(|| self.span()).start)
    }

    pub(crate) fn take(&mut self, field: &'static str) -> Option<Value<'a>> {
        self.known.push(field);
        self.fields.remove(field).map(|(_, value)| value)
    }

    /// Every field not yet taken, as TOML that reads the same, in the order of the file.
    pub(crate) fn written(&self) -> String {
        let mut fields: Vec<_> = self.fields.iter().collect();
        fields.sort_by_key(|(_, (key, _))| key.start);
        let line = |(name, (_, value)): (&String, &(Range<usize>, Value<'_>))| {
            format!("{} = {}", written_key(name), written(value.get_ref()))
        };
        fields.into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Everything not yet taken, in the order of names.
    pub(crate) fn rest(&mut self) -> Vec<(String, Range<usize>, Value<'a>)> {
        let fields = std::mem::take(&mut self.fields);
        fields.into_iter().map(|(name, (span, value))| (name, span, value)).collect()
    }

    pub(crate) fn text(&mut self, field: &'static str) -> Option<Spanned<String>> {
        let value = self.take(field)?;
        match value.get_ref().as_str() {
            Some(text) => Some(Spanned::new(value.span(), text.to_owned())),
            None => self.wrong_type(field, "a string", &value),
        }
    }

    pub(crate) fn texts(&mut self, field: &'static str) -> Vec<Spanned<String>> {
        let Some(value) = self.take(field) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type::<()>(field, "an array of strings", &value);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push(Spanned::new(item.span(), text.to_owned())),
                None => drop(self.wrong_type::<()>(field, "strings", item)),
            }
        }
        texts
    }

    /// A whole number within `range`, with its place.
    pub(crate) fn number(
        &mut self,
        field: &'static str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = self.take(field)?;
        let Some(integer) = value.get_ref().as_integer() else {
            return self.wrong_type(field, "a whole number", &value);
        };
        let parsed = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        match parsed.and_then(|number| u32::try_from(number).ok()).filter(|n| range.contains(n)) {
            Some(number) => Some(number),
            None => {
                let (low, high) = (range.start(), range.end());
                let what = format!("`{field}` is a whole number from {low} to {high}");
                self.source.problem(&value.span(), what);
                None
            }
        }
    }

    /// Yes or no.
    pub(crate) fn truth(&mut self, field: &'static str) -> Option<bool> {
        let value = self.take(field)?;
        match value.get_ref().as_bool() {
            Some(truth) => Some(truth),
            None => self.wrong_type(field, "true or false", &value),
        }
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&mut self, field: &'static str) -> Option<f64> {
        self.float(field, "a number from 0 to 1", |share| (0.0..=1.0).contains(&share))
    }

    /// A rate, in something per second.
    pub(crate) fn rate(&mut self, field: &'static str) -> Option<f64> {
        let fits = |rate: f64| rate > 0.0 && rate <= 1e6;
        self.float(field, "a rate above 0 and up to 1000000", fits)
    }

    fn float(
        &mut self,
        field: &'static str,
        expected: &str,
        fits: impl FnOnce(f64) -> bool,
    ) -> Option<f64> {
        let value = self.take(field)?;
        let text = value.get_ref().as_float().map(|float| float.as_str().to_owned());
        let text = text.or_else(|| value.get_ref().as_integer().map(|int| int.as_str().to_owned()));
        match text.and_then(|text| text.replace('_', "").parse::<f64>().ok()) {
            Some(number) if fits(number) => Some(number),
            Some(_) => {
                self.source.problem(&value.span(), format!("`{field}` is {expected}"));
                None
            }
            None => self.wrong_type(field, expected, &value),
        }
    }

    pub(crate) fn duration(&mut self, field: &'static str) -> Option<Duration> {
        self.spanned_duration(field).map(Spanned::into_inner)
    }

    pub(crate) fn spanned_duration(&mut self, field: &'static str) -> Option<Spanned<Duration>> {
        let value = self.take(field)?;
        let Some(text) = value.get_ref().as_str() else {
            return self.wrong_type(field, "a duration such as \"250ms\"", &value);
        };
        match parse_duration(text) {
            Ok(duration) => Some(Spanned::new(value.span(), duration)),
            Err(what) => {
                self.source.problem(&value.span(), what);
                None
            }
        }
    }

    /// A table within this one.
    pub(crate) fn table(&mut self, field: &'static str) -> Option<Self> {
        let value = self.take(field)?;
        let span = value.span();
        let name = format!("[{field}]");
        match value.into_inner() {
            DeValue::Table(table) => Some(Reader::new(self.source, name, span, table)),
            other => {
                let found = other.type_str();
                let what = format!("`{field}` is a table, not a value of type {found}");
                self.source.problem(&span, what);
                None
            }
        }
    }

    /// Tables of an array.
    pub(crate) fn tables(&mut self, field: &'static str) -> Vec<Self> {
        let Some(value) = self.take(field) else { return Vec::new() };
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            self.source.problem(&span, format!("write [[{field}]] for each {field}"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let span = item.span();
            let name = format!("[[{field}]] {}", index + 1);
            match item.into_inner() {
                DeValue::Table(table) => {
                    tables.push(Reader::new(self.source, name, span, table));
                }
                _ => self.source.problem(&span, format!("a {field} is a table: [[{field}]]")),
            }
        }
        tables
    }

    /// Reports every field that nobody asked for.
    pub(crate) fn finish(self) {
        for (name, (span, _)) in &self.fields {
            let what = format!("unknown key `{name}` in {}{}", self.name, hint(name, &self.known));
            self.source.problem(span, what);
        }
    }

    fn wrong_type<T>(&self, field: &str, expected: &str, found: &Value<'_>) -> Option<T> {
        let kind = found.get_ref().type_str();
        self.source.problem(&found.span(), format!("`{field}` takes {expected}, found {kind}"));
        None
    }
}

fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => toml::Value::String(text.to_string()).to_string(),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or_else(|_| integer.as_str().to_owned(), |number| number.to_string()),
        DeValue::Float(float) => float.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        DeValue::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| written(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(table) => {
            let field = |(key, value): (&Spanned<_>, &Value<'_>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                format!("{} = {}", written_key(key), written(value.get_ref()))
            };
            let fields: Vec<_> = table.iter().map(field).collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

fn written_key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) {
        return name.to_owned();
    }
    toml::Value::String(name.to_owned()).to_string()
}
