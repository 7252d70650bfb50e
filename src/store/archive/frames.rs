//! The frames of all exchanges, one behind the other in the order in which they were read.
//!
//! A frame takes some 15 bytes: numbers are told by how far they lie from one that is near, seven
//! bits to a byte (LEB128; differences zigzagged, so that small negative ones are short too). Each
//! frame names the one before it in its exchange by how far back that lies.

use std::collections::VecDeque;
use std::sync::Arc;

use super::FrameRecord;
use super::place::Place;
use crate::decode::Seq;
use crate::endpoint::Side;
use crate::exchange::{Held, Span};
use crate::packet::{PacketNumber, PacketRef};
use crate::time::{Nanos, Timestamp};

/// Where a frame stands among all frames; later ones have larger addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address(u64);

impl Address {
    /// Of no frame.
    pub(super) const NONE: Self = Self(u64::MAX);
}

/// All frames. Chunks that are full are never written again, so that clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    full: VecDeque<Arc<Chunk>>,
    /// The number of the first full chunk.
    first: u64,
    tail: Chunk,
}

#[derive(Clone, Debug, Default)]
struct Chunk {
    /// What the first frame said: differences are taken from it.
    packet: PacketNumber,
    place: u64,
    bytes: Vec<u8>,
}

const CHUNK_BITS: u32 = 16;
const CHUNK: usize = 1 << CHUNK_BITS;

/// More than a frame ever takes: ten numbers of at most ten bytes, and five more.
const LARGEST: usize = 106;

const FROM_SERVER: u8 = 1;
const FAILED: u8 = 1 << 1;
const LAST: u8 = 1 << 2;
const PLACED: u8 = 1 << 3;
/// It has no other packet than its first.
const ONE_PACKET: u8 = 1 << 4;
/// It is the first of its exchange, whose time is its time.
const FIRST: u8 = 1 << 5;
/// It may have been held back.
const HELD: u8 = 1 << 6;
/// It certainly was.
const SURELY_HELD: u8 = 1 << 7;

impl Frames {
    /// Adds a frame of an exchange that began at `time`; `before` is the one before it, if any.
    pub(super) fn push(
        &mut self,
        frame: &FrameRecord,
        before: Address,
        time: Timestamp,
    ) -> Address {
        if self.tail.bytes.len() + LARGEST > CHUNK {
            let full = std::mem::take(&mut self.tail);
            self.full.push_back(Arc::new(full));
        }
        let address = self.end();
        let tail = &mut self.tail;
        let Span { first, last, lowest, bytes } = frame.span;
        let place = frame.place.map_or(tail.place, |place| place.0);
        if tail.bytes.is_empty() {
            tail.bytes.reserve_exact(CHUNK);
            (tail.packet, tail.place) = (first.number, place);
        }
        let held = frame.held.at_most > Nanos::ZERO;
        let one_packet = first == last && lowest == first.number;
        let is_first = before == Address::NONE && first.at == time;
        let flags = [
            (frame.from == Side::Server, FROM_SERVER),
            (frame.failed, FAILED),
            (frame.last, LAST),
            (frame.place.is_some(), PLACED),
            (one_packet, ONE_PACKET),
            (is_first, FIRST),
            (held, HELD),
            (frame.held.certain, SURELY_HELD),
        ];
        let to = &mut tail.bytes;
        to.push(flags.iter().map(|(is, flag)| if *is { *flag } else { 0 }).sum());
        to.extend_from_slice(&frame.seq.0.to_le_bytes());
        push_difference(to, first.number.0, tail.packet.0);
        push_number(to, bytes);
        push_number(to, bytes.saturating_sub(frame.body_len));
        if frame.place.is_some() {
            push_difference(to, place, tail.place);
        }
        if !is_first {
            push_number(to, if before == Address::NONE { 0 } else { address.0 - before.0 });
            push_difference(to, nanos(first.at), nanos(time));
        }
        if held {
            push_number(to, frame.held.at_most.get());
        }
        if !one_packet {
            push_difference(to, last.number.0, first.number.0);
            push_difference(to, nanos(last.at), nanos(first.at));
            push_difference(to, lowest.0, first.number.0);
        }
        address
    }

    /// The frame at `address`, and the address of the one before it in its exchange, which began
    /// at `time`; `None` where it was dropped.
    pub(super) fn get(&self, address: Address, time: Timestamp) -> Option<(FrameRecord, Address)> {
        let index = usize::try_from((address.0 >> CHUNK_BITS).checked_sub(self.first)?).ok()?;
        let chunk = match self.full.get(index) {
            Some(chunk) => chunk,
            None if index == self.full.len() => &self.tail,
            None => return None,
        };
        let within = usize::try_from(address.0 % (1 << CHUNK_BITS)).ok()?;
        let (&flags, rest) = chunk.bytes.get(within..)?.split_first()?;
        let (seq, rest) = rest.split_first_chunk()?;
        let mut from = Numbers(rest);
        let is = |flag| flags & flag != 0;
        let number = from.difference(chunk.packet.0)?;
        let bytes = from.number()?;
        let body_len = bytes - from.number()?;
        let place = if is(PLACED) { Some(Place(from.difference(chunk.place)?)) } else { None };
        let (mut before, mut at) = (Address::NONE, time);
        if !is(FIRST) {
            match from.number()? {
                0 => {}
                back => before = Address(address.0 - back),
            }
            at = Timestamp::from_nanos(from.difference(nanos(time))?.cast_signed());
        }
        let at_most = Nanos::new(if is(HELD) { from.number()? } else { 0 });
        let first = PacketRef { number: PacketNumber(number), at };
        let (mut last, mut lowest) = (first, first.number);
        if !is(ONE_PACKET) {
            last = PacketRef {
                number: PacketNumber(from.difference(number)?),
                at: Timestamp::from_nanos(from.difference(nanos(at))?.cast_signed()),
            };
            lowest = PacketNumber(from.difference(number)?);
        }
        let record = FrameRecord {
            from: if is(FROM_SERVER) { Side::Server } else { Side::Client },
            span: Span { first, last, lowest, bytes },
            seq: Seq(u32::from_le_bytes(*seq)),
            held: Held { at_most, certain: is(SURELY_HELD) },
            body_len,
            failed: is(FAILED),
            last: is(LAST),
            place,
        };
        Some((record, before))
    }

