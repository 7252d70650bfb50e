//! Points and spans of time, both in nanoseconds. Nothing here reads a clock: time comes with
//! the packet, or as an argument.

use std::fmt;

/// A point in time: nanoseconds since the Unix epoch, UTC. Reaches from 1677 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point `nanos` nanoseconds after the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The span from `earlier` to this point; `None` where `earlier` lies after it, as it does
    /// when the clock of the capture stepped back.
    pub const fn since(self, earlier: Self) -> Option<Nanos> {
        if self.0 < earlier.0 {
            return None;
        }
        // `wrapping_sub` of two ordered i64 is exact as an unsigned number.
        Some(Nanos(self.0.wrapping_sub(earlier.0).cast_unsigned()))
    }

    /// As [`since`](Self::since), with zero where the clock stepped back.
    pub const fn saturating_since(self, earlier: Self) -> Nanos {
        match self.since(earlier) {
            Some(span) => span,
            None => Nanos::ZERO,
        }
    }

    /// This point moved by `span`, at most to the end of time.
    pub const fn saturating_add(self, span: Nanos) -> Self {
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
        let early = Timestamp::from_nanos(i64::MIN);
        let late = Timestamp::from_nanos(i64::MAX);
        assert_eq!(late.since(early), Some(Nanos::new(u64::MAX)));
        assert_eq!(early.since(late), None);
        assert_eq!(early.saturating_since(late), Nanos::ZERO);
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
