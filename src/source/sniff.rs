//! Tells what a file is that is no capture, by its first bytes.

/// Describes a file that begins with `bytes`.
pub(super) fn describe(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "it is empty".to_owned();
    }
    let what = KNOWN
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map(|&(_, what)| what)
        .or_else(|| text(bytes));
    let start = bytes.get(..SHOWN).unwrap_or(bytes).escape_ascii();
    match what {
        Some(what) => format!("it starts with \"{start}\": {what}"),
        None => format!("it starts with \"{start}\""),
    }
}

fn text(bytes: &[u8]) -> Option<&'static str> {
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..);
    if !bytes.iter().all(is_text) {
        return None;
    }
    let trimmed = bytes.trim_ascii_start();
    let begins = |word: &[u8]| {
        trimmed.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    Some(if begins(b"<!doctype") || begins(b"<html") {
        "an HTML page, perhaps an error page instead of a download"
    } else if begins(b"<") {
        "XML"
    } else if begins(b"{") || begins(b"[") {
        "JSON"
    } else {
        "text"
    })
}

/// Bytes that are shown. A magic number is no longer.
const SHOWN: usize = 8;

const KNOWN: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a ZIP archive; unpack it first"),
    (b"\xFD7zXZ\x00", "xz data; unpack it first"),
    (b"BZh", "bzip2 data; unpack it first"),
    (b"7z\xBC\xAF\x27\x1C", "a 7-Zip archive; unpack it first"),
    (b"Rar!\x1A\x07", "a RAR archive; unpack it first"),
    (b"\x04\x22\x4D\x18", "lz4 data; unpack it first"),
    (b"\x1F\x8B", "gzip data inside of compressed data; unpack it once"),
    (b"\x28\xB5\x2F\xFD", "zstd data inside of compressed data; unpack it once"),
    (b"snoop\x00\x00\x00", "a Solaris snoop capture; convert it: editcap FILE out.pcapng"),
    (b"GMBU", "a Microsoft Network Monitor capture; convert it: editcap FILE out.pcapng"),
    (b"RTSS", "a Microsoft Network Monitor capture; convert it: editcap FILE out.pcapng"),
    (b"XCP\x00", "a NetXRay capture; convert it: editcap FILE out.pcapng"),
    (b"TRSNIFF data", "a Sniffer capture; convert it: editcap FILE out.pcapng"),
    (b"\x7FELF", "a program"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"SQLite format 3\x00", "an SQLite database"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_found() {
        let cases: [(&[u8], &str); 7] = [
            (b"", "it is empty"),
            (
                b"PK\x03\x04\x14\0\0\0\x08",
                r#"it starts with "PK\x03\x04\x14\x00\x00\x00": a ZIP archive; unpack it first"#,
            ),
            (
                b"<!DOCTYPE html><html>",
                r#"it starts with "<!DOCTYP": an HTML page, perhaps an error page instead of a download"#,
            ),
            (b"12:00:01 IP lo", r#"it starts with "12:00:01": text"#),
            (b"{\"a\":1}", r#"it starts with "{\"a\":1}": JSON"#),
            (b"\x00\x01\x02", r#"it starts with "\x00\x01\x02""#),
            (b"\x1b[31m", r#"it starts with "\x1b[31m""#),
        ];
        for (bytes, said) in cases {
            assert_eq!(describe(bytes), said);
        }
    }
}
