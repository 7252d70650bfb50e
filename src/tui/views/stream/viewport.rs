//! Which rows of a stream are in sight. Rows are laid out as far as they are looked at: how many
//! there are in all nobody knows.

use std::collections::HashMap;
use std::rc::Rc;

use super::index::{Index, Item, Items, Source};
use super::rows::{Laid, Layout};

/// A row: that of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number of the item.
    pub item: u64,
    /// Its row.
    pub row: usize,
}

/// Items that stay laid out: more than are in sight, and some 20 MB at most.
const LAID: usize = 320;

/// What is in sight.
#[derive(Debug, Default)]
pub struct Viewport {
    /// The selected row.
    pub cursor: Place,
    top: Place,
    in_sight: Vec<Place>,
    layout: Option<Layout>,
    /// With the length of the item then: the last one may grow.
    laid: HashMap<u64, (u64, Rc<Laid>)>,
}

/// What rows are made of, for a while.
struct Table<'a, 'b> {
    laid: &'a mut HashMap<u64, (u64, Rc<Laid>)>,
    layout: &'a Layout,
    index: &'a Index,
    items: &'a Items,
    is_wanted: &'a dyn Fn(&Item) -> bool,
    source: &'a mut Source<'b>,
}

impl Table<'_, '_> {
    fn lay(&mut self, number: u64) -> Option<Rc<Laid>> {
        let item = self.items.get(number)?;
        if let Some((len, laid)) = self.laid.get(&number)
            && *len == item.len
        {
            return Some(Rc::clone(laid));
        }
        if self.laid.len() >= LAID {
            self.laid.clear();
        }
        let laid = Rc::new(Laid::new(item, self.layout, self.index, self.source));
        self.laid.insert(number, (item.len, Rc::clone(&laid)));
        Some(laid)
    }

    fn rows(&mut self, number: u64) -> usize {
        self.lay(number).map_or(1, |laid| laid.len())
    }

    /// The item that is shown at or behind `number`.
    fn item_from(&self, number: u64) -> Option<u64> {
        let numbers = self.items.numbers();
        (number.max(numbers.start)..numbers.end).find(|number| self.is_shown(*number))
    }

    /// The item that is shown before `number`.
    fn item_before(&self, number: u64) -> Option<u64> {
        let numbers = self.items.numbers();
        (numbers.start..number.min(numbers.end)).rev().find(|number| self.is_shown(*number))
    }

    fn is_shown(&self, number: u64) -> bool {
        self.items.get(number).is_some_and(self.is_wanted)
    }

    fn after(&mut self, place: Place) -> Option<Place> {
        if place.row + 1 < self.rows(place.item) {
            return Some(Place { row: place.row + 1, ..place });
        }
        Some(Place { item: self.item_from(place.item + 1)?, row: 0 })
    }

    fn before(&mut self, place: Place) -> Option<Place> {
        if let Some(row) = place.row.checked_sub(1) {
            return Some(Place { row, ..place });
        }
        let item = self.item_before(place.item)?;
        Some(Place { item, row: self.rows(item).saturating_sub(1) })
    }

    /// The row that is there, or the nearest; `None` where there is none at all.
    fn nearest(&mut self, place: Place) -> Option<Place> {
        if self.is_shown(place.item) {
            let last = self.rows(place.item).saturating_sub(1);
            return Some(Place { row: place.row.min(last), ..place });
        }
        match self.item_from(place.item) {
            Some(item) => Some(Place { item, row: 0 }),
            None => self.last(),
        }
    }

    fn last(&mut self) -> Option<Place> {
        let item = self.item_before(u64::MAX)?;
        Some(Place { item, row: self.rows(item).saturating_sub(1) })
    }

    /// The place some rows before `place`, and how many they are.
    fn back(&mut self, mut place: Place, rows: usize) -> Place {
        for _ in 0..rows {
            match self.before(place) {
                Some(before) => place = before,
                None => break,
            }
        }
        place
    }

    /// Up to `count` rows from `top` on.
    fn rows_from(&mut self, top: Place, count: usize) -> Vec<Place> {
        let next = |place: &Place| self.after(*place);
        std::iter::successors(Some(top), next).take(count).collect()
    }
}

impl Viewport {
    /// The rows in sight.
    pub fn in_sight(&self) -> &[Place] {
        &self.in_sight
    }

    /// Selects a row.
    pub const fn go_to(&mut self, place: Place) {
        self.cursor = place;
    }

    /// What is shown will be laid out anew.
    pub fn forget(&mut self) {
        self.laid.clear();
        self.top = Place::default();
        self.in_sight.clear();
    }

    /// The text of a row in sight.
    pub fn text(&self, place: Place) -> String {
        let laid = self.laid.get(&place.item);
        laid.map_or_else(String::new, |(_, laid)| laid.text(place.row))
    }

    /// The place of a row in sight in its item, and its bytes.
    pub fn part(&self, place: Place) -> (u64, u64) {
        self.laid.get(&place.item).map_or((0, 0), |(_, laid)| laid.part(place.row))
    }

    /// The row of an item that holds its byte at `place`.
    pub fn row_at(
        &self,
        number: u64,
        place: usize,
        layout: &Layout,
        index: &Index,
        items: &Items,
        source: &mut Source<'_>,
    ) -> usize {
        let item = items.get(number);
        item.map_or(0, |item| Laid::new(item, layout, index, source).row_at(place))
    }

    /// Moves the cursor by rows, downwards positive.
    pub fn move_by(
        &mut self,
        rows: i64,
        layout: &Layout,
        index: &Index,
        items: &Items,
        is_wanted: &dyn Fn(&Item) -> bool,
        source: &mut Source<'_>,
    ) {
        let laid = &mut self.laid;
        let mut table = Table { laid, layout, index, items, is_wanted, source };
        for _ in 0..rows.unsigned_abs() {
            let next = if rows < 0 { table.before(self.cursor) } else { table.after(self.cursor) };
            match next {
                Some(next) => self.cursor = next,
                None => break,
            }
        }
    }

    /// Finds the rows in sight: `height` of them, the cursor among them.
    #[expect(clippy::too_many_arguments)]
    pub fn look(
        &mut self,
        layout: &Layout,
        height: usize,
        to_end: bool,
        index: &Index,
        items: &Items,
        is_wanted: &dyn Fn(&Item) -> bool,
        source: &mut Source<'_>,
    ) {
        if self.layout.replace(*layout) != Some(*layout) {
            self.laid.clear();
        }
        let laid = &mut self.laid;
        let mut table = Table { laid, layout, index, items, is_wanted, source };
        let cursor = if to_end { table.last() } else { table.nearest(self.cursor) };
        let (Some(cursor), Some(top)) = (cursor, table.nearest(self.top)) else {
            return self.in_sight.clear();
        };
        let mut top = top.min(cursor);
        let mut seen = table.rows_from(top, height);
        if !seen.contains(&cursor) {
            top = table.back(cursor, height.saturating_sub(1));
            seen = table.rows_from(top, height);
        } else if seen.len() < height {
            // No blank rows below while there are others above.
            top = table.back(top, height - seen.len());
            seen = table.rows_from(top, height);
        }
        // Those in sight stay laid out, whatever was let go on the way.
        for place in &seen {
            table.lay(place.item);
        }
        self.cursor = cursor;
        self.top = top;
        self.in_sight = seen;
    }
}
