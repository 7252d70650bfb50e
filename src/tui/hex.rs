//! Bytes as hex and as text beside it: sixteen to a row, eight where the room is narrow. Parts of
//! them have a style of their own.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::Theme;

/// A part of the bytes that looks different. Later ones win.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The bytes.
    pub range: Range<usize>,
    /// How they look.
    pub style: Style,
}

/// Bytes in a row of `width` cells: 16, 8 or 4.
pub fn bytes_per_row(width: u16) -> usize {
    [16, 8].into_iter().find(|&bytes| columns(bytes) <= usize::from(width)).unwrap_or(4)
}

/// Rows that `len` bytes take.
pub fn rows(len: usize, width: u16) -> usize {
    len.div_ceil(bytes_per_row(width))
}

/// Columns of a row: the offset, the hex with a gap in the middle, the text.
const fn columns(bytes: usize) -> usize {
    OFFSET + 2 + bytes * 3 + 1 + 1 + bytes
}

/// Digits of an offset: a captured packet has at most 262,144 bytes.
const OFFSET: usize = 5;

/// Puts the rows of `bytes` from row `top` on into `area`.
pub fn draw(bytes: &[u8], parts: &[Part], top: usize, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let per_row = bytes_per_row(area.width);
    let chunks = bytes.chunks(per_row).enumerate().skip(top);
    for (row, (index, chunk)) in area.rows().zip(chunks) {
        let start = index * per_row;
        let style = |at: usize| {
            let part = parts.iter().rev().find(|part| part.range.contains(&(start + at)));
            part.map_or(Style::new(), |part| part.style)
        };
        let mut pen = LineBuilder::new(row.width, &theme.symbols);
        pen.put(&format!("{start:0OFFSET$x}  "), theme.dim);
        for (at, byte) in chunk.iter().enumerate() {
            let gap = if at + 1 == per_row / 2 { "  " } else { " " };
            pen.put(&format!("{byte:02x}"), style(at));
            // The blank between two bytes of a part belongs to it.
            let inside = at + 1 < chunk.len() && style(at) == style(at + 1);
            pen.put(gap, if inside { style(at) } else { Style::new() });
        }
        pen.pad_to(columns(per_row) - per_row);
        for (at, byte) in chunk.iter().enumerate() {
            let shown = match byte {
                b' '..=b'~' => char::from(*byte),
                _ => '.',
            };
            pen.put(shown.encode_utf8(&mut [0; 4]), style(at));
        }
        pen.draw(buf, row.x, row.y, Align::Left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(bytes: &[u8], top: usize, width: u16, height: u16) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        draw(bytes, &[], top, area, &mut buf, &Theme::new(true, false));
        let text = |row: Rect| {
            let cells = (0..row.width).filter_map(|x| buf.cell((x, row.y)));
            cells.map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()
        };
        area.rows().map(text).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn bytes_are_shown_as_hex_and_text() {
        let bytes = "61#{\"pattern\":\"求和\"}\x1b[2J".as_bytes();
        assert_eq!(
            drawn(bytes, 0, 80, 3),
            "00000  36 31 23 7b 22 70 61 74  74 65 72 6e 22 3a 22 e6  61#{\"pattern\":\".\n\
             00010  b1 82 e5 92 8c 22 7d 1b  5b 32 4a                 .....\"}.[2J\n"
        );
        assert_eq!(
            drawn(bytes, 2, 41, 2),
            "00010  b1 82 e5 92  8c 22 7d 1b  .....\"}.\n\
             00018  5b 32 4a                  [2J"
        );
        assert_eq!((rows(27, 80), rows(27, 41), rows(0, 80), rows(5, 1)), (2, 4, 0, 2));
    }

    #[test]
    fn parts_have_their_style() {
        let area = Rect::new(0, 0, 80, 1);
        let mut buf = Buffer::empty(area);
        let theme = Theme::new(true, false);
        let parts = [
            Part { range: 0..2, style: theme.dim },
            Part { range: 2..8, style: theme.ok },
            Part { range: 4..6, style: theme.found },
        ];
        draw(b"abcdefghij", &parts, 0, area, &mut buf, &theme);
        let style = |x: u16| {
            let cell = buf.cell((x, 0)).unwrap();
            (cell.fg, cell.bg)
        };
        let of = |style: Style| (style.fg.unwrap_or_default(), style.bg.unwrap_or_default());
        assert_eq!(
            [style(7), style(13), style(19), style(20), style(21), style(31)],
            [
                of(theme.dim),
                of(theme.ok),
                of(theme.found),
                of(theme.found),
                of(theme.found),
                of(Style::new()),
            ]
        );
    }
}
