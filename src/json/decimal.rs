//! Numbers compared as the decimals they are: of any size, without rounding.

use std::cmp::Ordering;

/// A JSON number, lent. Two are equal where their values are: `1`, `1.0` and `10e-1`.
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'a> {
    negative: bool,
    /// The digits without zeros around them, in two parts; none of them for zero.
    digits: [&'a [u8]; 2],
    /// How many digits stand before the point, were the number written without exponent; negative
    /// where zeros follow the point.
    magnitude: i64,
}

impl<'a> Decimal<'a> {
    /// Reads what RFC 8259 calls a number, and leading zeros besides.
    pub fn new(text: &'a [u8]) -> Option<Self> {
        let (negative, unsigned) = match text {
            [b'-', unsigned @ ..] => (true, unsigned),
            _ => (false, text),
        };
        let (whole, rest) = digits(unsigned);
        let (fraction, rest) = match rest {
            [b'.', behind @ ..] => {
                let (fraction, rest) = digits(behind);
                (!fraction.is_empty()).then_some((fraction, rest))?
            }
            _ => (&[][..], rest),
        };
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', exponent @ ..] => self::exponent(exponent)?,
            _ => return None,
        };
        if whole.is_empty() {
            return None;
        }
        let whole = without_leading_zeros(whole);
        let (fraction, point) = if whole.is_empty() {
            let significant = without_leading_zeros(fraction);
            (significant, -length(fraction).saturating_sub(length(significant)))
        } else {
            (fraction, length(whole))
        };
        let fraction = without_trailing_zeros(fraction);
        let whole = if fraction.is_empty() { without_trailing_zeros(whole) } else { whole };
        let magnitude = point.saturating_add(exponent);
        Some(Self { negative, digits: [whole, fraction], magnitude })
    }

    fn is_zero(&self) -> bool {
        self.digits.iter().all(|digits| digits.is_empty())
    }

    /// How the sizes of two numbers that are not zero compare, signs aside.
    fn cmp_size(&self, other: &Self) -> Ordering {
        let digits = |number: &Self| {
            let [whole, fraction] = number.digits;
            whole.iter().chain(fraction)
        };
        self.magnitude.cmp(&other.magnitude).then_with(|| digits(self).cmp(digits(other)))
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.is_zero(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            0 => Ordering::Equal,
            1 => self.cmp_size(other),
            _ => other.cmp_size(self),
        })
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal<'_> {}

/// The digits that `text` begins with, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// The number behind an `e`. One that no i64 holds is as far away as one can be.
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, unsigned) = match text {
        [b'-', unsigned @ ..] => (true, unsigned),
        [b'+', unsigned @ ..] => (false, unsigned),
        _ => (false, text),
    };
    if unsigned.is_empty() || !unsigned.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: i64, digit: &u8| sum.saturating_mul(10).saturating_add((digit - b'0').into());
    let size = unsigned.iter().fold(0, add);
    Some(if negative { -size } else { size })
}

fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

fn without_trailing_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    digits.get(..digits.len() - zeros).unwrap_or_default()
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compare(left: &str, right: &str) -> Ordering {
        Decimal::new(left.as_bytes()).unwrap().cmp(&Decimal::new(right.as_bytes()).unwrap())
    }

    #[test]
    fn values_are_compared_not_spellings() {
        let equal: [&[&str]; 5] = [
            &["1", "1.0", "1e0", "10e-1", "0.1e1", "01", "1E+0"],
            &["0", "-0", "0.000", "0e9"],
            &["1200", "1.2e3", "12e2", "1200.00"],
            &["0.0012", "1.2e-3", "12E-4"],
            &["-5", "-5.0"],
        ];
        for group in equal {
            for (left, right) in group.iter().zip(group.iter().rev()) {
                assert_eq!(compare(left, right), Ordering::Equal, "{left} {right}");
            }
        }
        let ascending = [
            "-1e99999999999999999999",
            "-12345678901234567891",
            "-12345678901234567890",
            "-2",
            "-1.5",
            "-1e-99999999999999999999",
            "0",
            "1e-400",
            "0.001",
            "0.01",
            "0.099",
            "0.1",
            "0.10000000000000000000001",
            "1",
            "9",
            "10",
            "12345678901234567890",
            "12345678901234567890.5",
            "12345678901234567891",
            "1e400",
        ];
        for (index, left) in ascending.iter().enumerate() {
            for right in &ascending[index + 1..] {
                assert_eq!(compare(left, right), Ordering::Less, "{left} {right}");
                assert_eq!(compare(right, left), Ordering::Greater, "{right} {left}");
            }
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in
            ["", "-", ".5", "1.", "1e", "1e+", "1x", "0x1", "+1", "NaN", "1 ", "--1", "1e1.5"]
        {
            assert!(Decimal::new(text.as_bytes()).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_compare_as_such(left in any::<i64>(), right in any::<i64>()) {
            prop_assert_eq!(compare(&left.to_string(), &right.to_string()), left.cmp(&right));
        }

        #[test]
        fn doubles_compare_as_such(left in -1e6_f64..1e6, right in -1e6_f64..1e6) {
            let (l, r) = (format!("{left:e}"), format!("{right}"));
            prop_assert_eq!(Some(compare(&l, &r)), left.partial_cmp(&right));
        }
    }
}
