//! What is remembered of each packet but its bytes, by its number.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::PacketRecord;
use super::place::Place;
use crate::endpoint::ConnectionNumber;
use crate::packet::{LinkType, Packet, PacketNumber, PointId};
use crate::time::Timestamp;

/// A packet as it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compact {
    at: Timestamp,
    /// `None` where its bytes have no place.
    pub(super) place: Place,
    captured_len: u32,
    original_len: u32,
    /// `NO_CONNECTION` where it is of none.
    connection: ConnectionNumber,
    link: LinkType,
    point: PointId,
}

const _: () = assert!(size_of::<Compact>() == 32);

const NO_CONNECTION: ConnectionNumber = ConnectionNumber(u32::MAX);

impl Compact {
    pub(super) fn record(&self, number: PacketNumber) -> PacketRecord {
        PacketRecord {
            number,
            at: self.at,
            link: self.link,
            point: self.point,
            captured_len: self.captured_len,
            original_len: self.original_len,
            connection: self.connection(),
        }
    }

    pub(super) fn connection(&self) -> Option<ConnectionNumber> {
        (self.connection != NO_CONNECTION).then_some(self.connection)
    }

    pub(super) fn captured_len(&self) -> usize {
        self.captured_len as usize
    }
}

/// The packets that are remembered: a row without holes. Blocks that are full are never written
/// again, so that clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Packets {
    full: VecDeque<Arc<Vec<Compact>>>,
    tail: Vec<Compact>,
    /// The number of the first.
    first: PacketNumber,
}

const BLOCK: usize = 1 << 12;
const BLOCK_WEIGHT: usize = BLOCK * size_of::<Compact>();

impl Packets {
    pub(super) fn numbers(&self) -> Range<PacketNumber> {
        let first = self.first.max(PacketNumber(1));
        first..first.saturating_add((self.full.len() * BLOCK + self.tail.len()) as u64)
    }

    /// Adds a packet. Where its number is not the next, what was there is forgotten.
    pub(super) fn push(&mut self, packet: &Packet<'_>, place: Place) {
        if packet.number != self.numbers().end {
            self.clear();
            self.first = packet.number;
        }
        if self.tail.len() == BLOCK {
            self.full.push_back(Arc::new(std::mem::take(&mut self.tail)));
        }
        if self.tail.is_empty() {
            self.tail.reserve_exact(BLOCK);
        }
        self.tail.push(Compact {
            at: packet.at,
            place,
            captured_len: u32::try_from(packet.data.len()).unwrap_or(u32::MAX),
            original_len: packet.original_len,
            connection: NO_CONNECTION,
            link: packet.link,
            point: packet.point,
        });
    }

    /// The last packet is a segment of this connection.
    pub(super) fn is_of(&mut self, connection: ConnectionNumber) {
        if let Some(last) = self.tail.last_mut() {
            last.connection = connection;
        }
    }

    /// An earlier packet is a segment of this connection.
    pub(super) fn was_of(&mut self, number: PacketNumber, connection: ConnectionNumber) {
        let Some(index) = number.0.checked_sub(self.numbers().start.0) else { return };
        let Ok(index) = usize::try_from(index) else { return };
        let packet = match self.full.get_mut(index / BLOCK) {
            Some(block) => Arc::make_mut(block).get_mut(index % BLOCK),
            None => self.tail.get_mut(index - self.full.len() * BLOCK),
        };
        if let Some(packet) = packet {
            packet.connection = connection;
        }
    }

    pub(super) fn get(&self, number: PacketNumber) -> Option<&Compact> {
        let index = usize::try_from(number.0.checked_sub(self.numbers().start.0)?).ok()?;
        let block = self.full.get(index / BLOCK).map_or(&self.tail, |block| block);
        if index / BLOCK > self.full.len() {
            return None;
        }
        block.get(index % BLOCK)
    }

    /// The packets of `within`, with their numbers, ascending.
    pub(super) fn range(
        &self,
        within: Range<PacketNumber>,
    ) -> impl DoubleEndedIterator<Item = (PacketNumber, &Compact)> + '_ {
        let numbers = self.numbers();
        let start = within.start.clamp(numbers.start, numbers.end);
        let end = within.end.clamp(start, numbers.end);
        let index = |number: PacketNumber| {
            usize::try_from(number.0 - numbers.start.0).unwrap_or(usize::MAX)
        };
        let (from, to) = (index(start), index(end));
        let blocks = from / BLOCK..to.div_ceil(BLOCK);
        blocks.flat_map(move |block| {
            let packets = self.full.get(block).map_or(&self.tail, |block| block);
            let begins = block * BLOCK;
            let here = from.saturating_sub(begins)..(to - begins).min(packets.len());
            let first = numbers.start.saturating_add((begins + here.start) as u64);
            let here = packets.get(here).unwrap_or_default().iter().enumerate();
            here.map(move |(index, packet)| (first.saturating_add(index as u64), packet))
        })
    }

    /// The oldest block, with the number of its first packet, if it is full.
    pub(super) fn oldest(&self) -> Option<(PacketNumber, &[Compact])> {
        let first = self.numbers().start;
        self.full.front().map(|block| (first, block.as_slice()))
    }

    /// Drops the oldest block.
    pub(super) fn drop_oldest(&mut self) {
        if self.full.pop_front().is_some() {
            self.first = self.first.max(PacketNumber(1)).saturating_add(BLOCK as u64);
        }
    }

    /// Drops everything. Numbers go on.
    pub(super) fn clear(&mut self) {
        self.first = self.numbers().end;
        self.full.clear();
        self.tail.clear();
    }

    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        self.full.len() * BLOCK_WEIGHT + self.tail.capacity() * size_of::<Compact>()
    }
}
