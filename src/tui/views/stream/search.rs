//! A search through a stream, some items at a time.

use super::index::{Index, Item, Items, Kind, Source};
use crate::report::count;
use crate::tui::find::Needle;

/// Items that are looked at in one step.
const ITEMS: usize = 4_000;

/// Bytes that are looked at in one step.
const BYTES: u64 = 16 << 20;

/// A search that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// The item that is looked at next.
    next: u64,
    backwards: bool,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It goes on.
    Goes,
    /// In this item, at this place in it.
    Found(u64, usize),
    /// It came to the last item that is known of, or to the first.
    End,
}

impl Search {
    /// Begins behind item `here`, or before it.
    pub const fn new(here: u64, backwards: bool) -> Self {
        let next = if backwards { here.wrapping_sub(1) } else { here + 1 };
        Self { next, backwards }
    }

    /// Whether it looks at what came earlier.
    pub const fn is_backwards(&self) -> bool {
        self.backwards
    }

    /// Looks at some items more, of those that are `wanted`.
    pub fn step(
        &mut self,
        needle: &Needle,
        items: &Items,
        index: &Index,
        source: &mut Source<'_>,
        wanted: impl Fn(&Item) -> bool,
    ) -> Step {
        let mut bytes = 0;
        for _ in 0..ITEMS {
            let number = self.next;
            let Some(item) = items.get(number) else { return Step::End };
            self.next = if self.backwards { number.wrapping_sub(1) } else { number + 1 };
            if item.kind == Kind::Gap || !wanted(item) {
                continue;
            }
            // What is looked for may reach into the next block.
            let beyond = if item.kind == Kind::Bytes { needle.len().saturating_sub(1) } else { 0 };
            let len = usize::try_from(item.len).unwrap_or(usize::MAX).saturating_add(beyond);
            let read = index.read(source, item.from, item.offset, len).unwrap_or_default();
            if let Some(found) = needle.find(&read, 0) {
                return Step::Found(number, found.start);
            }
            bytes += item.len;
            if bytes > BYTES {
                break;
            }
        }
        Step::Goes
    }

    /// How far it is.
    pub fn about(&self, items: &Items) -> String {
        let all = items.numbers().end;
        let looked = if self.backwards { all.saturating_sub(self.next) } else { self.next };
        format!("Searching: {} of {} (Esc ends it)", count(looked), count(all))
    }
}
