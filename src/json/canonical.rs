//! Texts that are equal where the values are: for pairing ids and for grouping patterns.

use std::fmt::Write;

use super::number;
use super::scan::{Scan, Top, scan};
use super::string::{Piece, pieces, unescaped};

/// Values nested deeper are left as they were written: the program's stack bounds the recursion,
/// and Nest itself folds patterns beyond a depth of 5 (from 11.1.20).
const DEPTH: usize = 64;

/// How numbers are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    /// As they were.
    AsWritten,
    /// As their double: `1.0`, `1e0` and `1` are one value, and a server echoes any of them as `1`.
    ByValue,
}

/// The text of a JSON value such that equal values have equal texts: no white space, keys sorted,
/// the last of two equal keys, escapes only where they must be. What is no JSON stays as it is.
pub fn canonical_value(value: &[u8]) -> String {
    normal(value, Numbers::ByValue)
}

/// The text by which Nest's router knows a pattern: a string as it is, a number as its text; an
/// object, or a string that holds one, as JSON without spaces and with keys sorted at every depth.
///
/// `emit()` sends an object pattern as a string that holds JSON where `send()` sends the object
/// itself; up to 11.1.14 that string may be no JSON (`{"d":"q"uote"}`), and then stays as it is.
pub fn route_text(pattern: &[u8]) -> String {
    let Some(inner) = pattern.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return normal(pattern, Numbers::AsWritten);
    };
    let text = unescaped(inner);
    if text.starts_with('{') && scan(text.as_bytes(), &mut ()) == Scan::Whole(Top::Object) {
        return normal(text.as_bytes(), Numbers::AsWritten);
    }
    text
}

fn normal(value: &[u8], numbers: Numbers) -> String {
    let mut out = String::with_capacity(value.len());
    let mut reader = Reader { text: value, at: 0, numbers };
    if reader.value(&mut out, DEPTH).is_none() {
        return String::from_utf8_lossy(value).into_owned();
    }
    out
}

/// Reads a text that was scanned before; `None` where it is not JSON after all, or too deep.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    numbers: Numbers,
}

impl<'a> Reader<'a> {
    fn token(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn value(&mut self, out: &mut String, depth: usize) -> Option<()> {
        match self.token()? {
            b'{' => self.object(out, depth.checked_sub(1)?),
            b'[' => self.array(out, depth.checked_sub(1)?),
            b'"' => {
                quote(self.string()?, out);
                Some(())
            }
            _ => self.scalar(out),
        }
    }

    fn object(&mut self, out: &mut String, depth: usize) -> Option<()> {
        let mut members: Vec<(String, String)> = Vec::new();
        self.at += 1;
        while self.token()? != b'}' {
            let (mut key, mut value) = (String::new(), String::new());
            quote(self.string()?, &mut key);
            (self.token()? == b':').then_some(())?;
            self.at += 1;
            self.value(&mut value, depth)?;
            members.push((key, value));
            if self.token()? == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        // A stable sort keeps equal keys in the order of the text, so that the last one is kept.
        members.sort_by(|left, right| left.0.cmp(&right.0));
        let mut separator = '{';
        for (index, (key, value)) in members.iter().enumerate() {
            if members.get(index + 1).is_some_and(|next| next.0 == *key) {
                continue;
            }
            out.push(separator);
            separator = ',';
            out.push_str(key);
            out.push(':');
            out.push_str(value);
        }
        out.push_str(if separator == '{' { "{}" } else { "}" });
        Some(())
    }

    fn array(&mut self, out: &mut String, depth: usize) -> Option<()> {
        self.at += 1;
        out.push('[');
        while self.token()? != b']' {
            self.value(out, depth)?;
            if self.token()? == b',' {
                self.at += 1;
                out.push(',');
            }
        }
        self.at += 1;
        out.push(']');
        Some(())
    }

    /// The inside of the string that begins here.
    fn string(&mut self) -> Option<&'a [u8]> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.text.get(end)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        self.at = end + 1;
        self.text.get(start..end)
    }

    fn scalar(&mut self, out: &mut String) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let end = rest.iter().position(|byte| b" \t\n\r,]}:\"".contains(byte));
        let word = rest.get(..end.unwrap_or(rest.len()))?;
        if word.is_empty() {
            return None;
        }
        self.at += word.len();
        let word = std::str::from_utf8(word).ok()?;
        let is_number = word.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        match number(word.as_bytes()) {
            // `+ 0.0` makes -0 the 0 that JSON.stringify writes.
            Some(value) if is_number && self.numbers == Numbers::ByValue => {
                write!(out, "{}", value + 0.0).ok()?;
            }
            _ => out.push_str(word),
        }
        Some(())
    }
}

