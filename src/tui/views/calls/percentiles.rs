//! How slow a call is for its pattern.

use std::collections::HashMap;
use std::time::Duration;

use crate::exchange::{ExchangeKind, PatternId};
use crate::store::{CaptureStore, Percentiles};
use crate::time::Nanos;

/// The percentiles of a pattern change little from one frame to the next, and cost more than
/// everything else in a row.
const KEPT_FOR: Duration = Duration::from_millis(500);

/// The percentiles of the patterns in sight.
#[derive(Debug, Default)]
pub struct PercentileCache {
    /// When they were computed, by the clock of the run.
    at: Option<Duration>,
    by_pattern: HashMap<PatternId, Option<Percentiles>>,
}

impl PercentileCache {
    /// Computes those of `patterns`, where they are not known or are too old at `now`.
    pub fn refresh(
        &mut self,
        capture: &CaptureStore,
        now: Duration,
        patterns: impl IntoIterator<Item = PatternId>,
    ) {
        if self.at.is_none_or(|at| now.saturating_sub(at) >= KEPT_FOR || now < at) {
            self.by_pattern.clear();
            self.at = Some(now);
        }
        let missing = |pattern: &PatternId| !self.by_pattern.contains_key(pattern);
        let missing: Vec<_> = patterns.into_iter().filter(missing).collect();
        if missing.is_empty() {
            return;
        }
        let rows = capture.statistics().patterns();
        for pattern in missing {
            let text = capture.archive().pattern(pattern);
            let row = rows
                .iter()
                .find(|row| row.kind == ExchangeKind::Request && row.pattern.as_deref() == text);
            let percentiles = row.and_then(|row| row.latency.percentiles());
            self.by_pattern.insert(pattern, percentiles);
        }
    }

    /// The pace of a call of `pattern` that waited, or has waited so far, for `latency`.
    pub fn of(&self, pattern: PatternId, latency: Nanos) -> Option<Pace> {
        let percentiles = self.by_pattern.get(&pattern)?.as_ref()?;
        Some(Pace::new(latency.get(), percentiles))
    }
}

/// A latency among those of its pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// From 0, the median or less, to 1, the slowest, on a logarithmic scale.
    pub share: f64,
    /// Whether it is beyond the 99th percentile.
    pub slow: bool,
}

impl Pace {
    // What is drawn of it has 56 steps at most.
    #[expect(clippy::cast_precision_loss)]
    fn new(latency: u64, percentiles: &Percentiles) -> Self {
        let (low, high) = (percentiles.p50.max(1), percentiles.max.max(1));
        let log = |value: u64| (value.max(1) as f64).ln();
        let share = if high > low {
            ((log(latency) - log(low)) / (log(high) - log(low))).clamp(0.0, 1.0)
        } else {
            0.0
        };
        Self { share, slow: latency > percentiles.p99 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_lies_between_the_median_and_the_slowest() {
        let percentiles = Percentiles {
            count: 1_000,
            min: 1,
            mean: 100,
            p50: 100,
            p90: 1_000,
            p95: 2_000,
            p99: 5_000,
            p999: 9_000,
            max: 10_000,
        };
        let share = |latency| Pace::new(latency, &percentiles).share;
        assert_eq!([share(0), share(100), share(20_000)], [0.0, 0.0, 1.0]);
        // Half of two decades.
        assert!((share(1_000) - 0.5).abs() < 1e-9);
        assert!(!Pace::new(5_000, &percentiles).slow);
        assert!(Pace::new(5_001, &percentiles).slow);
        let alone = Percentiles { p50: 7, p90: 7, p95: 7, p99: 7, p999: 7, max: 7, ..percentiles };
        assert_eq!(Pace::new(7, &alone), Pace { share: 0.0, slow: false });
    }
}
