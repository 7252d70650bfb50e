//! Writes one row of cells from left to right, texts from the wire among others.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::report::push_visible;

/// Where in a row is written next. What does not fit is cut off.
pub struct Pen<'a> {
    buf: &'a mut Buffer,
    row: Rect,
    column: usize,
}

impl<'a> Pen<'a> {
    /// At the left end of `row`, which is one line high.
    pub fn new(buf: &'a mut Buffer, row: Rect) -> Self {
        Self { buf, row, column: 0 }
    }

    /// Columns that were written.
    pub const fn column(&self) -> usize {
        self.column
    }

    /// Columns that are left.
    pub fn room(&self) -> usize {
        usize::from(self.row.width).saturating_sub(self.column)
    }

    /// Leaves columns as they are.
    pub fn skip(&mut self, columns: usize) {
        self.column += columns.min(self.room());
    }

    /// Goes on at `column`, if that was not reached yet.
    pub fn go_to(&mut self, column: usize) {
        self.skip(column.saturating_sub(self.column));
    }

    /// Writes a text of our own.
    pub fn text(&mut self, text: &str, style: Style) {
        let room = self.room();
        self.put(text, room, style);
    }

    /// Writes a text of our own so that it ends before `column`.
    pub fn text_to(&mut self, column: usize, text: &str, style: Style) {
        self.go_to(column.saturating_sub(text.width()));
        self.text(text, style);
    }

    /// Writes a text from the wire as it may be shown.
    pub fn wire(&mut self, text: &[u8], style: Style) {
        self.wire_in(text, usize::MAX, style);
    }

    /// Writes a text from the wire as it may be shown, at most `columns` wide.
    pub fn wire_in(&mut self, text: &[u8], columns: usize, style: Style) {
        let room = self.room().min(columns);
        let mut shown = String::new();
        push_visible(&mut shown, text, room);
        self.put(&shown, room, style);
    }

    fn put(&mut self, text: &str, room: usize, style: Style) {
        let column = u16::try_from(self.column).unwrap_or(u16::MAX);
        let x = self.row.x.saturating_add(column);
        if self.row.is_empty() || room == 0 {
            return;
        }
        let (end, _) = self.buf.set_stringn(x, self.row.y, text, room, style);
        self.column = usize::from(end.saturating_sub(self.row.x));
    }
}
