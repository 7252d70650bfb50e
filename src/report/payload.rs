//! JSON from the wire, written through as it is: numbers of any size, the order of keys, keys
//! given twice and lone surrogates stay. Only what would break the line or act on a terminal is
//! changed, and to another spelling of the same JSON value.

use std::io::Write;

use super::visible::is_acting;

/// Appends `json` to `out` on one line.
pub fn push_payload(out: &mut Vec<u8>, json: &[u8]) {
    if json.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        out.extend_from_slice(json);
        return;
    }
    let mut in_string = false;
    let mut escaped = false;
    for chunk in json.utf8_chunks() {
        let mut rest = chunk.valid();
        // Runs that need no change are copied whole.
        while let Some((at, c)) = rest.char_indices().find(|&(_, c)| {
            match c {
                _ if escaped => escaped = false,
                '"' => in_string = !in_string,
                '\\' => escaped = in_string,
                _ => {}
            }
            is_acting(c)
        }) {
            let (run, tail) = rest.split_at(at);
            out.extend_from_slice(run.as_bytes());
            match c {
                // Between tokens, where white space means nothing; but a space keeps apart what
                // a frame that is no JSON may have there.
                '\t' | '\n' | '\r' if !in_string => out.push(b' '),
                _ => push_escape(out, c),
            }
            rest = tail.get(c.len_utf8()..).unwrap_or_default();
        }
        out.extend_from_slice(rest.as_bytes());
        if !chunk.invalid().is_empty() {
            escaped = false;
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

/// Appends `text` as a JSON string.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    push_value(out, &text);
    let plain = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    if !out.get(start..).is_none_or(plain) {
        let raw = out.split_off(start);
        push_payload(out, &raw);
    }
}

/// Appends a number, or `null`, or whatever else cannot hold text from the wire.
pub fn push_value(out: &mut Vec<u8>, value: &impl serde::Serialize) {
    let written = serde_json::to_writer(out, value);
    debug_assert!(written.is_ok(), "numbers and texts are JSON, and a Vec takes every byte");
}

/// Appends the UTF-16 units of `c` as escapes.
fn push_escape(out: &mut Vec<u8>, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a Vec cannot fail.
        _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: &[u8]) -> String {
        let mut out = Vec::new();
        push_payload(&mut out, json);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn payloads_stay_as_they_are() {
        for json in [
            "6",
            "123456789012345678901234567890.10e+400",
            r#"{"b":1,"a":2,"b":3}"#,
            r#""\ud83d \u0000 \/ \" \\""#,
            r#"{"text":"求和 😀","n":[ 1, 2 ]}"#,
        ] {
            assert_eq!(written(json.as_bytes()), json);
        }
    }

    #[test]
    fn line_breaks_between_tokens_go() {
        assert_eq!(written(b"{\r\n\t\"a\": [1,\n2]}"), r#"{   "a": [1, 2]}"#);
        assert_eq!(written(br#""a\nb""#), r#""a\nb""#);
        // No JSON, but not to be made into another number either.
        assert_eq!(written(b"1\n2"), "1 2");
    }

    #[test]
    fn what_acts_on_a_terminal_is_spelt_as_an_escape() {
        assert_eq!(
            written("\"\u{202e}\u{7f}\u{9b}\u{feff}\u{2028}\u{e0041}\"".as_bytes()),
            r#""\u202e\u007f\u009b\ufeff\u2028\udb40\udc41""#
        );
        // After an escaped quote the string goes on; after an escaped backslash it does not.
        assert_eq!(written(b"[\"\\\"\n\",\n\"\\\\\",\n1]"), "[\"\\\"\\u000a\", \"\\\\\", 1]");
    }

    #[test]
    fn invalid_bytes_are_replaced() {
        assert_eq!(written(b"\"a\xffb\xf0\x9f\x98\""), "\"a\u{fffd}b\u{fffd}\"");
    }

    #[test]
    fn strings_are_escaped() {
        let mut out = b"x".to_vec();
        push_string(&mut out, r#"{"cmd":"sum"}"#);
        push_string(&mut out, "求\u{202e}\n");
        assert_eq!(String::from_utf8(out).unwrap(), r#"x"{\"cmd\":\"sum\"}""求\u202e\n""#);
    }
}
