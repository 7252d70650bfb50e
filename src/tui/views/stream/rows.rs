//! Items laid out in rows.

use std::ops::Range;

use super::index::{Index, Item, Kind, Source};
use crate::report::{counted, push_fitting, push_visible};

/// How the stream is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A frame a row.
    Frames,
    /// All bytes as text, wrapped.
    Text,
    /// All bytes as hex and text.
    Hex,
}

impl Form {
    /// The next one.
    pub const fn next(self) -> Self {
        match self {
            Self::Frames => Self::Text,
            Self::Text => Self::Hex,
            Self::Hex => Self::Frames,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Text => "text",
            Self::Hex => "hex",
        }
    }
}

/// What a layout depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How the stream is shown.
    pub form: Form,
    /// Whether frames take as many rows as they need.
    pub is_unfolded: bool,
    /// Columns of a row.
    pub width: u16,
}

/// Bytes of a frame that are laid out: one row's worth of them, or as many as anybody reads here.
const FOLDED: u64 = 4_096;
const UNFOLDED: u64 = 64 << 10;

/// Digits of an offset.
const OFFSET: usize = 8;

/// An item in rows.
#[derive(Debug)]
pub struct Laid {
    item: Item,
    form: Form,
    /// The bytes that are laid out, or why they cannot be shown.
    bytes: Result<Vec<u8>, String>,
    /// The place of the first of them in the item.
    skipped: usize,
    rows: Vec<Range<usize>>,
    per_row: usize,
}

impl Laid {
    /// Lays out an item.
    pub fn new(item: &Item, layout: &Layout, index: &Index, source: &mut Source<'_>) -> Self {
        let per_row = bytes_per_row(layout.width);
        let mut laid = Self {
            item: *item,
            form: layout.form,
            bytes: Ok(Vec::new()),
            skipped: 0,
            rows: Vec::new(),
            per_row,
        };
        if item.kind != Kind::Gap {
            laid.read(layout, index, source);
        }
        let bytes = laid.bytes.as_deref().unwrap_or_default();
        let wrapped = layout.form == Form::Text || layout.is_unfolded;
        laid.rows = match layout.form {
            Form::Hex => {
                let starts = (0..bytes.len()).step_by(per_row);
                starts.map(|start| start..(start + per_row).min(bytes.len())).collect()
            }
            Form::Text | Form::Frames if wrapped => wrap(bytes, usize::from(layout.width)),
            Form::Text | Form::Frames => Vec::new(),
        };
        let is_cut = layout.is_unfolded && (bytes.len() as u64) < item.len && !bytes.is_empty();
        if laid.rows.is_empty() || is_cut && layout.form == Form::Frames {
            // The row that says so holds none.
            let start = if is_cut { bytes.len() } else { 0 };
            laid.rows.push(start..bytes.len());
        }
        laid
    }

    fn read(&mut self, layout: &Layout, index: &Index, source: &mut Source<'_>) {
        let Item { from, offset, len, is_joined, .. } = self.item;
        let most = match (layout.form, layout.is_unfolded) {
            (Form::Frames, false) => FOLDED,
            _ => UNFOLDED,
        };
        let len = usize::try_from(len.min(most)).unwrap_or(usize::MAX);
        // A character may reach into the next block, which shows no more of it.
        let beyond = if layout.form == Form::Text { CONTINUATIONS } else { 0 };
        let read = index.read(source, from, offset, len.saturating_add(beyond));
        self.bytes = read.map_err(|gone| gone.to_string()).map(|mut bytes| {
            let goes_on = bytes.get(len..).map_or(0, continuations);
            bytes.truncate(len + goes_on);
            if layout.form == Form::Text && is_joined {
                self.skipped = continuations(&bytes).min(bytes.len());
                bytes.drain(..self.skipped);
            }
            bytes
        });
    }

