//! The lines of a JSON tree, into cells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{JsonTree, Line, Name};
use crate::report::{BYTES_PER_COLUMN, count, counted};
use crate::tui::find::Needle;
use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::Theme;

impl JsonTree {
    /// Puts the lines from the first shown one on into `area`; the selected one stands out where
    /// the keys go to it.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme, focused: bool) {
        let shown = self.lines.iter().enumerate().skip(self.top);
        for (row, (index, line)) in area.rows().zip(shown) {
            self.draw_line(line, row, buf, theme);
            if focused && index == self.selected {
                buf.set_style(row, theme.selected);
            }
        }
    }

    fn draw_line(&self, line: &Line, row: Rect, buf: &mut Buffer, theme: &Theme) {
        let symbols = &theme.symbols;
        let mut pen = LineBuilder::new(row.width, symbols);
        // However deep: there must be room for the value.
        let indent = usize::try_from(line.depth).unwrap_or(usize::MAX).saturating_mul(2);
        pen.pad_to(indent.min(usize::from(row.width) / 2));
        let marker = match line {
            Line { items: 0, .. } => ' ',
            Line { unfolded: true, .. } => symbols.unfolded,
            Line { .. } => symbols.folded,
        };
        pen.put(&format!("{marker} "), theme.dim);
        let needle = self.needle.as_ref();
        match line.name {
            Name::Top => {}
            Name::Key(start, end) => {
                let key = self.part((start, end));
                let half = pen.room() / 2;
                wire(&mut pen, key, half, theme.name, needle, theme);
                pen.put(": ", theme.dim);
            }
            Name::Index(index) => _ = pen.put(&format!("{index}: "), theme.dim),
            Name::Elements(first) | Name::Members(first) => {
                let last = first.saturating_add(line.items.saturating_sub(1));
                let text = format!("[{first} {} {last}]", symbols.ellipsis);
                pen.put(&text, theme.heading);
                pen.draw(buf, row.x, row.y, Align::Left);
                return;
            }
        }
        self.draw_value(line, &mut pen, theme);
        pen.draw(buf, row.x, row.y, Align::Left);
    }

    fn draw_value(&self, line: &Line, pen: &mut LineBuilder, theme: &Theme) {
        let value = self.part(line.value);
        let needle = self.needle.as_ref();
        let first = value.first().copied().unwrap_or_default();
        let in_object = first == b'{';
        if line.items > 0 {
            let count = if in_object {
                counted(line.items.into(), "member", "members")
            } else {
                counted(line.items.into(), "item", "items")
            };
            if line.unfolded {
                let brackets = if in_object { "{} " } else { "[] " };
                pen.put(&format!("{brackets}{count}"), theme.dim);
            } else {
                let room = pen.room().saturating_sub(count.len() + 2);
                wire(pen, value, room, theme.dim, needle, theme);
                pen.put(&format!("  {count}"), theme.dim);
            }
            return;
        }
        let style = if first == b'"' { theme.string } else { theme.scalar };
        // A value longer than the room in bytes is rarely narrower in columns, and then the note
        // does no harm.
        if value.len() <= pen.room() {
            wire(pen, value, pen.room(), style, needle, theme);
        } else {
            let bytes = line.value.1.saturating_sub(line.value.0);
            let note = format!("  {} bytes", count(bytes.into()));
            let room = pen.room().saturating_sub(note.len());
            wire(pen, value, room, style, needle, theme);
            pen.put(&note, theme.dim);
        }
    }
}

/// Writes text from the wire into at most `columns`, what is looked for standing out.
fn wire(
    pen: &mut LineBuilder,
    text: &[u8],
    columns: usize,
    style: Style,
    needle: Option<&Needle>,
    theme: &Theme,
) {
    let columns = u16::try_from(columns.min(pen.room())).unwrap_or(u16::MAX);
    let mut part = LineBuilder::new(columns, &theme.symbols);
    let mut from = 0;
    // What could be shown at all.
    let seen = text.get(..usize::from(columns) * BYTES_PER_COLUMN).unwrap_or(text);
    while let Some(found) = needle.and_then(|needle| needle.find(seen, from)) {
        part.put_bytes(seen.get(from..found.start).unwrap_or(&[]), style);
        part.put_bytes(seen.get(found.clone()).unwrap_or(&[]), theme.found);
        from = found.end;
    }
    part.put_bytes(text.get(from..).unwrap_or(&[]), style);
    pen.append(&part);
}
