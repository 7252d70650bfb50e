//! Finds out which of many rows are shown, and sorts them: work for other threads, each of which
//! has a picture of the rows and hands back parts of a list.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::order::{Column, Key};
use super::{Condition, Rows, Test};
use crate::exchange::ExchangeNumber;

/// The rows that are looked at.
#[derive(Debug)]
pub(super) enum Candidates {
    /// Those with these numbers.
    All(Range<ExchangeNumber>),
    /// Those at these distances from the base, ascending.
    These(Vec<u32>),
    /// Those at these, in another order.
    Those(Vec<u32>),
}

impl Candidates {
    /// How many they are at most.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::All(range) => {
                usize::try_from(range.end.0.saturating_sub(range.start.0)).unwrap_or(usize::MAX)
            }
            Self::These(offsets) | Self::Those(offsets) => offsets.len(),
        }
    }

    /// Whether their numbers ascend.
    const fn ascend(&self) -> bool {
        !matches!(self, Self::Those(_))
    }
}

/// A look at many rows. Clones share the work: each takes the next part that nobody took.
#[derive(Clone)]
pub(super) struct Scan<A> {
    pub(super) rows: A,
    pub(super) condition: Option<Condition<A>>,
    pub(super) column: Column,
    pub(super) base: ExchangeNumber,
    pub(super) candidates: Arc<Candidates>,
    pub(super) state: Arc<State>,
}

/// How far a sweep is.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Parts that were taken.
    taken: AtomicUsize,
    pub(super) looked_at: AtomicUsize,
    pub(super) unwanted: AtomicBool,
}

/// What a sweep found in a part of the rows.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Which part it is; they are in the order of the candidates.
    pub(super) index: usize,
    /// Distances from the base.
    pub(super) offsets: Vec<u32>,
    /// What sorts each of them, or the name of what does; empty where the order is that of the
    /// numbers.
    sorters: Vec<u64>,
    /// The names among them.
    names: HashSet<u32>,
}

/// What a sweep found.
#[derive(Debug)]
pub(super) struct Found {
    /// What the distances are measured from.
    pub(super) base: ExchangeNumber,
    /// Sorted by column and number.
    pub(super) offsets: Vec<u32>,
    /// How many of them, the first, have something in that column.
    pub(super) keyed: usize,
}

/// Sorts behind everything that is there.
const ABSENT: u64 = u64::MAX;

/// Rows of a part: few enough to be told often how far it is, and to end soon where it is not
/// wanted any more.
const PART: usize = 16_384;

impl<A: Rows> Scan<A> {
    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.candidates.len().div_ceil(PART)
    }

    /// Whether what it finds need not be sorted.
    pub(super) fn is_in_order(&self) -> bool {
        self.column == Column::Number && self.candidates.ascend()
    }

    /// Looks at the parts that nobody took yet, until there are none or they are not wanted, and
    /// gives what it found in each.
    pub(super) fn run(&self, mut give: impl FnMut(Part)) {
        let mut test = self.condition.as_ref().map(|condition| condition.begin(&self.rows));
        while !self.state.unwanted.load(Ordering::Relaxed) {
            let index = self.state.taken.fetch_add(1, Ordering::Relaxed);
            let all = self.candidates.len();
            let from = index.saturating_mul(PART);
            if from >= all {
                return;
            }
            let range = from..all.min(from + PART);
            let looked_at = range.len();
            let part = self.part(index, range, test.as_mut());
            self.state.looked_at.fetch_add(looked_at, Ordering::Relaxed);
            give(part);
        }
    }

    fn part(&self, index: usize, within: Range<usize>, mut test: Option<&mut Test<'_>>) -> Part {
        let mut part = Part { index, ..Part::default() };
        for index in within {
            let number = match &*self.candidates {
                Candidates::All(range) => range.start.saturating_add(index as u64),
                Candidates::These(offsets) | Candidates::Those(offsets) => {
                    let Some(offset) = offsets.get(index) else { continue };
                    self.base.saturating_add(u64::from(*offset))
                }
            };
            let Some(row) = self.rows.row(number) else { continue };
            // A list of more than 2³² rows does not fit into any memory that they are kept in.
            let Ok(offset) = u32::try_from(number.0 - self.base.0) else { continue };
            if test.as_mut().is_some_and(|test| !test(&row)) {
                continue;
            }
            part.offsets.push(offset);
            if self.column == Column::Number {
                continue;
            }
            part.sorters.push(match self.column.name(&row) {
                Some(name) => {
                    part.names.insert(name);
                    name.into()
                }
                None => self.column.plain(&row).map_or(ABSENT, |plain| plain.min(ABSENT - 1)),
            });
        }
        part
    }

    /// All that lies in these parts, sorted.
    pub(super) fn sorted(&self, mut parts: Vec<Part>) -> Found {
        let base = self.base;
        if self.column == Column::Number {
            parts.sort_unstable_by_key(|part| part.index);
            let mut offsets: Vec<u32> = parts.into_iter().flat_map(|part| part.offsets).collect();
            offsets.sort_unstable();
            return Found { base, keyed: offsets.len(), offsets };
        }
        let names = parts.iter().flat_map(|part| &part.names).copied().collect();
        let ranks = self.ranks(names);
        let rank = |sorter: u64| match u32::try_from(sorter) {
            Ok(name) if !ranks.is_empty() => ranks.get(&name).copied().unwrap_or(ABSENT),
            _ => sorter,
        };
        let mut found = Vec::with_capacity(parts.iter().map(|part| part.offsets.len()).sum());
        for part in parts {
            found.extend(part.sorters.into_iter().map(rank).zip(part.offsets));
        }
        found.sort_unstable();
        let keyed = found.partition_point(|(sorter, _)| *sorter != ABSENT);
        Found { base, keyed, offsets: found.into_iter().map(|(_, offset)| offset).collect() }
    }

    /// The place of each name in the order of what has the name. Millions of rows share some
    /// thousand names, so texts and addresses are compared once for each name and not for each row.
    fn ranks(&self, names: HashSet<u32>) -> HashMap<u32, u64> {
        let named = |name: u32| (self.column.named(&self.rows, name), name);
        let mut keys: Vec<_> = names.into_iter().map(named).collect();
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
