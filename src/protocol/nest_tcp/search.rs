//! Finding the next true frame where the place in the stream was lost: behind a gap, in a capture
//! that began late, behind a frame that could not be read.
//!
//! A payload may hold `12#{"pattern":"fake","id":"x"}` as text, and no call may be invented from
//! it. None can be: digits before a `#` stand, outside the header of a frame, only inside a JSON
//! string, and there every quote is written `\"`, which no JSON text has outside its strings. A
//! false frame can only begin `12#{` and take the quote that ends the string around it for the one
//! that begins its first key; inside and outside are then exchanged, and its keys consist of what
//! stands between true strings: brackets, commas, numbers, `true`, `false`, `null`. That spells no
//! key of Nest. So a place is believed as soon as one of Nest's keys and its `:` were read there,
//! long before a large frame is whole.

use super::envelope::{Belief, believe};
use super::length::LENGTH_DIGITS;

/// How much of a frame may come before its first key of Nest (custom keys, a serializer's) and
/// still be found. Bounds the work spent on a false beginning, which is read again with every
/// segment that adds to it.
const UNDECIDED_BYTES: usize = 4 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A frame begins here.
    Frame(usize),
    /// One may begin here; more bytes will tell.
    Undecided(usize),
    /// None begins here.
    Nothing,
}

/// Looks for the first frame in `bytes`.
pub(super) fn search(bytes: &[u8]) -> Found {
    for mark in memchr::memchr_iter(b'#', bytes) {
        let (before, body) = bytes.split_at(mark);
        let body = body.get(1..).unwrap_or(&[]);
        let digits = trailing_digits(before);
        if digits == 0 || digits > LENGTH_DIGITS {
            continue;
        }
        let start = mark - digits;
        match believe(body) {
            Belief::Nest => return Found::Frame(start),
            Belief::Undecided if body.len() <= UNDECIDED_BYTES => return Found::Undecided(start),
            Belief::Undecided | Belief::NotNest => {}
        }
    }
    match trailing_digits(bytes) {
        digits @ 1..=LENGTH_DIGITS => Found::Undecided(bytes.len() - digits),
        _ => Found::Nothing,
    }
}

/// Where to search on behind a header that was followed by no frame, or was none: a true header may
/// stand at its end, behind what is of no frame. A length with a sign is none that Nest writes.
pub(super) fn behind_header(header: &[u8]) -> usize {
    let before = header.strip_suffix(b"#").unwrap_or(header);
    let (rest, digits) = before.split_at(before.len() - trailing_digits(before));
    match rest.last() {
        None | Some(b'+' | b'-') => header.len(),
        Some(_) if digits.is_empty() => header.len(),
        Some(_) => rest.len(),
    }
}

fn trailing_digits(bytes: &[u8]) -> usize {
    bytes.iter().rev().take(LENGTH_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_frame_is_found_inside_a_payload() {
        let inner = [
            r#"12#{"pattern":"fake","id":"x"}"#,
            "12#{",
            "31#{\",\":0,",
            "7#",
            "999#{}",
            "1#1",
            "5#\"id\"",
            "30#{ \"id\" : 1}",
            r"20#{\u0022id\u0022:1}",
        ];
        for text in inner {
            for data in [
                serde_json::json!(text),
                serde_json::json!([text, text, {"a": text, text: [1, true, null, text]}]),
                serde_json::json!({text: {"id": 1, "pattern": "p"}, "data": text}),
            ] {
                let frame =
                    serde_json::json!({"pattern": "p", "data": data, "id": "x"}).to_string();
                for cut in 0..frame.len() {
                    let found = search(&frame.as_bytes()[cut..]);
                    assert!(!matches!(found, Found::Frame(_)), "{} {found:?}", &frame[cut..]);
                    let wire = format!("{}61#{{\"id\":1", &frame[cut..]);
                    let place = wire.len() - 10;
                    assert_eq!(search(wire.as_bytes()), Found::Frame(place), "{wire}");
                }
            }
        }
    }

    #[test]
    fn a_header_is_looked_for_behind_what_is_none() {
        let cases: [(&[u8], usize); 7] = [
            (b"61#", 3),
            (b"abc#", 4),
            (b"abc61#", 3),
            (b"7 noise 61#", 8),
            (b"-61#", 4),
            (b"+61#", 4),
            (b"no mark 6", 8),
        ];
        for (header, place) in cases {
            assert_eq!(behind_header(header), place, "{header:?}");
        }
    }

    #[test]
    fn a_frame_is_found_as_soon_as_it_is_certain() {
        let wire = b"ail\":1}61#{\"response\":6,";
        let expected = |len: usize| match len {
            0..7 => Found::Nothing,
            7 => Found::Nothing,
            8..=21 => Found::Undecided(7),
            _ => Found::Frame(7),
        };
        for len in 7..wire.len() {
            assert_eq!(search(&wire[..len]), expected(len), "{len}");
        }
    }
}
