//! Walking through the keys.

use bytes::Bytes;

use super::Call;
use crate::glob;
use crate::keyspace::Entry;
use crate::number::integer;
use crate::reply::{Outcome, Refusal, Reply};

/// Keys that a page without COUNT looks at.
const COUNT_DEFAULT: usize = 10;

/// `SCAN cursor [MATCH pattern] [COUNT n] [TYPE name]`
///
/// Of keys that exist from the first page to the last, each is given exactly once; Redis promises
/// at least once.
pub(super) fn scan(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let cursor = cursor(&words[1])?;
    let options = ScanOptions::parse(&words[2..])?;
    let database = call.session.database;
    let admits = |key: &Bytes, entry: &Entry| options.admits(key, entry);
    let page = call.core.keyspace.page(database, cursor, options.count, admits);
    let next = Reply::bulk(itoa::Buffer::new().format(page.next_cursor));
    Ok(Reply::Array(vec![next, Reply::bulks(&page.keys)]))
}

/// `KEYS pattern`
pub(super) fn keys(call: &mut Call<'_>, words: &[Bytes]) -> Outcome {
    let keys = call.core.keyspace.iter(call.session.database).map(|(key, _)| key);
    Ok(Reply::bulks(keys.filter(|key| glob::matches(&words[1], key))))
}

fn cursor(text: &[u8]) -> Result<u64, Refusal> {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or(Refusal::fixed("ERR invalid cursor"))
}

#[derive(Debug)]
struct ScanOptions<'a> {
    count: usize,
    pattern: Option<&'a [u8]>,
    type_name: Option<&'a [u8]>,
}

impl<'a> ScanOptions<'a> {
    fn parse(words: &'a [Bytes]) -> Result<Self, Refusal> {
        let mut parsed = Self { count: COUNT_DEFAULT, pattern: None, type_name: None };
        for pair in words.chunks(2) {
            let [name, value] = pair else { return Err(Refusal::SYNTAX) };
            match name.to_ascii_uppercase().as_slice() {
                b"COUNT" => parsed.count = count(value)?,
                b"MATCH" => parsed.pattern = Some(value),
                b"TYPE" => parsed.type_name = Some(value),
                _ => return Err(Refusal::SYNTAX),
            }
        }
        Ok(parsed)
    }

    fn admits(&self, key: &[u8], entry: &Entry) -> bool {
        let type_name = entry.value.type_name().as_bytes();
        self.pattern.is_none_or(|pattern| glob::matches(pattern, key))
            && self.type_name.is_none_or(|wanted| wanted.eq_ignore_ascii_case(type_name))
    }
}

fn count(text: &[u8]) -> Result<usize, Refusal> {
    match integer(text)? {
        ..1 => Err(Refusal::SYNTAX),
        count => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
    }
}
