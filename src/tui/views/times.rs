//! Points in time, as the lists show them.

use jiff::tz::TimeZone;

use crate::report::Civil;
use crate::store::CaptureStore;
use crate::time::{Nanos, Timestamp};

/// How times are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// `03:52:01.123`.
    OfDay,
    /// Seconds since the first packet: `12.345678`.
    SinceFirst,
    /// Seconds since the row above.
    SinceAbove,
}

/// Columns of a time.
pub const WIDTH: u16 = 12;

/// Tells points in time in the format that the user chose.
#[derive(Debug)]
pub struct Times {
    format: Format,
    civil: Civil,
}

impl Times {
    /// Times of day, in `zone`.
    pub fn of_day(zone: TimeZone) -> Self {
        Self { format: Format::OfDay, civil: Civil::new(zone, "%H:%M:%S") }
    }

    /// Seconds since the first packet; times of day will be in `zone`.
    pub fn since_first(zone: TimeZone) -> Self {
        Self { format: Format::SinceFirst, ..Self::of_day(zone) }
    }

    /// Takes the next format, and says which one that is.
    pub const fn next(&mut self) -> &'static str {
        let (format, about) = match self.format {
            Format::OfDay => (Format::SinceFirst, "Times in seconds since the first packet"),
            Format::SinceFirst => (Format::SinceAbove, "Times in seconds since the row above"),
            Format::SinceAbove => (Format::OfDay, "Times of day"),
        };
        self.format = format;
        about
    }

    /// The text of `at`: at most [`WIDTH`] columns, unless a capture is longer than a day.
    pub fn text(&mut self, at: Timestamp, first: Timestamp, above: Option<Timestamp>) -> String {
        match self.format {
            _ if !at.is_known() => "-".to_owned(),
            Format::OfDay => self.civil.millisecond(at),
            Format::SinceFirst => seconds(at, first),
            Format::SinceAbove => above.map_or_else(String::new, |above| seconds(at, above)),
        }
    }
}

/// `at` to the nanosecond, with the offset of its zone: RFC 3339.
pub fn exact(at: Timestamp, zone: &TimeZone) -> String {
    let mut out = Vec::new();
    Civil::new(zone.clone(), "%Y-%m-%dT%H:%M:%S").push_nanos(&mut out, at);
    let offset = match zone == &TimeZone::UTC {
        true => "Z".to_owned(),
        false => Civil::new(zone.clone(), "%:z").second(at).to_owned(),
    };
    String::from_utf8_lossy(&out).into_owned() + &offset
}

/// When the first packet came that is known of.
pub fn first_packet(capture: &CaptureStore) -> Timestamp {
    let archive = capture.archive();
    let packet = archive.packet(archive.packets().start).map(|packet| packet.at);
    let connection = capture.connections().first().map(|record| record.facts.first.at);
    packet.into_iter().chain(connection).min().unwrap_or_default()
}

/// Seconds from `origin` to `at`; negative where the clock of the capture stepped back.
fn seconds(at: Timestamp, origin: Timestamp) -> String {
    let micros = |span: Nanos| {
        let micros = span.get() / 1_000;
        format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    };
    match at.since(origin) {
        Some(span) => micros(span),
        None => format!("-{}", micros(origin.saturating_since(at))),
    }
}

/// How long after the beginning, or before it.
pub fn since(at: Timestamp, begin: Timestamp) -> String {
    match at.since(begin) {
        Some(Nanos::ZERO) => "0".to_owned(),
        Some(span) => format!("+{span}"),
        None => format!("-{}", begin.saturating_since(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_three_ways() {
        let mut times = Times::of_day(TimeZone::UTC);
        let at = Timestamp::from_nanos(1_795_319_521_123_456_789);
        let first = Timestamp::from_nanos(1_795_319_511_000_000_000);
        let later = Timestamp::from_nanos(1_795_319_521_123_500_000);
        assert_eq!(times.text(at, first, None), "03:52:01.123");
        times.next();
        assert_eq!(times.text(at, first, None), "10.123456");
        times.next();
        assert_eq!(times.text(at, first, None), "");
        assert_eq!(times.text(later, first, Some(at)), "0.000043");
        assert_eq!(times.text(at, first, Some(later)), "-0.000043");
        times.next();
        assert_eq!(times.text(at, first, None), "03:52:01.123");
        assert_eq!(exact(at, &TimeZone::UTC), "2026-11-22T03:52:01.123456789Z");
        let zone = TimeZone::fixed(jiff::tz::offset(-3));
        assert_eq!(exact(at, &zone), "2026-11-22T00:52:01.123456789-03:00");
        assert_eq!(Times::of_day(zone).text(at, first, None), "00:52:01.123");
    }
}
