//! What of a list is in sight, and which row is selected.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::keys::Action;
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
        let share = |of: usize| {
            let cells = of as u128 * cells as u128 / self.rows as u128;
            usize::try_from(cells).unwrap_or(usize::MAX)
        };
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
pub fn lines(action: Action, page: usize) -> Option<i64> {
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
    pub(super) scroll: Scroll,
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
