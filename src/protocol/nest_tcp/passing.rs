//! Passing over a frame that is too large to be buffered: nothing of it is kept but counts.

use super::length::{Reach, Units};

/// How much of a frame went by. Kept small, since each connection has room for two of them; what is
/// passed over has at most [`FRAME_PASSED_OVER`](crate::limits::FRAME_PASSED_OVER) units.
#[derive(Debug)]
pub(super) struct Passing {
    /// Bytes of the header that have not gone by.
    header: u16,
    /// UTF-16 units, or bytes.
    declared: u32,
    /// Bytes of the body that went by.
    bytes: u32,
    units: Units,
    /// The beginning of a character that the last part cut: the first `cut_len` of these.
    cut: [u8; 3],
    cut_len: u8,
    /// Brackets that are open, and where the text stands.
    depth: u32,
    state: TextState,
}

impl Passing {
    /// Begins with a header of so many bytes, and the length that it declares.
    pub(super) fn new(declared: u32, header: usize) -> Self {
        // No header has more than `FRAME_HEADER_BYTES`.
        let header = u16::try_from(header).unwrap_or(u16::MAX);
        Self {
            header,
            declared,
            bytes: 0,
            units: Units::default(),
            cut: [0; 3],
            cut_len: 0,
            depth: 0,
            state: TextState::Before,
        }
    }

    /// Takes the next part of the frame. Gives the place in it where the frame ends; `None` where
    /// it goes on behind this part.
    ///
    /// Whether units or bytes were declared is seen as it is for a frame that is buffered: a text
    /// that is whole after as many bytes as declared was counted in bytes.
    pub(super) fn pass(&mut self, part: &[u8]) -> Option<usize> {
        let header = usize::from(self.header).min(part.len());
        self.header = self.header.saturating_sub(u16::try_from(header).unwrap_or(u16::MAX));
        let body = part.get(header..).unwrap_or(&[]);
        let missing = self.declared.saturating_sub(self.bytes);
        self.bytes = self.bytes.saturating_add(u32::try_from(body.len()).unwrap_or(u32::MAX));
        if missing > 0 {
            let head = body.get(..missing as usize);
            for byte in head.unwrap_or(body) {
                self.state = after(self.state, &mut self.depth, *byte);
            }
            if let Some(head) = head
                && self.state == TextState::Closed
            {
                return Some(header + head.len());
            }
        }
        Some(header + self.count(body)?)
    }

    /// Counts units, with the character that the last part cut.
    fn count(&mut self, part: &[u8]) -> Option<usize> {
        let declared = u64::from(self.declared);
        let mut passed = 0;
        let cut = self.cut.get(..usize::from(self.cut_len)).unwrap_or(&[]);
        if !cut.is_empty() {
            // No character has more bytes than four.
            let joined: Vec<u8> = cut.iter().chain(part).copied().take(4).collect();
            let (counted, reach) = self.units.count(&joined, declared);
            passed = counted.saturating_sub(cut.len());
            match reach {
                Reach::End | Reach::SplitsCharacter => return Some(passed),
                Reach::Needs(_) if counted == 0 => return self.keep(&joined),
                Reach::Needs(_) => {}
            }
        }
        let rest = part.get(passed..).unwrap_or(&[]);
        let (counted, reach) = self.units.count(rest, declared);
        match reach {
            Reach::Needs(_) => self.keep(rest.get(counted..).unwrap_or(&[])),
            Reach::End | Reach::SplitsCharacter => Some(passed + counted),
        }
    }

    /// Keeps the beginning of a character: the frame goes on.
    fn keep(&mut self, cut: &[u8]) -> Option<usize> {
        self.cut_len = 0;
        for (place, byte) in self.cut.iter_mut().zip(cut) {
            *place = *byte;
            self.cut_len += 1;
        }
        None
    }
}

/// Where a text stands as far as its brackets and quotes tell. What is one whole object, array or
/// string is closed at its end and nowhere before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextState {
    Before,
    InBrackets,
    InString,
    /// Behind a backslash in a string.
    Escaped,
    Closed,
    /// It is no such text.
    Broken,
}

/// The state after one more byte, inside of `depth` brackets.
const fn after(state: TextState, depth: &mut u32, byte: u8) -> TextState {
    match (state, byte) {
        (TextState::InString, b'\\') => TextState::Escaped,
        (TextState::InString, b'"') if *depth == 0 => TextState::Closed,
        (TextState::InString, b'"') => TextState::InBrackets,
        (TextState::InString | TextState::Escaped, _) => TextState::InString,
        (TextState::Before | TextState::InBrackets, b'"') => TextState::InString,
        (TextState::Before | TextState::InBrackets, b'{' | b'[') => {
            *depth = depth.saturating_add(1);
            TextState::InBrackets
        }
        (TextState::InBrackets, b'}' | b']') => {
            *depth = depth.saturating_sub(1);
            if *depth == 0 { TextState::Closed } else { TextState::InBrackets }
        }
        (TextState::InBrackets, _) | (_, b' ' | b'\t' | b'\n' | b'\r') => state,
        (TextState::Before | TextState::Closed | TextState::Broken, _) => TextState::Broken,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Passes over `wire` in parts, and gives the place of the end.
    fn end_of(wire: &[u8], declared: u64, sizes: &[usize]) -> Option<usize> {
        let mut passing = Passing::new(u32::try_from(declared).unwrap(), 0);
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