    /// The address of the next frame, or one before it.
    pub(super) fn end(&self) -> Address {
        let chunk = self.first + self.full.len() as u64;
        Address((chunk << CHUNK_BITS) + self.tail.bytes.len() as u64)
    }

    /// Drops what lies before `address`, as far as whole chunks do.
    pub(super) fn drop_before(&mut self, address: Address) {
        while self.first < address.0 >> CHUNK_BITS && self.full.pop_front().is_some() {
            self.first += 1;
        }
    }

    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        self.full.len() * CHUNK + self.tail.bytes.capacity()
    }
}

const fn nanos(time: Timestamp) -> u64 {
    time.as_nanos().cast_unsigned()
}

fn push_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(0x80 | (number & 0x7f) as u8);
        number >>= 7;
    }
    to.push((number & 0x7f) as u8);
}

/// How far `number` lies from `origin`, either way.
fn push_difference(to: &mut Vec<u8>, number: u64, origin: u64) {
    let difference = number.wrapping_sub(origin).cast_signed();
    push_number(to, (difference << 1 ^ difference >> 63).cast_unsigned());
}

/// Reads back what was pushed.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn difference(&mut self, origin: u64) -> Option<u64> {
        let zigzag = self.number()?;
        let difference = (zigzag >> 1) ^ 0_u64.wrapping_sub(zigzag & 1);
        Some(origin.wrapping_add(difference))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet() -> impl Strategy<Value = PacketRef> {
        let number = prop_oneof![1..1_000_u64, any::<u64>()];
        (number, prop_oneof![0..1_000_000_i64, any::<i64>()]).prop_map(|(number, at)| PacketRef {
            number: PacketNumber(number),
            at: Timestamp::from_nanos(at),
        })
    }

    fn frame() -> impl Strategy<Value = FrameRecord> {
        let place = proptest::option::of(any::<u64>().prop_map(Place));
        let body = (0..1_u64 << 24, 0..512_u64);
        (any::<[bool; 4]>(), packet(), packet(), any::<u32>(), body, place).prop_map(
            |([server, failed, ends, one], first, last, seq, (body_len, header), place)| {
                FrameRecord {
                    from: if server { Side::Server } else { Side::Client },
                    span: Span {
                        first,
                        last: if one { first } else { last },
                        lowest: if ends { first.number.min(last.number) } else { first.number },
                        bytes: body_len + header,
                    },
                    seq: Seq(seq),
                    held: Held {
                        at_most: Nanos::new(if failed { body_len } else { 0 }),
                        certain: ends,
                    },
                    body_len,
                    failed,
                    last: ends,
                    place,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn chains_are_read_back_as_they_were_written(
            chains in proptest::collection::vec(
                (any::<i64>(), proptest::collection::vec(frame(), 1..5)), 1..400),
        ) {
            let mut frames = Frames::default();
            let mut heads = Vec::new();
            for (time, chain) in &chains {
                let time = Timestamp::from_nanos(*time);
                let mut head = Address::NONE;
                for frame in chain {
                    head = frames.push(frame, head, time);
                }
                heads.push((head, time));
            }
            for ((head, time), (_, chain)) in heads.into_iter().zip(&chains) {
                let mut next = head;
                for frame in chain.iter().rev() {
                    let (read, before) = frames.get(next, time).unwrap();
                    prop_assert_eq!(&read, frame);
                    next = before;
                }
                prop_assert_eq!(next, Address::NONE);
            }
        }
    }

    #[test]
    fn usual_frames_are_short_and_the_oldest_can_go() {
        let mut frames = Frames::default();
        let mut addresses = Vec::new();
        for (number, seq) in (0..20_000_u64).zip((0..).step_by(150)) {
            let at =
                Timestamp::from_nanos(1_700_000_000_000_000_000 + 50_000 * number.cast_signed());
            let packet = PacketRef { number: PacketNumber(number + 1), at };
            let frame = FrameRecord {
                from: Side::Client,
                span: Span::in_order(packet, packet, 150),
                seq: Seq(seq),
                held: Held::default(),
                body_len: 146,
                failed: false,
                last: false,
                place: Some(Place(number * 250)),
            };
            addresses.push((frames.push(&frame, Address::NONE, at), at));
        }
        assert!(frames.weight() < 20_000 * 14 + CHUNK, "{}", frames.weight());
        let (middle, at) = addresses[10_000];
        frames.drop_before(middle);
        assert!(frames.get(middle, at).is_some());
        assert!(frames.get(addresses[0].0, addresses[0].1).is_none());
        assert!(frames.weight() < 10_000 * 14 + 2 * CHUNK, "{}", frames.weight());
        assert!(frames.get(Address(u64::MAX - 1), at).is_none());
    }
}
