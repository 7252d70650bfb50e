//! A distribution of latencies.

use hdrhistogram::Histogram;

use crate::time::Nanos;

/// Values kept as they are before a histogram is worth its 80 KB: most patterns of a service that
/// puts ids into its patterns are called a few times.
const FEW: usize = 1_024;

/// Latencies of one pattern. Percentiles of few are exact, those of many have three significant
/// digits; minimum, maximum and sum are exact.
#[derive(Clone, Debug)]
pub struct Latencies {
    shape: Shape,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
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
        Self { shape: Shape::Few(Vec::new()), count: 0, sum: 0, min: u64::MAX, max: 0 }
    }
}

impl Latencies {
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
            Shape::Few(values) if values.len() < FEW => values.push(value),
            Shape::Few(values) => {
                let mut histogram = Box::new(empty_histogram());
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

/// The quantiles that are told, in thousandths.
const PER_MILLE: [u16; 5] = [500, 900, 950, 990, 999];

/// The least value that so many thousandths of all values do not exceed, as HdrHistogram chooses it.
fn nearest_rank(sorted: &[u64], per_mille: u16) -> u64 {
    let rank = (sorted.len() * usize::from(per_mille)).div_ceil(1_000);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// Three significant digits, as wide as the values turn out to be.
fn empty_histogram() -> Histogram<u32> {
    Histogram::new(3).unwrap_or_else(|_| unreachable!("hdrhistogram takes 0 to 5 digits"))
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
            let mut histogram = empty_histogram();
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
    fn a_single_value_is_every_percentile() {
        let mut latencies = Latencies::default();
        latencies.record(Nanos::new(3_612_345));
        let told = latencies.percentiles().unwrap();
        assert_eq!([told.min, told.p50, told.p999, told.max], [3_612_345; 4]);
    }
}
