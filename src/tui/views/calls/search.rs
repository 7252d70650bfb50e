//! Looks for the next row that holds a text, or fulfils a condition: a part of the list at a time.

use std::collections::HashMap;

use crate::endpoint::ConnectionNumber;
use crate::exchange::PatternId;
use crate::store::listing::Condition;
use crate::store::{Archive, Bodies, Listing, Row};
use crate::tui::find::Needle;
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
pub struct Search {
    sought: Sought,
    forth: bool,
    /// The row that is looked at next.
    next: usize,
    /// Rows that were looked at.
    looked_at: usize,
    /// Whether a text that many rows share holds what is sought.
    patterns: HashMap<PatternId, bool>,
    connections: HashMap<ConnectionNumber, bool>,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// This row is the next one.
    Found(usize),
    /// There is none in the whole list.
    Nowhere,
    /// Some rows are left.
    GoesOn,
}

impl Search {
    /// Looks for `sought` from the row after `from` on, or from the one before it backwards.
    pub fn new(sought: Sought, from: Option<usize>, forth: bool, rows: usize) -> Self {
        let next = match (from, forth) {
            (Some(from), _) => after(from, forth, rows),
            (None, true) => 0,
            (None, false) => rows.saturating_sub(1),
        };
        let (patterns, connections) = (HashMap::new(), HashMap::new());
        Self { sought, forth, next, looked_at: 0, patterns, connections }
    }

    /// Looks at some more rows.
    pub fn step(&mut self, listing: &Listing, archive: &Archive) -> Progress {
        let rows = listing.len();
        let most = if self.forth { STEP } else { STEP_BACK };
        let needle = Needle::new(&self.sought.text);
        let mut bodies = archive.bodies();
        let condition = self.sought.condition.clone();
        let mut test = condition.as_ref().map(|condition| condition.begin(archive));
        for _ in 0..most {
            if self.looked_at >= rows {
                return Progress::Nowhere;
            }
            let index = self.next.min(rows - 1);
            self.next = after(index, self.forth, rows);
            self.looked_at += 1;
            let row = listing.number(index).and_then(|number| archive.row(number));
            let fits = |row: &Row| match &mut test {
                Some(test) => test(row),
                None => {
                    self.holds(archive, row)
                        || needle.as_ref().is_some_and(|needle| is_said(needle, row, &mut bodies))
                }
            };
            if row.as_ref().is_some_and(fits) {
                return Progress::Found(index);
            }
        }
        Progress::GoesOn
    }

    /// Rows that were looked at.
    pub const fn looked_at(&self) -> usize {
        self.looked_at
    }

    fn holds(&mut self, archive: &Archive, row: &Row) -> bool {
        let needle = &self.sought.text;
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

/// The row after `index`, or the one before it; round the end of the list.
const fn after(index: usize, forth: bool, rows: usize) -> usize {
    match (forth, index) {
        (true, index) if index + 1 < rows => index + 1,
        (true, _) => 0,
        (false, 0) => rows.saturating_sub(1),
        (false, index) => index - 1,
    }
}
