//! A list that scrolls, and the table that shows one. The state knows row indices alone: which
//! thing a row is, and where the selected one went when rows came or were sorted, its owner knows.
//! Only what is in sight is drawn.

mod scroll;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

pub use self::scroll::{Scroll, Selection, lines};
use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::Theme;

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
    /// The same, but never wider than its widest text.
    Growing {
        /// The least.
        min: u16,
        /// The most.
        most: u16,
        /// Its part of what is left.
        weight: u16,
    },
}

impl Width {
    const fn least(self) -> u16 {
        match self {
            Self::Fixed(width) => width,
            Self::Flexible { min, .. } | Self::Growing { min, .. } => min,
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
        mut cell: impl FnMut(usize, usize, &mut LineBuilder),
    ) {
        let Some(below) = area.height.checked_sub(TITLES) else { return };
        let rows = Rect { y: area.y + TITLES, height: below, ..area };
        let room = self.selection.scroll.draw_bar(rows, theme, buf);
        let places = places(self.columns, room.width);
        for &Place { column, x, width } in &places {
            let mut pen = LineBuilder::new(width, &theme.symbols);
            self.write_title(column, theme, &mut pen);
            let align = self.columns.get(column).map_or(Align::Left, |column| column.align);
            pen.draw(buf, area.x + x, area.y, align);
        }
        for (y, row) in (room.y..room.bottom()).zip(self.selection.in_sight()) {
            let line = Rect { y, height: 1, ..room };
            for &Place { column, x, width } in &places {
                let mut pen = LineBuilder::new(width, &theme.symbols);
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

    fn write_title(&self, column: usize, theme: &Theme, pen: &mut LineBuilder) {
        let Some(&Column { title, .. }) = self.columns.get(column) else { return };
        match self.sorted {
            Some((by, upwards)) if by == column => {
                let symbols = &theme.symbols;
                let mark = if upwards { symbols.ascending } else { symbols.descending };
                // The mark is never what is cut.
                let mut short = LineBuilder::new(
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
                let row = self.selection.scroll.offset() + usize::from(line);
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
    // Its part of what is left, and how much more than the least it takes of that.
    let wish = |column: &Column| match column.width {
        Width::Fixed(_) => (0, 0),
        Width::Flexible { weight, .. } => (usize::from(weight), usize::MAX),
        Width::Growing { min, most, weight } => {
            (usize::from(weight), usize::from(most.saturating_sub(min)))
        }
    };
    let mut weights: usize = kept.iter().map(|(_, column)| wish(column).0).sum();
    let mut x = 0;
    let mut places = Vec::with_capacity(kept.len());
    for (index, column) in kept {
        let (own, most) = wish(column);
        let more = (left * own).checked_div(weights).unwrap_or(0).min(most);
        left -= more;
        weights -= own;
        let more = u16::try_from(more).unwrap_or(u16::MAX);
        let width = column.width.least().saturating_add(more).min(width.saturating_sub(x));
        places.push(Place { column: index, x, width });
        x = x.saturating_add(width).saturating_add(1);
    }
    places
}

#[cfg(test)]
mod tests {
    use ratatui::style::Modifier;

    use super::*;
    use crate::tui::keys::Action;

    const COLUMNS: [Column; 4] = [
        Column { title: "#", width: Width::Fixed(4), priority: 9, align: Align::Right },
        Column {
            title: "pattern",
            width: Width::Flexible { min: 8, weight: 3 },
            priority: 8,
            align: Align::Left,
        },
        Column { title: "bytes", width: Width::Fixed(6), priority: 1, align: Align::Right },
        Column {
            title: "client",
            width: Width::Flexible { min: 5, weight: 1 },
            priority: 3,
            align: Align::Left,
        },
    ];

    fn list(rows: usize, height: u16) -> Selection {
        let mut selection = Selection::new(false);
        selection.fit(rows, height);
        selection
    }

    fn drawn(selection: &Selection, sorted: Option<(usize, bool)>, area: Rect) -> Buffer {
        let theme = Theme::new(false, false);
        let mut buf = Buffer::empty(area);
        let table = Table { columns: &COLUMNS, selection, sorted };
        table.draw(
            area,
            &theme,
            &mut buf,
            |_| Style::new(),
            |row, column, pen| {
                pen.put(&format!("{row}.{column}"), Style::new());
            },
        );
        buf
    }

    fn shown(buf: &Buffer) -> Vec<String> {
        let line = |y| -> String { (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect() };
        (0..buf.area.height).map(line).map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn the_selected_row_moves_and_stays_in_sight() {
        let mut selection = list(100, 10);
        let mut after = |action| {
            selection.act(action);
            (selection.selected().unwrap(), selection.in_sight())
        };
        use Action::*;
        assert_eq!(after(Up), (0, 0..10));
        assert_eq!(after(Down), (1, 0..10));
        assert_eq!(after(PageDown), (11, 2..12));
        assert_eq!(after(HalfPageDown), (16, 7..17));
        assert_eq!(after(HalfPageUp), (11, 7..17));
        assert_eq!(after(PageUp), (1, 1..11));
        assert_eq!(after(Bottom), (99, 90..100));
        assert_eq!(after(Down), (99, 90..100));
        assert_eq!(after(Top), (0, 0..10));
        assert!(!selection.act(SortNext));
    }

    #[test]
    fn it_follows_until_the_user_moves() {
        let mut selection = Selection::new(true);
        assert_eq!(selection.selected(), None);
        selection.fit(0, 10);
        assert_eq!(selection.selected(), None);
        selection.fit(50, 10);
        assert_eq!((selection.selected(), selection.in_sight()), (Some(49), 40..50));
        selection.act(Action::Up);
        selection.fit(60, 10);
        assert_eq!((selection.selected(), selection.in_sight()), (Some(48), 40..50));
        selection.act(Action::Follow);
        selection.fit(70, 10);
        assert_eq!(selection.selected(), Some(69));
        selection.wheel(-3);
        selection.fit(80, 10);
        assert_eq!((selection.selected(), selection.in_sight()), (Some(66), 57..67));
    }

    #[test]
    fn rows_that_go_and_rooms_that_shrink_keep_it_in_bounds() {
        let mut selection = list(100, 10);
        selection.select(95);
        selection.fit(100, 4);
        assert_eq!((selection.selected(), selection.in_sight()), (Some(95), 92..96));
        selection.fit(20, 10);
        assert_eq!((selection.selected(), selection.in_sight()), (Some(19), 10..20));
        selection.fit(0, 0);
        assert_eq!((selection.selected(), selection.in_sight()), (None, 0..0));
        selection.act(Action::PageDown);
        assert_eq!(selection.selected(), None);
    }

    #[test]
    fn what_is_selected_stays_where_it_was_seen() {
        let mut selection = list(100, 10);
        selection.select(50);
        selection.select(45);
        assert_eq!(selection.in_sight(), 41..51);
        // Twenty rows came above.
        selection.fit(120, 10);
        selection.keep(65);
        assert_eq!((selection.selected(), selection.in_sight()), (Some(65), 61..71));
        selection.keep(0);
        assert_eq!((selection.selected(), selection.in_sight()), (Some(0), 0..10));
    }

    #[test]
    fn columns_fall_away_by_priority() {
        let shown =
            |width| places(&COLUMNS, width).iter().map(|place| place.column).collect::<Vec<_>>();
        assert_eq!(shown(80), [0, 1, 2, 3]);
        assert_eq!(shown(26), [0, 1, 2, 3]);
        assert_eq!(shown(25), [0, 1, 3]);
        assert_eq!(shown(18), [0, 1]);
        assert_eq!(shown(12), [0]);
        assert_eq!(shown(0), [0]);
        for width in 0..300 {
            let places = places(&COLUMNS, width);
            let ends: Vec<_> = places.iter().map(|place| place.x + place.width).collect();
            assert!(ends.iter().all(|end| *end <= width), "{width} {places:?}");
            let follow = places.windows(2).all(|pair| pair[0].x + pair[0].width < pair[1].x);
            assert!(follow, "{width} {places:?}");
            // Nothing that could be given is left over.
            assert!(width < 13 || ends.last() == Some(&width), "{width} {places:?}");
        }
    }

    #[test]
    fn only_what_is_in_sight_is_drawn() {
        let mut selection = list(1_000_000, 4);
        selection.select(500_000);
        let buf = drawn(&selection, Some((1, false)), Rect::new(0, 0, 40, 5));
        let lines = shown(&buf);
        // 39 columns: 4, 8 + 9, 6, 5 + 4 and three blanks.
        assert_eq!(lines[0], "   # pattern▼".to_owned() + &" ".repeat(11) + "bytes client");
        assert_eq!(lines[1], "499… 499997.1".to_owned() + &" ".repeat(10) + "49999… 499997.3 │");
        assert_eq!(lines.len(), 5);
        assert!(buf[(0, 4)].modifier.contains(Modifier::REVERSED));
        assert!(!buf[(0, 3)].modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn the_bar_touches_an_end_only_there() {
        let bar = |row| {
            let mut selection = list(1_000, 8);
            selection.select(row);
            let buf = drawn(&selection, None, Rect::new(0, 0, 30, 9));
            (1..9).map(|y| buf[(29, y)].symbol() == "█").collect::<Vec<_>>()
        };
        assert!(bar(0)[0]);
        assert!(!bar(9)[0]);
        assert!(bar(999)[7]);
        assert!(!bar(998 - 8)[7]);
        assert!(bar(500)[3] || bar(500)[4]);
        // Where all is in sight there is none, and the columns stand where they stood.
        let few = drawn(&list(3, 8), None, Rect::new(0, 0, 30, 9));
        assert!((1..9).all(|y| few[(29, y)].symbol() == " "));
    }

    #[test]
    fn a_click_finds_what_is_there() {
        let mut selection = list(100, 9);
        selection.select(50);
        let table = Table { columns: &COLUMNS, selection: &selection, sorted: None };
        let area = Rect::new(10, 5, 60, 10);
        let hit = |x, y| table.hit(area, Position::new(x, y));
        assert_eq!(hit(10, 5), Some(Hit::Title(0)));
        assert_eq!(hit(16, 5), Some(Hit::Title(1)));
        assert_eq!(hit(10, 6), Some(Hit::Row(42, Some(0))));
        assert_eq!(hit(16, 14), Some(Hit::Row(50, Some(1))));
        assert_eq!(hit(16, 15), None);
        assert_eq!(hit(9, 6), None);
        let few = list(2, 9);
        let table = Table { columns: &COLUMNS, selection: &few, sorted: None };
        assert_eq!(table.hit(area, Position::new(16, 8)), None);
    }

    #[test]
    fn it_can_be_drawn_at_any_size() {
        for width in 0..60 {
            for height in 0..12 {
                let mut selection = list(7, height.max(1) - 1);
                selection.select(6);
                drawn(&selection, Some((0, true)), Rect::new(0, 0, width, height));
            }
        }
    }
}
