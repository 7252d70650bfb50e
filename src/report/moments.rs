//! Points in time in the way that was asked for: the `-t` of tshark.

use std::fmt::Write;
use std::str::FromStr;

use jiff::tz::TimeZone;

use super::civil::Civil;
use crate::time::{Nanos, Timestamp};

/// How points in time are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// `a`: the time of day.
    #[default]
    OfDay,
    /// `ad`: the date too.
    WithDate,
    /// `d`: seconds since the line before.
    SinceAbove,
    /// `e`: seconds since 1970.
    Epoch,
    /// `r`: seconds since the first packet.
    SinceFirst,
    /// `u`: the time of day in UTC.
    OfDayUtc,
    /// `ud`: date and time in UTC.
    WithDateUtc,
}

impl TimeFormat {
    /// Whether it asks for UTC.
    pub const fn is_utc(self) -> bool {
        matches!(self, Self::OfDayUtc | Self::WithDateUtc)
    }

    /// Whether the date is told elsewhere, if at all.
    pub const fn is_of_day(self) -> bool {
        matches!(self, Self::OfDay | Self::OfDayUtc)
    }

    /// Columns of a time with `decimals`, but for years and spans of time beyond the usual.
    pub const fn width(self, decimals: usize) -> usize {
        let whole = match self {
            Self::OfDay | Self::OfDayUtc => 8,
            Self::WithDate | Self::WithDateUtc => 19,
            Self::Epoch => 10,
            Self::SinceAbove | Self::SinceFirst => 5,
        };
        whole + 1 + decimals
    }
}

impl FromStr for TimeFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "a" => Self::OfDay,
            "ad" => Self::WithDate,
            "d" => Self::SinceAbove,
            "e" => Self::Epoch,
            "r" => Self::SinceFirst,
            "u" => Self::OfDayUtc,
            "ud" => Self::WithDateUtc,
            _ => {
                return Err(
                    "a, ad, d, e, r, u and ud are known, such as ad for date and time".to_owned()
                );
            }
        })
    }
}

/// Tells points in time, one after the other.
#[derive(Debug)]
pub struct Moments {
    format: TimeFormat,
    civil: Civil,
    first: Option<Timestamp>,
    above: Option<Timestamp>,
}

impl Moments {
    /// In this format; dates and times of day in `zone`.
    pub const fn new(zone: TimeZone, format: TimeFormat) -> Self {
        let text = match format {
            TimeFormat::WithDate | TimeFormat::WithDateUtc => "%Y-%m-%d %H:%M:%S",
            _ => "%H:%M:%S",
        };
        Self { format, civil: Civil::new(zone, text), first: None, above: None }
    }

    /// The capture begins at this point in time: what is relative counts from it.
    pub fn begin(&mut self, first: Timestamp) {
        self.first.get_or_insert(first);
    }

    /// The format.
    pub const fn format(&self) -> TimeFormat {
        self.format
    }

    /// Appends `at` with 1 to 9 `decimals` of a second; the rest is cut off.
    pub fn push(&mut self, out: &mut String, at: Timestamp, decimals: usize) {
        let origin = match self.format {
            TimeFormat::SinceFirst => *self.first.get_or_insert(at),
            TimeFormat::SinceAbove => self.above.unwrap_or(at),
            TimeFormat::Epoch => Timestamp::default(),
            _ => {
                out.push_str(self.civil.second(at));
                return push_decimals(
                    out,
                    at.as_nanos().rem_euclid(SECOND.cast_signed()),
                    decimals,
                );
            }
        };
        self.above = Some(at);
        let span = at.since(origin).unwrap_or_else(|| {
            out.push('-');
            origin.saturating_since(at)
        });
        push_seconds(out, span, decimals);
    }
}

/// Appends a span of time in seconds, `0.003612000`.
pub fn push_seconds(out: &mut String, span: Nanos, decimals: usize) {
    // Writing to a String cannot fail, here and below.
    _ = write!(out, "{}", span.get() / SECOND);
    push_decimals(out, (span.get() % SECOND).cast_signed(), decimals);
}

fn push_decimals(out: &mut String, nanos: i64, decimals: usize) {
    let digits = format!("{nanos:09}");
    _ = write!(out, ".{}", digits.get(..decimals).unwrap_or(&digits));
}

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_are_told_in_every_way() {
        // In this zone it is the next day already.
        let first = Timestamp::from_nanos(1_795_390_321_000_000_000);
        let at = Timestamp::from_nanos(1_795_390_331_123_456_789);
        let later = Timestamp::from_nanos(1_795_390_331_123_500_000);
        let zone = TimeZone::fixed(jiff::tz::offset(5));
        let told = |letters: &str| {
            let format: TimeFormat = letters.parse().unwrap();
            let zone = if format.is_utc() { TimeZone::UTC } else { zone.clone() };
            let mut moments = Moments::new(zone, format);
            moments.begin(first);
            let mut out = String::new();
            for at in [at, later, at] {
                moments.push(&mut out, at, 6);
                out.push('|');
            }
            out
        };
        assert_eq!(told("a"), "04:32:11.123456|04:32:11.123500|04:32:11.123456|");
        assert_eq!(told("u"), "23:32:11.123456|23:32:11.123500|23:32:11.123456|");
        assert!(told("ad").starts_with("2026-11-23 04:32:11.123456|"));
        assert!(told("ud").starts_with("2026-11-22 23:32:11.123456|"));
        assert!(told("e").starts_with("1795390331.123456|"));
        assert_eq!(told("r"), "10.123456|10.123500|10.123456|");
        assert_eq!(told("d"), "0.000000|0.000043|-0.000043|");
        assert!("x".parse::<TimeFormat>().is_err());
    }
}
