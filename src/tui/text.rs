//! Texts of one line, put into the buffer: cut where there is no room, never raw, marked where
//! something was found.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use crate::report::push_visible;
use crate::tui::find::Needle;
use crate::tui::theme::{Symbols, Theme};

/// Where a text stands in its room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs)]
pub enum Align {
    #[default]
    Left,
    Right,
}

/// Gathers pieces of text side by side until the room is full, then puts them into a buffer. What
/// could act on a terminal is shown by its name, so that any text may be given.
#[derive(Debug)]
pub struct LineBuilder {
    room: usize,
    width: usize,
    pieces: Vec<(String, Style)>,
    ellipsis: char,
    is_ascii: bool,
    /// Something did not fit, and an ellipsis says so.
    cut: bool,
}

impl LineBuilder {
    /// A pen for `room` columns.
    pub const fn new(room: u16, symbols: &Symbols) -> Self {
        Self {
            room: room as usize,
            width: 0,
            pieces: Vec::new(),
            ellipsis: symbols.ellipsis,
            is_ascii: symbols.is_ascii,
            cut: false,
        }
    }

    /// Columns that are left.
    pub const fn room(&self) -> usize {
        self.room.saturating_sub(self.width)
    }

    /// Columns that are written.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Adds `text`.
    pub fn put(&mut self, text: &str, style: Style) -> &mut Self {
        self.put_bytes(text.as_bytes(), style)
    }

    /// Adds bytes that should be UTF-8; reads no more of them than there is room for.
    pub fn put_bytes(&mut self, bytes: &[u8], style: Style) -> &mut Self {
        if self.cut || bytes.is_empty() {
            return self;
        }
        if self.room() == 0 {
            self.end_with_ellipsis();
            return self;
        }
        let mut text = String::new();
        self.width += push_visible(&mut text, bytes, self.room());
        if text.ends_with('…') && !bytes.ends_with("…".as_bytes()) {
            self.cut = true;
            text.pop();
            text.push(self.ellipsis);
        }
        self.pieces.push((text, style));
        self
    }

    /// Adds a latency or another text of ours, whose `µ` an ASCII terminal gets as `u`.
    pub fn put_number(&mut self, text: &str, style: Style) -> &mut Self {
        if self.is_ascii {
            self.put(&text.replace('µ', "u"), style)
        } else {
            self.put(text, style)
        }
    }

    /// Adds `text` with `found` over the ranges of bytes in `marks`, which ascend. A range that is
    /// none of the text is left out.
    pub fn put_marked(
        &mut self,
        text: &str,
        marks: &[Range<usize>],
        style: Style,
        found: Style,
    ) -> &mut Self {
        let mut from = 0;
        for mark in marks {
            let (Some(before), Some(marked)) = (text.get(from..mark.start), text.get(mark.clone()))
            else {
                continue;
            };
            self.put(before, style).put(marked, style.patch(found));
            from = mark.end;
        }
        self.put(text.get(from..).unwrap_or_default(), style)
    }

    /// Adds what another pen wrote, as far as there is room.
    pub fn append(&mut self, other: &Self) -> &mut Self {
        for (text, style) in &other.pieces {
            self.put(text, *style);
        }
        self
    }

    /// Adds blanks up to column `width`, if that is farther.
    pub fn pad_to(&mut self, width: usize) -> &mut Self {
        let missing = width.min(self.room).saturating_sub(self.width);
        if missing > 0 && !self.cut {
            self.pieces.push((" ".repeat(missing), Style::new()));
            self.width += missing;
        }
        self
    }

    /// Puts it into row `y` of `buf`, from column `x` on. Returns the column behind it.
    pub fn draw(&self, buf: &mut Buffer, x: u16, y: u16, align: Align) -> u16 {
        let mut x = match align {
            Align::Left => x,
            Align::Right => x.saturating_add(u16::try_from(self.room()).unwrap_or(u16::MAX)),
        };
        if !(buf.area.top()..buf.area.bottom()).contains(&y) {
            return x;
        }
        for (text, style) in &self.pieces {
            if x >= buf.area.right() {
                break;
            }
            let room = usize::from(buf.area.right() - x);
            (x, _) = buf.set_stringn(x, y, text, room, *style);
        }
        x
    }

    /// Makes room for the ellipsis in what is written.
    fn end_with_ellipsis(&mut self) {
        self.cut = true;
        let Some((mut text, style)) = self.pieces.pop() else { return };
        let room = self.room - (self.width - unicode_width::UnicodeWidthStr::width(text.as_str()));
        text.push(' ');
        let mut shorter = String::new();
        let before = self.room - room;
        self.width = before + push_visible(&mut shorter, text.as_bytes(), room);
        if shorter.ends_with('…') {
            shorter.pop();
            shorter.push(self.ellipsis);
        }
        self.pieces.push((shorter, style));
    }
}