/// Writes a string as JSON.stringify would.
fn quote(inner: &[u8], out: &mut String) {
    out.push('"');
    pieces(inner, |piece| match piece {
        Piece::Text(text) => out.push_str(text),
        Piece::Char('"') => out.push_str("\\\""),
        Piece::Char('\\') => out.push_str("\\\\"),
        Piece::Char('\u{8}') => out.push_str("\\b"),
        Piece::Char('\u{c}') => out.push_str("\\f"),
        Piece::Char('\n') => out.push_str("\\n"),
        Piece::Char('\r') => out.push_str("\\r"),
        Piece::Char('\t') => out.push_str("\\t"),
        Piece::Char(char) if char < ' ' => push_unit(out, char as u32),
        Piece::Char(char) => out.push(char),
        Piece::Lone(unit) => push_unit(out, unit.into()),
    });
    out.push('"');
}

fn push_unit(out: &mut String, unit: u32) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\\u{unit:04x}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_route_has_one_text_however_it_was_sent() {
        let cases: [(&str, &str); 12] = [
            (r#""sum""#, "sum"),
            ("42", "42"),
            (r#""42""#, "42"),
            (r#"{"cmd":"sum","a":1}"#, r#"{"a":1,"cmd":"sum"}"#),
            (r#""{\"a\":1,\"cmd\":\"sum\"}""#, r#"{"a":1,"cmd":"sum"}"#),
            (
                r#"{ "b" : {"d":1, "c":[true, null]}, "a": "" }"#,
                r#"{"a":"","b":{"c":[true,null],"d":1}}"#,
            ),
            (r#""{\"b\":\"q\"uote\"}""#, r#"{"b":"q"uote"}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#""caf\u00e9 \u6c42""#, "café 求"),
            (r#"{"k":"\u00e9\n\u001f\ud800"}"#, "{\"k\":\"é\\n\\u001f\\ud800\"}"),
            ("{}", "{}"),
            ("null", "null"),
        ];
        for (sent, text) in cases {
            assert_eq!(route_text(sent.as_bytes()), text, "{sent}");
        }
    }

    #[test]
    fn equal_ids_have_equal_texts() {
        let same: [&[&str]; 5] = [
            &["1", "1.0", "1e0", "10e-1"],
            &["0", "-0", "0.0"],
            &["12345678901234567890", "12345678901234567000"],
            &[r#""a""#, r#""\u0061""#],
            &[r#"{"a":1,"b":[2]}"#, r#"{ "b":[2.0], "a":1 }"#],
        ];
        for group in same {
            for text in group {
                assert_eq!(canonical_value(text.as_bytes()), canonical_value(group[0].as_bytes()));
            }
        }
        let different = ["1", r#""1""#, "true", "null", r#""""#, "[1]", r#"{"1":1}"#];
        for (index, one) in different.iter().enumerate() {
            for other in &different[index + 1..] {
                assert_ne!(canonical_value(one.as_bytes()), canonical_value(other.as_bytes()));
            }
        }
    }

    #[test]
    fn what_is_too_deep_or_no_json_stays_as_it_is() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert_eq!(canonical_value(deep.as_bytes()), deep);
        for text in ["{", "[1", "{\"a\"", "", "\"", "{\"a\":", "[,]x"] {
            let _ = (canonical_value(text.as_bytes()), route_text(text.as_bytes()));
        }
    }
}
