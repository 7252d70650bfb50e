//! Puts a frame together again whose bytes lie in several packets.

use std::collections::BTreeMap;

/// Bytes of one piece of a stream, as they come; the first that were seen of each place count.
#[derive(Debug)]
pub(super) struct Pieces {
    bytes: Vec<u8>,
    /// Where covered runs begin → where they end. No run touches the next.
    covered: BTreeMap<usize, usize>,
}

impl Pieces {
    /// Nothing of `len` bytes. The caller bounds `len`.
    pub(super) fn new(len: usize) -> Self {
        Self { bytes: vec![0; len], covered: BTreeMap::new() }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.bytes.is_empty() || self.covered.get(&0) == Some(&self.bytes.len())
    }

    /// Takes in bytes that begin `at`, which may lie before the first or behind the last.
    pub(super) fn add(&mut self, at: i64, piece: &[u8]) {
        let cut = usize::try_from(at.min(0).unsigned_abs()).unwrap_or(usize::MAX);
        let mut at = usize::try_from(at.max(0)).unwrap_or(usize::MAX);
        let mut piece = piece.get(cut..).unwrap_or(&[]);
        while !piece.is_empty() && at < self.bytes.len() {
            let before = self.covered.range(..=at).next_back();
            if let Some((_, &end)) = before
                && end > at
            {
                piece = piece.get(end - at..).unwrap_or(&[]);
                at = end;
                continue;
            }
            let next =
                self.covered.range(at..).next().map_or(self.bytes.len(), |(start, _)| *start);
            let here = piece.len().min(next - at);
            let (now, later) = piece.split_at(here);
            if let Some(room) = self.bytes.get_mut(at..at + here) {
                room.copy_from_slice(now);
            }
            self.cover(at, at + here);
            (at, piece) = (at + here, later);
        }
    }

    /// The bytes, once they are whole.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Notes that nothing is missing any more between two places that were not covered.
    fn cover(&mut self, start: usize, end: usize) {
        let end = self.covered.remove(&end).unwrap_or(end);
        match self.covered.range_mut(..=start).next_back() {
            Some((_, before)) if *before == start => *before = end,
            _ => {
                self.covered.insert(start, end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_bytes_of_each_place_count(
            len in 0..60_usize,
            pieces in proptest::collection::vec((-20..80_i64, 0..30_usize), 0..30),
        ) {
            let mut gathered = Pieces::new(len);
            let mut naive: Vec<Option<u8>> = vec![None; len];
            for (&(at, size), mark) in pieces.iter().zip(1..) {
                gathered.add(at, &vec![mark; size]);
                for place in at..at.saturating_add_unsigned(size as u64) {
                    if let Some(byte) = usize::try_from(place).ok().and_then(|at| naive.get_mut(at)) {
                        byte.get_or_insert(mark);
                    }
                }
                prop_assert_eq!(gathered.is_whole(), naive.iter().all(Option::is_some));
            }
            let naive: Vec<_> = naive.into_iter().map(Option::unwrap_or_default).collect();
            prop_assert_eq!(gathered.into_bytes(), naive);
        }
    }
}
