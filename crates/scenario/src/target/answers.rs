//! `[expect-answers]`: how often a request shall be answered with a status.
//!
//! ```toml
//! [expect-answers]
//! book = { 201 = 1, 409 = 19, 5xx = 0 }                     # of every variant
//! [expect-answers.guard-none]
//! book = { 201 = { at-least = 2 } }                         # of one, in place of what is said of all
//! ```

use std::collections::BTreeMap;
use std::fmt;

use lockproof_http_target::{Call, StatusSet};
use lockproof_model::AnswerCount;
use toml::Spanned;
use toml::de::DeValue;

use super::ServiceTarget;
use super::request::status_key;
use crate::reader::{Reader, Value};
use crate::suggest::hint;

/// How many answers of a status are expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswersExpected {
    /// Of which variant; of every one where none is named.
    pub variant: Option<String>,
    /// To which request.
    pub call: Call,
    /// Of which status.
    pub status: StatusSet,
    /// How many.
    pub count: Bounds,
}

/// At least and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// No fewer.
    pub least: u32,
    /// And no more.
    pub most: u32,
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self { least, most } if least == most => write!(f, "{least}"),
            Self { least, most: u32::MAX } => write!(f, "at least {least}"),
            Self { least: 0, most } => write!(f, "at most {most}"),
            Self { least, most } => write!(f, "{least} to {most}"),
        }
    }
}

/// The table as TOML that reads the same, of the variants that `is_kept`; nothing where nothing is expected.
pub(crate) fn rendered(expected: &[AnswersExpected], is_kept: impl Fn(&str) -> bool) -> String {
    let kept = |of: &&AnswersExpected| of.variant.as_deref().is_none_or(&is_kept);
    let mut tables: BTreeMap<Option<&str>, BTreeMap<Call, Vec<String>>> = BTreeMap::new();
    for of in expected.iter().filter(kept) {
        let Bounds { least, most } = of.count;
        let count = if least == most {
            least.to_string()
        } else {
            format!("{{ at-least = {least}, at-most = {most} }}")
        };
        let of_variant = tables.entry(of.variant.as_deref()).or_default();
        of_variant.entry(of.call).or_default().push(format!("{} = {count}", of.status));
    }
    let table = |(variant, calls): (Option<&str>, BTreeMap<Call, Vec<String>>)| {
        let variant = variant.map(|name| format!(".{name}")).unwrap_or_default();
        let line = |(call, counts): (Call, Vec<String>)| {
            format!("{} = {{ {} }}\n", call.word(), counts.join(", "))
        };
        let lines: String = calls.into_iter().map(line).collect();
        format!("\n[expect-answers{variant}]\n{lines}")
    };
    tables.into_iter().map(table).collect()
}

impl AnswersExpected {
    /// What is wrong with the answers that were counted, where something is.
    #[must_use]
    pub fn unmet(&self, answers: &[AnswerCount]) -> Option<String> {
        let is_one = |count: &&AnswerCount| {
            let status = count.status.is_some_and(|status| self.status.has(status));
            status && count.request == self.call.word()
        };
        let counted: u32 = answers.iter().filter(is_one).map(|count| count.count).sum();
        let Bounds { least, most } = self.count;
        (!(least..=most).contains(&counted)).then(|| {
            let times = if counted == 1 { "time" } else { "times" };
            let (call, status, count) = (self.call.word(), self.status, self.count);
            format!("{call} was answered with {status} {counted} {times}, {count} expected")
        })
    }
}

/// The `[expect-answers]` table, where there is one.
pub(crate) fn read(
    top: &mut Reader<'_, '_>,
    target: Option<&ServiceTarget>,
) -> Vec<AnswersExpected> {
    let span = top.key_span("expect-answers");
    let Some(mut reader) = top.table("expect-answers") else { return Vec::new() };
    let Some(target) = target else {
        top.problem_at(
            span.as_ref(),
            "[expect-answers] counts the answers of a service, and there is no [target]",
        );
        return Vec::new();
    };
    let mut expected = Vec::new();
    for (name, key, value) in reader.rest() {
        if let Some(call) = call(&name) {
            of_call(None, call, &key, value, target, &reader, &mut expected);
        } else if target.variants.iter().any(|variant| variant.name == name) {
            let DeValue::Table(table) = value.get_ref() else {
                reader.source().problem(&value.span(), "write a table of requests here");
                continue;
            };
            let what = format!("[expect-answers.{name}]");
            let mut inner = Reader::new(reader.source(), what, value.span(), table.clone());
            for (request, key, value) in inner.rest() {
                match call(&request) {
                    Some(call) => {
                        of_call(Some(&name), call, &key, value, target, &inner, &mut expected);
                    }
                    None => unknown(&request, &key, &[], &inner),
                }
            }
        } else {
            let variants: Vec<_> =
                target.variants.iter().map(|variant| variant.name.as_str()).collect();
            unknown(&name, &key, &variants, &reader);
        }
    }
    expected
}

fn call(name: &str) -> Option<Call> {
    Call::ALL.into_iter().find(|call| call.word() == name)
}

fn unknown(name: &str, key: &std::ops::Range<usize>, variants: &[&str], reader: &Reader<'_, '_>) {
    let known: Vec<_> =
        Call::ALL.map(Call::word).into_iter().chain(variants.iter().copied()).collect();
    let kind = if variants.is_empty() { "no request" } else { "no request and no variant" };
    reader.source().problem(key, format!("`{name}` is {kind}{}", hint(name, &known)));
}

fn of_call(
    variant: Option<&str>,
    call: Call,
    key: &std::ops::Range<usize>,
    value: Value<'_>,
    target: &ServiceTarget,
    reader: &Reader<'_, '_>,
    expected: &mut Vec<AnswersExpected>,
) {
    if target.asked.requests.of(call).is_none() {
        let what = format!("[target] makes no request `{}`", call.word());
        reader.source().problem(key, what);
    }
    let span = value.span();
    let DeValue::Table(table) = value.into_inner() else {
        reader.source().problem(&span, "write how many of each status: { 201 = 1, 409 = 19 }");
        return;
    };
    let mut statuses = Reader::new(reader.source(), "a count of answers", span, table);
    for (name, key, value) in statuses.rest() {
        let status = status_key(Spanned::new(key, name), &statuses);
        let count = bounds(&value, &statuses);
        if let Some((status, count)) = status.zip(count) {
            let variant = variant.map(ToOwned::to_owned);
            expected.push(AnswersExpected { variant, call, status, count });
        }
    }
}

fn bounds(value: &Value<'_>, reader: &Reader<'_, '_>) -> Option<Bounds> {
    if let Some(integer) = value.get_ref().as_integer() {
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        if let Some(number) = number {
            return Some(Bounds { least: number, most: number });
        }
    }
    if let DeValue::Table(table) = value.get_ref() {
        let mut inner = Reader::new(reader.source(), "a count", value.span(), table.clone());
        let least = inner.number("at-least", 0..=u32::MAX);
        let most = inner.number("at-most", 0..=u32::MAX);
        inner.finish();
        return Some(Bounds { least: least.unwrap_or(0), most: most.unwrap_or(u32::MAX) });
    }
    let what = "a count is a number, or { at-least = 1, at-most = 5 }";
    reader.source().problem(&value.span(), what);
    None
}
