//! What a search through a stream looks at.

use std::ops::ControlFlow;

use super::index::{Index, Item, Items, Kind, Source};
use crate::tui::find::Needle;
use crate::tui::search::{Search, Step};

/// Items that are looked at in one step.
const ITEMS: usize = 4_000;

/// Looks at some items more, of those that are `wanted`; tells the item that holds the needle, and
/// where in it.
pub fn step(
    search: &mut Search,
    needle: &Needle,
    items: &Items,
    index: &Index,
    source: &mut Source<'_>,
    wanted: impl Fn(&Item) -> bool,
) -> Step<usize> {
    search.set_numbers(items.numbers());
    search.step(ITEMS, |number| {
        let item = items.get(number).filter(|item| item.kind != Kind::Gap && wanted(item));
        let Some(item) = item else { return ControlFlow::Continue(0) };
        // What is looked for may reach into the next block.
        let beyond = if item.kind == Kind::Bytes { needle.len().saturating_sub(1) } else { 0 };
        let len = usize::try_from(item.len).unwrap_or(usize::MAX).saturating_add(beyond);
        let read = index.read(source, item.from, item.offset, len).unwrap_or_default();
        match needle.find(&read, 0) {
            Some(found) => ControlFlow::Break(found.start),
            None => ControlFlow::Continue(item.len),
        }
    })
}
