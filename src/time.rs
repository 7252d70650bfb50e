//! Points and spans of time, both in nanoseconds. Nothing here reads a clock: time comes with
//! the packet, or as an argument.

use std::fmt;

/// A point in time: nanoseconds since the Unix epoch, UTC. Reaches from 1677 to 2262.
///
/// A packet may come without a time (pcapng's simple packet block): [`UNKNOWN`](Self::UNKNOWN),
/// which lies before every other point, so that no latest time is moved by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// No point in time is known.
    pub const UNKNOWN: Self = Self(i64::MIN);

    /// Whether this is a point in time at all.
    pub const fn is_known(self) -> bool {
        self.0 != Self::UNKNOWN.0
    }

    /// The point `nanos` nanoseconds after the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The span from `earlier` to this point; `None` where `earlier` lies after it, as it does
    /// when the clock of the capture stepped back, and where one of the two is unknown.
    pub const fn since(self, earlier: Self) -> Option<Nanos> {
        if self.0 < earlier.0 || !earlier.is_known() {
            return None;
        }
        // `wrapping_sub` of two ordered i64 is exact as an unsigned number.
        Some(Nanos(self.0.wrapping_sub(earlier.0).cast_unsigned()))
    }

    /// As [`since`](Self::since), with zero where that knows none.
    pub const fn saturating_since(self, earlier: Self) -> Nanos {
        match self.since(earlier) {
            Some(span) => span,
            None => Nanos::ZERO,
        }
    }

    /// This point moved by `span`, at most to the end of time; unknown where this one is.
    pub const fn saturating_add(self, span: Nanos) -> Self {
        if !self.is_known() {
            return Self::UNKNOWN;
        }
        Self(self.0.saturating_add_unsigned(span.0))
    }
}

/// A span of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(u64);

impl Nanos {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `nanos` nanoseconds.
    pub const fn new(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A span of `secs` seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// The number of nanoseconds.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Nanos {
    /// Three digits and the unit that reads well: `814ns`, `3.61ms`, `12.3s`, `4m05s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, per_unit) = match self.0 {
            0..1_000 => return f.pad(&format!("{}ns", self.0)),
            1_000..999_500 => ("µs", 1_000),
            999_500..999_500_000 => ("ms", 1_000_000),
            999_500_000..60_000_000_000 => ("s", 1_000_000_000),
            _ => {
                let secs = self.0 / 1_000_000_000;
                let text = if secs < 3_600 {
                    format!("{}m{:02}s", secs / 60, secs % 60)
                } else {
                    format!("{}h{:02}m", secs / 3_600, secs / 60 % 60)
                };
                return f.pad(&text);
            }
        };
        // Below a minute the value has at most 11 digits, which f64 holds exactly.
        #[expect(clippy::cast_precision_loss)]
        let value = self.0 as f64 / f64::from(per_unit);
        let digits = if value < 9.995 {
            2
        } else if value < 99.95 {
            1
        } else {
            0
        };
        f.pad(&format!("{value:.digits$}{unit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_exact_and_never_negative() {
        let early = Timestamp::from_nanos(i64::MIN + 1);
        let late = Timestamp::from_nanos(i64::MAX);
        assert_eq!(late.since(early), Some(Nanos::new(u64::MAX - 1)));
        assert_eq!(early.since(late), None);
        assert_eq!(early.saturating_since(late), Nanos::ZERO);
    }

    #[test]
    fn nothing_is_measured_from_or_to_an_unknown_time() {
        let (unknown, known) = (Timestamp::UNKNOWN, Timestamp::from_nanos(7));
        assert!(known.is_known() && Timestamp::default().is_known() && !unknown.is_known());
        for (from, to) in [(unknown, known), (known, unknown), (unknown, unknown)] {
            assert_eq!(to.since(from), None);
            assert_eq!(to.saturating_since(from), Nanos::ZERO);
        }
        assert_eq!(unknown.saturating_add(Nanos::from_secs(1)), unknown);
        assert_eq!(unknown.max(known), known);
    }

    #[test]
    fn spans_read_well() {
        let cases = [
            (0, "0ns"),
            (814, "814ns"),
            (3_612_000, "3.61ms"),
            (999_499, "999µs"),
            (999_500, "1.00ms"),
            (12_345_678_901, "12.3s"),
            (59_999_999_999, "60.0s"),
            (245_000_000_000, "4m05s"),
            (7_380_000_000_000, "2h03m"),
        ];
        for (nanos, text) in cases {
            assert_eq!(Nanos::new(nanos).to_string(), text);
        }
    }
}
