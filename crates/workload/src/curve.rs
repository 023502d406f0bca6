//! A distribution as a curve.

use hdrhistogram::Histogram;
use lockproof_model::CurvePoint;

/// Where a curve has its points: evenly at first, then each decade of the tail by itself, since that is where locks
/// differ.
const QUANTILES: &[f64] = &[
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99, 0.995,
    0.9975, 0.999, 0.9995, 0.9999, 0.99999,
];

/// The points of a percentile curve as far as the samples tell quantiles apart, and its end. Of an empty distribution
/// there are none.
#[must_use]
pub fn curve(histogram: &Histogram<u64>) -> Vec<CurvePoint> {
    if histogram.is_empty() {
        return Vec::new();
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits of an hour in ns fit an f64")]
    let at = |quantile| {
        let value_us = histogram.value_at_quantile(quantile) as f64 / 1000.0;
        CurvePoint { quantile, value_us }
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of samples, whose order is enough")]
    let samples = histogram.len() as f64;
    // Beyond one in as many as there are, everything is the largest.
    let told_apart = |quantile: &&f64| (1.0 - **quantile) * samples >= 1.0;
    let quantiles = QUANTILES.iter().take_while(told_apart).copied();
    quantiles.chain(std::iter::once(1.0)).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(samples: impl IntoIterator<Item = u64>) -> Vec<CurvePoint> {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        samples.into_iter().for_each(|sample| histogram.record(sample).unwrap());
        curve(&histogram)
    }

    #[test]
    fn a_curve_rises_to_the_largest_sample() {
        let points = of((1..=1000).map(|n| n * 1000));
        assert!(points.is_sorted_by(|a, b| a.quantile < b.quantile && a.value_us <= b.value_us));
        let last = points.last().unwrap();
        assert_eq!(last.quantile, 1.0);
        assert!((last.value_us - 1000.0).abs() < 1.0, "{last:?}");
    }

    #[test]
    fn few_samples_have_no_tail() {
        let quantiles: Vec<_> = of([5, 6, 7, 8]).iter().map(|point| point.quantile).collect();
        assert_eq!(quantiles, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 1.0]);
        assert!(of([]).is_empty());
    }
}
