//! A text that is looked for in bytes from the wire. As in `less` and `vim` with smart case:
//! capital letters in it are meant, small ones stand for both.

use std::ops::Range;

/// What is looked for; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    bytes: Vec<u8>,
    any_case: bool,
}

impl Needle {
    /// `None` where there is nothing to look for.
    pub fn new(text: &str) -> Option<Self> {
        let any_case = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        (!text.is_empty()).then(|| Self { bytes: text.as_bytes().to_vec(), any_case })
    }

    /// Its bytes: how many.
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The first place in `text` that begins at `from` or behind it.
    pub fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let rest = text.get(from..)?;
        let at = if self.any_case {
            let [low, high] = self.first();
            memchr::memchr2_iter(low, high, rest).find(|&at| self.is_at(rest, at))
        } else {
            memchr::memmem::find(rest, &self.bytes)
        }?;
        Some(from + at..from + at + self.bytes.len())
    }

    /// The last place in `text` that begins before `before`.
    pub fn find_back(&self, text: &[u8], before: usize) -> Option<Range<usize>> {
        let head = text.get(..before.min(text.len()))?;
        let [low, high] = self.first();
        let at = memchr::memrchr2_iter(low, high, head).find(|&at| self.is_at(text, at))?;
        Some(at..at + self.bytes.len())
    }

    /// The next place in `text` behind the one that was `found`, or the one before; where none was,
    /// from `here` on. Goes round the ends.
    pub fn find_round(
        &self,
        text: &[u8],
        found: Option<&Range<usize>>,
        here: usize,
        backwards: bool,
    ) -> Option<Range<usize>> {
        if backwards {
            let before = found.map_or(here, |found| found.start);
            self.find_back(text, before).or_else(|| self.find_back(text, text.len()))
        } else {
            let from = found.map_or(here, |found| found.start + 1);
            self.find(text, from).or_else(|| self.find(text, 0))
        }
    }

    /// Every place in `text`, none over another.
    pub fn all(&self, text: &str) -> Vec<Range<usize>> {
        let next = |found: &Range<usize>| self.find(text.as_bytes(), found.end);
        std::iter::successors(self.find(text.as_bytes(), 0), next).collect()
    }

    fn first(&self) -> [u8; 2] {
        let first = self.bytes.first().copied().unwrap_or_default();
        if self.any_case { [first, first.to_ascii_uppercase()] } else { [first, first] }
    }

    fn is_at(&self, text: &[u8], at: usize) -> bool {
        text.get(at..at + self.bytes.len()).is_some_and(|part| {
            if self.any_case { part.eq_ignore_ascii_case(&self.bytes) } else { part == self.bytes }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_letters_stand_for_both() {
        let text = "Sum of SUM and 求和 sum".as_bytes();
        let all = |needle: &str| {
            let needle = Needle::new(needle).unwrap();
            let mut found = Vec::new();
            let mut from = 0;
            while let Some(range) = needle.find(text, from) {
                from = range.start + 1;
                found.push(range.start);
            }
            let mut back = Vec::new();
            let mut before = text.len();
            while let Some(range) = needle.find_back(text, before) {
                before = range.start;
                back.insert(0, range.start);
            }
            assert_eq!(found, back);
            found
        };
        assert_eq!(all("sum"), [0, 7, 22]);
        assert_eq!(all("Sum"), [0]);
        assert_eq!(all("和"), [18]);
        assert!(all("summ").is_empty());
        assert_eq!(Needle::new(""), None);
    }
}
