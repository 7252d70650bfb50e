//! Numbers as people read them.

/// `1234567` as `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 gap`, `2 gaps`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Bytes with three digits and the unit that reads well, by powers of 1000: `814 B`, `1.19 GB`.
pub fn size(bytes: u64) -> String {
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    // Three digits are shown: what a float cannot hold lies far behind them.
    #[expect(clippy::cast_precision_loss)]
    let mut value = bytes as f64;
    let mut unit = "";
    for larger in ["kB", "MB", "GB", "TB", "PB", "EB"] {
        value /= 1_000.0;
        unit = larger;
        if value < 999.5 {
            break;
        }
    }
    let digits = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

/// `part` of `whole` in per cent: `0%`, `0.3%`, `100%`. Never `0%` where there is one, and never
/// `100%` where one is missing.
pub fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0%".to_owned();
    }
    if part >= whole {
        return "100%".to_owned();
    }
    // One digit after the point is shown.
    #[expect(clippy::cast_precision_loss)]
    let value = part as f64 * 100.0 / whole as f64;
    match value {
        ..0.1 => "<0.1%".to_owned(),
        99.9.. => ">99.9%".to_owned(),
        _ => format!("{value:.1}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(counted(1, "gap", "gaps"), "1 gap");
        assert_eq!(counted(0, "gap", "gaps"), "0 gaps");
    }

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (9_994, "9.99 kB"),
            (9_996, "10.0 kB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (1_190_000_000, "1.19 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_share_is_never_rounded_to_none_or_all() {
        for (part, whole, text) in [
            (0, 0, "0%"),
            (0, 7, "0%"),
            (1, 1_000_000, "<0.1%"),
            (1, 3, "33.3%"),
            (999_999, 1_000_000, ">99.9%"),
            (7, 7, "100%"),
        ] {
            assert_eq!(percent(part, whole), text);
        }
    }
}
