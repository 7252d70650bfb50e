//! The bytes of packets that can be read nowhere else, one behind the other.

use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes by address. Chunks that are full are never written again, so that clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Bytes {
    full: VecDeque<Arc<Chunk>>,
    tail: Chunk,
    /// Bytes of the full chunks.
    weight: usize,
}

#[derive(Clone, Debug, Default)]
struct Chunk {
    /// The address of its first byte.
    start: u64,
    bytes: Vec<u8>,
    /// How many pieces were pushed.
    pieces: u64,
}

/// Bytes of a chunk; only a larger piece has a larger one.
const CHUNK: usize = 256 << 10;

impl Bytes {
    /// Keeps a copy of a piece, and says where.
    pub(super) fn push(&mut self, piece: &[u8]) -> u64 {
        if self.tail.bytes.capacity() - self.tail.bytes.len() < piece.len() {
            let start = self.end();
            let bytes = Vec::with_capacity(CHUNK.max(piece.len()));
            let full = std::mem::replace(&mut self.tail, Chunk { start, bytes, pieces: 0 });
            if full.pieces > 0 {
                self.weight += full.bytes.capacity();
                self.full.push_back(Arc::new(full));
            }
        }
        let address = self.end();
        self.tail.bytes.extend_from_slice(piece);
        self.tail.pieces += 1;
        address
    }

    /// Bytes of one piece; `None` where they were dropped.
    pub(super) fn get(&self, address: u64, len: usize) -> Option<&[u8]> {
        let chunk = if address >= self.tail.start {
            &self.tail
        } else {
            let behind = self.full.partition_point(|chunk| chunk.start <= address);
            self.full.get(behind.checked_sub(1)?)?
        };
        let within = usize::try_from(address - chunk.start).ok()?;
        chunk.bytes.get(within..)?.get(..len)
    }

    /// The address of the first byte that is there.
    pub(super) fn start(&self) -> u64 {
        self.full.front().map_or(self.tail.start, |chunk| chunk.start)
    }

    fn end(&self) -> u64 {
        self.tail.start + self.tail.bytes.len() as u64
    }

    /// Drops the oldest full chunk, and says how many pieces that were; `None` where there is none.
    pub(super) fn drop_oldest(&mut self) -> Option<u64> {
        let chunk = self.full.pop_front()?;
        self.weight -= chunk.bytes.capacity();
        Some(chunk.pieces)
    }

    /// Drops everything. Addresses go on.
    pub(super) fn clear(&mut self) {
        let start = self.end();
        *self = Self::default();
        self.tail.start = start;
    }

    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        self.weight + self.tail.bytes.capacity()
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "marks, and numbers that are small")]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_until_they_are_dropped() {
        let mut bytes = Bytes::default();
        let piece = |index: usize| {
            let len = if index == 40 { CHUNK + 5 } else { index * 997 % 70_000 };
            vec![index as u8; len]
        };
        let addresses: Vec<_> = (0..60).map(|index| bytes.push(&piece(index))).collect();
        let picture = bytes.clone();
        let whole: usize = (0..60).map(|index| piece(index).len()).sum();
        assert!((whole..whole + whole / 3 + 2 * CHUNK).contains(&bytes.weight()));
        let mut dropped = 0;
        while let Some(pieces) = bytes.drop_oldest() {
            dropped += pieces as usize;
            for (index, address) in addresses.iter().enumerate() {
                let found = bytes.get(*address, piece(index).len());
                assert_eq!(
                    found.is_some(),
                    index >= dropped || piece(index).is_empty() && found.is_some()
                );
                assert!(found.is_none_or(|found| found == piece(index)));
                assert_eq!(picture.get(*address, piece(index).len()), Some(&*piece(index)));
            }
        }
        assert!(bytes.weight() <= CHUNK + 5);
        bytes.clear();
        assert_eq!((bytes.weight(), bytes.get(addresses[59], 1)), (0, None));
        let address = bytes.push(b"on");
        assert!(address > addresses[59]);
        assert_eq!(bytes.get(address, 2), Some(&b"on"[..]));
        assert_eq!(bytes.get(address, 3), None);
    }
}
