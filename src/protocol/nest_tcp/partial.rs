//! The bytes of a frame that is not whole yet, and the packets that brought them.

use crate::packet::PacketRef;

/// Places remembered per frame. A frame over more packets than this (one byte a segment) forgets
/// those in its middle, which only a frame hidden in a broken one would ask for.
const MARKS: usize = 512;

/// The least by which the memory grows. What was declared counts for nothing before it came: many
/// connections may declare much and send little.
const GROWTH: usize = 512;

/// Keeps no memory when it is empty: there are two per connection, and most frames straddle none.
#[derive(Debug, Default)]
pub(super) struct PartialFrame {
    bytes: Vec<u8>,
    /// How many of them are gone: they are moved out of the way now and then, not each time.
    gone: usize,
    /// Where the bytes of each packet begin in `bytes`, ascending; the first at or before `gone`.
    marks: Vec<(usize, PacketRef)>,
}

impl PartialFrame {
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.gone..).unwrap_or(&[])
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.gone
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes of memory that it takes.
    pub(super) fn weight(&self) -> usize {
        self.bytes.len() + self.marks.len() * size_of::<(usize, PacketRef)>()
    }

    pub(super) fn push(&mut self, bytes: &[u8], packet: PacketRef) {
        if bytes.is_empty() {
            return;
        }
        if self.marks.last().is_none_or(|(_, last)| last.number != packet.number) {
            if self.marks.len() >= MARKS {
                self.marks.drain(..self.mark_of(0));
            }
            if self.marks.len() >= MARKS {
                self.marks.drain(1..MARKS / 2);
            }
            self.marks.push((self.bytes.len(), packet));
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Makes room for a frame whose length is known, growing at least twofold as a vector does,
    /// but not beyond the frame.
    pub(super) fn reserve(&mut self, missing: usize) {
        let growth = missing.min(self.bytes.len().max(GROWTH));
        if self.bytes.capacity() - self.bytes.len() < growth {
            self.bytes.reserve_exact(growth);
        }
    }

    /// The packet that brought the byte at `offset`.
    pub(super) fn packet_at(&self, offset: usize) -> PacketRef {
        self.marks.get(self.mark_of(offset)).map(|(_, packet)| *packet).unwrap_or_default()
    }

    pub(super) fn drop_front(&mut self, count: usize) {
        self.gone += count;
        if self.gone >= self.bytes.len() {
            return self.clear();
        }
        if self.gone > self.bytes.len() / 2 {
            self.marks.drain(..self.mark_of(0));
            for (start, _) in &mut self.marks {
                *start = start.saturating_sub(self.gone);
            }
            self.bytes.drain(..self.gone);
            self.gone = 0;
        }
    }

    pub(super) fn truncate(&mut self, len: usize) {
        let end = self.gone + len;
        self.bytes.truncate(end);
        self.marks.retain(|(start, _)| *start < end);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The mark of the byte at `offset`.
    fn mark_of(&self, offset: usize) -> usize {
        let at = self.gone + offset;
        self.marks.partition_point(|(start, _)| *start <= at).saturating_sub(1)
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
        let mut held = PartialFrame::default();
        held.push(b"ab", packet(1));
        held.push(b"c", packet(2));
        held.push(b"d", packet(2));
        held.push(b"ef", packet(5));
        let packets = |held: &PartialFrame| -> Vec<u64> {
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
        let mut held = PartialFrame::default();
        for number in 1..=10_000 {
            held.push(b"x", packet(number));
        }
        assert!(held.marks.len() <= MARKS);
        assert_eq!(held.packet_at(0).number, 1);
        assert_eq!(held.packet_at(9_999).number, 10_000);
    }
}
