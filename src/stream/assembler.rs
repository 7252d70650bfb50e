//! Bytes that arrive in any order → the same bytes in order. Knows nothing of TCP: positions in,
//! bytes out.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::nagle::Hold;
use crate::limits::BUFFERED_OVERHEAD;
use crate::packet::PacketRef;

/// What was taken of one side's stream, and what is buffered behind it.
///
/// ```text
///   taken ───► next        buffered          buffered
///  ━━━━━━━━━━━━━━┥  hole  ┝━━━━━━━━┥  hole  ┝━━━━━┿━━━━━┥
/// ```
///
/// Invariants: `next <= start` of every piece; `end <= start` of the piece behind it; no piece is
/// empty; `buffered` is the sum of the pieces' weights. The first bytes that were seen for a
/// position are those that are given for it.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    next: u64,
    pieces: BTreeMap<u64, Piece>,
    buffered: usize,
}

/// Bytes that wait for what lies before them.
#[derive(Debug)]
pub(super) struct Piece {
    /// The packet in which they were first seen.
    pub packet: PacketRef,
    /// Whether that packet may have waited in the kernel of its sender.
    pub hold: Option<Hold>,
    /// They are not to be taken before the other side has reached this position of its stream.
    pub after: u64,
    /// The bytes.
    pub data: Box<[u8]>,
}

impl Piece {
    fn weight(&self) -> usize {
        self.data.len() + BUFFERED_OVERHEAD
    }
}

/// What came of bytes that were to be buffered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Buffered {
    /// How many had not been seen before.
    pub fresh: usize,
    /// Whether others differ from what is buffered for the same position.
    pub conflict: bool,
}

impl Assembler {
    /// Position of the first byte that was not taken yet.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What the buffered bytes weigh.
    pub fn buffered(&self) -> usize {
        self.buffered
    }

    /// Whether nothing is buffered.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Position behind the last byte that was taken or is buffered.
    pub fn end(&self) -> u64 {
        self.pieces
            .last_key_value()
            .map_or(self.next, |(start, piece)| start + piece.data.len() as u64)
    }

    /// The first piece that is buffered, and its position.
    pub fn first(&self) -> Option<(u64, &Piece)> {
        self.pieces.first_key_value().map(|(&start, piece)| (start, piece))
    }

    /// The first piece, if it comes next.
    pub fn ready(&self) -> Option<&Piece> {
        self.first().filter(|&(start, _)| start == self.next).map(|(_, piece)| piece)
    }

    /// Lets the stream begin at `position`; what is buffered before it goes away.
    pub fn begin(&mut self, position: u64) {
        self.next = position;
        while let Some(first) = self.pieces.first_entry()
            && *first.key() < position
        {
            let start = *first.key();
            let mut piece = first.remove();
            self.buffered -= piece.weight();
            let before = usize::try_from(position - start).unwrap_or(usize::MAX);
            if let Some(rest) = piece.data.get(before..).filter(|rest| !rest.is_empty()) {
                piece.data = rest.into();
                self.buffered += piece.weight();
                self.pieces.insert(position, piece);
            }
        }
    }

