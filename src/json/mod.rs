//! JSON as Nest's peers write it: what `JSON.parse` of Node takes and nothing else (RFC 8259, any
//! depth, any number, lone surrogates, the last of two equal keys). Texts stay the bytes they are;
//! nothing is decoded that nobody asks for.

mod canonical;
mod decimal;
mod outline;
mod path;
mod scan;
mod string;

pub use canonical::{canonical_value, route_text};
pub use decimal::Decimal;
pub use outline::{Item, Items, Outline};
pub use path::{Leaf, Step, at_path, leaves};
pub use scan::{Scan, Top, Visitor, scan};
pub use string::{is_plain_string, key_is, text};

/// Whether JavaScript takes this JSON value for true: all but `false`, `null`, `""` and zero.
///
/// Nest tests `isDisposed` and `err` like this, so `"err":null` is success (Nest 5 and 6 send it)
/// and so is `"err":0`.
pub fn is_truthy(value: &[u8]) -> bool {
    match value {
        b"false" | b"null" | b"\"\"" => false,
        [b'-' | b'0'..=b'9', ..] => number(value).is_none_or(|number| number != 0.0),
        _ => true,
    }
}

/// The double that JavaScript makes of a JSON number; infinite where it is too large.
pub(crate) fn number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_that_of_javascript() {
        for value in ["false", "null", "\"\"", "0", "-0", "0.0", "0e7", "1e-999"] {
            assert!(!is_truthy(value.as_bytes()), "{value}");
        }
        for value in ["true", "\"0\"", "\" \"", "1", "-0.1", "1e999", "{}", "[]", "\"\\u0000\""] {
            assert!(is_truthy(value.as_bytes()), "{value}");
        }
    }
}
