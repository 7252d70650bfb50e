//! The values that a filter compares with: how they are written, and what they are.

use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};
use std::ops::Bound;

use crate::json::{self, Decimal};
use crate::time::Timestamp;

/// Why a word is not the value that is expected; the rest of a sentence that begins with it.
pub type Reason = String;

/// A whole number, as a field of numbers takes it.
pub fn number(word: &str) -> Result<i128, Reason> {
    word.parse().map_err(|_| "is no whole number".to_owned())
}

/// Bytes: `512`, `1.5kB`, `1MiB`.
pub fn size(word: &str) -> Result<i128, Reason> {
    let (amount, unit) = split_unit(word);
    let factor = match unit {
        "" | "B" => 1,
        "kB" | "KB" | "k" | "K" => 1_000,
        "MB" | "M" => 1_000_000,
        "GB" | "G" => 1_000_000_000,
        "KiB" | "kiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("is no size: its units are B, kB, MB, GB, KiB, MiB and GiB".to_owned()),
    };
    scaled(amount, factor).ok_or_else(|| "is no whole number of bytes".to_owned())
}

/// The units of a duration and their nanoseconds, the smallest first.
pub const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Nanoseconds: `10ms`, `1.5s`, `4m05s`.
pub fn duration(word: &str) -> Result<i128, Reason> {
    let (negative, mut rest) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    let mut sum: i128 = 0;
    let mut largest = i128::MAX;
    loop {
        let (amount, behind) = split_unit(rest);
        let len = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, left) = behind.split_at(len);
        if amount.is_empty() || amount.contains('-') {
            return Err("is no duration such as 10ms".to_owned());
        }
        if unit.is_empty() {
            return Err("needs a unit: ns, us, ms, s, m or h".to_owned());
        }
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err("is no duration: its units are ns, us, ms, s, m and h".to_owned());
        };
        // 5s4m is more likely a slip than a wish.
        if *factor >= largest {
            return Err("is no duration: the larger unit comes first, as in 4m05s".to_owned());
        }
        largest = *factor;
        let part = scaled(amount, *factor).and_then(|part| sum.checked_add(part));
        sum = part.ok_or_else(|| "is no whole number of nanoseconds".to_owned())?;
        rest = left;
        if rest.is_empty() {
            return Ok(if negative { -sum } else { sum });
        }
    }
}

/// A point in time: RFC 3339 with its zone.
pub fn time(word: &str) -> Result<i128, Reason> {
    if let Ok(time) = word.parse::<jiff::Timestamp>() {
        return Ok(time.as_nanosecond());
    }
    Err(match word.parse::<jiff::civil::DateTime>() {
        Ok(_) => "needs a time of day and a zone: 2026-11-22T03:52:01Z or …T04:52:01+01:00",
        Err(_) => "is no time such as 2026-11-22T03:52:01Z",
    }
    .to_owned())
}

/// Where a point in time stands among those that a filter names.
pub fn of_time(time: Timestamp) -> i128 {
    time.as_nanos().into()
}

/// A number and the unit behind it.
fn split_unit(word: &str) -> (&str, &str) {
    let len = word.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-');
    word.split_at(len.unwrap_or(word.len()))
}

/// `amount` times `factor`, where that is whole.
fn scaled(amount: &str, factor: i128) -> Option<i128> {
    let (whole, fraction) = match amount.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (amount, ""),
    };
    let negative = whole.starts_with('-');
    let fraction = fraction.trim_end_matches('0');
    let per = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = match fraction {
        "" => 0,
        _ if fraction.bytes().all(|byte| byte.is_ascii_digit()) => fraction.parse::<i128>().ok()?,
        _ => return None,
    };
    let part = part.checked_mul(factor).filter(|part| part % per == 0)? / per;
    let whole = whole.parse::<i128>().ok()?.checked_mul(factor)?;
    whole.checked_add(if negative { -part } else { part })
}

/// Addresses: one of them or all with a prefix, and perhaps a port; or all from one to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    from: IpAddr,
    to: IpAddr,
    port: Option<u16>,
}

