//! Where the bytes of both sides of a connection lie: places, no bytes.

use std::collections::VecDeque;

use crate::decode::{Headers, Seq};
use crate::endpoint::{PerSide, Side};
use crate::limits;
use crate::packet::{Packet, PacketNumber};
use crate::protocol::Decoded;
use crate::store::{Archive, Bodies, Unavailable};
use crate::stream::{Chunk, Gap};
use crate::time::Timestamp;

/// Bytes of a block at most: more than a screen of them.
const BLOCK: u64 = 4_096;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A frame of Nest, its length and `#` included.
    Frame,
    /// Bytes that are no frame, or of which it was not asked.
    Bytes,
    /// Bytes that the capture lacks; none where only that something is missing is known.
    Gap,
}

/// A part of one side's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Its sender, by the stream's idea of the sides.
    pub from: Side,
    /// Position of its first byte in the stream of that side.
    pub offset: u64,
    /// Bytes.
    pub len: u64,
    /// When its last byte was first seen.
    pub at: Timestamp,
    /// Whether it goes on where another block of the same side ended.
    pub is_joined: bool,
}

impl Item {
    const fn end(&self) -> u64 {
        self.offset.saturating_add(self.len)
    }
}

/// Bytes that one packet brought.
#[derive(Clone, Copy, Debug)]
struct Piece {
    offset: u64,
    packet: PacketNumber,
    len: u32,
}

impl Piece {
    const fn end(&self) -> u64 {
        self.offset.saturating_add(self.len as u64)
    }
}

/// A list of items, of which the first may be forgotten.
#[derive(Debug, Default)]
pub struct Items {
    /// The number of the first one that is remembered.
    first: u64,
    items: VecDeque<Item>,
}

impl Items {
    /// The numbers of those that are remembered.
    pub fn numbers(&self) -> std::ops::Range<u64> {
        self.first..self.first + self.items.len() as u64
    }

    /// The one with this number.
    pub fn get(&self, number: u64) -> Option<&Item> {
        self.items.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn push(&mut self, item: Item) {
        if self.items.len() >= limits::STREAM_ITEMS {
            self.items.pop_front();
            self.first += 1;
        }
        self.items.push_back(item);
    }
}

/// What is known of one side.
#[derive(Debug, Default)]
struct Lane {
    pieces: VecDeque<Piece>,
    /// The sequence number of offset 0.
    origin: Option<Seq>,
    /// Everything before this offset is of a frame or another item.
    told: u64,
    /// Behind the last byte.
    end: u64,
    /// When that was first seen.
    at: Timestamp,
}

/// Where everything lies.
#[derive(Debug, Default)]
pub struct Index {
    lanes: PerSide<Lane>,
    /// Frame by frame.
    pub frames: Items,
    /// All bytes in the order in which they came.
    pub blocks: Items,
}

impl Index {
    /// The next bytes of one side.
    pub fn push(&mut self, chunk: &Chunk<'_>) {
        let lane = self.lanes.of_mut(chunk.from);
        // Offsets count modulo 2^32 as sequence numbers do.
        let origin = chunk.seq.back((chunk.offset % (1 << 32)).try_into().unwrap_or(0));
        lane.origin = Some(origin);
        if lane.end == 0 {
            lane.told = chunk.offset;
        }
        if lane.pieces.len() >= limits::STREAM_ITEMS {
            lane.pieces.pop_front();
        }
        let is_joined = lane.end == chunk.offset && !lane.pieces.is_empty();
        let len = u32::try_from(chunk.data.len()).unwrap_or(u32::MAX);
        lane.pieces.push_back(Piece { offset: chunk.offset, packet: chunk.packet.number, len });
        lane.end = chunk.offset + u64::from(len);
        lane.at = chunk.packet.at;
        let at = chunk.packet.at;
        let (from, offset, len) = (chunk.from, chunk.offset, u64::from(len));
        self.add_blocks(Item { kind: Kind::Bytes, from, offset, len, at, is_joined });
    }

    /// Bytes are added to the last block, as far as it goes on with them, then to new ones.
    fn add_blocks(&mut self, mut bytes: Item) {
        if let Some(last) = self.blocks.items.back_mut()
            && (last.kind, last.from, last.end()) == (Kind::Bytes, bytes.from, bytes.offset)
        {
            let more = BLOCK.saturating_sub(last.len).min(bytes.len);
            last.len += more;
            last.at = bytes.at;
            bytes.offset += more;
            bytes.len -= more;
        }
        while bytes.len > 0 {
            let len = bytes.len.min(BLOCK);
            self.blocks.push(Item { len, ..bytes });
            bytes.offset += len;
            bytes.len -= len;
            bytes.is_joined = true;
        }
    }

