//! Text from the wire as a terminal may show it. Whoever controls a payload must not control the
//! terminal that shows it: escape sequences, controls, characters that reorder the line and
//! characters that cannot be seen are shown, not sent.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// Combining marks shown on one character. No script needs more; text made to climb over its
/// neighbours uses hundreds.
const MARKS: u32 = 4;

/// Bytes that one column can show at most: a character and its marks, of four bytes each.
pub const BYTES_PER_COLUMN: usize = 4 * (1 + MARKS as usize);

/// What stands where a text was cut.
const CUT: char = '…';

/// Whether `c` can act on a terminal or hide in it, rather than be read.
pub fn is_acting(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            // Order of the line: marks, embeddings, isolates.
            '\u{061c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Without width.
            | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'
            // Line breaks that are no controls; annotations; tags.
            | '\u{2028}'..='\u{2029}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// `text` as it may be shown: `␛` for an escape character, `\u{202e}` for an override.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_visible(&mut out, text.as_bytes(), usize::MAX);
    out
}

/// Appends `bytes` as they may be shown, at most `columns` wide and cut with `…` where that is too
/// narrow. Returns the width. Reads no more of `bytes` than it shows.
pub fn push_visible(out: &mut String, bytes: &[u8], columns: usize) -> usize {
    let mut pen = LineBuilder { out, columns, width: 0, room_for_cut: None, last: 0, marks: 0 };
    for chunk in showable(bytes, columns).utf8_chunks() {
        let replaced = (!chunk.invalid().is_empty()).then_some('\u{fffd}');
        for c in chunk.valid().chars().chain(replaced) {
            if !pen.push(c) {
                return pen.cut();
            }
        }
    }
    pen.width
}

/// Appends as many whole characters of `bytes` as fit into `columns`, as they may be shown. Returns
/// how many of the bytes these are. Where there is anything to show and any room, at least one is
/// taken, even where its name is wider than the room: whoever goes on behind it comes to the end.
pub fn push_fitting(out: &mut String, bytes: &[u8], columns: usize) -> usize {
    let mut pen = LineBuilder { out, columns, width: 0, room_for_cut: None, last: 0, marks: 0 };
    let mut read = 0;
    for chunk in showable(bytes, columns).utf8_chunks() {
        for c in chunk.valid().chars() {
            if !pen.push(c) {
                return if read == 0 { c.len_utf8() } else { read };
            }
            read += c.len_utf8();
        }
        if !chunk.invalid().is_empty() {
            if !pen.push(char::REPLACEMENT_CHARACTER) {
                return if read == 0 { chunk.invalid().len() } else { read };
            }
            read += chunk.invalid().len();
        }
    }
    read
}

/// The beginning of `bytes` that is more than can be shown: a whole payload is not to be searched
/// for its first byte that is no UTF-8.
fn showable(bytes: &[u8], columns: usize) -> &[u8] {
    let most = columns.saturating_add(1).saturating_mul(BYTES_PER_COLUMN);
    bytes.get(..most).unwrap_or(bytes)
}

/// Writes characters side by side and knows how wide they are.
struct LineBuilder<'a> {
    out: &'a mut String,
    columns: usize,
    width: usize,
    /// The longest text so far that leaves a column for the `…`: its length and its width.
    room_for_cut: Option<(usize, usize)>,
    /// The width of the character that marks stand on.
    last: usize,
    marks: u32,
}