    /// Takes the bytes that come next straight from `data`, which lies at `start`. Gives them, and
    /// those behind them that cannot be taken yet: the last `later.len()` bytes of `data`.
    pub fn lend<'d>(&mut self, start: u64, data: &'d [u8]) -> (&'d [u8], &'d [u8]) {
        let Some(seen) = self.next.checked_sub(start) else {
            return (&[], data);
        };
        let seen = usize::try_from(seen).unwrap_or(usize::MAX);
        let Some(fresh) = data.get(seen..) else {
            return (&[], &[]);
        };
        let free = match self.pieces.first_key_value() {
            None => fresh.len(),
            Some((first, _)) => usize::try_from(first - self.next).unwrap_or(usize::MAX),
        };
        let (now, later) = fresh.split_at_checked(free).unwrap_or((fresh, &[]));
        self.next += now.len() as u64;
        (now, later)
    }

    /// Buffers the bytes of `data`, which lies at `start`, that were neither taken nor are
    /// buffered.
    pub fn buffer(
        &mut self,
        start: u64,
        data: &[u8],
        (packet, hold): (PacketRef, Option<Hold>),
        after: u64,
    ) -> Buffered {
        let mut result = Buffered::default();
        let end = start + data.len() as u64;
        let mut at = start.max(self.next);
        let part = |from: u64, to: u64| {
            let from = usize::try_from(from - start).unwrap_or(usize::MAX);
            let to = usize::try_from(to - start).unwrap_or(usize::MAX);
            data.get(from..to).unwrap_or_default()
        };
        // A piece that begins before may reach into these bytes.
        if let Some((&before, piece)) = self.pieces.range(..at).next_back() {
            let skip = usize::try_from(at - before).unwrap_or(usize::MAX);
            if let Some(old) = piece.data.get(skip..) {
                let to = end.min(at + old.len() as u64);
                if at < to {
                    result.conflict |= !old.starts_with(part(at, to));
                    at = to;
                }
            }
        }
        while at < end {
            let (hole_end, resume) = match self.pieces.range(at..end).next() {
                None => (end, end),
                Some((&next, piece)) => {
                    let to = end.min(next + piece.data.len() as u64);
                    result.conflict |= !piece.data.starts_with(part(next, to));
                    (next, to)
                }
            };
            if at < hole_end {
                let piece = Piece { packet, hold, after, data: part(at, hole_end).into() };
                result.fresh += piece.data.len();
                self.buffered += piece.weight();
                if let Entry::Vacant(place) = self.pieces.entry(at) {
                    place.insert(piece);
                }
            }
            at = resume;
        }
        result
    }

    /// No piece waits for more of the other side than up to `position`.
    pub fn wait_for_no_more_than(&mut self, position: u64) {
        for piece in self.pieces.values_mut() {
            piece.after = piece.after.min(position);
        }
    }

    /// Takes the first piece, if it comes next. Gives its position too.
    pub fn release(&mut self) -> Option<(u64, Piece)> {
        let first = self.pieces.first_entry()?;
        if *first.key() != self.next {
            return None;
        }
        let (start, piece) = first.remove_entry();
        self.buffered -= piece.weight();
        self.next += piece.data.len() as u64;
        Some((start, piece))
    }

    /// Gives the bytes up to `position` up, at most up to what is buffered. Says how many.
    pub fn skip_to(&mut self, position: u64) -> u64 {
        let bound = self.first().map_or(position, |(start, _)| start);
        let bytes = position.min(bound).saturating_sub(self.next);
        self.next += bytes;
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::packet::PacketNumber;

    /// What a test does to an assembler.
    #[derive(Clone, Debug)]
    enum Step {
        /// Bytes come: those that are next are lent, the rest is buffered.
        Bytes { start: u64, data: Vec<u8> },
        /// Bytes come that are not to be lent, even where they are next.
        Buffer { start: u64, data: Vec<u8> },
        /// What is buffered and comes next is taken.
        Release,
        /// Bytes are given up.
        Skip { to: u64 },
    }

    /// As simple as can be: what was seen first for each position.
    #[derive(Default)]
    struct Model {
        next: u64,
        seen: BTreeMap<u64, (u8, u64)>,
    }

    impl Model {
        fn see(&mut self, start: u64, data: &[u8], number: u64) -> bool {
            let mut conflict = false;
            for (position, &byte) in (start..).zip(data) {
                let (first, _) = *self.seen.entry(position).or_insert((byte, number));
                conflict |= position >= self.next && first != byte;
            }
            conflict
        }
    }

    fn step() -> impl Strategy<Value = Step> {
        // Two values only, so that overlaps agree and differ about equally often.
        let bytes = || prop::collection::vec(0..2_u8, 1..12);
        prop_oneof![
            4 => (0..60_u64, bytes()).prop_map(|(start, data)| Step::Bytes { start, data }),
            2 => (0..60_u64, bytes()).prop_map(|(start, data)| Step::Buffer { start, data }),
            2 => Just(Step::Release),
            1 => (0..60_u64).prop_map(|to| Step::Skip { to }),
        ]
    }

    fn packet(number: u64) -> PacketRef {
        PacketRef { number: PacketNumber(number), ..PacketRef::default() }
    }

    proptest! {
        #[test]
        fn gives_each_byte_once_as_it_was_seen_first(steps in prop::collection::vec(step(), 1..40)) {
            let mut assembler = Assembler::default();
            let mut model = Model::default();
            for (number, step) in (1_u64..).zip(steps) {
                let before = model.next;
                let mut given: Vec<(u8, u64)> = Vec::new();
                match step {
                    Step::Bytes { start, data } => {
                        let conflict = model.see(start, &data, number);
                        let (now, later) = assembler.lend(start, &data);
                        given.extend(now.iter().map(|&byte| (byte, number)));
                        let at = start + (data.len() - later.len()) as u64;
                        let buffered = assembler.buffer(at, later, (packet(number), None), 0);
                        prop_assert_eq!(buffered.conflict, conflict);
                    }
                    Step::Buffer { start, data } => {
                        let conflict = model.see(start, &data, number);
                        let buffered = assembler.buffer(start, &data, (packet(number), None), 0);
                        prop_assert_eq!(buffered.conflict, conflict);
                    }
                    Step::Release => {
                        while let Some((start, piece)) = assembler.release() {
                            prop_assert_eq!(start, before + given.len() as u64);
                            given.extend(piece.data.iter().map(|&b| (b, piece.packet.number.0)));
                        }
                        prop_assert!(!model.seen.contains_key(&(before + given.len() as u64)));
                    }
                    Step::Skip { to } => {
                        let skipped = assembler.skip_to(to);
                        prop_assert!((before..before + skipped).all(|p| !model.seen.contains_key(&p)));
                        model.next += skipped;
                    }
                }
                for pair in given {
                    prop_assert_eq!(model.seen.get(&model.next), Some(&pair));
                    model.next += 1;
                }
                prop_assert_eq!(assembler.next(), model.next);
                holds_its_invariants(&assembler);
                let buffered = model.seen.range(model.next..).count();
                prop_assert_eq!(assembler.buffered(), buffered + BUFFERED_OVERHEAD * assembler.pieces.len());
            }
        }
    }

    fn holds_its_invariants(assembler: &Assembler) {
        let mut end = assembler.next;
        for (&start, piece) in &assembler.pieces {
            assert!(end <= start && !piece.data.is_empty());
            end = start + piece.data.len() as u64;
        }
        let weight: usize = assembler.pieces.values().map(Piece::weight).sum();
        assert_eq!(assembler.buffered, weight);
    }

    #[test]
    fn beginning_later_cuts_what_lies_before() {
        let mut assembler = Assembler::default();
        assembler.buffer(10, b"abc", (packet(1), None), 0);
        assembler.buffer(13, b"def", (packet(2), None), 0);
        assembler.begin(14);
        holds_its_invariants(&assembler);
        let (start, piece) = assembler.release().unwrap();
        assert_eq!((start, &*piece.data), (14, &b"ef"[..]));
        assert_eq!(assembler.buffered(), 0);
    }
}
