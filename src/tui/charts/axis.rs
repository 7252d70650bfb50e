//! Latencies along a logarithmic axis, and as text.

use crate::store::Scale;
use crate::time::Nanos;

/// How long after the beginning.
pub(super) fn after(time: Nanos, ascii: bool) -> String {
    if time == Nanos::ZERO { "0s".to_owned() } else { span(time, ascii) }
}

/// A latency as [`Nanos`] writes it, in ASCII where that is asked for.
pub fn span(latency: Nanos, ascii: bool) -> String {
    let text = latency.to_string();
    if ascii { text.replace('µ', "u") } else { text }
}

/// The bound of a cell, which has at most three digits, exactly: `1.6ms`, `250µs`, `100s`.
pub fn bound(latency: Nanos, ascii: bool) -> String {
    let nanos = latency.get();
    let (unit, per_unit) = match nanos {
        ..1_000 => ("ns", 1),
        1_000..1_000_000 => (if ascii { "us" } else { "µs" }, 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    let hundredths = nanos % per_unit * 100 / per_unit;
    let mut text = (nanos / per_unit).to_string();
    if hundredths > 0 {
        text.push_str(format!(".{hundredths:02}").trim_end_matches('0'));
    }
    text + unit
}

/// The finest scale whose cells between two latencies fit `room`, or the coarsest one; and the
/// first and the last of those cells.
pub(super) fn fitting(range: (Nanos, Nanos), room: usize) -> (Scale, usize, usize) {
    let scales = [Scale::Twenty, Scale::Ten, Scale::Five, Scale::One];
    let fits = |scale: &Scale| {
        let (first, last) = cells(range, *scale);
        last - first < room
    };
    let scale = scales.into_iter().find(fits).unwrap_or(Scale::One);
    let (first, last) = cells(range, scale);
    (scale, first, last)
}

/// The first and the last cell between two latencies. They span a factor of ten at least, so that
/// a single value does not fill the axis.
pub(super) fn cells((low, high): (Nanos, Nanos), scale: Scale) -> (usize, usize) {
    let (mut first, mut last) = (scale.cell(low), scale.cell(high));
    while last - first < scale.per_decade() {
        first = first.saturating_sub(1);
        last = (last + 1).min(scale.cells() - 1);
    }
    (first, last)
}

/// An axis of `room` rows or columns from one latency to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogAxis {
    low: f64,
    high: f64,
    room: u16,
}

impl LogAxis {
    /// From `low` to `high`, which is not below.
    pub(super) fn new(low: Nanos, high: Nanos, room: u16) -> Self {
        let (low, high) = (log(low), log(high));
        Self { low, high: high.max(low + 0.1), room }
    }

    /// How far along the axis a latency lies, from 0 to one less than its room.
    pub(super) fn place(&self, latency: Nanos) -> u16 {
        let share = (log(latency) - self.low) / (self.high - self.low);
        part(share, self.room)
    }
}

/// The place of a share (0 to 1) in `room` places.
pub(super) fn part(share: f64, room: u16) -> u16 {
    let last = room.saturating_sub(1);
    // Between 0 and the last place.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let place = (share.clamp(0.0, 1.0) * f64::from(last)).round() as u16;
    place
}

fn log(latency: Nanos) -> f64 {
    // No more digits are needed than a chart has rows.
    #[expect(clippy::cast_precision_loss)]
    let nanos = latency.get().max(1) as f64;
    nanos.log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_exact() {
        for (nanos, text) in [
            (0, "0ns"),
            (1_000, "1µs"),
            (1_120, "1.12µs"),
            (12_500, "12.5µs"),
            (355_000, "355µs"),
            (1_600_000, "1.6ms"),
            (63_000_000_000, "63s"),
            (1_000_000_000_000, "1000s"),
        ] {
            assert_eq!(bound(Nanos::new(nanos), false), text);
        }
        assert_eq!(
            (bound(Nanos::new(1_600), true), span(Nanos::new(1_600), true)),
            ("1.6us".into(), "1.60us".into())
        );
    }

    #[test]
    fn the_finest_scale_that_fits_is_taken() {
        let cells = |low, high, room| {
            let (scale, first, last) = fitting((Nanos::new(low), Nanos::new(high)), room);
            assert!(first <= scale.cell(Nanos::new(low)) && scale.cell(Nanos::new(high)) <= last);
            (scale.per_decade(), last - first + 1)
        };
        assert_eq!(cells(1_000_000, 99_000_000, 80), (20, 40));
        assert_eq!(cells(1_000_000, 99_000_000, 39), (10, 20));
        assert_eq!(cells(1_000, 999_000_000_000, 50), (5, 45));
        assert_eq!(cells(1_000, 999_000_000_000, 44), (1, 9));
        assert_eq!(cells(0, u64::MAX, 20), (1, 11));
        assert_eq!(cells(3_000_000, 3_000_000, 80).0, 20);
        assert!(cells(3_000_000, 3_000_000, 80).1 > 20, "a factor of ten");
        assert!(cells(0, 0, 80).1 > 20, "at the end of the scale too");
    }
}
