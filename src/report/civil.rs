//! Points in time as dates and times of day.

use std::io::Write;

use jiff::tz::TimeZone;

use crate::time::Timestamp;

/// Writes points in time. Remembers the last second, as most points share theirs with the one
/// before: the calendar is asked once a second of the capture, not once a line.
#[derive(Debug)]
pub struct Civil {
    zone: TimeZone,
    format: &'static str,
    second: Option<i64>,
    text: String,
}

impl Civil {
    /// RFC 3339 up to the second, in UTC.
    pub fn rfc3339() -> Self {
        Self::new(TimeZone::UTC, "%Y-%m-%dT%H:%M:%S")
    }

    /// As `format` says (strftime), in `zone`.
    pub const fn new(zone: TimeZone, format: &'static str) -> Self {
        Self { zone, format, second: None, text: String::new() }
    }

    /// `at` to the second; `-` where it is unknown.
    pub fn second(&mut self, at: Timestamp) -> &str {
        if !at.is_known() {
            return "-";
        }
        let second = at.as_nanos().div_euclid(1_000_000_000);
        if self.second != Some(second) {
            self.second = Some(second);
            // Every second of an i64 of nanoseconds lies within the years that jiff knows.
            let instant = jiff::Timestamp::from_second(second).unwrap_or_default();
            let zoned = instant.to_zoned(self.zone.clone());
            self.text = zoned.strftime(self.format).to_string();
        }
        &self.text
    }

    /// Appends `at` to the nanosecond.
    pub fn push_nanos(&mut self, out: &mut Vec<u8>, at: Timestamp) {
        out.extend_from_slice(self.second(at).as_bytes());
        let nanos = at.as_nanos().rem_euclid(1_000_000_000);
        // Writing to a Vec cannot fail.
        _ = write!(out, ".{nanos:09}");
    }

    /// `at` to the millisecond; `-` where it is unknown.
    pub fn millisecond(&mut self, at: Timestamp) -> String {
        match at.is_known() {
            true => format!("{}.{:03}", self.second(at), millis(at)),
            false => "-".to_owned(),
        }
    }

    /// `at` to the nanosecond, as RFC 3339 wants it; `None` where it is unknown.
    pub fn known_utc(at: Timestamp) -> Option<String> {
        at.is_known().then(|| Self::utc(at))
    }

    /// `at`, which is known, to the nanosecond, as RFC 3339 wants it.
    pub fn utc(at: Timestamp) -> String {
        let mut out = Vec::new();
        Self::rfc3339().push_nanos(&mut out, at);
        out.push(b'Z');
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// How far `zone` is from UTC at this point in time: `+01:00`, or `UTC`.
pub fn offset(zone: &TimeZone, at: Timestamp) -> String {
    let told = |format| Civil::new(zone.clone(), format).second(at).to_owned();
    let name = told("%Z");
    // Not every zone without an offset is UTC: London in winter is not.
    if name == "UTC" { name } else { told("%:z") }
}

/// The milliseconds of a second.
pub const fn millis(at: Timestamp) -> i64 {
    at.as_nanos().rem_euclid(1_000_000_000) / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_read_as_rfc_3339() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (1_795_319_521_123_456_789, "2026-11-22T03:52:01.123456789Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (i64::MIN + 1, "1677-09-21T00:12:43.145224193Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        ];
        for (nanos, text) in cases {
            assert_eq!(Civil::utc(Timestamp::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn an_unknown_time_is_a_dash_or_nothing() {
        let mut civil = Civil::rfc3339();
        assert_eq!(civil.second(Timestamp::UNKNOWN), "-");
        assert_eq!(civil.millisecond(Timestamp::UNKNOWN), "-");
        assert_eq!(Civil::known_utc(Timestamp::UNKNOWN), None);
    }

    #[test]
    fn a_second_is_remembered_and_left() {
        let mut civil = Civil::new(TimeZone::UTC, "%H:%M:%S");
        assert_eq!(civil.second(Timestamp::from_nanos(999_999_999)), "00:00:00");
        assert_eq!(civil.second(Timestamp::from_nanos(1_000_000_000)), "00:00:01");
        assert_eq!(civil.second(Timestamp::from_nanos(-1)), "23:59:59");
    }
}