impl LineBuilder<'_> {
    /// Adds `c`; whether there was room.
    fn push(&mut self, c: char) -> bool {
        let width = match c.width() {
            _ if is_acting(c) => return self.push_shown(c),
            Some(0) if self.marks == MARKS || self.width == 0 => return self.push_shown(c),
            // The emoji form of a character is wide, whatever the character alone is.
            Some(0) if c == '\u{fe0f}' && self.last == 1 => 1,
            Some(0) => 0,
            Some(width) => {
                self.note_room();
                self.last = width;
                width
            }
            None => return self.push_shown(c),
        };
        if self.width + width > self.columns {
            return false;
        }
        if c.width() == Some(0) {
            self.marks += 1;
            self.last += width;
        } else {
            self.marks = 0;
        }
        self.out.push(c);
        self.width += width;
        true
    }

    /// Adds the name of a character that is not shown itself.
    fn push_shown(&mut self, c: char) -> bool {
        self.note_room();
        self.last = 0;
        let start = self.out.len();
        let picture = match c {
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
            '\u{7f}' => Some('\u{2421}'),
            _ => None,
        };
        match picture {
            Some(picture) => self.out.push(picture),
            // Writing to a String cannot fail.
            None => _ = write!(self.out, "\\u{{{:x}}}", u32::from(c)),
        }
        let width = if picture.is_some() { 1 } else { self.out.len() - start };
        if self.width + width > self.columns {
            self.out.truncate(start);
            return false;
        }
        self.width += width;
        true
    }

    /// Remembers that the text may be cut here, before a character that stands on its own.
    fn note_room(&mut self) {
        if self.width < self.columns {
            self.room_for_cut = Some((self.out.len(), self.width));
        }
    }

    /// Ends the text with `…`.
    fn cut(self) -> usize {
        let Some((length, width)) = self.room_for_cut else {
            return self.width;
        };
        self.out.truncate(length);
        self.out.push(CUT);
        width + 1
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown() {
        let cases = [
            ("plain 求和 é", "plain 求和 é"),
            ("\x1b[2J\x1b]0;title\x07", "␛[2J␛]0;title␇"),
            ("a\r\nb\tc\0\x7f", "a␍␊b␉c␀␡"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("abc\u{202e}txt.exe\u{202c}", "abc\\u{202e}txt.exe\\u{202c}"),
            ("\u{2066}x\u{2069}\u{200f}\u{61c}", "\\u{2066}x\\u{2069}\\u{200f}\\u{61c}"),
            ("in\u{200b}visible\u{feff}", "in\\u{200b}visible\\u{feff}"),
            ("line\u{2028}break\u{2029}", "line\\u{2028}break\\u{2029}"),
            ("tag\u{e0041}\u{fff9}", "tag\\u{e0041}\\u{fff9}"),
            // A lone surrogate can only stand in a payload as an escape.
            (r#""\ud83d""#, r#""\ud83d""#),
            // A mark with nothing to stand on would stand on what is left of it on the screen.
            ("\u{301}e\u{301}", "\\u{301}e\u{301}"),
        ];
        for (text, shown) in cases {
            assert_eq!(visible(text), shown, "{text:?}");
        }
    }

    #[test]
    fn marks_do_not_climb() {
        let hostile = format!("a{}", "\u{301}".repeat(1_000));
        let mut out = String::new();
        let width = push_visible(&mut out, hostile.as_bytes(), 20);
        assert_eq!(out, "a\u{301}\u{301}\u{301}\u{301}\\u{301}\\u{301}…");
        assert_eq!(width, 16);
    }

    #[test]
    fn invalid_bytes_are_replaced() {
        let mut out = String::new();
        assert_eq!(push_visible(&mut out, b"a\xff\xf0\x9fb", 10), 4);
        assert_eq!(out, "a\u{fffd}\u{fffd}b");
    }

    #[test]
    fn a_cut_text_fits_and_keeps_its_characters_whole() {
        let cases = [
            ("12345", 5, "12345"),
            ("123456", 5, "1234…"),
            ("求和求", 6, "求和求"),
            ("求和求", 5, "求和…"),
            ("求和求和", 6, "求和…"),
            ("ae\u{301}bc", 3, "ae\u{301}…"),
            ("\u{202e}abc", 4, "…"),
            ("x", 0, ""),
            ("xy", 1, "…"),
        ];
        for (text, columns, shown) in cases {
            let mut out = String::new();
            let width = push_visible(&mut out, text.as_bytes(), columns);
            assert_eq!(out, shown, "{text:?} in {columns}");
            assert_eq!(width, out.width(), "{text:?} in {columns}");
        }
    }

    #[test]
    fn a_text_goes_on_where_it_did_not_fit() {
        let text = "ab求和\u{202e}c\u{301}\x1bd".as_bytes();
        let mut lines = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let mut line = String::new();
            let read = push_fitting(&mut line, rest, 8);
            lines.push(line);
            rest = &rest[read..];
        }
        assert_eq!(lines, ["ab求和", "\\u{202e}", "c\u{301}␛d"]);
        assert_eq!(push_fitting(&mut String::new(), "\u{202e}x".as_bytes(), 3), 3);
        assert_eq!(push_fitting(&mut String::new(), b"\xff\xffx", 2), 2);
    }

    #[test]
    fn the_width_is_that_of_what_is_shown() {
        for text in ["❤\u{fe0f}x", "👍🏽", "\x1b", "é", "한글", "\u{202e}"] {
            let mut out = String::new();
            let width = push_visible(&mut out, text.as_bytes(), 80);
            assert!(width >= out.width(), "{text:?}: {width} for {out:?}");
        }
    }
}
