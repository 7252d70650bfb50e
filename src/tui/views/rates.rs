//! How often something happens.

use crate::time::Nanos;

/// How many a second; `None` where no time passed.
pub fn rate(number: u64, time: Nanos) -> Option<f64> {
    // Three digits are shown.
    #[expect(clippy::cast_precision_loss)]
    let (number, seconds) = (number as f64, time.get() as f64 / 1e9);
    (seconds > 0.0).then(|| number / seconds)
}

/// `12.3/s`.
pub fn per_second(rate: f64) -> String {
    match rate {
        ..0.01 => "<.01/s".to_owned(),
        ..9.995 => format!("{rate:.2}/s"),
        ..99.95 => format!("{rate:.1}/s"),
        ..9_999.5 => format!("{rate:.0}/s"),
        _ => format!("{:.1}k/s", rate / 1_000.0),
    }
}
