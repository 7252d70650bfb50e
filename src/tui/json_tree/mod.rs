//! A JSON text as a tree of lines, over its bytes as they were on the wire: one line for each value
//! that is not folded away. Numbers of any size, the order of keys, keys given twice and lone
//! surrogates are what they were; nothing is decoded.
//!
//! Only what is unfolded is remembered, and of a large container only ranges: a payload of
//! megabytes opens at once. Depth costs no stack.

mod draw;

use std::ops::Range;

use crate::json::{Item, Outline};
use crate::limits;
use crate::tui::find::Needle;

/// A JSON text, what of it is unfolded, and where the user is in it.
#[derive(Debug)]
pub struct JsonTree {
    text: Vec<u8>,
    outline: Outline,
    /// In the order of the text; never empty.
    lines: Vec<Line>,
    /// < `lines.len()`
    selected: usize,
    /// The first line that is shown. ≤ `selected`
    top: usize,
    needle: Option<Needle>,
    /// Where it was found last, while the user stays there.
    found: Option<Range<usize>>,
}

/// A value, or a range of the items of a large container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    name: Name,
    /// The place of the value, or of all items of the range.
    value: (u32, u32),
    /// How deep it lies: 0 at the top.
    depth: u32,
    /// How many items the value or the range has.
    items: u32,
    unfolded: bool,
}

/// What stands before a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    /// Nothing: the value at the top.
    Top,
    /// The place of its key.
    Key(u32, u32),
    /// Its index in an array.
    Index(u32),
    /// Items of an array, the first of which has this index.
    Elements(u32),
    /// Members of an object, the first of which has this index.
    Members(u32),
}

impl Line {
    /// The place of its first byte, name included.
    const fn start(&self) -> u32 {
        match self.name {
            Name::Key(start, _) => start,
            _ => self.value.0,
        }
    }

    const fn is_range(&self) -> bool {
        matches!(self.name, Name::Elements(_) | Name::Members(_))
    }

    /// How many lines it has right below it when it is unfolded.
    const fn lines(&self) -> usize {
        if self.items > limits::TREE_ITEMS && !self.is_range() {
            self.items.div_ceil(limits::TREE_ITEMS) as usize
        } else {
            self.items as usize
        }
    }
}

impl JsonTree {
    /// A tree of `text`, unfolded as far as a screen or two can show.
    ///
    /// # Errors
    ///
    /// Gives `text` back where it is not one whole JSON text.
    pub fn new(text: Vec<u8>) -> Result<Self, Vec<u8>> {
        let Some(outline) = Outline::of(&text) else { return Err(text) };
        let top = line_of(&outline.top(&text), Name::Top, 0);
        let mut tree = Self {
            text,
            outline,
            lines: vec![top],
            selected: 0,
            top: 0,
            needle: None,
            found: None,
        };
        tree.unfold_at_first();
        Ok(tree)
    }

    /// The bytes of the selected value, or of the items of the selected range.
    pub fn value(&self) -> &[u8] {
        self.lines.get(self.selected).map_or(&[], |line| self.part(line.value))
    }

    /// Whether the selected value is a string.
    pub fn is_on_string(&self) -> bool {
        self.value().first() == Some(&b'"')
            && self.lines.get(self.selected).is_some_and(|line| !line.is_range())
    }

    /// How to name the selected value in a filter or in JavaScript: `data.items[3].name`.
    pub fn path(&self) -> String {
        let mut names = Vec::new();
        let mut depth = u32::MAX;
        for line in self.lines.get(..=self.selected).unwrap_or(&[]).iter().rev() {
            if line.depth < depth {
                depth = line.depth;
                names.push(line.name);
            }
            // A path that nobody can read is cut.
            if depth == 0 || names.len() == PATH_NAMES {
                break;
            }
        }
        let mut path = String::new();
        for name in names.into_iter().rev() {
            match name {
                Name::Top | Name::Elements(_) | Name::Members(_) => {}
                Name::Index(index) => path.push_str(&format!("[{index}]")),
                Name::Key(start, end) => {
                    let quoted = self.part((start, end));
                    let key = quoted.get(1..quoted.len() - 1).unwrap_or(quoted);
                    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                    if key.iter().all(word) && !key.first().is_none_or(u8::is_ascii_digit) {
                        path.push_str(if path.is_empty() { "" } else { "." });
                        path.push_str(&String::from_utf8_lossy(key));
                    } else {
                        path.push_str(&format!("[{}]", String::from_utf8_lossy(quoted)));
                    }
                }
            }
        }
        path
    }

