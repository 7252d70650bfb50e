//! The exchanges, or connections, that the user marked.

/// A set of numbers that lie near each other: a bit for each number between the first and the
/// last, so that millions are marked at once.
#[derive(Debug, Default)]
pub struct Marks {
    /// The number of the first bit, a multiple of 64.
    first: u64,
    words: Vec<u64>,
    count: usize,
}

impl Marks {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether `number` is marked.
    pub fn has(&self, number: u64) -> bool {
        let word = number.checked_sub(self.first).and_then(|at| usize::try_from(at / 64).ok());
        word.and_then(|word| self.words.get(word)).is_some_and(|word| word >> (number % 64) & 1 > 0)
    }

    /// Marks `number`, or no longer.
    pub fn switch(&mut self, number: u64) {
        if self.words.is_empty() {
            self.first = number & !63;
        }
        if let Some(missing) = self.first.checked_sub(number & !63).filter(|missing| *missing > 0) {
            let missing = usize::try_from(missing / 64).unwrap_or_default();
            self.words.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = number & !63;
        }
        let Ok(word) = usize::try_from((number - self.first) / 64) else { return };
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let bit = 1 << (number % 64);
        if let Some(word) = self.words.get_mut(word) {
            *word ^= bit;
            if *word & bit > 0 {
                self.count += 1;
            } else {
                self.count -= 1;
            }
        }
    }

    /// Marks nothing.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets those before `number`, which gave way.
    pub fn forget_before(&mut self, number: u64) {
        if number <= self.first || self.is_empty() {
            return;
        }
        let whole = usize::try_from((number - self.first) / 64).unwrap_or(usize::MAX);
        self.words.drain(..whole.min(self.words.len()));
        self.first = number & !63;
        if let Some(word) = self.words.first_mut() {
            *word &= u64::MAX << (number % 64);
        }
        self.count = self.words.iter().map(|word| word.count_ones() as usize).sum();
    }

    /// Each, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        let bits = (self.first..).step_by(64).zip(&self.words);
        bits.flat_map(|(first, word)| {
            (0..64).filter(move |bit| word >> bit & 1 > 0).map(move |bit| first + bit)
        })
    }
}

impl FromIterator<u64> for Marks {
    /// Marks each of these, in whatever order.
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut marks = Self::default();
        for number in numbers {
            if !marks.has(number) {
                marks.switch(number);
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn marks_are_a_set(steps in prop::collection::vec((1..500_u64, 0..12_u8), 0..80)) {
            let mut marks = Marks::default();
            let mut expected = BTreeSet::new();
            for (number, what) in steps {
                if what == 0 {
                    marks.forget_before(number);
                    expected.retain(|&marked| marked >= number);
                } else {
                    marks.switch(number);
                    if !expected.remove(&number) {
                        expected.insert(number);
                    }
                }
                prop_assert_eq!(marks.len(), expected.len());
                prop_assert!(marks.iter().eq(expected.iter().copied()));
                prop_assert!((1..500).all(|number| marks.has(number) == expected.contains(&number)));
            }
        }
    }
}