impl Addresses {
    /// Reads `10.0.0.7`, `10.0.0.0/8`, `10.0.0.7:8888` or `[::1]:8888`.
    pub fn new(word: &str) -> Result<Self, Reason> {
        if let Ok(end) = word.parse::<SocketAddr>() {
            let ip = end.ip().to_canonical();
            return Ok(Self { from: ip, to: ip, port: Some(end.port()) });
        }
        let (address, prefix) = match word.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (word, None),
        };
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let ip: IpAddr =
            bare.unwrap_or(address).parse().map_err(|_| "is no IP address".to_owned())?;
        let Some(prefix) = prefix else {
            let ip = ip.to_canonical();
            return Ok(Self { from: ip, to: ip, port: None });
        };
        let bits = if ip.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= bits);
        let prefix: u32 = prefix.ok_or_else(|| format!("has no prefix from /0 to /{bits}"))?;
        Ok(match ip {
            IpAddr::V4(ip) => {
                let free = u32::MAX.checked_shr(prefix).unwrap_or(0);
                let (low, high) = (ip.to_bits() & !free, ip.to_bits() | free);
                Self { from: IpAddr::V4(low.into()), to: IpAddr::V4(high.into()), port: None }
            }
            IpAddr::V6(ip) => {
                let free = u128::MAX.checked_shr(prefix).unwrap_or(0);
                let (low, high) = (ip.to_bits() & !free, ip.to_bits() | free);
                Self { from: IpAddr::V6(low.into()), to: IpAddr::V6(high.into()), port: None }
            }
        })
    }

    /// All addresses from this one to the last of `to`.
    pub fn up_to(self, to: &Self) -> Result<Self, Reason> {
        if self.port.is_some() || to.port.is_some() {
            return Err("has a port; a range is one of addresses".to_owned());
        }
        if self.from.is_ipv4() != to.to.is_ipv4() || self.from > to.to {
            return Err("ends before it begins".to_owned());
        }
        Ok(Self { to: to.to, ..self })
    }

    /// Whether `end` is one of them.
    pub fn contain(&self, end: SocketAddr) -> bool {
        let ip = end.ip().to_canonical();
        self.from <= ip && ip <= self.to && self.port.is_none_or(|port| port == end.port())
    }
}

/// A value of JSON, as a filter names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    Text(String),
    /// As it is spelled; a [`Decimal`] can be made of it.
    Number(String),
    /// `true`, `false` or `null`.
    Word(&'static str),
}

impl Literal {
    /// Reads what may stand without quotes.
    pub fn new(word: &str) -> Option<Self> {
        if let Some(word) = ["true", "false", "null"].into_iter().find(|known| *known == word) {
            return Some(Self::Word(word));
        }
        Decimal::new(word.as_bytes()).map(|_| Self::Number(word.to_owned()))
    }

    /// How a value compares with this one; `None` where they are of different types, or have no
    /// order and differ.
    fn compare(&self, value: &Scalar<'_>) -> Option<Ordering> {
        match (value, self) {
            (Scalar::Text(text), Self::Text(literal)) => Some((**text).cmp(literal.as_bytes())),
            (Scalar::Number(number), Self::Number(literal)) => {
                Some(number.cmp(&Decimal::new(literal.as_bytes())?))
            }
            (Scalar::Word(word), Self::Word(literal)) => {
                (*word == literal.as_bytes()).then_some(Ordering::Equal)
            }
            _ => None,
        }
    }
}

