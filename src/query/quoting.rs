//! Texts in quotes: how they are written and read.

use std::fmt::Write;
use std::ops::Range;

/// `text` in quotes, as a filter takes it.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a String cannot fail.
            c if c.is_control() => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The inside of a text with its escapes undone; or where an escape is none.
pub(super) fn unescaped(inside: &str) -> Result<String, Range<usize>> {
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let escape = rest.get(at + 1..).unwrap_or_default();
        let start = inside.len() - escape.len() - 1;
        let first = escape.chars().next().unwrap_or_default();
        let (c, len) = match first {
            '\\' | '"' | '\'' => (Some(first), 1),
            'a' => (Some('\u{7}'), 1),
            'b' => (Some('\u{8}'), 1),
            'f' => (Some('\u{c}'), 1),
            'n' => (Some('\n'), 1),
            'r' => (Some('\r'), 1),
            't' => (Some('\t'), 1),
            'v' => (Some('\u{b}'), 1),
            // Above that a byte is no character.
            'x' => (hex(escape, 2).filter(char::is_ascii), 3),
            'u' => (hex(escape, 4), 5),
            'U' => (hex(escape, 8), 9),
            _ => (None, first.len_utf8()),
        };
        let end = inside.ceil_char_boundary(start + 1 + len);
        out.push(c.ok_or(start..end)?);
        rest = inside.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(out)
}

/// The character whose number stands in `digits` hexadecimal digits behind the letter of an escape.
fn hex(escape: &str, digits: usize) -> Option<char> {
    let text = escape.get(1..=digits).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
    char::from_u32(u32::from_str_radix(text, 16).ok()?)
}

/// The inside of a text that is a regular expression, which has escapes of its own: of those of a
/// text only `\\` and quotes are undone, so that `"\."`, `"\\."` and `r"\."` are the same.
pub(super) fn unquoted_regex(inside: &str) -> String {
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('\\' | '"' | '\'')) => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
}
