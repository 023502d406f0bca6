//! Latencies in `HdrHistogram`'s interval-log format, which its public plotter reads.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, IntervalLogWriterError, LogEntry,
    LogIteratorError, Tag,
};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};
use lockproof_model::Instant;

use super::CellName;

/// Values are nanoseconds; the column of maxima, which people read, is in milliseconds.
const NANOS_PER_MILLI: f64 = 1e6;

/// Latencies of one kind over one stretch of a run.
#[derive(Clone, Copy, Debug)]
pub struct HistogramInterval<'a> {
    /// What was measured: `acquire`, `response`, `service`.
    pub label: &'a str,
    /// When the stretch began, on the run's clock.
    pub started: Instant,
    /// How long it was.
    pub duration: Duration,
    /// The latencies, in nanoseconds.
    pub histogram: &'a Histogram<u64>,
}

pub(super) fn write(
    out: &mut dyn Write,
    cell: CellName<'_>,
    intervals: &[HistogramInterval<'_>],
) -> io::Result<()> {
    let mut out = out;
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment(&format!("[lockproof: {} under {}]", cell.strategy, cell.scenario))
        .add_comment("[times are seconds since the run began; values are nanoseconds]")
        .with_max_value_divisor(NANOS_PER_MILLI)
        .begin_log_with(&mut out, &mut serializer)?;

    let mut intervals: Vec<_> = intervals.iter().collect();
    intervals.sort_by_key(|interval| interval.started);
    for interval in intervals {
        let HistogramInterval { label, started, duration, histogram } = *interval;
        // A tag ends at a comma or a space.
        let label = label.replace([',', ' ', '\r', '\n'], "-");
        log.write_histogram(histogram, started.since_start(), duration, Tag::new(&label))
            .map_err(io_error)?;
    }
    Ok(())
}

/// The histograms of `log` by their labels; several of one label are added, which is exact. The error is a sentence with
/// the place.
pub(crate) fn read(log: &[u8]) -> Result<BTreeMap<String, Histogram<u64>>, String> {
    let mut histograms: BTreeMap<String, Histogram<u64>> = BTreeMap::new();
    let mut deserializer = Deserializer::new();
    for (number, entry) in IntervalLogIterator::new(log).enumerate() {
        let entry = entry.map_err(|LogIteratorError::ParseError { offset }| {
            let line = log.iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1;
            format!("line {line}: it is no line of an interval log")
        })?;
        let LogEntry::Interval(interval) = entry else { continue };
        let label = interval.tag().map_or("", |tag| tag.as_str());
        let at = |why: String| format!("entry {} ({label}): {why}", number + 1);
        let bytes = BASE64_STANDARD.decode(interval.encoded_histogram());
        let bytes = bytes.map_err(|error| at(format!("its histogram is no base64: {error}")))?;
        let histogram: Histogram<u64> = deserializer
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| at(format!("its histogram is damaged: {error}")))?;
        match histograms.get_mut(label) {
            Some(sum) => sum.add(&histogram).map_err(|error| at(format!("{error:?}")))?,
            None => drop(histograms.insert(label.to_owned(), histogram)),
        }
    }
    Ok(histograms)
}

fn io_error<E: std::error::Error + Send + Sync + 'static>(
    error: IntervalLogWriterError<E>,
) -> io::Error {
    match error {
        IntervalLogWriterError::IoError(error) => error,
        IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
    }
}
