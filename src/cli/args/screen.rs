//! How the screen looks and what it may use.

use std::str::FromStr;

use clap::Args as ClapArgs;

/// How the screen looks and what it may use.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Screen")]
pub struct ScreenOptions {
    /// Pace at which a file is played: `1` for its own, `10`, `max` [default: max]
    ///
    /// `10` is ten times its own pace, `max` as fast as it can be read.
    #[arg(long = "speed", value_name = "TIMES")]
    pub speed: Option<Speed>,

    /// Memory, such as `512M` or `4G`; what is oldest gives way [default: 512M]
    #[arg(long = "memory", value_name = "SIZE")]
    pub memory: Option<MemorySize>,

    /// Draw with ASCII alone
    #[arg(long = "ascii")]
    pub ascii: bool,

    /// Show addresses, not the names that the hosts file has for them
    #[arg(short = 'n', long = "no-names")]
    pub no_names: bool,
}

/// How fast a file is played: a multiple of its own pace; `None` for as fast as it can be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed(pub Option<f64>);

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self(None));
        }
        let times = text.strip_suffix('x').unwrap_or(text).parse().ok();
        times
            .filter(|times: &f64| (1e-3..=1e6).contains(times))
            .map(|times| Self(Some(times)))
            .ok_or_else(|| "a pace such as 1, 10 or 0.5, or max".to_owned())
    }
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySize(pub usize);

impl FromStr for MemorySize {
    type Err = String;

    /// Reads `512M`, `4G`; a number alone is of megabytes.
    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.to_ascii_uppercase();
        let text = upper.trim_end_matches("IB").trim_end_matches('B');
        let (digits, shift) = match text.strip_suffix(['K', 'M', 'G']) {
            Some(digits) if text.ends_with('K') => (digits, 10),
            Some(digits) if text.ends_with('G') => (digits, 30),
            Some(digits) => (digits, 20),
            None => (text, 20),
        };
        let bytes = digits.parse().ok().and_then(|number: usize| number.checked_mul(1 << shift));
        bytes
            .filter(|bytes| *bytes >= MEMORY_AT_LEAST)
            .map(Self)
            .ok_or_else(|| "a size of at least 16M, such as 512M or 4G".to_owned())
    }
}

/// With less the screen would forget a call before anybody could look at it.
const MEMORY_AT_LEAST: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paces_and_sizes_are_read() {
        assert_eq!("max".parse(), Ok(Speed(None)));
        assert_eq!("10".parse(), Ok(Speed(Some(10.0))));
        assert_eq!("0.5x".parse(), Ok(Speed(Some(0.5))));
        for text in ["", "0", "-1", "fast", "NaN", "inf"] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
        for (text, bytes) in
            [("512M", 512 << 20), ("64", 64 << 20), ("2g", 2 << 30), ("65536KiB", 64 << 20)]
        {
            assert_eq!(text.parse(), Ok(MemorySize(bytes)), "{text}");
        }
        for text in ["", "1M", "-5G", "99999999999999G", "lots"] {
            assert!(text.parse::<MemorySize>().is_err(), "{text}");
        }
    }
}
