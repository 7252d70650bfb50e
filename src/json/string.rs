//! The inside of JSON strings.

use std::borrow::Cow;

/// A part of a string, as it reads after its escapes are undone.
pub(crate) enum Piece<'a> {
    /// Text that stood there as it is.
    Text(&'a str),
    /// A character that was escaped, or U+FFFD for bytes that are no UTF-8 (as Node decodes them).
    Char(char),
    /// Half of a surrogate pair: JavaScript strings may hold one, UTF-8 cannot.
    Lone(u16),
}

/// Tells the pieces of `inner`, a string without its quotes, in order.
pub(crate) fn pieces<'a>(inner: &'a [u8], mut tell: impl FnMut(Piece<'a>)) {
    let mut rest = inner;
    while let Some(escape) = memchr::memchr(b'\\', rest) {
        let (text, escaped) = rest.split_at(escape);
        plain(text, &mut tell);
        rest = match escaped {
            [_, b'u', digits @ ..] => unicode(digits, &mut tell),
            [_, byte, behind @ ..] => {
                tell(Piece::Char(match byte {
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    other => char::from(*other),
                }));
                behind
            }
            _ => &[],
        };
    }
    plain(rest, &mut tell);
}

/// The four digits behind `\u`, and those of the other half where it is one of a pair.
fn unicode<'a>(digits: &'a [u8], tell: &mut impl FnMut(Piece<'a>)) -> &'a [u8] {
    let Some((unit, rest)) = unit(digits) else {
        return &[];
    };
    if (0xd800..0xdc00).contains(&unit)
        && let Some((low, behind)) = rest.strip_prefix(b"\\u").and_then(self::unit)
        && let Some(Ok(pair)) = char::decode_utf16([unit, low]).next()
    {
        tell(Piece::Char(pair));
        return behind;
    }
    tell(char::from_u32(unit.into()).map_or(Piece::Lone(unit), Piece::Char));
    rest
}

fn unit(digits: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = digits.split_at_checked(4)?;
    let unit = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some((unit, rest))
}

fn plain<'a>(text: &'a [u8], tell: &mut impl FnMut(Piece<'a>)) {
    for chunk in text.utf8_chunks() {
        if !chunk.valid().is_empty() {
            tell(Piece::Text(chunk.valid()));
        }
        if !chunk.invalid().is_empty() {
            tell(Piece::Char(char::REPLACEMENT_CHARACTER));
        }
    }
}

/// The text of a string given without its quotes; half surrogate pairs become U+FFFD.
pub(crate) fn unescaped(inner: &[u8]) -> String {
    let mut out = String::with_capacity(inner.len());
    pieces(inner, |piece| match piece {
        Piece::Text(text) => out.push_str(text),
        Piece::Char(char) => out.push(char),
        Piece::Lone(_) => out.push(char::REPLACEMENT_CHARACTER),
    });
    out
}

/// The text of a string given without its quotes, decoded only where it must be; half surrogate
/// pairs become U+FFFD.
pub fn text(inner: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', inner).is_none() {
        return String::from_utf8_lossy(inner);
    }
    Cow::Owned(unescaped(inner))
}

/// Whether a raw key, without its quotes, spells `name`.
pub fn key_is(key: &[u8], name: &str) -> bool {
    key == name.as_bytes() || (memchr::memchr(b'\\', key).is_some() && unescaped(key) == name)
}

/// Whether a JSON value is a string without escapes: equal values then have equal bytes.
pub fn is_plain_string(value: &[u8]) -> bool {
    value.first() == Some(&b'"') && memchr::memchr(b'\\', value).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        let inner = br#"a\"\\\/\b\f\n\r\t\u0041\u00e9\uD83D\uDE00\ud800x\udc00"#;
        assert_eq!(unescaped(inner), "a\"\\/\u{8}\u{c}\n\r\tAé😀\u{fffd}x\u{fffd}");
        assert_eq!(unescaped("求\u{2028}😀".as_bytes()), "求\u{2028}😀");
        assert_eq!(unescaped(b"\xffx\xf0\x9f\x98"), "\u{fffd}x\u{fffd}");
    }

    #[test]
    fn keys_are_found_however_they_are_spelled() {
        assert!(key_is(b"pattern", "pattern"));
        assert!(key_is(br"\u0070attern", "pattern"));
        assert!(!key_is(b"patter", "pattern"));
    }
}
