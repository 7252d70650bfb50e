//! Points in time, as the lists show them.

use jiff::tz::TimeZone;

use crate::report::{Civil, TimeFormat};
use crate::store::CaptureStore;
use crate::time::{Nanos, Timestamp};

/// How a run tells points in time.
#[derive(Clone, Debug)]
pub struct TimeStyle {
    /// The zone of the times of day.
    pub zone: TimeZone,
    /// What was asked for with `-t`; `None`: each list tells what it usually does.
    pub format: Option<TimeFormat>,
}

impl From<TimeZone> for TimeStyle {
    fn from(zone: TimeZone) -> Self {
        Self { zone, format: None }
    }
}

/// Columns of a time of day, and of the usual spans of time.
pub const WIDTH: u16 = 12;

/// Tells points in time in the format that the user chose.
#[derive(Debug)]
pub struct Times {
    format: TimeFormat,
    /// The one that does not count from another packet, to come back to.
    absolute: TimeFormat,
    civil: Civil,
}

impl Times {
    /// As `style` says, else as times of day.
    pub fn of_day(style: TimeStyle) -> Self {
        Self::new(style, TimeFormat::OfDay)
    }

    /// As `style` says, else as seconds since the first packet.
    pub fn since_first(style: TimeStyle) -> Self {
        Self::new(style, TimeFormat::SinceFirst)
    }

    fn new(style: TimeStyle, usual: TimeFormat) -> Self {
        let format = style.format.unwrap_or(usual);
        let absolute = if is_span(format) { TimeFormat::OfDay } else { format };
        let civil = match absolute {
            TimeFormat::WithDate | TimeFormat::WithDateUtc => "%Y-%m-%d %H:%M:%S",
            _ => "%H:%M:%S",
        };
        Self { format, absolute, civil: Civil::new(style.zone, civil) }
    }

    /// Takes the next format, and says which one that is.
    pub const fn next(&mut self) -> &'static str {
        self.format = match self.format {
            TimeFormat::SinceFirst => TimeFormat::SinceAbove,
            TimeFormat::SinceAbove => self.absolute,
            _ => TimeFormat::SinceFirst,
        };
        match self.format {
            TimeFormat::SinceFirst => "Times in seconds since the first packet",
            TimeFormat::SinceAbove => "Times in seconds since the row above",
            TimeFormat::Epoch => "Times in seconds since 1970",
            TimeFormat::OfDay => "Times of day",
            TimeFormat::OfDayUtc => "Times of day in UTC",
            TimeFormat::WithDate => "Dates and times of day",
            TimeFormat::WithDateUtc => "Dates and times of day in UTC",
        }
    }

    /// Columns of a time, unless a capture is longer than a day.
    pub const fn width(&self) -> u16 {
        match self.format {
            TimeFormat::Epoch => 17,
            TimeFormat::WithDate | TimeFormat::WithDateUtc => 23,
            _ => WIDTH,
        }
    }

    /// The text of `at`.
    pub fn text(&mut self, at: Timestamp, first: Timestamp, above: Option<Timestamp>) -> String {
        match self.format {
            _ if !at.is_known() => "-".to_owned(),
            TimeFormat::SinceFirst => seconds(at, first),
            TimeFormat::SinceAbove => above.map_or_else(String::new, |above| seconds(at, above)),
            TimeFormat::Epoch => seconds(at, Timestamp::default()),
            _ => self.civil.millisecond(at),
        }
    }
}

/// Whether it counts from another packet.
const fn is_span(format: TimeFormat) -> bool {
    matches!(format, TimeFormat::SinceFirst | TimeFormat::SinceAbove)
}

/// `at` as a page of its own tells it: exactly, and before that as `style` asks for it where that
/// is another way.
pub fn on_page(at: Timestamp, style: &TimeStyle, first: Timestamp) -> String {
    let exact = exact(at, &style.zone);
    match style.format {
        Some(TimeFormat::SinceFirst) if at.is_known() => {
            format!("{} s  {exact}", seconds(at, first))
        }
        Some(TimeFormat::Epoch) if at.is_known() => {
            format!("{}  {exact}", seconds(at, Timestamp::default()))
        }
        _ => exact,
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

/// Seconds from `origin` to `at`; negative where `at` lies before `origin`.
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
    fn what_was_asked_for_comes_first_and_comes_back() {
        let at = Timestamp::from_nanos(1_795_319_521_123_456_789);
        let first = Timestamp::from_nanos(1_795_319_511_000_000_000);
        // As tshark tells this time with -t, and what T switches to from there.
        let cases = [
            ("ad", ["2026-11-22 03:52:01.123", "10.123456", "", "2026-11-22 03:52:01.123"]),
            ("e", ["1795319521.123456", "10.123456", "", "1795319521.123456"]),
            ("r", ["10.123456", "", "03:52:01.123", "10.123456"]),
            ("d", ["", "03:52:01.123", "10.123456", ""]),
        ];
        for (asked, expected) in cases {
            let style = TimeStyle { zone: TimeZone::UTC, format: asked.parse().ok() };
            // The lists that usually tell it in another way follow too.
            for mut times in [Times::of_day(style.clone()), Times::since_first(style)] {
                for text in expected {
                    assert_eq!(times.text(at, first, None), text, "{asked}");
                    assert!(text.len() <= times.width().into(), "{asked}");
                    times.next();
                }
            }
        }
    }

    #[test]
    fn a_page_tells_the_exact_time_whatever_else_was_asked_for() {
        let at = Timestamp::from_nanos(1_795_319_521_123_456_789);
        let first = Timestamp::from_nanos(1_795_319_511_000_000_000);
        let page = |asked: &str| {
            let style = TimeStyle { zone: TimeZone::UTC, format: asked.parse().ok() };
            on_page(at, &style, first)
        };
        assert_eq!(page("ad"), "2026-11-22T03:52:01.123456789Z");
        assert_eq!(page("r"), "10.123456 s  2026-11-22T03:52:01.123456789Z");
        assert_eq!(page("e"), "1795319521.123456  2026-11-22T03:52:01.123456789Z");
    }

    #[test]
    fn times_are_told_in_three_ways() {
        let mut times = Times::of_day(TimeZone::UTC.into());
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
        assert_eq!(Times::of_day(zone.into()).text(at, first, None), "00:52:01.123");
    }
}