    /// Moves by `lines`, downwards positive.
    pub fn go(&mut self, lines: i64) {
        let by = usize::try_from(lines.unsigned_abs()).unwrap_or(usize::MAX);
        let to = if lines < 0 {
            self.selected.saturating_sub(by)
        } else {
            self.selected.saturating_add(by)
        };
        self.select(to);
    }

    /// Selects a line, the last one at most.
    pub fn select(&mut self, line: usize) {
        self.selected = line.min(self.lines.len() - 1);
        self.found = None;
    }

    /// Selects the line that is shown in this row; whether there is one.
    pub fn select_row(&mut self, row: usize) -> bool {
        let line = self.top.saturating_add(row);
        let there = line < self.lines.len();
        if there {
            self.select(line);
        }
        there
    }

    /// Moves the picture so that the selected line is in it, `height` lines high.
    pub fn show_selected(&mut self, height: usize) {
        let lowest = self.lines.len().saturating_sub(height);
        let first = (self.selected + 1).saturating_sub(height);
        self.top = self.top.clamp(first, self.selected.max(first)).min(lowest.max(first));
    }

    /// Folds what is unfolded and unfolds what is folded. Whether there was anything to fold.
    pub fn toggle(&mut self) -> bool {
        match self.lines.get(self.selected) {
            Some(line) if line.unfolded => self.fold(self.selected),
            Some(line) if line.items > 0 => self.unfold(self.selected),
            _ => return false,
        }
        true
    }

    /// Unfolds the selected line, or goes into it where it is.
    pub fn right(&mut self) {
        match self.lines.get(self.selected) {
            Some(line) if line.items > 0 && !line.unfolded => self.unfold(self.selected),
            Some(line) if line.unfolded => self.go(1),
            _ => {}
        }
    }

    /// Folds the selected line, or goes to the one that it belongs to.
    pub fn left(&mut self) {
        let Some(line) = self.lines.get(self.selected) else { return };
        if line.unfolded {
            self.fold(self.selected);
            return;
        }
        let depth = line.depth;
        let before = self.lines.get(..self.selected).unwrap_or(&[]);
        if let Some(parent) = before.iter().rposition(|line| line.depth < depth) {
            self.select(parent);
        }
    }

    /// Unfolds everything; false where there is too much of it, and some stays folded.
    pub fn unfold_all(&mut self) -> bool {
        let at = self.lines.get(self.selected).map_or(0, Line::start);
        let mut all = true;
        let mut lines = Vec::new();
        let mut left: Vec<Line> = self.lines.first().copied().into_iter().collect();
        while let Some(mut line) = left.pop() {
            let more = line.lines();
            line.unfolded = more > 0 && lines.len() + left.len() + more < limits::TREE_LINES;
            all &= line.unfolded || more == 0;
            lines.push(line);
            if line.unfolded {
                let from = left.len();
                self.push_items(&line, &mut left);
                left.get_mut(from..).unwrap_or(&mut []).reverse();
            }
        }
        self.lines = lines;
        self.select(self.line_at(at));
        all
    }

    /// Folds everything but the value at the top.
    pub fn fold_all(&mut self) {
        let at = self.lines.get(self.selected).map_or(0, Line::start);
        self.fold(0);
        self.unfold(0);
        self.select(self.line_at(at));
    }

    /// What is looked for from now on; `None` for nothing.
    pub fn look_for(&mut self, needle: Option<Needle>) {
        self.needle = needle;
        self.found = None;
    }

