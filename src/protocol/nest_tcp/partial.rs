//! The bytes of a frame that is not whole yet, and the packets that brought them.

use crate::packet::PacketRef;

/// Places remembered per frame. A frame over more packets than this (one byte a segment) forgets
/// most of those in its middle, which only a frame hidden in a broken one would ask for.
const MARKS: usize = 512;

/// The least by which the memory grows. What was declared counts for nothing before it came: many
/// connections may declare much and send little.
const GROWTH: usize = 512;

/// A place in what is buffered.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Where the bytes of a packet begin. Kept small: there may be two of them per connection.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// What is buffered comes nowhere near 2^32 bytes.
    start: u32,
    packet: PacketRef,
    /// Whether the first of them is the first of the segment that the packet brought.
    begins_segment: bool,
}

/// Keeps no memory when it is empty: there are two per connection, and most frames straddle none.
#[derive(Debug, Default)]
pub(super) struct PartialFrame {
    bytes: Vec<u8>,
    /// How many of them are gone: they are moved out of the way now and then, not each time.
    gone: usize,
    /// One for each packet, ascending by `start`; the first is at or before `gone`.
    marks: Vec<Mark>,
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
        self.bytes.len() + self.marks.len() * size_of::<Mark>()
    }

    /// Adds bytes of a packet. `begins_segment` says whether they begin where its segment does.
    pub(super) fn push(&mut self, bytes: &[u8], packet: PacketRef, begins_segment: bool) {
        if bytes.is_empty() {
            return;
        }
        if self.marks.last().is_none_or(|last| last.packet.number != packet.number) {
            if self.marks.len() >= MARKS {
                self.drop_marks();
            }
            if self.marks.len() >= MARKS {
                self.forget_middle();
            }
            self.marks.push(Mark { start: place(self.bytes.len()), packet, begins_segment });
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

    /// The packet that brought the first byte.
    pub(super) fn first_packet(&self) -> PacketRef {
        self.marks.get(self.first_mark()).map(|mark| mark.packet).unwrap_or_default()
    }

    /// Whether the first byte is the first of a segment.
    pub(super) fn begins_segment(&self) -> bool {
        let mark = self.marks.get(self.first_mark());
        mark.is_some_and(|mark| mark.start == place(self.gone) && mark.begins_segment)
    }

    /// The earliest and the latest of the packets that brought the first `len` bytes.
    pub(super) fn packets_of(&self, len: usize) -> (PacketRef, PacketRef) {
        let (first, end) = (self.first_mark(), place(self.gone + len));
        let marks = self.marks.iter().skip(first).take_while(|mark| mark.start < end);
        let widened = |(earliest, latest): (PacketRef, PacketRef), mark: &Mark| {
            (earliest.earlier(mark.packet), latest.later(mark.packet))
        };
        marks.fold((self.first_packet(), self.first_packet()), widened)
    }

    pub(super) fn drop_front(&mut self, count: usize) {
        self.gone += count;
        if self.gone >= self.bytes.len() {
            return self.clear();
        }
        if self.gone > self.bytes.len() / 2 {
            self.drop_marks();
            let gone = place(self.gone);
            for mark in &mut self.marks {
                mark.begins_segment &= mark.start >= gone;
                mark.start = mark.start.saturating_sub(gone);
            }
            self.bytes.drain(..self.gone);
            self.gone = 0;
        }
    }

    pub(super) fn truncate(&mut self, len: usize) {
        let end = self.gone + len;
        self.bytes.truncate(end);
        self.marks.retain(|mark| mark.start < place(end));
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets the packets whose bytes are all gone.
    fn drop_marks(&mut self) {
        self.marks.drain(..self.first_mark());
    }

    /// Forgets half of the packets, but the first of all, and of the others the earliest and the
    /// latest: those a frame is asked for.
    fn forget_middle(&mut self) {
        let middle: Vec<Mark> = self.marks.drain(1..MARKS / 2).collect();
        let key = |mark: &&Mark| (mark.packet.at, mark.packet.number);
        let mut kept: Vec<Mark> = [middle.iter().min_by_key(key), middle.iter().max_by_key(key)]
            .into_iter()
            .flatten()
            .copied()
            .collect();
        kept.sort_unstable_by_key(|mark| mark.start);
        self.marks.splice(1..1, kept);
    }

    /// The mark of the first byte.
    fn first_mark(&self) -> usize {
        let gone = place(self.gone);
        self.marks.partition_point(|mark| mark.start <= gone).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::PacketNumber;

    fn packet(number: u64) -> PacketRef {
        PacketRef { number: PacketNumber(number), ..PacketRef::default() }
    }

    fn numbers((earliest, latest): (PacketRef, PacketRef)) -> (u64, u64) {
        (earliest.number.0, latest.number.0)
    }

    #[test]
    fn every_byte_knows_its_packet() {
        let mut buffered = PartialFrame::default();
        buffered.push(b"ab", packet(1), true);
        buffered.push(b"c", packet(5), false);
        buffered.push(b"d", packet(5), false);
        buffered.push(b"ef", packet(2), true);
        assert_eq!((buffered.first_packet().number.0, buffered.begins_segment()), (1, true));
        for (len, packets) in [(1, (1, 1)), (2, (1, 1)), (3, (1, 5)), (5, (1, 5)), (6, (1, 5))] {
            assert_eq!(numbers(buffered.packets_of(len)), packets, "{len}");
        }
        buffered.drop_front(1);
        assert_eq!((buffered.first_packet().number.0, buffered.begins_segment()), (1, false));
        buffered.drop_front(2);
        assert_eq!((buffered.bytes(), buffered.first_packet().number.0), (&b"def"[..], 5));
        assert!(!buffered.begins_segment());
        assert_eq!(numbers(buffered.packets_of(3)), (2, 5));
        buffered.drop_front(1);
        assert_eq!((buffered.first_packet().number.0, buffered.begins_segment()), (2, true));
        buffered.truncate(1);
        assert_eq!(numbers(buffered.packets_of(1)), (2, 2));
        buffered.drop_front(1);
        assert!(buffered.is_empty());
    }

    #[test]
    fn a_frame_over_many_packets_keeps_its_ends_wherever_they_came() {
        let mut buffered = PartialFrame::default();
        // The first and the last in time stand where places are forgotten.
        for number in 0..10_000 {
            let number = match number {
                100 => 1,
                200 => 20_000,
                number => number + 10,
            };
            buffered.push(b"x", packet(number), true);
        }
        assert!(buffered.marks.len() <= MARKS);
        assert_eq!(buffered.first_packet().number, PacketNumber(10));
        assert_eq!(numbers(buffered.packets_of(10_000)), (1, 20_000));
        buffered.drop_front(9_990);
        assert_eq!(numbers(buffered.packets_of(10)), (10_000, 10_009));
    }
}
