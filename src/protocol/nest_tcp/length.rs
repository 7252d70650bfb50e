//! Where a frame ends. Nest from 6.1.0 counts UTF-16 code units (what JavaScript calls `.length`),
//! up to 6.0.0 bytes of UTF-8.

use crate::json::{Scan, scan};

/// What stands before the JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// The declared length, and the bytes up to and with the `#`.
    Length { declared: u64, bytes: usize },
    /// No `#` yet.
    Cut,
    /// No length; the bytes up to and with the `#`, or all that may stand before one.
    Invalid { bytes: usize },
}

impl Header {
    /// Reads a header as `parseInt(text, 10)` does: white space, a sign, digits, then anything
    /// (`36abc#` and `36.9#` are 36). A negative length is none: JavaScript cuts an empty text.
    pub(super) fn read(bytes: &[u8], limit: usize) -> Self {
        let mut declared: u64 = 0;
        for (index, &byte) in bytes.iter().enumerate().take(limit) {
            match byte {
                b'0'..=b'9' => {
                    declared = declared.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
                }
                b'#' if index > 0 => {
                    return Self::Length { declared, bytes: index + 1 };
                }
                _ => return Self::read_leniently(bytes, limit),
            }
        }
        if bytes.len() < limit { Self::Cut } else { Self::Invalid { bytes: limit } }
    }

    fn read_leniently(bytes: &[u8], limit: usize) -> Self {
        let head = bytes.get(..limit).unwrap_or(bytes);
        let Some(end) = memchr::memchr(b'#', head) else {
            return if head.len() < limit { Self::Cut } else { Self::Invalid { bytes: limit } };
        };
        let text = String::from_utf8_lossy(head.get(..end).unwrap_or(&[]));
        // JavaScript trims what Unicode calls white space but NEL, and the byte order mark.
        let text = text.trim_start_matches(|char: char| {
            char == '\u{feff}' || (char.is_whitespace() && char != '\u{85}')
        });
        let digits = text.strip_prefix('+').unwrap_or(text);
        let len = digits.bytes().take_while(u8::is_ascii_digit).count();
        if len == 0 {
            return Self::Invalid { bytes: end + 1 };
        }
        // Only a number beyond 2^64 fails to parse: it is longer than any frame.
        let declared = digits.get(..len).and_then(|digits| digits.parse().ok());
        Self::Length { declared: declared.unwrap_or(u64::MAX), bytes: end + 1 }
    }
}

/// Digits of the longest length that any frame has.
pub(super) const LENGTH_DIGITS: usize = 20;

/// Blanks behind a frame that was passed over which are looked through for the next one: more than
/// any client sends, few enough to be read again with every segment.
const BLANKS: usize = 64;

/// Whether a frame begins where some bytes begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Digits and `#` stand there, behind blanks at most.
    Yes,
    /// More bytes will tell.
    Cut,
    /// Something else stands there.
    No,
}

impl Fit {
    /// Looks for a header as every Nest writes it, without the leniency of reading one.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let rest = without_blanks(bytes);
        if bytes.len() - rest.len() > BLANKS {
            return Self::No;
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match rest.get(digits) {
            Some(b'#') if (1..=LENGTH_DIGITS).contains(&digits) => Self::Yes,
            None if digits <= LENGTH_DIGITS => Self::Cut,
            _ => Self::No,
        }
    }
}

/// White space and byte order marks before a length belong to no frame: `parseInt` skips them, and
/// hand-made clients send line breaks between frames.
pub(super) fn without_blanks(mut bytes: &[u8]) -> &[u8] {
    loop {
        bytes = match bytes {
            [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, rest @ ..] => rest,
            [0xef, 0xbb, 0xbf, rest @ ..] => rest,
            _ => return bytes,
        };
    }
}

/// How far the end of a body was looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Bytes whose units were counted; always whole characters.
    bytes: usize,
    units: Units,
    /// Whether the first `declared` bytes were found to be no JSON text of their own.
    not_in_bytes: bool,
}

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It has this many bytes.
    At(usize),
    /// It needs at least this many bytes more.
    Needs(u64),
    /// The declared length ends inside a character, half of a surrogate pair.
    SplitsCharacter,
}