/// Puts `text` into row `y` from column `x` on, at most `room` wide. Returns the column behind it.
pub fn put(
    buf: &mut Buffer,
    (x, y): (u16, u16),
    room: u16,
    text: &str,
    style: Style,
    theme: &Theme,
) -> u16 {
    LineBuilder::new(room, &theme.symbols).put(text, style).draw(buf, x, y, Align::Left)
}

/// Where `needle` stands in `text`, as ranges of bytes: as a [`Needle`] finds it.
pub fn found(text: &str, needle: &str) -> Vec<Range<usize>> {
    Needle::new(needle).map_or_else(Vec::new, |needle| needle.all(text))
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Modifier};

    use super::*;

    fn drawn(
        room: u16,
        symbols: &Symbols,
        align: Align,
        write: impl Fn(&mut LineBuilder),
    ) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, room + 2, 1));
        let mut pen = LineBuilder::new(room, symbols);
        write(&mut pen);
        pen.draw(&mut buf, 0, 0, align);
        (0..room + 2).map(|x| buf[(x, 0)].symbol()).collect::<String>()
    }

    #[test]
    fn texts_are_cut_where_the_room_ends() {
        let pieces = |texts: &'static [&'static str]| {
            move |pen: &mut LineBuilder| {
                for text in texts {
                    pen.put(text, Style::new());
                }
            }
        };
        let cases: [(&'static [&'static str], &str); 8] = [
            (&["12345"], "12345  "),
            (&["123456"], "1234…  "),
            (&["123", "45"], "12345  "),
            (&["123", "456"], "1234…  "),
            // The end of a full room tells that something follows, though it came later.
            (&["12345", "6"], "1234…  "),
            (&["12345", "", "6", "7"], "1234…  "),
            (&["12", "\x1b[0m"], "12␛[…  "),
            (&[""], "       "),
        ];
        for (texts, expected) in cases {
            let line = drawn(5, &Symbols::UNICODE, Align::Left, pieces(texts));
            assert_eq!(line, expected, "{texts:?}");
        }
        assert_eq!(drawn(5, &Symbols::ASCII, Align::Left, pieces(&["123456"])), "1234~  ");
        // A `…` that was sent stays what it is.
        assert_eq!(drawn(5, &Symbols::ASCII, Align::Left, pieces(&["1234…"])), "1234…  ");
        assert_eq!(drawn(5, &Symbols::UNICODE, Align::Right, pieces(&["12"])), "   12  ");
        assert_eq!(drawn(0, &Symbols::UNICODE, Align::Right, pieces(&["12"])), "  ");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let line = drawn(5, &Symbols::UNICODE, Align::Left, |pen| {
            pen.put("求和求", Style::new());
        });
        // The cell behind a wide character is blank.
        assert_eq!(line.replace(' ', ""), "求和…");
        let line = drawn(4, &Symbols::UNICODE, Align::Left, |pen| {
            pen.put("求和", Style::new()).put("x", Style::new());
        });
        assert_eq!(line.replace(' ', ""), "求…");
    }

    #[test]
    fn a_number_is_ascii_where_it_must() {
        let number = |pen: &mut LineBuilder| _ = pen.put_number("3.61µs", Style::new());
        assert_eq!(drawn(6, &Symbols::ASCII, Align::Left, number), "3.61us  ");
        assert_eq!(drawn(6, &Symbols::UNICODE, Align::Left, number), "3.61µs  ");
    }

    #[test]
    fn what_was_found_is_marked() {
        assert_eq!(found("Sum sum SUM", "sum"), [0..3, 4..7, 8..11]);
        assert_eq!(found("Sum sum SUM", "Sum"), vec![0..3]);
        assert_eq!(found("余额 余额", "余额"), [0..6, 7..13]);
        assert!(found("anything", "").is_empty());
        let theme = Theme::new(true, false);
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 1));
        let mut pen = LineBuilder::new(8, &theme.symbols);
        let bold = Style::new().add_modifier(Modifier::BOLD);
        // Ranges that are none of the text do no harm.
        pen.put_marked("a sum b", &[2..5, 4..5, 90..91], bold, theme.found);
        pen.draw(&mut buf, 0, 0, Align::Left);
        assert_eq!(buf[(1, 0)].bg, Color::Reset);
        assert_eq!(buf[(2, 0)].bg, Color::Yellow);
        assert_eq!(buf[(4, 0)].bg, Color::Yellow);
        assert_eq!(buf[(5, 0)].bg, Color::Reset);
        assert!(buf[(2, 0)].modifier.contains(Modifier::BOLD));
        assert_eq!(buf[(6, 0)].symbol(), "b");
    }
}
