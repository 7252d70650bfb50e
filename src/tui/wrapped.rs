//! A long text from the wire, wrapped into rows of cells. Rows are found as far as they are looked
//! at: a text of megabytes opens at once.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::report::{BYTES_PER_COLUMN, push_fitting};
use crate::tui::find::Needle;
use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::Theme;

/// Where a row ends before it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    /// Behind a line feed.
    LineFeeds,
    /// Behind the escape `\n`: in the string of a JSON text, such as a stack trace.
    Escapes,
}

/// The text, and which part of it is in sight.
#[derive(Debug)]
pub struct Wrapped {
    text: Vec<u8>,
    breaks: Breaks,
    /// Columns of a row; 0 before it is known.
    width: usize,
    /// Where each row begins that was found so far. Ascending; the first is 0.
    starts: Vec<usize>,
    /// Where the next row begins; the length of the text when all were found.
    end: usize,
    top: usize,
    needle: Option<Needle>,
    found: Option<Range<usize>>,
}

impl Wrapped {
    /// Shows `text` from its beginning.
    pub const fn new(text: Vec<u8>, breaks: Breaks) -> Self {
        Self {
            text,
            breaks,
            width: 0,
            starts: Vec::new(),
            end: 0,
            top: 0,
            needle: None,
            found: None,
        }
    }

    /// The text.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The room is `width` × `height`: finds the rows that are to be shown.
    pub fn fit(&mut self, width: usize, height: usize) {
        if width != self.width {
            let place = self.starts.get(self.top).copied().unwrap_or_default();
            self.width = width;
            self.starts.clear();
            self.end = 0;
            self.top = self.row_at(place);
        }
        let below = self.top.saturating_add(height);
        self.find_rows(below);
        self.top = self.top.min(self.starts.len().saturating_sub(height));
    }

    /// Scrolls by `rows`, downwards positive.
    pub fn go(&mut self, rows: i64) {
        let by = usize::try_from(rows.unsigned_abs()).unwrap_or(usize::MAX);
        self.top = if rows < 0 { self.top.saturating_sub(by) } else { self.top.saturating_add(by) };
        self.find_rows(self.top.saturating_add(1));
        self.top = self.top.min(self.starts.len().saturating_sub(1));
    }

    /// What is looked for from now on; `None` for nothing.
    pub fn look_for(&mut self, needle: Option<Needle>) {
        self.needle = needle;
        self.found = None;
    }

    /// Goes to the next place of what is looked for, or to the one before, round the ends of the
    /// text. Whether there is one.
    pub fn find(&mut self, backwards: bool) -> bool {
        let Some(needle) = &self.needle else { return false };
        let here = self.starts.get(self.top).copied().unwrap_or_default();
        let found = needle.find_round(&self.text, self.found.as_ref(), here, backwards);
        let Some(found) = found else { return false };
        self.top = self.row_at(found.start);
        self.found = Some(found);
        true
    }

    /// Puts the rows in sight into `area`.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme, style: Style) {
        for (index, row) in (self.top..).zip(area.rows()) {
            let Some(&start) = self.starts.get(index) else { return };
            let end = self.starts.get(index + 1).copied().unwrap_or(self.end);
            let end = if self.breaks == Breaks::LineFeeds { self.trimmed(start, end) } else { end };
            let mut pen = LineBuilder::new(row.width, &theme.symbols);
            let mut from = start;
            while let Some(needle) = &self.needle
                // No farther than it is seen: the rest may be megabytes.
                && let Some(found) = needle.find(self.part(0..self.seen(end, needle)), from)
            {
                pen.put_bytes(self.part(from..found.start), style);
                pen.put_bytes(self.part(found.start..found.end.min(end)), theme.found);
                from = found.end;
            }
            pen.put_bytes(self.part(from..end), style);
            pen.draw(buf, row.x, row.y, Align::Left);
        }
    }

    /// Where that ends of which the beginning is seen, in a row that ends at `end`.
    fn seen(&self, end: usize, needle: &Needle) -> usize {
        end.saturating_add(needle.len() - 1).min(self.text.len())
    }

    /// The end of a row without its line break.
    fn trimmed(&self, start: usize, end: usize) -> usize {
        let row = self.part(start..end);
        let row = row.strip_suffix(b"\n").unwrap_or(row);
        start + row.strip_suffix(b"\r").unwrap_or(row).len()
    }

    fn part(&self, range: Range<usize>) -> &[u8] {
        self.text.get(range).unwrap_or(&[])
    }

    /// The row that holds the byte at `place`.
    fn row_at(&mut self, place: usize) -> usize {
        while self.end <= place && self.find_row() {}
        self.starts.partition_point(|&start| start <= place).saturating_sub(1)
    }

    /// Finds rows until there are `count`, or all.
    fn find_rows(&mut self, count: usize) {
        while self.starts.len() < count && self.find_row() {}
    }

    /// Finds one row more; whether there was one.
    fn find_row(&mut self) -> bool {
        if self.width == 0 || self.end >= self.text.len() {
            return false;
        }
        let rest = self.part(self.end..self.text.len());
        let rest = rest.get(..(self.width + 1).saturating_mul(BYTES_PER_COLUMN)).unwrap_or(rest);
        let line = match self.breaks {
            Breaks::LineFeeds => memchr::memchr(b'\n', rest).map(|at| at + 1),
            Breaks::Escapes => escaped_line(rest),
        };
        let line = rest.get(..line.unwrap_or(rest.len())).unwrap_or(rest);
        // A line that just fits is not to be followed by a row that holds nothing but its break.
        let shown = match self.breaks {
            Breaks::LineFeeds => line.strip_suffix(b"\n").unwrap_or(line),
            Breaks::Escapes => line,
        };
        let read = push_fitting(&mut String::new(), shown, self.width);
        let length = if read >= shown.len() { line.len() } else { read };
        self.starts.push(self.end);
        self.end += length.max(1);
        true
    }
}