impl Progress {
    /// Looks for the end of the body that begins with `body` and declares `declared` units or
    /// bytes. Call again with the same beginning and more behind it; nothing is counted twice.
    ///
    /// Which of the two was meant needs no memory of the connection. A body has at least as many
    /// bytes as units, so `declared` bytes are needed in any case. If those are one whole JSON
    /// text, bytes were meant (or all is ASCII and both agree), for a text counted in units that
    /// holds more than ASCII is longer, and a proper prefix of an object, array or string is never
    /// whole. Else units were meant. The test must not wait for more bytes: behind a frame counted
    /// in bytes there may come none.
    pub(super) fn end_of(&mut self, body: &[u8], declared: u64) -> End {
        let Ok(length) = usize::try_from(declared) else {
            return End::Needs(declared);
        };
        let Some(head) = body.get(..length) else {
            return End::Needs((length - body.len()) as u64);
        };
        if !self.not_in_bytes {
            if head.is_ascii() || is_whole(head) {
                return End::At(length);
            }
            self.not_in_bytes = true;
        }
        let (counted, reach) = self.units.count(body.get(self.bytes..).unwrap_or(&[]), declared);
        self.bytes += counted;
        match reach {
            Reach::End => End::At(self.bytes),
            Reach::Needs(missing) => End::Needs(missing),
            Reach::SplitsCharacter => End::SplitsCharacter,
        }
    }
}

/// UTF-16 units of a text that comes in parts; of none that is counted are there 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Units(u32);

/// How far the counting of units came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// To the declared number of them.
    End,
    /// As far as there were whole characters. At least this many bytes more are needed.
    Needs(u64),
    /// Before a character that ends behind the declared number.
    SplitsCharacter,
}

impl Units {
    /// Counts on with `bytes`, which follow what was counted, up to `declared` units in all. Gives
    /// how many bytes were counted too.
    pub(super) fn count(&mut self, bytes: &[u8], declared: u64) -> (usize, Reach) {
        let mut counted = 0;
        while u64::from(self.0) < declared {
            // So many bytes hold at most so many units: the end is never overrun.
            let missing = declared - u64::from(self.0);
            let take = usize::try_from(missing).unwrap_or(usize::MAX);
            let rest = bytes.get(counted..).unwrap_or(&[]);
            let part = rest.get(..take).unwrap_or(rest);
            let (bytes, units) = count(part);
            if bytes > 0 {
                counted += bytes;
                self.0 = self.0.saturating_add(u32::try_from(units).unwrap_or(u32::MAX));
                continue;
            }
            // A character longer than the units that are missing: take it whole.
            match first_character(rest) {
                None => {
                    let needs = missing.saturating_sub(rest.len() as u64).max(1);
                    return (counted, Reach::Needs(needs));
                }
                Some((_, units)) if units > missing => return (counted, Reach::SplitsCharacter),
                Some((bytes, units)) => {
                    counted += bytes;
                    self.0 = self.0.saturating_add(u32::try_from(units).unwrap_or(u32::MAX));
                }
            }
        }
        (counted, Reach::End)
    }
}

/// Whether `head` is one JSON text. Its last byte is looked at first: nearly always it is none
/// that can end a text.
fn is_whole(head: &[u8]) -> bool {
    let can_end = matches!(
        head.last(),
        Some(b'}' | b']' | b'"' | b'0'..=b'9' | b'e' | b'l' | b' ' | b'\n' | b'\r' | b'\t')
    );
    can_end && matches!(scan(head, &mut ()), Scan::Whole(_))
}

/// The bytes of the whole characters that `part` begins with, and their UTF-16 units. Node turns
/// each maximal part of an invalid sequence into one U+FFFD, as `utf8_chunks` divides them. What
/// could become a character with more bytes is left.
fn count(part: &[u8]) -> (usize, u64) {
    match std::str::from_utf8(part) {
        Ok(text) => (part.len(), utf16_len(text)),
        Err(error) if error.error_len().is_none() => {
            let valid = part.get(..error.valid_up_to()).unwrap_or(&[]);
            (valid.len(), std::str::from_utf8(valid).map_or(0, utf16_len))
        }
        Err(_) => count_invalid(part),
    }
}

#[cold]
fn count_invalid(part: &[u8]) -> (usize, u64) {
    let (mut bytes, mut units) = (0, 0);
    for chunk in part.utf8_chunks() {
        bytes += chunk.valid().len();
        units += utf16_len(chunk.valid());
        if chunk.invalid().is_empty() {
            continue;
        }
        if bytes + chunk.invalid().len() == part.len() && could_go_on(chunk.invalid()) {
            break;
        }
        bytes += chunk.invalid().len();
        units += 1;
    }
    (bytes, units)
}

/// The length of the first character in bytes and in units; `None` where more bytes must come.
fn first_character(rest: &[u8]) -> Option<(usize, u64)> {
    let head = rest.get(..4).unwrap_or(rest);
    let chunk = head.utf8_chunks().next()?;
    if let Some(char) = chunk.valid().chars().next() {
        return Some((char.len_utf8(), char.len_utf16() as u64));
    }
    let invalid = chunk.invalid();
    if invalid.len() == rest.len() && could_go_on(invalid) {
        return None;
    }
    Some((invalid.len(), 1))
}