    /// Goes to the next place of what is looked for, or to the one before, round the ends of the
    /// text; unfolds the way to it. Whether there is one.
    pub fn find(&mut self, backwards: bool) -> bool {
        let Some(needle) = &self.needle else { return false };
        let here = self.lines.get(self.selected).map_or(0, |line| line.start() as usize);
        let found = needle.find_round(&self.text, self.found.as_ref(), here, backwards);
        let Some(found) = found else { return false };
        self.reveal(found.start);
        self.found = Some(found);
        true
    }

    /// Unfolds the way to the value at `place` of the text and selects it.
    fn reveal(&mut self, place: usize) {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        loop {
            let index = self.line_at(place);
            let Some(line) = self.lines.get(index) else { return };
            let inside = (line.value.0..line.value.1).contains(&place) && !line.unfolded;
            let room = self.lines.len() + line.lines() < limits::TREE_LINES;
            if !inside || line.items == 0 || !room {
                self.select(index);
                return;
            }
            self.unfold(index);
        }
    }

    /// The last line that begins at `place` of the text or before it.
    fn line_at(&self, place: u32) -> usize {
        self.lines.partition_point(|line| line.start() <= place).saturating_sub(1)
    }

    /// Unfolds level by level while the lines stay few.
    fn unfold_at_first(&mut self) {
        for depth in 0.. {
            let folded = |line: &Line| line.depth == depth && line.items > 0 && !line.unfolded;
            let more: usize = self.lines.iter().filter(|line| folded(line)).map(Line::lines).sum();
            let room = self.lines.len().saturating_add(more) <= limits::TREE_LINES_AT_FIRST;
            if more == 0 || !(room || depth == 0) {
                return;
            }
            while let Some(index) = self.lines.iter().position(folded) {
                self.unfold(index);
            }
        }
    }

    fn unfold(&mut self, index: usize) {
        let Some(line) = self.lines.get_mut(index) else { return };
        line.unfolded = line.items > 0;
        let line = *line;
        let mut items = Vec::new();
        self.push_items(&line, &mut items);
        self.lines.splice(index + 1..index + 1, items);
        if self.selected > index {
            self.selected = self.selected.saturating_add(line.lines());
        }
    }

    fn fold(&mut self, index: usize) {
        let Some(line) = self.lines.get_mut(index) else { return };
        line.unfolded = false;
        let depth = line.depth;
        let below = self.lines.get(index + 1..).unwrap_or(&[]);
        let count = below.iter().take_while(|line| line.depth > depth).count();
        self.lines.drain(index + 1..=index + count);
        if self.selected > index {
            self.selected = self.selected.saturating_sub(count).max(index);
        }
    }

    /// Appends the lines right below `line`.
    fn push_items(&self, line: &Line, out: &mut Vec<Line>) {
        let (start, _) = line.value;
        let depth = line.depth + 1;
        let (items, first) = match line.name {
            Name::Elements(first) => (self.outline.items_from(&self.text, start, false), first),
            Name::Members(first) => (self.outline.items_from(&self.text, start, true), first),
            _ => (self.outline.items(&self.text, start), 0),
        };
        let items = (first..).zip(items);
        if line.is_range() || line.items <= limits::TREE_ITEMS {
            let count = line.items as usize;
            out.extend(items.take(count).map(|(index, item)| {
                let key = item.key.as_ref().map(|key| Name::Key(key.start, key.end));
                line_of(&item, key.unwrap_or(Name::Index(index)), depth)
            }));
            return;
        }
        let mut range: Option<Line> = None;
        for (index, item) in items {
            if index.is_multiple_of(limits::TREE_ITEMS) {
                out.extend(range.take());
            }
            let range = range.get_or_insert_with(|| Line {
                name: if item.key.is_some() { Name::Members(index) } else { Name::Elements(index) },
                value: (item.start(), 0),
                depth,
                items: 0,
                unfolded: false,
            });
            range.value.1 = item.value.end;
            range.items += 1;
        }
        out.extend(range);
    }

    fn part(&self, (start, end): (u32, u32)) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or(&[])
    }
}

/// Names of a path that are still read.
const PATH_NAMES: usize = 32;

fn line_of(item: &Item, name: Name, depth: u32) -> Line {
    let value = (item.value.start, item.value.end);
    Line { name, value, depth, items: item.items, unfolded: false }
}

#[cfg(test)]
mod tests;