    /// What the decoder said of a chunk.
    pub fn say(&mut self, chunk: &Chunk<'_>, decoded: &Decoded<'_>) {
        let Decoded::Message(message) = decoded else { return };
        // A frame is far smaller than half of all sequence numbers.
        let ahead = i64::from(message.seq.distance(chunk.seq));
        let offset = chunk.offset.saturating_add_signed(ahead);
        self.tell_before(message.from, offset);
        let (from, len, at) = (message.from, message.wire_len, message.last.at);
        let kind = Kind::Frame;
        self.frames.push(Item { kind, from, offset, len, at, is_joined: false });
        self.lanes.of_mut(from).told = offset.saturating_add(len);
    }

    /// Bytes of one side are missing.
    pub fn gap(&mut self, gap: &Gap) {
        let lane = self.lanes.of(gap.from);
        let (offset, at) = (lane.end, gap.until.at);
        self.tell_before(gap.from, offset);
        let (kind, from, len) = (Kind::Gap, gap.from, gap.bytes);
        let item = Item { kind, from, offset, len, at, is_joined: false };
        self.frames.push(item);
        self.blocks.push(item);
        let lane = self.lanes.of_mut(gap.from);
        lane.end = offset.saturating_add(gap.bytes);
        lane.told = lane.end;
    }

    /// No more bytes will come.
    pub fn finish(&mut self) {
        for side in Side::BOTH {
            self.tell_before(side, self.lanes.of(side).end);
        }
    }

    /// What lies before `offset` and is of no frame is an item of its own.
    fn tell_before(&mut self, from: Side, offset: u64) {
        let lane = self.lanes.of_mut(from);
        if lane.told < offset {
            let (start, at) = (lane.told, lane.at);
            lane.told = offset;
            let len = offset - start;
            let (kind, is_joined) = (Kind::Bytes, false);
            self.frames.push(Item { kind, from, offset: start, len, at, is_joined });
        }
    }

    /// Bytes of a side so far, those that are missing included.
    pub fn len(&self, side: Side) -> u64 {
        self.lanes.of(side).end
    }

    /// The sequence number of a place in the stream of `side`.
    pub fn seq(&self, side: Side, offset: u64) -> Option<Seq> {
        let within = u32::try_from(offset % (1 << 32)).ok()?;
        Some(self.lanes.of(side).origin?.add(within))
    }

    /// Reads up to `len` bytes of `side` from `offset` on: as far as no gap is in the way.
    ///
    /// # Errors
    ///
    /// Where the first of them are gone.
    pub fn read(
        &self,
        source: &mut Source<'_>,
        side: Side,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, Unavailable> {
        let Source { archive, bodies } = source;
        let lane = self.lanes.of(side);
        let Some(origin) = lane.origin else { return Ok(Vec::new()) };
        let mut bytes = Vec::new();
        let mut next = offset;
        let first = lane.pieces.partition_point(|piece| piece.end() <= offset);
        for piece in lane.pieces.range(first..) {
            if bytes.len() >= len || piece.offset > next {
                break;
            }
            let Some(record) = archive.packet(piece.packet) else { return gone(bytes) };
            let data = match bodies.packet(piece.packet) {
                Ok(data) => data,
                Err(_) if !bytes.is_empty() => return Ok(bytes),
                Err(why) => return Err(why),
            };
            let packet = Packet {
                number: record.number,
                at: record.at,
                link: record.link,
                point: Default::default(),
                data,
                original_len: record.original_len,
            };
            let part = Headers::of(&packet).and_then(|headers| {
                let start = origin.add(u32::try_from(next % (1 << 32)).ok()?);
                let syn = u32::from(headers.flags.has(crate::decode::Flags::SYN));
                let ahead = usize::try_from(start.distance(headers.seq.add(syn))).ok()?;
                let behind = usize::try_from(piece.end().checked_sub(next)?).ok()?;
                let payload = data.get(headers.payload.clone())?;
                payload.get(ahead..ahead.checked_add(behind)?)
            });
            let Some(part) = part else { return gone(bytes) };
            let room = len - bytes.len();
            bytes.extend_from_slice(part.get(..room).unwrap_or(part));
            next = piece.end();
        }
        if bytes.is_empty() && len > 0 && offset < lane.end { gone(bytes) } else { Ok(bytes) }
    }
}

/// Where bytes are read from.
#[derive(Debug)]
pub struct Source<'a> {
    archive: &'a Archive,
    bodies: Bodies<'a>,
}

impl<'a> Source<'a> {
    /// The packets of an archive.
    pub fn new(archive: &'a Archive) -> Self {
        Self { archive, bodies: archive.bodies() }
    }
}

/// What was read, or that nothing can be read.
fn gone(bytes: Vec<u8>) -> Result<Vec<u8>, Unavailable> {
    if bytes.is_empty() { Err(Unavailable::Dropped) } else { Ok(bytes) }
}
