//! Looks for the next row that holds a text, or fulfils a condition: a part of the list at a time.

use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::endpoint::ConnectionNumber;
use crate::exchange::PatternId;
use crate::store::listing::Condition;
use crate::store::{Archive, Bodies, Listing, Row};
use crate::tui::find::Needle;
use crate::tui::search::{Search, Step};
use crate::tui::text::found;

/// Rows that are looked at between two frames: their payloads may have to be read from the file,
/// which is slower against its order.
const STEP: usize = 4_000;
const STEP_BACK: usize = 250;

/// What is looked for.
#[derive(Clone)]
pub struct Sought {
    /// As it was typed.
    pub text: String,
    /// Where it is a display filter.
    pub condition: Option<Condition>,
}

/// A search that goes on.
pub struct Hunt {
    sought: Sought,
    search: Search,
    texts: Texts,
}

/// Whether a text that many rows share holds what is sought.
#[derive(Default)]
struct Texts {
    patterns: HashMap<PatternId, bool>,
    connections: HashMap<ConnectionNumber, bool>,
}

impl Hunt {
    /// Looks for `sought` from the row after `from` on, or from the one before it backwards.
    pub fn new(sought: Sought, from: Option<usize>, forth: bool, rows: usize) -> Self {
        let search = Search::round(0..rows as u64, from.map(|row| row as u64), !forth);
        Self { sought, search, texts: Texts::default() }
    }

    /// Looks at some more rows.
    pub fn step(&mut self, listing: &Listing, archive: &Archive) -> Step<()> {
        let Self { sought, search, texts } = self;
        let most = if search.is_backwards() { STEP_BACK } else { STEP };
        let needle = Needle::new(&sought.text);
        let mut bodies = archive.bodies();
        let mut test = sought.condition.as_ref().map(|condition| condition.begin(archive));
        search.set_numbers(0..listing.len() as u64);
        search.step(most, |index| {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            let row = listing.number(index).and_then(|number| archive.row(number));
            let fits = |row: &Row| match &mut test {
                Some(test) => test(row),
                None => {
                    texts.hold(&sought.text, archive, row)
                        || needle.as_ref().is_some_and(|needle| is_said(needle, row, &mut bodies))
                }
            };
            if row.as_ref().is_some_and(fits) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(0)
            }
        })
    }

    /// Rows that were looked at.
    pub fn looked_at(&self) -> usize {
        usize::try_from(self.search.looked_at()).unwrap_or(usize::MAX)
    }
}

impl Texts {
    /// Whether one of those of `row` does.
    fn hold(&mut self, needle: &str, archive: &Archive, row: &Row) -> bool {
        let holds = |text: &str| !found(text, needle).is_empty();
        let in_pattern = || archive.pattern(row.pattern).is_some_and(holds);
        let in_ends = || {
            let ends = archive.ends(row.connection);
            ends.is_some_and(|ends| {
                holds(&ends.client.to_string()) || holds(&ends.server.to_string())
            })
        };
        *self.patterns.entry(row.pattern).or_insert_with(in_pattern)
            || *self.connections.entry(row.connection).or_insert_with(in_ends)
            || holds(row.status.name())
    }
}

/// Whether the id or a payload holds the text, as it was on the wire.
fn is_said(needle: &Needle, row: &Row, bodies: &mut Bodies<'_>) -> bool {
    let holds = |text: &[u8]| needle.find(text, 0).is_some();
    let said = bodies.exchange(row.number, |exchange| {
        let replies = exchange.responses.iter();
        let texts = [exchange.id, exchange.data, exchange.error];
        texts.into_iter().flatten().chain(replies).any(holds)
    });
    said.unwrap_or(false)
}
