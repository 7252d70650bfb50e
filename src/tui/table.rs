//! A list that scrolls, and the table that shows one. The state knows row indices alone: which
//! thing a row is, and where the selected one went when rows came or were sorted, its owner knows.
//! Only what is in sight is drawn.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::tui::keys::Action;
use crate::tui::text::{Align, Pen};
use crate::tui::theme::Theme;

/// A text or a list of which a part is in sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    rows: usize,
    /// Rows in sight; at least 1.
    height: usize,
    /// The first row in sight: `offset + height <= rows` where there are that many.
    offset: usize,
}

impl Scroll {
    /// The first row in sight.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The rows in sight.
    pub fn in_sight(&self) -> Range<usize> {
        self.offset..self.offset.saturating_add(self.height).min(self.rows)
    }

    /// There are `rows` now, and room for `height` of them.
    pub fn fit(&mut self, rows: usize, height: u16) {
        self.rows = rows;
        self.height = usize::from(height).max(1);
        self.offset = self.offset.min(self.last_offset());
    }

    /// Moves by lines, downwards positive.
    pub fn by(&mut self, lines: i64) {
        self.offset = moved(self.offset, lines).min(self.last_offset());
    }

    /// Brings `row` into sight, and moves no farther than it must.
    pub fn show(&mut self, row: usize) {
        let row = row.min(self.rows.saturating_sub(1));
        // Before there was any room, the height is 0.
        let first = (row + 1).saturating_sub(self.height.max(1));
        self.offset = self.offset.clamp(first, row).min(self.last_offset());
    }

    /// Moves as `action` says; whether it says so.
    pub fn act(&mut self, action: Action) -> bool {
        let Some(lines) = lines(action, self.height) else { return false };
        self.by(lines);
        true
    }

    const fn last_offset(&self) -> usize {
        self.rows.saturating_sub(self.height)
    }

    /// Draws the scroll bar at the right edge of `area`, where there is more than is in sight.
    /// Returns the room beside it, which does not depend on that.
    pub fn draw_bar(&self, area: Rect, theme: &Theme, buf: &mut Buffer) -> Rect {
        let room = Rect { width: area.width.saturating_sub(1), ..area };
        let cells = usize::from(area.height);
        if self.rows <= self.height || cells == 0 || area.width == 0 {
            return room;
        }
        // In u128 no number of rows is too large.
        let share = |of: usize| (of as u128 * cells as u128 / self.rows as u128) as usize;
        let length = share(self.height).clamp(1, cells);
        let most = cells - length;
        let from = match self.offset {
            0 => 0,
            offset if offset >= self.last_offset() => most,
            // In between it touches neither end.
            offset => share(offset).clamp(1.min(most), most.saturating_sub(1).max(1.min(most))),
        };
        let full = theme.symbols.lying.last().copied().unwrap_or('#');
        for (row, y) in (area.y..area.bottom()).enumerate() {
            let on = (from..from + length).contains(&row);
            let (symbol, style) =
                if on { (full, Style::new()) } else { (theme.symbols.vertical, theme.dim) };
            if let Some(cell) = buf.cell_mut((room.right(), y)) {
                cell.set_char(symbol).set_style(style);
            }
        }
        room
    }
}

/// Lines that `action` moves by, downwards positive, where `page` are in sight.
fn lines(action: Action, page: usize) -> Option<i64> {
    let page = i64::try_from(page).unwrap_or(i64::MAX);
    Some(match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        Action::HalfPageUp => -(page / 2).max(1),
        Action::HalfPageDown => (page / 2).max(1),
        Action::Top => i64::MIN,
        Action::Bottom => i64::MAX,
        _ => return None,
    })
}

fn moved(row: usize, lines: i64) -> usize {
    let step = usize::try_from(lines.unsigned_abs()).unwrap_or(usize::MAX);
    if lines < 0 { row.saturating_sub(step) } else { row.saturating_add(step) }
}

/// A list with a selected row, which may follow the newest one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    scroll: Scroll,
    /// `selected < rows`, or 0 where there are none.
    selected: usize,
    following: bool,
}

impl Selection {
    /// Nothing in it yet. `following`: the last row is the selected one until the user moves.
    pub fn new(following: bool) -> Self {
        Self { following, ..Self::default() }
    }

    /// The selected row, if there is any.
    pub fn selected(&self) -> Option<usize> {
        (self.selected < self.scroll.rows).then_some(self.selected)
    }