    /// How many rows it takes; at least one.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row that holds a place of the item.
    pub fn row_at(&self, place: usize) -> usize {
        let place = place.saturating_sub(self.skipped);
        let last = self.rows.len().saturating_sub(1);
        self.rows.partition_point(|row| row.end <= place).min(last)
    }

    /// The place of a row in the item, and its bytes.
    pub fn part(&self, row: usize) -> (u64, u64) {
        let range = self.rows.get(row).cloned().unwrap_or_default();
        ((self.skipped + range.start) as u64, range.len() as u64)
    }

    /// The text of a row; where frames have one row each, perhaps wider than that.
    pub fn text(&self, row: usize) -> String {
        if self.item.kind == Kind::Gap {
            return match self.item.len {
                0 => "[bytes missing in capture]".to_owned(),
                bytes => format!("[{} missing in capture]", counted(bytes, "byte", "bytes")),
            };
        }
        let bytes = match &self.bytes {
            Ok(bytes) => bytes,
            Err(gone) => {
                return format!("[{}: {gone}]", counted(self.item.len, "byte", "bytes"));
            }
        };
        let range = self.rows.get(row).cloned().unwrap_or_default();
        if range.is_empty() && !bytes.is_empty() {
            let all = counted(self.item.len, "byte", "bytes");
            return format!("[{all} in all: Enter opens the call]");
        }
        let offset = self.item.offset + (self.skipped + range.start) as u64;
        let part = bytes.get(range).unwrap_or_default();
        if self.form == Form::Hex {
            return hex(part, offset, self.per_row);
        }
        let mut text = String::new();
        push_visible(&mut text, trimmed(part), usize::MAX);
        text
    }
}

/// Bytes behind the first of a character of UTF-8, at most.
const CONTINUATIONS: usize = 3;

/// How many bytes at the front go on with a character that began before.
fn continuations(bytes: &[u8]) -> usize {
    bytes.iter().take(CONTINUATIONS).take_while(|byte| *byte & 0xc0 == 0x80).count()
}

/// Without the line break at its end.
fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The rows of a text: they end behind line breaks, and where the width is full.
fn wrap(bytes: &[u8], width: usize) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let mut start = 0;
    while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
        let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let line = rest.get(..line).unwrap_or(rest);
        let shown = trimmed(line);
        let read = push_fitting(&mut String::new(), shown, width);
        let len = if read >= shown.len() { line.len() } else { read.max(1) };
        rows.push(start..start + len);
        start += len;
    }
    rows
}

/// Bytes in a row of hex: 16, or fewer where there is no room.
fn bytes_per_row(width: u16) -> usize {
    let columns = |bytes: usize| OFFSET + 2 + 3 * bytes + 1 + bytes;
    [16, 8].into_iter().find(|&bytes| columns(bytes) <= usize::from(width)).unwrap_or(4)
}

/// `0000001c  36 31 23 7b …  61#{…`.
fn hex(bytes: &[u8], offset: u64, per_row: usize) -> String {
    let mut text = format!("{offset:0OFFSET$x}  ");
    for at in 0..per_row {
        match bytes.get(at) {
            Some(byte) => text.push_str(&format!("{byte:02x} ")),
            None => text.push_str("   "),
        }
    }
    text.push(' ');
    let shown = |byte: &u8| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' };
    text.extend(bytes.iter().map(shown));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_they_end_and_where_the_row_is_full() {
        let text = "GET / HTTP/1.1\r\n\r\nab求和c\n".as_bytes();
        let rows: Vec<_> = wrap(text, 6).into_iter().map(|row| &text[row]).collect();
        let texts: Vec<_> = rows.iter().map(|row| String::from_utf8_lossy(row)).collect();
        assert_eq!(texts, ["GET / ", "HTTP/1", ".1\r\n", "\r\n", "ab求和", "c\n"]);
    }

    #[test]
    fn hex_is_aligned_where_bytes_end() {
        assert_eq!(hex(b"61#{\x1b}", 0x1c, 8), "0000001c  36 31 23 7b 1b 7d        61#{.}");
    }
}
