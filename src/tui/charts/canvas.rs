//! Writing into a part of a buffer, and never beside it.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::{Symbols, Theme};

/// Writes into an area of a buffer; what lies outside is left out.
pub(super) struct Canvas<'a> {
    area: Rect,
    symbols: &'a Symbols,
    buf: &'a mut Buffer,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(area: Rect, theme: &'a Theme, buf: &'a mut Buffer) -> Self {
        Self { area: area.intersection(buf.area), symbols: &theme.symbols, buf }
    }

    /// Puts one character, as wide as one cell.
    pub(super) fn put(&mut self, x: u16, y: u16, symbol: char, style: Style) {
        if let Some(cell) = self.buf.cell_mut((x, y))
            && self.area.contains((x, y).into())
        {
            cell.set_char(symbol).set_style(style);
        }
    }

    /// Writes a text, cut at the right edge.
    pub(super) fn text(&mut self, x: u16, y: u16, text: &str, style: Style) {
        if self.area.contains((x, y).into()) {
            let room = self.area.right() - x;
            LineBuilder::new(room, self.symbols).put(text, style).draw(self.buf, x, y, Align::Left);
        }
    }

    /// Writes labels of one line as far as they have room beside those written before, which are
    /// the more important ones. Each begins at its column, or ends at the right edge.
    pub(super) fn labels(&mut self, y: u16, labels: &[(u16, String)], style: Style) {
        let mut taken: Vec<(u16, u16)> = Vec::new();
        for (column, label) in labels {
            let width = u16::try_from(label.width()).unwrap_or(u16::MAX);
            let Some(last) = self.area.right().checked_sub(width) else { continue };
            let from = (*column).min(last);
            // A column between two labels keeps them apart.
            let free = |&(left, right): &(u16, u16)| from > right || from + width < left;
            if from >= self.area.left() && taken.iter().all(free) {
                self.text(from, y, label, style);
                taken.push((from, from + width));
            }
        }
    }
}

/// The columns or rows of `part` of `whole`, rounded down.
pub(super) fn scaled(part: u64, whole: u64, room: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(room) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// A number that is known to be small, as a coordinate.
pub(super) fn coordinate(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// `count` things side by side over `room` columns, a column more here and there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) count: usize,
    pub(super) room: usize,
}

impl Spread {
    /// At most `widest` columns each.
    pub(super) fn new(count: usize, room: u16, widest: usize) -> Self {
        Self { count, room: usize::from(room).min(count.saturating_mul(widest)) }
    }

    /// The columns of a thing.
    pub(super) fn of(self, thing: usize) -> Range<u16> {
        let left = |thing: usize| coordinate(thing * self.room / self.count.max(1));
        left(thing)..left(thing + 1)
    }

    /// The thing in a column.
    pub(super) fn at(self, column: usize) -> Option<usize> {
        (column < self.room).then(|| ((column + 1) * self.count - 1) / self.room)
    }
}

/// The character of each row of a standing bar of `eighths`, from the ground up.
pub(super) fn standing(eighths: u64, symbols: [char; 8]) -> impl Iterator<Item = char> {
    let [.., whole] = symbols;
    let top = usize::try_from(eighths % 8).ok().and_then(|rest| rest.checked_sub(1));
    let wholes = usize::try_from(eighths / 8).unwrap_or(usize::MAX);
    std::iter::repeat_n(whole, wholes).chain(top.and_then(|top| symbols.get(top).copied()))
}