    /// The rows in sight.
    pub fn in_sight(&self) -> Range<usize> {
        self.scroll.in_sight()
    }

    /// How many rows there are.
    pub const fn rows(&self) -> usize {
        self.scroll.rows
    }

    /// Whether it follows the newest row.
    pub const fn is_following(&self) -> bool {
        self.following
    }

    /// Follows the newest row, or no longer.
    pub fn follow(&mut self, following: bool) {
        self.following = following;
        if following {
            self.select_last();
        }
    }

    /// There are `rows` now, and room for `height` of them. The selected row stays at its index, or
    /// goes to the last one while following.
    pub fn fit(&mut self, rows: usize, height: u16) {
        let room_changed = self.scroll.height != usize::from(height).max(1);
        self.scroll.fit(rows, height);
        self.selected = self.selected.min(rows.saturating_sub(1));
        if self.following {
            self.select_last();
        } else if room_changed {
            self.scroll.show(self.selected);
        }
    }

    /// Selects `row`, or the last one where there are fewer, and brings it into sight. Following
    /// goes on or not as before.
    pub fn select(&mut self, row: usize) {
        self.selected = row.min(self.scroll.rows.saturating_sub(1));
        self.scroll.show(self.selected);
    }

    /// The rows were sorted anew, or some came above: the selected thing is in `row` now, and
    /// stays at the same height of the screen where that can be.
    pub fn keep(&mut self, row: usize) {
        let above = self.selected.saturating_sub(self.scroll.offset);
        self.selected = row.min(self.scroll.rows.saturating_sub(1));
        self.scroll.offset = self.selected.saturating_sub(above).min(self.scroll.last_offset());
        self.scroll.show(self.selected);
    }

    /// Moves as `action` says; whether it says so. Who moves no longer follows; `Follow` switches
    /// that.
    pub fn act(&mut self, action: Action) -> bool {
        if action == Action::Follow {
            self.follow(!self.following);
            return true;
        }
        let Some(lines) = lines(action, self.scroll.height) else { return false };
        self.following = false;
        self.by(lines);
        true
    }

    /// The wheel moves what is in sight, and takes the selected row along only where it must.
    pub fn wheel(&mut self, lines: i32) {
        self.following = false;
        self.scroll.by(i64::from(lines));
        let seen = self.scroll.in_sight();
        self.selected = self.selected.clamp(seen.start, seen.end.max(seen.start + 1) - 1);
    }

    fn by(&mut self, lines: i64) {
        self.select(moved(self.selected, lines));
    }

    fn select_last(&mut self) {
        self.select(usize::MAX);
    }
}

/// How wide a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Always this wide.
    Fixed(u16),
    /// At least this wide; what is left is shared among such columns by weight.
    Flexible {
        /// The least.
        min: u16,
        /// Its part of what is left.
        weight: u16,
    },
}

impl Width {
    const fn least(self) -> u16 {
        match self {
            Self::Fixed(width) => width,
            Self::Flexible { min, .. } => min,
        }
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// How wide it is, the blank behind it left out.
    pub width: Width,
    /// The lower, the sooner it falls away where there is no room.
    pub priority: u8,
    /// Where its texts stand.
    pub align: Align,
}

/// What is under a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The title of this column.
    Title(usize),
    /// A row, and the column if it is over one.
    Row(usize, Option<usize>),
}

/// Shows a [`Selection`]: a line of titles, then the rows in sight.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The columns from left to right.
    pub columns: &'a [Column],
    /// What is selected and in sight.
    pub selection: &'a Selection,
    /// The column that rows are sorted by, and whether upwards.
    pub sorted: Option<(usize, bool)>,
}

/// Rows of the titles.
pub const TITLES: u16 = 1;

