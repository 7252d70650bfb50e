//! A distribution of latencies.

use hdrhistogram::Histogram;

use crate::time::Nanos;

/// Values kept as they are before a histogram is worth its 80 KB: most patterns of a service that
/// puts ids into its patterns are called a few times.
const FEW: usize = 1_024;

/// The same where a histogram is no larger than this: one of one digit, for each of the connections
/// that live, of which there may be tens of thousands.
const COARSE_FEW: usize = 256;

/// Latencies of one pattern. Percentiles of few are exact, those of many have three significant
/// digits; minimum, maximum and sum are exact.
#[derive(Clone, Debug)]
pub struct Latencies {
    shape: Shape,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
    is_coarse: bool,
}

#[derive(Clone, Debug)]
enum Shape {
    Few(Vec<u64>),
    Many(Box<Histogram<u32>>),
}

/// What a distribution is told by, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[expect(missing_docs)]
pub struct Percentiles {
    pub count: u64,
    pub min: u64,
    pub mean: u64,
    pub p50: u64,
    pub p90: u64,
    pub p95: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            shape: Shape::Few(Vec::new()),
            count: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
            is_coarse: false,
        }
    }
}

impl Latencies {
    /// Takes some 2 KB at most. Percentiles of more than a few have one significant digit: they are
    /// at most 6 % too high.
    pub fn coarse() -> Self {
        Self { is_coarse: true, ..Self::default() }
    }

    /// Adds the values of another distribution.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.shape, &other.shape) {
            (_, Shape::Few(values)) => {
                return values.iter().for_each(|&value| self.record(Nanos::new(value)));
            }
            (Shape::Many(histogram), Shape::Many(others)) => add_all(histogram, others),
            (Shape::Few(values), Shape::Many(others)) => {
                let mut histogram = others.clone();
                values.iter().for_each(|&value| add(&mut histogram, value));
                self.shape = Shape::Many(histogram);
            }
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Adds one value.
    pub fn record(&mut self, latency: Nanos) {
        let value = latency.get();
        self.count += 1;
        self.sum += u128::from(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        match &mut self.shape {
            Shape::Few(values) if values.len() < few(self.is_coarse) => values.push(value),
            Shape::Few(values) => {
                let mut histogram = Box::new(empty_histogram(self.is_coarse));
                values.iter().chain([&value]).for_each(|&value| add(&mut histogram, value));
                self.shape = Shape::Many(histogram);
            }
            Shape::Many(histogram) => add(histogram, value),
        }
    }

    /// The sum of all values, in nanoseconds.
    pub const fn sum(&self) -> u128 {
        self.sum
    }

    /// What the distribution is told by; `None` where there is no value.
    pub fn percentiles(&self) -> Option<Percentiles> {
        if self.count == 0 {
            return None;
        }
        let [p50, p90, p95, p99, p999] = match &self.shape {
            Shape::Few(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable();
                PER_MILLE.map(|quantile| nearest_rank(&sorted, quantile))
            }
            Shape::Many(histogram) => PER_MILLE.map(|quantile| {
                let value = histogram.value_at_quantile(f64::from(quantile) / 1_000.0);
                // A bucket's upper edge may lie beyond the largest value in it.
                value.clamp(self.min, self.max)
            }),
        };
        Some(Percentiles {
            count: self.count,
            min: self.min,
            mean: u64::try_from(self.sum / u128::from(self.count)).unwrap_or(u64::MAX),
            p50,
            p90,
            p95,
            p99,
            p999,
            max: self.max,
        })
    }
}

impl Latencies {
    /// How many values there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The smallest and the largest value.
    pub fn range(&self) -> Option<(Nanos, Nanos)> {
        (self.count > 0).then(|| (Nanos::new(self.min), Nanos::new(self.max)))
    }

    /// For each of `shares` (0 to 1), the smallest value that this share of all values does not
    /// exceed: 0 gives the minimum, 1 the maximum. Empty where there is no value.
    pub fn quantiles(&self, shares: &[f64]) -> Vec<Nanos> {
        if self.count == 0 {
            return Vec::new();
        }
        let at: Vec<u64> = match &self.shape {
            Shape::Few(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable();
                let rank = |share: f64| index_at(share, sorted.len());
                shares.iter().filter_map(|&share| sorted.get(rank(share)).copied()).collect()
            }
            Shape::Many(histogram) => {
                shares.iter().map(|&share| histogram.value_at_quantile(share)).collect()
            }
        };
        // A bucket's edges may lie beyond the values in it.
        let exact = |value: u64, share: f64| match share {
            ..=0.0 => self.min,
            _ => value.clamp(self.min, self.max),
        };
        at.into_iter().zip(shares).map(|(value, &share)| Nanos::new(exact(value, share))).collect()
    }
}

/// The index of the value that a share of `count` sorted values does not exceed.
fn index_at(share: f64, count: usize) -> usize {
    // There are few values, so that a float holds their number; and a share below 0 is 0.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rank = (share.clamp(0.0, 1.0) * count as f64).ceil() as usize;
    rank.clamp(1, count.max(1)) - 1
}

/// The quantiles that are told, in thousandths.
const PER_MILLE: [u16; 5] = [500, 900, 950, 990, 999];

/// The least value that so many thousandths of all values do not exceed, as HdrHistogram chooses
/// it.
fn nearest_rank(sorted: &[u64], per_mille: u16) -> u64 {
    let rank = (sorted.len() * usize::from(per_mille)).div_ceil(1_000);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

const fn few(is_coarse: bool) -> usize {
    if is_coarse { COARSE_FEW } else { FEW }
}

/// Three significant digits, or one, as wide as the values turn out to be.
fn empty_histogram(is_coarse: bool) -> Histogram<u32> {
    let digits = if is_coarse { 1 } else { 3 };
    Histogram::new(digits).unwrap_or_else(|_| unreachable!("hdrhistogram takes 0 to 5 digits"))
}

/// Adds a value. A histogram that resizes itself refuses none.
fn add(histogram: &mut Histogram<u32>, value: u64) {
    let recorded = histogram.record(value);
    debug_assert!(recorded.is_ok(), "an automatic histogram resizes to any value");
}

/// Adds the values of another histogram of the same digits.
fn add_all(histogram: &mut Histogram<u32>, others: &Histogram<u32>) {
    let added = histogram.add(others);
    debug_assert!(added.is_ok(), "an automatic histogram resizes to any other");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_values() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentiles(), None);
        for value in 1..=1_000_u64 {
            latencies.record(Nanos::new(value * 1_000_000));
        }
        let told = latencies.percentiles().unwrap();
        assert_eq!((told.count, told.min, told.max), (1_000, 1_000_000, 1_000_000_000));
        assert_eq!(told.mean, 500_500_000);
        for (percentile, exact) in [(told.p50, 500_u64), (told.p90, 900), (told.p99, 990)] {
            let exact = exact * 1_000_000;
            assert!(percentile.abs_diff(exact) <= exact / 1_000, "{percentile} for {exact}");
        }
    }

