//! The bytes of a frame that is not whole yet, and the packets that brought them.

use crate::packet::PacketRef;

/// Places remembered per frame. A frame over more packets than this (one byte a segment) forgets
/// those in its middle, which only a frame hidden in a broken one would ask for.
const MARKS: usize = 512;

/// Above this the memory of a large frame is given back when the frame is over.
const KEPT_CAPACITY: usize = 16 << 10;

#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: Vec<u8>,
    /// Where the bytes of each packet begin, ascending; the first at 0.
    marks: Vec<(usize, PacketRef)>,
}

impl Held {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn push(&mut self, bytes: &[u8], packet: PacketRef) {
        if bytes.is_empty() {
            return;
        }
        if self.marks.last().is_none_or(|(_, last)| last.number != packet.number) {
            if self.marks.len() >= MARKS {
                self.marks.drain(1..MARKS / 2);
            }
            self.marks.push((self.bytes.len(), packet));
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Makes room for a frame whose length is known, growing at least twofold as a vector does,
    /// but not beyond the frame: the declared length alone allocates nothing.
    pub(super) fn reserve(&mut self, missing: usize) {
        let growth = missing.min(self.bytes.len().max(KEPT_CAPACITY));
        if self.bytes.capacity() - self.bytes.len() < growth {
            self.bytes.reserve_exact(growth);
        }
    }

    /// The packet that brought the byte at `offset`.
    pub(super) fn packet_at(&self, offset: usize) -> PacketRef {
        let index = self.marks.partition_point(|(start, _)| *start <= offset);
        let mark = index.checked_sub(1).and_then(|index| self.marks.get(index));
        mark.map(|(_, packet)| *packet).unwrap_or_default()
    }

    pub(super) fn drop_front(&mut self, count: usize) {
        if count >= self.bytes.len() {
            return self.clear();
        }
        let first = self.packet_at(count);
        self.bytes.drain(..count);
        self.marks.retain_mut(|(start, _)| {
            let behind = *start > count;
            *start = start.saturating_sub(count);
            behind
        });
        self.marks.insert(0, (0, first));
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
        self.marks.retain(|(start, _)| *start < len);
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_CAPACITY);
        self.marks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u64) -> PacketRef {
        PacketRef { number, ..PacketRef::default() }
    }

    #[test]
    fn every_byte_knows_its_packet() {
        let mut held = Held::default();
        held.push(b"ab", packet(1));
        held.push(b"c", packet(2));
        held.push(b"d", packet(2));
        held.push(b"ef", packet(5));
        let packets = |held: &Held| -> Vec<u64> {
            (0..held.len()).map(|offset| held.packet_at(offset).number).collect()
        };
        assert_eq!(packets(&held), [1, 1, 2, 2, 5, 5]);
        held.drop_front(1);
        assert_eq!(packets(&held), [1, 2, 2, 5, 5]);
        held.drop_front(2);
        assert_eq!((held.bytes(), packets(&held)), (&b"def"[..], vec![2, 5, 5]));
        held.truncate(1);
        assert_eq!(packets(&held), [2]);
        held.drop_front(1);
        assert!(held.is_empty());
    }

    #[test]
    fn a_frame_over_many_packets_keeps_its_first_and_its_last() {
        let mut held = Held::default();
        for number in 1..=10_000 {
            held.push(b"x", packet(number));
        }
        assert!(held.marks.len() <= MARKS);
        assert_eq!(held.packet_at(0).number, 1);
        assert_eq!(held.packet_at(9_999).number, 10_000);
    }
}