/// A value of JSON that can be compared.
pub enum Scalar<'a> {
    /// The bytes of a text whose escapes are undone.
    Text(std::borrow::Cow<'a, [u8]>),
    Number(Decimal<'a>),
    Word(&'a [u8]),
}

impl<'a> Scalar<'a> {
    /// Of a raw JSON value; `None` for objects and arrays, which equal nothing.
    pub fn new(value: &'a [u8]) -> Option<Self> {
        match value {
            [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => {
                Some(Self::Text(inner.into()))
            }
            [b'"', inner @ .., b'"'] => {
                Some(Self::Text(json::text(inner).into_owned().into_bytes().into()))
            }
            [b'{' | b'[', ..] => None,
            [b'-' | b'0'..=b'9', ..] => Decimal::new(value).map(Self::Number),
            _ => Some(Self::Word(value)),
        }
    }
}

/// Values from one to another: what `==`, the order and the elements of a set ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    from: Bound<Literal>,
    to: Bound<Literal>,
}

impl Interval {
    pub const fn new(from: Bound<Literal>, to: Bound<Literal>) -> Self {
        Self { from, to }
    }

    /// Whether the values from one to the other can be told: they are texts, or numbers, and
    /// ascend; or are the same.
    pub fn is_range(from: &Literal, to: &Literal) -> bool {
        match (from, to) {
            (Literal::Text(from), Literal::Text(to)) => from <= to,
            (Literal::Number(from), Literal::Number(to)) => {
                Decimal::new(from.as_bytes()) <= Decimal::new(to.as_bytes())
            }
            (from, to) => from == to,
        }
    }

    /// Whether `value` lies in it.
    pub fn contains(&self, value: &Scalar<'_>) -> bool {
        // Of a single value, both bounds say the same.
        let is_one = self.from == self.to;
        let above = match &self.from {
            Bound::Included(from) if is_one => return from.compare(value) == Some(Ordering::Equal),
            Bound::Included(from) => from.compare(value).is_some_and(Ordering::is_ge),
            Bound::Excluded(from) => from.compare(value).is_some_and(Ordering::is_gt),
            Bound::Unbounded => true,
        };
        above
            && match &self.to {
                Bound::Included(to) => to.compare(value).is_some_and(Ordering::is_le),
                Bound::Excluded(to) => to.compare(value).is_some_and(Ordering::is_lt),
                Bound::Unbounded => true,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (word, nanos) in [
            ("10ms", 10_000_000),
            ("1.5s", 1_500_000_000),
            ("500us", 500_000),
            ("500µs", 500_000),
            ("500μs", 500_000),
            ("4m05s", 245_000_000_000),
            ("2h03m", 7_380_000_000_000),
            ("0.5us", 500),
            ("-1ns", -1),
            ("0ms", 0),
        ] {
            assert_eq!(duration(word), Ok(nanos), "{word}");
        }
        for word in
            ["10", "10 ms", "0.5ns", "ms", "1.2.3s", "5s4m", "1s2s", "", "1d", "--1s", "1e3s"]
        {
            assert!(duration(word).is_err(), "{word}");
        }
    }

    #[test]
    fn sizes_may_have_units() {
        for (word, bytes) in [
            ("512", 512),
            ("512B", 512),
            ("1.5kB", 1_500),
            ("1MiB", 1_048_576),
            ("2GB", 2_000_000_000),
        ] {
            assert_eq!(size(word), Ok(bytes), "{word}");
        }
        for word in ["1.5", "1.5B", "kB", "1Mb", "", "1.", "1.-5kB", &"9".repeat(60)] {
            assert!(size(word).is_err(), "{word}");
        }
    }

    #[test]
    fn times_have_zones() {
        let nanos = 1_795_319_521_123_456_789;
        assert_eq!(time("2026-11-22T03:52:01.123456789Z"), Ok(nanos));
        assert_eq!(time("2026-11-22T04:52:01.123456789+01:00"), Ok(nanos));
        assert!(time("2026-11-22T03:52:01").unwrap_err().starts_with("needs a time of day"));
        assert!(time("2026-11-22").unwrap_err().starts_with("needs a time of day"));
        assert!(time("03:52:01").is_err());
    }

    #[test]
    fn addresses_have_prefixes_and_ports() {
        let is_in =
            |end: &str, word: &str| Addresses::new(word).unwrap().contain(end.parse().unwrap());
        for (end, word, expected) in [
            ("10.0.0.7:1", "10.0.0.7", true),
            ("10.0.0.8:1", "10.0.0.7", false),
            ("10.255.0.1:1", "10.0.0.0/8", true),
            ("11.0.0.0:1", "10.1.2.3/8", false),
            ("11.0.0.0:1", "0.0.0.0/0", true),
            ("[::1]:1", "0.0.0.0/0", false),
            ("[::1]:1", "::1", true),
            ("[::1]:1", "[::1]:1", true),
            ("[::1]:2", "[::1]:1", false),
            ("[::1]:2", "::/0", true),
            ("[::ffff:10.0.0.7]:2", "10.0.0.7", true),
            ("[2001:db8::5]:2", "2001:db8::/32", true),
            ("10.0.0.7:8888", "10.0.0.7:8888", true),
            ("10.0.0.7:8888", "10.0.0.7/32", true),
        ] {
            assert_eq!(is_in(end, word), expected, "{end} {word}");
        }
        for word in ["localhost", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.7:", "10.0.0.1/x", ""]
        {
            assert!(Addresses::new(word).is_err(), "{word}");
        }
        let range = Addresses::new("10.0.0.5").unwrap().up_to(&Addresses::new("10.0.0.9").unwrap());
        assert!(range.unwrap().contain("10.0.0.7:1".parse().unwrap()));
    }
}