    #[test]
    fn merged_parts_are_the_whole() {
        let value = |index: u64| Nanos::new(index * index * 1_000);
        for (first, second) in [(10, 20), (10, 5_000), (5_000, 10), (3_000, 3_000)] {
            let (mut one, mut other, mut whole) = <(Latencies, Latencies, Latencies)>::default();
            (0..first).for_each(|index| one.record(value(index)));
            (first..first + second).for_each(|index| other.record(value(index)));
            (0..first + second).for_each(|index| whole.record(value(index)));
            one.merge(&other);
            assert_eq!(one.percentiles(), whole.percentiles());
            assert_eq!(one.sum(), whole.sum());
        }
    }

    #[test]
    fn coarse_percentiles_are_near_and_small() {
        let (mut coarse, mut fine) = (Latencies::coarse(), Latencies::default());
        for value in 0..100_000_u64 {
            let latency = Nanos::new((value * 7_919 % 100_000 + 1) * 10_007);
            coarse.record(latency);
            fine.record(latency);
        }
        let (coarse_told, told) = (coarse.percentiles().unwrap(), fine.percentiles().unwrap());
        for (near, exact) in
            [(coarse_told.p50, told.p50), (coarse_told.p99, told.p99), (coarse_told.p90, told.p90)]
        {
            assert!(near.abs_diff(exact) * 100 <= exact * 7, "{near} for {exact}");
        }
        assert_eq!((coarse_told.min, coarse_told.max), (told.min, told.max));
        assert_eq!((coarse_told.count, coarse_told.mean), (told.count, told.mean));
        let Shape::Many(histogram) = &coarse.shape else { panic!("few") };
        assert!(histogram.distinct_values() * size_of::<u32>() < 2_500);
    }

    #[test]
    fn a_few_values_have_percentiles_of_their_own() {
        let mut latencies = Latencies::default();
        for value in [1_000_000, 9_000_000, 2_000_000] {
            latencies.record(Nanos::new(value));
        }
        let told = latencies.percentiles().unwrap();
        assert_eq!(
            [told.p50, told.p90, told.p99, told.max],
            [2_000_000, 9_000_000, 9_000_000, 9_000_000]
        );
    }

    #[test]
    fn a_few_values_are_ranked_as_hdrhistogram_ranks_them() {
        for count in 1..=FEW as u64 {
            let mut latencies = Latencies::default();
            // A histogram of three digits is exact up to 2047.
            let mut histogram = empty_histogram(false);
            for value in (1..=count).rev() {
                latencies.record(Nanos::new(value));
                histogram.record(value).unwrap();
            }
            let told = latencies.percentiles().unwrap();
            let theirs = [0.5, 0.9, 0.95, 0.99, 0.999].map(|q| histogram.value_at_quantile(q));
            assert_eq!([told.p50, told.p90, told.p95, told.p99, told.p999], theirs, "of {count}");
        }
    }

    #[test]
    fn quantiles_reach_from_the_smallest_to_the_largest() {
        let shares = [0.0, 0.5, 0.9, 0.901, 1.0];
        for (count, tolerance) in [(10, 0), (10_000, 1_000)] {
            let mut latencies = Latencies::default();
            assert!(latencies.quantiles(&shares).is_empty());
            // Falling, so that their order does not help.
            (1..=count).rev().for_each(|value| latencies.record(Nanos::new(value * 1_000_000)));
            let told = latencies.quantiles(&shares);
            let of = |thousandths: u64| (count * thousandths).div_ceil(1_000).max(1) * 1_000_000;
            for (told, exact) in told.iter().zip([0, 500, 900, 901, 1_000].map(of)) {
                let wrong = told.get().abs_diff(exact);
                assert!(wrong <= exact / 1_000_000 * tolerance, "{told} for {exact} of {count}");
            }
            let range = (Nanos::new(1_000_000), Nanos::new(count * 1_000_000));
            assert_eq!((latencies.range(), told[0], told[4]), (Some(range), range.0, range.1));
        }
    }

    #[test]
    fn a_single_value_is_every_percentile() {
        let mut latencies = Latencies::default();
        latencies.record(Nanos::new(3_612_345));
        let told = latencies.percentiles().unwrap();
        assert_eq!([told.min, told.p50, told.p999, told.max], [3_612_345; 4]);
    }
}