/// The length of the text up to behind its first `\n`.
fn escaped_line(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr(b'\\', text.get(at..)?)? + 2;
        if text.get(at - 1) == Some(&b'n') {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(wrapped: &Wrapped) -> Vec<String> {
        let ends = wrapped.starts.iter().skip(1).copied().chain([wrapped.end]);
        let row = |(&start, end)| String::from_utf8_lossy(wrapped.part(start..end)).into_owned();
        wrapped.starts.iter().zip(ends).map(row).collect()
    }

    #[test]
    fn rows_break_at_the_width_and_at_line_feeds() {
        let mut text = Wrapped::new("abcd求和efgh\nx\r\n\n12345\nz".into(), Breaks::LineFeeds);
        text.fit(5, 10);
        assert_eq!(rows(&text), ["abcd", "求和e", "fgh\n", "x\r\n", "\n", "12345\n", "z"]);
        let mut string = Wrapped::new(br#""Error\n at \\nx\n""#.to_vec(), Breaks::Escapes);
        string.fit(10, 10);
        assert_eq!(rows(&string), [r#""Error\n"#, r" at \\nx\n", "\""]);
    }

    #[test]
    fn rows_are_found_as_far_as_they_are_looked_at() {
        let mut text = Wrapped::new(vec![b'x'; 16 << 20], Breaks::LineFeeds);
        text.fit(80, 24);
        assert_eq!(text.starts.len(), 24);
        text.go(100);
        text.fit(80, 24);
        assert_eq!((text.top, text.starts.len()), (100, 124));
        text.go(i64::MAX);
        text.fit(80, 24);
        assert_eq!((text.end, text.top), (16 << 20, text.starts.len() - 24));
        let top = text.top;
        // Another width keeps the place.
        text.fit(160, 24);
        assert!(text.top.abs_diff(top / 2) <= 24, "{} {top}", text.top);
    }

    #[test]
    fn a_search_goes_round() {
        let mut text = Wrapped::new(b"one two\nthree\nTwo\nfour".to_vec(), Breaks::LineFeeds);
        text.fit(20, 1);
        text.look_for(Needle::new("two"));
        let mut tops = Vec::new();
        for _ in 0..3 {
            assert!(text.find(false));
            tops.push(text.top);
        }
        assert!(text.find(true));
        tops.push(text.top);
        assert_eq!(tops, [0, 2, 0, 2]);
    }

    proptest! {
        #[test]
        fn the_rows_are_the_text(
            text in proptest::collection::vec(any::<u8>(), 0..300),
            width in 1_usize..40,
            escapes in any::<bool>(),
        ) {
            let breaks = if escapes { Breaks::Escapes } else { Breaks::LineFeeds };
            let mut wrapped = Wrapped::new(text.clone(), breaks);
            wrapped.fit(width, 10);
            wrapped.go(i64::MAX);
            prop_assert_eq!(wrapped.end, text.len());
            prop_assert!(wrapped.starts.is_sorted());
            let area = Rect::new(0, 0, 40, 10);
            let theme = Theme::new(true, false);
            wrapped.draw(area, &mut Buffer::empty(area), &theme, Style::new());
        }
    }
}
