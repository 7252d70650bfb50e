//! A search through things that are numbered one after the other: some of them at a time, so that
//! the screen goes on meanwhile.

use std::ops::{ControlFlow, Range};

use crate::report::count;

/// Bytes that are looked at in one step.
pub const BYTES_PER_STEP: u64 = 16 << 20;

/// A search that is under way.
#[derive(Clone, Debug)]
pub struct Search {
    /// The numbers of the things that there are.
    numbers: Range<u64>,
    /// The one that is looked at next.
    next: u64,
    looked_at: u64,
    backwards: bool,
    /// Whether it goes on at the other end.
    is_round: bool,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<F> {
    /// It goes on.
    GoesOn,
    /// In the thing of this number, and there so.
    Found(u64, F),
    /// In none of those that there are so far.
    Nowhere,
}

impl Search {
    /// Once round all `numbers`, from behind `here` on, or before it; without `here` from the
    /// start, or backwards from the end.
    pub fn round(numbers: Range<u64>, here: Option<u64>, backwards: bool) -> Self {
        let mut search = Self { numbers, next: 0, looked_at: 0, backwards, is_round: true };
        match here {
            Some(here) => search.go_on(here),
            None if backwards => search.next = search.numbers.end.saturating_sub(1),
            None => search.next = search.numbers.start,
        }
        search
    }

    /// From behind `here` up to the end of what there is, or from before it up to the beginning.
    pub const fn to_the_end(here: u64, backwards: bool) -> Self {
        let next = if backwards { here.wrapping_sub(1) } else { here.wrapping_add(1) };
        Self { numbers: 0..0, next, looked_at: 0, backwards, is_round: false }
    }

    /// There are these now.
    pub fn set_numbers(&mut self, numbers: Range<u64>) {
        self.numbers = numbers;
    }

    /// Whether it looks at what came earlier.
    pub const fn is_backwards(&self) -> bool {
        self.backwards
    }

    /// Things that were looked at.
    pub const fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// Looks at `most` things more, or until many bytes were. Of the thing of a number, `look`
    /// gives where it was found, or how many bytes were looked at in vain.
    pub fn step<F>(
        &mut self,
        most: usize,
        mut look: impl FnMut(u64) -> ControlFlow<F, u64>,
    ) -> Step<F> {
        let mut bytes = 0;
        for _ in 0..most {
            let Range { start, end } = self.numbers;
            if self.is_round && self.looked_at >= end.saturating_sub(start) {
                return Step::Nowhere;
            }
            if !self.numbers.contains(&self.next) {
                match (self.is_round, self.backwards) {
                    (false, _) => return Step::Nowhere,
                    (true, true) => self.next = end.saturating_sub(1),
                    (true, false) => self.next = start,
                }
            }
            let number = self.next;
            self.go_on(number);
            self.looked_at += 1;
            match look(number) {
                ControlFlow::Break(found) => return Step::Found(number, found),
                ControlFlow::Continue(more) => bytes += more,
            }
            if bytes > BYTES_PER_STEP {
                break;
            }
        }
        Step::GoesOn
    }

    /// Goes on behind `here`, or before it.
    const fn go_on(&mut self, here: u64) {
        let next = if self.backwards { here.wrapping_sub(1) } else { here.wrapping_add(1) };
        self.next = next;
    }

    /// How far it is.
    pub fn about(&self) -> String {
        let Range { start, end } = self.numbers;
        let looked = match (self.is_round, self.backwards) {
            (true, _) => self.looked_at,
            (false, true) => end.saturating_sub(self.next),
            (false, false) => self.next.saturating_sub(start),
        };
        let all = end.saturating_sub(start);
        format!("Searching: {} of {} (Esc ends it)", count(looked.min(all)), count(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers that are looked at until it ends, a few a step.
    fn looked_at(mut search: Search) -> Vec<u64> {
        let mut numbers = Vec::new();
        loop {
            let step = search.step(2, |number| {
                numbers.push(number);
                ControlFlow::<(), u64>::Continue(0)
            });
            if step == Step::Nowhere {
                return numbers;
            }
        }
    }

    #[test]
    fn it_goes_once_round_from_where_it_begins() {
        assert_eq!(looked_at(Search::round(3..7, Some(4), false)), [5, 6, 3, 4]);
        assert_eq!(looked_at(Search::round(3..7, Some(4), true)), [3, 6, 5, 4]);
        assert_eq!(looked_at(Search::round(3..7, Some(6), false)), [3, 4, 5, 6]);
        assert_eq!(looked_at(Search::round(3..7, None, false)), [3, 4, 5, 6]);
        assert_eq!(looked_at(Search::round(3..7, None, true)), [6, 5, 4, 3]);
        // What it began at is gone.
        assert_eq!(looked_at(Search::round(3..5, Some(9), false)), [3, 4]);
        assert_eq!(looked_at(Search::round(0..0, None, true)), [0; 0]);
    }

    #[test]
    fn one_way_it_ends_at_the_end_and_goes_on_where_more_comes() {
        let mut search = Search::to_the_end(1, false);
        search.set_numbers(0..4);
        assert_eq!(looked_at(search.clone()), [2, 3]);
        let step = |search: &mut Search| search.step(9, |_| ControlFlow::<(), u64>::Continue(0));
        assert_eq!(step(&mut search), Step::Nowhere);
        search.set_numbers(0..6);
        assert_eq!(looked_at(search), [4, 5]);
        let mut search = Search::to_the_end(2, true);
        search.set_numbers(0..4);
        assert_eq!(looked_at(search), [1, 0]);
    }

    #[test]
    fn a_step_ends_when_much_was_read() {
        let mut search = Search::round(0..10, None, false);
        let mut looked = 0;
        let step = search.step(10, |_| {
            looked += 1;
            ControlFlow::<(), u64>::Continue(BYTES_PER_STEP / 2 + 1)
        });
        assert_eq!((step, looked), (Step::GoesOn, 2));
        assert_eq!(search.step(10, |number| ControlFlow::Break(number * 2)), Step::Found(2, 4));
    }
}
