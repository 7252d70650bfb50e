//! Texts of one line, put into the buffer: cut where there is no room, never raw, marked where
//! something was found.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use crate::report::push_visible;
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
pub struct Pen {
    room: usize,
    width: usize,
    pieces: Vec<(String, Style)>,
    ellipsis: char,
    is_ascii: bool,
    /// Something did not fit, and an ellipsis says so.
    cut: bool,
}

impl Pen {
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
    Pen::new(room, &theme.symbols).put(text, style).draw(buf, x, y, Align::Left)
}

/// Where `needle` stands in `text`, as ranges of bytes. Case counts only where `needle` has
/// capitals, as in vi's `smartcase`; beyond ASCII it always does.
pub fn found(text: &str, needle: &str) -> Vec<Range<usize>> {
    if needle.is_empty() {
        return Vec::new();
    }
    let exact = needle.bytes().any(|byte| byte.is_ascii_uppercase());
    let lowered;
    let text = if exact {
        text
    } else {
        // Keeps every byte where it is.
        lowered = text.to_ascii_lowercase();
        &lowered
    };
    text.match_indices(needle).map(|(at, needle)| at..at + needle.len()).collect()
}
