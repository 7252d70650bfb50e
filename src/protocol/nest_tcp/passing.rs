//! Passing over a frame that is too large to be held: nothing of it is kept but counts.

use super::length::{Reach, Units};

/// How much of a frame went by.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passing {
    /// Bytes of the header that have not gone by.
    header: usize,
    /// UTF-16 units, or bytes.
    declared: u64,
    bytes: u64,
    units: Units,
    /// The beginning of a character that the last part cut: at most three bytes.
    cut: Vec<u8>,
    brackets: Brackets,
}

impl Passing {
    /// Begins with a header of so many bytes, and the length that it declares.
    pub(super) fn new(declared: u64, header: usize) -> Self {
        let (units, cut, brackets) = (Units::default(), Vec::new(), Brackets::Before);
        Self { header, declared, bytes: 0, units, cut, brackets }
    }

    /// Takes the next part of the frame. Gives the place in it where the frame ends; `None` where
    /// it goes on behind this part.
    ///
    /// Whether units or bytes were declared is seen as it is for a frame that is held: a text that
    /// is whole after as many bytes as declared was counted in bytes.
    pub(super) fn pass(&mut self, part: &[u8]) -> Option<usize> {
        let header = self.header.min(part.len());
        self.header -= header;
        let end = self.pass_body(part.get(header..).unwrap_or(&[]))?;
        Some(header + end)
    }

    fn pass_body(&mut self, part: &[u8]) -> Option<usize> {
        let missing = self.declared.saturating_sub(self.bytes);
        let head = usize::try_from(missing).ok().and_then(|missing| part.get(..missing));
        self.bytes = self.bytes.saturating_add(part.len() as u64);
        if missing > 0 {
            self.brackets.read(head.unwrap_or(part));
            if let Some(head) = head
                && self.brackets == Brackets::Closed
            {
                return Some(head.len());
            }
        }
        self.count(part)
    }

    /// Counts units, with the character that the last part cut.
    fn count(&mut self, part: &[u8]) -> Option<usize> {
        let mut passed = 0;
        if !self.cut.is_empty() {
            let before = self.cut.len();
            self.cut.extend(part.iter().take(4 - before.min(4)));
            let (counted, reach) = self.units.count(&self.cut, self.declared);
            passed = counted.saturating_sub(before);
            match reach {
                Reach::End | Reach::SplitsCharacter => return Some(passed),
                Reach::Needs(_) if counted == 0 => return None,
                Reach::Needs(_) => self.cut.clear(),
            }
        }
        let rest = part.get(passed..).unwrap_or(&[]);
        let (counted, reach) = self.units.count(rest, self.declared);
        if let Reach::Needs(_) = reach {
            self.cut.extend_from_slice(rest.get(counted..).unwrap_or(&[]));
            return None;
        }
        Some(passed + counted)
    }
}

/// Where a text stands as far as its brackets and quotes tell. What is one whole object, array or
/// string is closed at its end and nowhere before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brackets {
    Before,
    /// Inside of so many brackets.
    Open(u32),
    /// In a string inside of so many brackets.
    String(u32),
    /// Behind a backslash in such a string.
    Escaped(u32),
    Closed,
    /// No such text.
    Broken,
}

impl Brackets {
    fn read(&mut self, text: &[u8]) {
        *self = text.iter().fold(*self, |state, byte| state.behind(*byte));
    }

    fn behind(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Escaped(depth), _) | (Self::String(depth), ..=b'!' | b'#'..=b'[' | b']'..) => {
                Self::String(depth)
            }
            (Self::String(depth), b'\\') => Self::Escaped(depth),
            (Self::String(depth), b'"') => Self::at(depth),
            (Self::Before, b'"') => Self::String(0),
            (Self::Open(depth), b'"') => Self::String(depth),
            (Self::Before, b'{' | b'[') => Self::Open(1),
            (Self::Open(depth), b'{' | b'[') => Self::Open(depth.saturating_add(1)),
            (Self::Open(depth), b'}' | b']') => Self::at(depth.saturating_sub(1)),
            (Self::Open(_), _) | (_, b' ' | b'\t' | b'\n' | b'\r') => self,
            (Self::Before | Self::Closed | Self::Broken, _) => Self::Broken,
        }
    }

    const fn at(depth: u32) -> Self {
        if depth == 0 { Self::Closed } else { Self::Open(depth) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Passes over `wire` in parts, and gives the place of the end.
    fn end_of(wire: &[u8], declared: u64, sizes: &[usize]) -> Option<usize> {
        let mut passing = Passing::new(declared, 0);
        let mut sizes = sizes.iter().copied().cycle();
        let mut at = 0;
        while at < wire.len() {
            let size = sizes.next().unwrap_or(1).min(wire.len() - at);
            if let Some(end) = passing.pass(&wire[at..at + size]) {
                return Some(at + end);
            }
            at += size;
        }
        None
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_text_is_passed_over_however_it_is_cut(
            inside in "[a-zé求😀\\[{}#0-9]{0,60}",
            behind in "[0-9#{a-z]{1,10}",
            sizes in prop::collection::vec(1_usize..9, 1..20),
        ) {
            let body = format!("{{\"a\":[\"\\\"{inside}\"]}}");
            let wire = format!("{body}{behind}");
            for declared in [body.encode_utf16().count(), body.len()] {
                prop_assert_eq!(end_of(wire.as_bytes(), declared as u64, &sizes), Some(body.len()));
            }
        }

        /// What is no JSON ends where a lossy string of JavaScript's would.
        #[test]
        fn units_are_those_of_a_lossy_string(
            bytes in prop::collection::vec(any::<u8>(), 1..80),
            sizes in prop::collection::vec(1_usize..9, 1..20),
        ) {
            let mut wire = b"!".to_vec();
            wire.extend(bytes);
            wire.push(b'!');
            let units = String::from_utf8_lossy(&wire).encode_utf16().count() as u64;
            wire.extend(b"61#{");
            prop_assert_eq!(end_of(&wire, units, &sizes), Some(wire.len() - 4));
        }
    }
}
