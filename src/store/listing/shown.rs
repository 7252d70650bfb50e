//! A list that is whole, and takes in what changes.

use std::collections::VecDeque;
use std::ops::Range;

use super::order::{Column, Key};
use super::sweep::Found;
use super::{Condition, Rows};
use crate::exchange::ExchangeNumber;

/// Changes up to which each is made on its own, with up to half of the list moved for it. More are
/// made together, with the list written anew from the first of them on.
const FEW: usize = 16;

/// The numbers that fulfil a condition, sorted by a column.
pub(super) struct Shown<A> {
    pub(super) column: Column,
    pub(super) condition: Option<Condition<A>>,
    /// What the distances are measured from: 4 bytes a row instead of 8.
    pub(super) base: ExchangeNumber,
    /// Distances of the numbers from the base; ascending by column, then number.
    pub(super) offsets: VecDeque<u32>,
    /// How many of them, the first, have something in that column.
    pub(super) keyed: usize,
    /// No number before this is here.
    pub(super) start: ExchangeNumber,
}

impl<A: Rows> Shown<A> {
    pub(super) fn new(column: Column, condition: Option<Condition<A>>, found: Found) -> Self {
        let Found { base, offsets, keyed } = found;
        Self { column, condition, base, offsets: offsets.into(), keyed, start: base }
    }

    pub(super) fn number(&self, index: usize) -> Option<ExchangeNumber> {
        self.offsets.get(index).map(|&offset| self.base.saturating_add(offset.into()))
    }

    /// Adds rows behind the others: distances from `base`, of which those before `start` gave way.
    pub(super) fn append(
        &mut self,
        base: ExchangeNumber,
        offsets: Vec<u32>,
        start: ExchangeNumber,
    ) {
        let first = offsets.partition_point(|&offset| base.saturating_add(offset.into()) < start);
        let added = offsets.into_iter().skip(first);
        if base == self.base {
            self.offsets.extend(added);
        } else {
            let number = |offset: u32| base.saturating_add(offset.into());
            let added: Vec<_> = added.filter_map(|offset| self.offset(number(offset))).collect();
            self.offsets.extend(added);
        }
        self.keyed = self.offsets.len();
    }

    /// Forgets the rows that gave way, where that is at the front of the list.
    pub(super) fn forget_before(&mut self, start: ExchangeNumber) {
        if self.column == Column::Number {
            let gone =
                self.offsets.partition_point(|&o| self.base.saturating_add(o.into()) < start);
            self.offsets.drain(..gone);
            self.keyed = self.offsets.len();
            self.start = start;
        }
    }

    /// Measures from a later base where the numbers have run too far away from the present one.
    pub(super) fn keep_near(&mut self, numbers: &Range<ExchangeNumber>) {
        if u32::try_from(numbers.end.0.saturating_sub(self.base.0)).is_ok() {
            return;
        }
        let moved = numbers.start.0.saturating_sub(self.base.0);
        let nearer = |offset: &u32| u64::from(*offset).checked_sub(moved);
        self.offsets.retain(|offset| nearer(offset).is_some());
        for offset in &mut self.offsets {
            *offset = nearer(offset).and_then(|near| u32::try_from(near).ok()).unwrap_or_default();
        }
        self.base = self.base.saturating_add(moved);
        self.keyed = self.keyed.min(self.offsets.len());
    }

    /// Takes in which of the numbers belong here, and which do not. `unanswered` changed too, and
    /// stay or stay away until somebody knows better. Both ascending, each once.
    pub(super) fn take(
        &mut self,
        rows: &A,
        answers: &[(ExchangeNumber, bool)],
        unanswered: &[ExchangeNumber],
    ) {
        if self.column == Column::Number {
            self.take_by_number(answers);
        } else {
            self.take_sorted(rows, answers, unanswered);
        }
    }

    /// Nearly always something is added at the end, or something near it comes or goes.
    fn take_by_number(&mut self, answers: &[(ExchangeNumber, bool)]) {
        let mut edits = Vec::new();
        for &(number, belongs) in answers {
            let Some(offset) = self.offset(number) else { continue };
            if self.offsets.back().is_none_or(|&last| last < offset) {
                if belongs {
                    self.offsets.push_back(offset);
                }
            } else if self.offsets.binary_search(&offset).is_ok() != belongs {
                edits.push((offset, belongs));
            }
        }
        if edits.len() <= FEW {
            for (offset, _) in edits {
                match self.offsets.binary_search(&offset) {
                    Ok(index) => _ = self.offsets.remove(index),
                    Err(index) => self.offsets.insert(index, offset),
                }
            }
        } else if let Some(&(first, _)) = edits.first() {
            let start = self.offsets.partition_point(|&offset| offset < first);
            let tail = self.offsets.split_off(start);
            let mut edits = edits.into_iter().peekable();
            for offset in tail {
                while let Some((added, _)) = edits.next_if(|&(edited, _)| edited < offset) {
                    self.offsets.push_back(added);
                }
                if edits.next_if(|&(edited, _)| edited == offset).is_none() {
                    self.offsets.push_back(offset);
                }
            }
            self.offsets.extend(edits.map(|(added, _)| added));
        }
        self.keyed = self.offsets.len();
    }