/// Whether an incomplete sequence is the beginning of a character.
fn could_go_on(sequence: &[u8]) -> bool {
    std::str::from_utf8(sequence).is_err_and(|error| error.error_len().is_none())
}

/// A unit for each character, and one more for those of four bytes.
fn utf16_len(text: &str) -> u64 {
    let units = |byte: u8| u64::from(byte & 0xc0 != 0x80) + u64::from(byte >= 0xf0);
    text.bytes().map(units).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(text: &str) -> Header {
        Header::read(text.as_bytes(), 64)
    }

    #[test]
    fn headers_are_read_as_parse_int_does() {
        let lenient =
            ["36#", " 36#", "\r\n36#", "+36#", "0036#", "36 #", "36abc#", "36.9#", "\u{feff}36#"];
        for text in lenient {
            let expected = Header::Length { declared: 36, bytes: text.len() };
            assert_eq!(header(text), expected, "{text:?}");
        }
        assert_eq!(header("1 36#"), Header::Length { declared: 1, bytes: 5 });
        assert_eq!(header("0x24#"), Header::Length { declared: 0, bytes: 5 });
        let huge = header("99999999999999999999#{");
        assert_eq!(huge, Header::Length { declared: u64::MAX, bytes: 21 });
        for text in ["abc#", "#", "-5#", "+ 5#", "\u{85}5#"] {
            assert_eq!(header(text), Header::Invalid { bytes: text.len() }, "{text:?}");
        }
        for text in ["", "3", "36", " ", "GET / HTTP/1.1\r\n"] {
            assert_eq!(header(text), Header::Cut, "{text:?}");
        }
        assert_eq!(header(&"x".repeat(64)), Header::Invalid { bytes: 64 });
        assert_eq!(header(&"1".repeat(64)), Header::Invalid { bytes: 64 });
    }

    #[test]
    fn the_end_is_found_in_units_and_in_bytes() {
        let text = r#"{"pattern":"echo","data":"求和 😀","id":"b9305e3c3556fc163fa37"}"#;
        assert_eq!((text.len(), utf16_len(text)), (68, 62));
        let with_more = format!("{text}62#{{");
        for declared in [62, 68] {
            let end = Progress::default().end_of(with_more.as_bytes(), declared);
            assert_eq!(end, End::At(68), "{declared}");
        }
        assert_eq!(Progress::default().end_of(text.as_bytes(), 68), End::At(68));
    }

    #[test]
    fn a_length_that_ends_inside_a_surrogate_pair_splits_it() {
        assert_eq!(Progress::default().end_of("\"😀\"".as_bytes(), 2), End::SplitsCharacter);
        assert_eq!(Progress::default().end_of("\"😀\"".as_bytes(), 4), End::At(6));
    }

    #[test]
    fn an_invalid_sequence_counts_one_unit() {
        let count_of = |bytes: &[u8]| count(bytes);
        assert_eq!(count_of(b"\xff"), (1, 1));
        assert_eq!(count_of(b"\xf0\x9f\x98x"), (4, 2));
        assert_eq!(count_of(b"a\xf0\x9f\x98"), (1, 1));
        assert_eq!(count_of(b"\xed\xa0\x80"), (3, 3));
    }

    proptest! {
        #[test]
        fn the_end_does_not_depend_on_how_the_body_arrives(
            inside in "[a-zé求😀]{0,40}",
            behind in "[0-9#{a-z]{0,10}",
            step in 1_usize..9,
        ) {
            let body = format!("\"{inside}\"");
            let units = body.encode_utf16().count() as u64;
            let wire = format!("{body}{behind}");
            let mut progress = Progress::default();
            let mut len = 0;
            let end = loop {
                match progress.end_of(&wire.as_bytes()[..len], units) {
                    End::Needs(bytes) => {
                        prop_assert!(bytes >= 1 && len as u64 + bytes <= body.len() as u64);
                        len = (len + step).min(body.len());
                    }
                    end => break end,
                }
            };
            prop_assert_eq!(end, End::At(body.len()));
        }

        #[test]
        fn units_are_those_of_a_lossy_string(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            // Two ASCII bytes behind, so that nothing is left that could go on.
            let mut bytes = bytes;
            bytes.extend(b"xx");
            let (counted, units) = count(&bytes);
            prop_assert_eq!(counted, bytes.len());
            prop_assert_eq!(units, String::from_utf8_lossy(&bytes).encode_utf16().count() as u64);
        }
    }
}
