//! By how much costs have changed, and how sure that is: Student's interval on logarithms of ratios.
//!
//! A ratio of costs has no negative values and is as often doubled as halved by chance, so its logarithm is what may be
//! averaged. Student's distribution is exact for few pairs where logarithms are about normal, and needs no randomness;
//! a bootstrap of five pairs covers less than it says.

/// How often the true ratio is inside the interval. Dozens of cells are asked at one time: with 95 % every twentieth of
/// those that did not change would be off zero.
pub(super) const CONFIDENCE: &str = "99 %";

/// Student's distribution: 99.5 % of it is below, by degrees of freedom from 1.
const QUANTILES: [f64; 30] = [
    63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169, 3.106, 3.055, 3.012,
    2.977, 2.947, 2.921, 2.898, 2.878, 2.861, 2.845, 2.831, 2.819, 2.807, 2.797, 2.787, 2.779,
    2.771, 2.763, 2.756, 2.750,
];

/// A ratio with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    /// The geometric mean.
    pub(super) ratio: f64,
    /// Where the interval begins.
    pub(super) low: f64,
    /// Where it ends.
    pub(super) high: f64,
}

/// The interval of these ratios, all above zero; none for fewer than two, of which nothing is known.
pub(super) fn interval(ratios: &[f64]) -> Option<Interval> {
    let freedom = ratios.len().checked_sub(1).filter(|freedom| *freedom > 0)?;
    let logarithms: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
    let count = f64::from(u32::try_from(ratios.len()).ok()?);
    let mean = logarithms.iter().sum::<f64>() / count;
    let squares: f64 = logarithms.iter().map(|log| (log - mean).powi(2)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    // Beyond the table the last one is too wide by a little.
    let quantile = QUANTILES[freedom.min(QUANTILES.len()) - 1];
    let (low, high) = (mean - quantile * error, mean + quantile * error);
    Some(Interval { ratio: mean.exp(), low: low.exp(), high: high.exp() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_as_by_hand() {
        // ln: 0, ln 2, 2 ln 2; mean ln 2, deviation ln 2, error ln 2 / √3, quantile for two degrees 9.925.
        let of = interval(&[1.0, 2.0, 4.0]).unwrap();
        let half = 9.925 * 2_f64.ln() / 3_f64.sqrt();
        assert!((of.ratio - 2.0).abs() < 1e-9);
        assert!((of.low.ln() - (2_f64.ln() - half)).abs() < 1e-9);
        assert!((of.high.ln() - (2_f64.ln() + half)).abs() < 1e-9);
    }

    #[test]
    fn one_pair_says_nothing_and_many_are_narrower() {
        assert_eq!(interval(&[2.0]), None);
        let wide = interval(&[1.9, 2.1, 1.9, 2.1, 2.0]).unwrap();
        let narrow = interval(&[1.9, 2.1, 2.0].repeat(20)).unwrap();
        assert!(narrow.high - narrow.low < wide.high - wide.low);
    }
}