    /// Takes the changed rows out, wherever they are, and puts those that belong here where they
    /// belong now.
    fn take_sorted(
        &mut self,
        rows: &A,
        answers: &[(ExchangeNumber, bool)],
        unanswered: &[ExchangeNumber],
    ) {
        let start = rows.numbers().start;
        self.start = start;
        let answered = Bits::new(answers.iter().map(|&(number, _)| number));
        // They may stand where they do not belong any more, and among such nothing can be found.
        let unanswered = Bits::new(unanswered.iter().copied());
        let mut stay = Vec::new();
        let base = self.base;
        self.offsets.retain(|&offset| {
            let number = base.saturating_add(offset.into());
            if number < start || answered.has(number) {
                return false;
            }
            let is_unanswered = unanswered.has(number);
            if is_unanswered {
                stay.push(number);
            }
            !is_unanswered
        });
        let belong = answers.iter().filter(|(_, belongs)| *belongs).map(|&(number, _)| number);
        let mut added: Vec<(Key<'_>, u32)> = belong
            .chain(stay)
            .filter_map(|number| {
                Some((self.column.key(rows, &rows.row(number)?), self.offset(number)?))
            })
            .collect();
        added.sort_unstable();
        let places: Vec<(usize, u32)> =
            added.iter().map(|added| (self.place(rows, added), added.1)).collect();
        if places.len() <= FEW {
            // From the last on, so that the places before it stay what they are.
            for &(place, offset) in places.iter().rev() {
                self.offsets.insert(place, offset);
            }
        } else {
            let old = std::mem::take(&mut self.offsets);
            self.offsets.reserve(old.len() + places.len());
            let mut places = places.into_iter().peekable();
            for (index, offset) in old.into_iter().enumerate() {
                while let Some((_, added)) = places.next_if(|&(place, _)| place <= index) {
                    self.offsets.push_back(added);
                }
                self.offsets.push_back(offset);
            }
            self.offsets.extend(places.map(|(_, added)| added));
        }
        self.keyed = self.offsets.partition_point(|&offset| self.key(rows, offset) != Key::Absent);
    }

    /// Where a row with this key and distance stands, or would.
    pub(super) fn place(&self, rows: &A, wanted: &(Key<'_>, u32)) -> usize {
        self.offsets.partition_point(|&offset| (self.key(rows, offset), offset) < *wanted)
    }

    pub(super) fn offset(&self, number: ExchangeNumber) -> Option<u32> {
        number.0.checked_sub(self.base.0).and_then(|offset| u32::try_from(offset).ok())
    }

    fn key<'a>(&self, rows: &'a A, offset: u32) -> Key<'a> {
        let row = rows.row(self.base.saturating_add(offset.into()));
        row.map_or(Key::Absent, |row| self.column.key(rows, &row))
    }
}

/// A set of numbers that lie near each other.
struct Bits {
    first: ExchangeNumber,
    words: Vec<u64>,
}

impl Bits {
    /// The set of these, which ascend.
    fn new(numbers: impl DoubleEndedIterator<Item = ExchangeNumber> + Clone) -> Self {
        let first = numbers.clone().next().unwrap_or_default();
        let last = numbers.clone().next_back().unwrap_or_default();
        let words = usize::try_from((last.0 - first.0) / 64).unwrap_or_default() + 1;
        let mut bits = Self { first, words: vec![0; words] };
        numbers.for_each(|number| {
            let (word, bit) = bits.place(number);
            if let Some(word) = word.and_then(|word| bits.words.get_mut(word)) {
                *word |= bit;
            }
        });
        bits
    }

    fn has(&self, number: ExchangeNumber) -> bool {
        let (word, bit) = self.place(number);
        word.and_then(|word| self.words.get(word)).is_some_and(|word| word & bit != 0)
    }

    fn place(&self, number: ExchangeNumber) -> (Option<usize>, u64) {
        let Some(distance) = number.0.checked_sub(self.first.0) else { return (None, 0) };
        (usize::try_from(distance / 64).ok(), 1 << (distance % 64))
    }
}