impl Table<'_> {
    /// Draws it. `cell` writes the text of a row and a column; `style` is that of a whole row, such
    /// as a mark. The selected row is shown as such.
    pub fn draw(
        &self,
        area: Rect,
        theme: &Theme,
        buf: &mut Buffer,
        style: impl Fn(usize) -> Style,
        mut cell: impl FnMut(usize, usize, &mut Pen),
    ) {
        let Some(below) = area.height.checked_sub(TITLES) else { return };
        let rows = Rect { y: area.y + TITLES, height: below, ..area };
        let room = self.selection.scroll.draw_bar(rows, theme, buf);
        let places = places(self.columns, room.width);
        for &Place { column, x, width } in &places {
            let mut pen = Pen::new(width, &theme.symbols);
            self.write_title(column, theme, &mut pen);
            let align = self.columns.get(column).map_or(Align::Left, |column| column.align);
            pen.draw(buf, area.x + x, area.y, align);
        }
        for (y, row) in (room.y..room.bottom()).zip(self.selection.in_sight()) {
            let line = Rect { y, height: 1, ..room };
            for &Place { column, x, width } in &places {
                let mut pen = Pen::new(width, &theme.symbols);
                cell(row, column, &mut pen);
                let align = self.columns.get(column).map_or(Align::Left, |column| column.align);
                pen.draw(buf, room.x + x, y, align);
            }
            buf.set_style(line, style(row));
            if self.selection.selected() == Some(row) {
                buf.set_style(line, theme.selected);
            }
        }
    }

    fn write_title(&self, column: usize, theme: &Theme, pen: &mut Pen) {
        let Some(&Column { title, .. }) = self.columns.get(column) else { return };
        match self.sorted {
            Some((by, upwards)) if by == column => {
                let symbols = &theme.symbols;
                let mark = if upwards { symbols.ascending } else { symbols.descending };
                // The mark is never what is cut.
                let mut short = Pen::new(
                    u16::try_from(pen.room().saturating_sub(1)).unwrap_or(u16::MAX),
                    symbols,
                );
                short.put(title, theme.heading);
                pen.append(&short).put(&mark.to_string(), theme.heading);
            }
            _ => _ = pen.put(title, theme.heading),
        }
    }

    /// What is under `position`, where the table was drawn into `area`.
    pub fn hit(&self, area: Rect, position: Position) -> Option<Hit> {
        if !area.contains(position) {
            return None;
        }
        let room = area.width.saturating_sub(1);
        let x = position.x - area.x;
        let column = places(self.columns, room)
            .into_iter()
            .find(|place| (place.x..place.x + place.width + 1).contains(&x))
            .map(|place| place.column);
        match (position.y - area.y).checked_sub(TITLES) {
            None => column.map(Hit::Title),
            Some(line) => {
                let row = self.selection.scroll.offset + usize::from(line);
                (row < self.selection.rows()).then_some(Hit::Row(row, column))
            }
        }
    }

    /// The columns that have room in `width`, from left to right: the order for who moves among
    /// them.
    pub fn shown(&self, width: u16) -> Vec<usize> {
        places(self.columns, width.saturating_sub(1))
            .into_iter()
            .map(|place| place.column)
            .collect()
    }
}

/// Where a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    column: usize,
    /// From the left edge of the table.
    x: u16,
    width: u16,
}

/// The columns that have room in `width`, a blank between them. Those of the lowest priority fall
/// away first, and of equals the rightmost; the last one left is cut rather than left out.
fn places(columns: &[Column], width: u16) -> Vec<Place> {
    let mut kept: Vec<_> = columns.iter().enumerate().collect();
    let least = |kept: &[(usize, &Column)]| -> usize {
        kept.iter().map(|(_, column)| usize::from(column.width.least()) + 1).sum::<usize>()
    };
    while kept.len() > 1 && least(&kept) > usize::from(width) + 1 {
        let lowest = kept.iter().map(|(_, column)| column.priority).min();
        let Some(at) = kept.iter().rposition(|(_, column)| Some(column.priority) == lowest) else {
            break;
        };
        kept.remove(at);
    }
    let mut left = (usize::from(width) + 1).saturating_sub(least(&kept));
    let weight = |column: &Column| match column.width {
        Width::Fixed(_) => 0,
        Width::Flexible { weight, .. } => usize::from(weight),
    };
    let mut weights: usize = kept.iter().map(|(_, column)| weight(column)).sum();
    let mut x = 0;
    let mut places = Vec::with_capacity(kept.len());
    for (index, column) in kept {
        let own = weight(column);
        let more = (left * own).checked_div(weights).unwrap_or(0);
        left -= more;
        weights -= own;
        let more = u16::try_from(more).unwrap_or(u16::MAX);
        let width = column.width.least().saturating_add(more).min(width.saturating_sub(x));
        places.push(Place { column: index, x, width });
        x = x.saturating_add(width).saturating_add(1);
    }
    places
}
