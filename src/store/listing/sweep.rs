//! Finds out which of many rows are shown, and sorts them: work for a thread of its own, which has
//! a picture of the rows and hands back a list.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::order::{Column, Key};
use super::{Condition, Rows};

/// The rows that are looked at.
#[derive(Debug)]
pub(super) enum Candidates {
    /// Those with these numbers.
    All(Range<u64>),
    /// Those at these distances from the base.
    These(Vec<u32>),
}

impl Candidates {
    /// How many they are at most.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::All(range) => {
                usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX)
            }
            Self::These(offsets) => offsets.len(),
        }
    }
}

/// A look at many rows, in steps.
pub(super) struct Sweep<A> {
    pub(super) rows: A,
    pub(super) condition: Option<Condition<A>>,
    pub(super) column: Column,
    pub(super) base: u64,
    pub(super) candidates: Candidates,
    next: usize,
    /// What sorts each row that was found, or the name of what does, and its distance from the
    /// base.
    found: Vec<(u64, u32)>,
    /// The names among them.
    names: HashSet<u32>,
}

/// What a sweep found.
#[derive(Debug)]
pub(super) struct Found {
    /// What the distances are measured from.
    pub(super) base: u64,
    /// Sorted by column and number.
    pub(super) offsets: Vec<u32>,
    /// How many of them, the first, have something in that column.
    pub(super) keyed: usize,
}

/// Sorts behind everything that is there.
const ABSENT: u64 = u64::MAX;

impl<A: Rows> Sweep<A> {
    pub(super) fn new(
        rows: A,
        condition: Option<Condition<A>>,
        column: Column,
        base: u64,
        candidates: Candidates,
    ) -> Self {
        let (found, names) = (Vec::new(), HashSet::new());
        Self { rows, condition, column, base, candidates, next: 0, found, names }
    }

    /// Looks at up to `budget` rows more. Whether it has seen all.
    pub(super) fn step(&mut self, budget: usize) -> bool {
        let all = self.candidates.len();
        let end = self.next.saturating_add(budget).min(all);
        let mut test = self.condition.as_ref().map(|condition| condition.begin(&self.rows));
        for index in self.next..end {
            let number = match &self.candidates {
                Candidates::All(range) => range.start + index as u64,
                Candidates::These(offsets) => {
                    let Some(offset) = offsets.get(index) else { continue };
                    self.base + u64::from(*offset)
                }
            };
            let Some(row) = self.rows.row(number) else { continue };
            // A list of more than 2³² rows does not fit into any memory that they are kept in.
            let Ok(offset) = u32::try_from(number - self.base) else { continue };
            if test.as_mut().is_none_or(|test| test(&row)) {
                let sorter = match self.column.name(&row) {
                    Some(name) => {
                        self.names.insert(name);
                        name.into()
                    }
                    None => self.column.plain(&row).map_or(ABSENT, |plain| plain.min(ABSENT - 1)),
                };
                self.found.push((sorter, offset));
            }
        }
        drop(test);
        self.next = end;
        end == all
    }

    /// How many rows it has looked at.
    pub(super) const fn looked_at(&self) -> usize {
        self.next
    }

    /// Sorts what was found.
    pub(super) fn finish(mut self) -> Found {
        if !self.names.is_empty() {
            let ranks = self.ranks();
            for (sorter, _) in &mut self.found {
                let name = u32::try_from(*sorter).unwrap_or(u32::MAX);
                *sorter = ranks.get(&name).copied().unwrap_or(ABSENT);
            }
        }
        self.found.sort_unstable();
        let keyed = self.found.partition_point(|(sorter, _)| *sorter != ABSENT);
        let offsets = self.found.into_iter().map(|(_, offset)| offset).collect();
        Found { base: self.base, offsets, keyed }
    }

    /// The place of each name in the order of what has the name. Millions of rows share some
    /// thousand names, so texts and addresses are compared once for each name and not for each row.
    fn ranks(&self) -> HashMap<u32, u64> {
        let named = |name: &u32| (self.column.named(&self.rows, *name), *name);
        let mut keys: Vec<_> = self.names.iter().map(named).collect();
        keys.sort_unstable();
        let mut ranks = HashMap::with_capacity(keys.len());
        let mut rank = 0;
        let mut before = None;
        for (key, name) in keys {
            if before.is_some_and(|before| before != key) {
                rank += 1;
            }
            before = Some(key);
            ranks.insert(name, if key == Key::Absent { ABSENT } else { rank });
        }
        ranks
    }
}
