//! What the store writes into the archive, and what gives way where it becomes too much.

use std::sync::Arc;

use super::frames::Address;
use super::place::{Lies, Place};
use super::rows::Compact;
use super::{Archive, FrameRecord, packets};
use crate::decode::Seq;
use crate::endpoint::{ConnectionId, ConnectionNumber, Endpoints, Side};
use crate::exchange::{Exchange, ExchangeKind, ExchangeNumber, Held, Span};
use crate::limits;
use crate::packet::{Packet, PacketNumber};
use crate::source::SourceFiles;
use crate::store::Kept;

/// What gave way.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::store) struct Dropped {
    /// Packets whose bytes cannot be shown any more.
    pub(in crate::store) packets: u64,
    /// Exchanges.
    pub(in crate::store) rows: u64,
}

/// The segments of one side of an attempt to connect, kept as a frame without bytes.
fn segments(from: Side, span: Span) -> FrameRecord {
    let (seq, held) = (Seq::default(), Held::default());
    FrameRecord { from, span, seq, held, body_len: 0, failed: false, last: false, place: None }
}

impl Archive {
    /// Nothing yet; packets that are kept in a file are read again from these.
    pub(in crate::store) fn new(files: SourceFiles) -> Self {
        Self { files, ..Self::default() }
    }

    /// The next packet. Says where its bytes lie now.
    pub(in crate::store) fn add_packet(&mut self, packet: &Packet<'_>, kept: Kept) -> Place {
        let place = Place::of(kept).unwrap_or_else(|| Place(self.bytes.push(packet.data)));
        self.packets.push(packet, place);
        place
    }

    /// The last packet is a segment of this connection.
    pub(in crate::store) fn packet_is_of(&mut self, connection: ConnectionNumber) {
        self.packets.is_of(connection);
    }

    /// An earlier packet is a segment of this connection.
    pub(in crate::store) fn packet_was_of(
        &mut self,
        number: PacketNumber,
        connection: ConnectionNumber,
    ) {
        self.packets.was_of(number, connection);
    }

    /// An exchange began with this frame. Says whether there is a place for it.
    pub(in crate::store) fn begin(&mut self, exchange: &Exchange<'_>, frame: &FrameRecord) -> bool {
        let mut row = Compact::new(exchange);
        let frames_from = self.frames.end();
        row.frames = frames_from;
        if !self.rows.insert(exchange.number, row, frames_from) {
            return false;
        }
        let address = self.frames.push(frame, Address::NONE, row.time);
        if address != frames_from
            && let Some(row) = self.rows.get_mut(exchange.number)
        {
            row.frames = address;
        }
        self.ends.add_user(exchange.connection, &exchange.ends);
        self.name_pattern(exchange);
        true
    }

    /// A call got a reply.
    pub(in crate::store) fn reply(&mut self, number: ExchangeNumber, frame: &FrameRecord) -> bool {
        let Some(row) = self.rows.get_mut(number) else { return false };
        row.add_reply(frame.span.bytes);
        row.frames = self.frames.push(frame, row.frames, row.time);
        true
    }

    /// An exchange ended.
    pub(in crate::store) fn end(&mut self, exchange: &Exchange<'_>) -> bool {
        if exchange.kind == ExchangeKind::Connect {
            return self.end_attempt(exchange);
        }
        let Some(row) = self.rows.get_mut(exchange.number) else { return false };
        row.end(exchange);
        true
    }

    /// An attempt to connect has no answer so far. Says whether there is a place for it.
    pub(in crate::store) fn attempt(&mut self, exchange: &Exchange<'_>) -> bool {
        self.begin(exchange, &segments(Side::Client, exchange.request.unwrap_or_default()))
    }

    /// An attempt to connect failed; one that was answered at last has no row any more.
    fn end_attempt(&mut self, exchange: &Exchange<'_>) -> bool {
        if self.rows.get(exchange.number).is_none() {
            // It failed at once, and nobody told of it before.
            let has_row = !exchange.is_answered_attempt() && self.attempt(exchange);
            return has_row && self.end_attempt(exchange);
        }
        if exchange.is_answered_attempt() {
            self.rows.remove(exchange.number);
            self.ends.drop_user(exchange.connection.number);
            return true;
        }
        let said = exchange.error.and_then(|said| self.name_said(said));
        // More SYNs came than when it began: its way is told anew.
        let mut frames = Address::NONE;
        let ways = [(Side::Client, exchange.request), (Side::Server, exchange.reply)];
        for (side, way) in ways {
            let Some(way) = way else { continue };
            frames = self.frames.push(&segments(side, way), frames, exchange.time());
        }
        let Some(row) = self.rows.get_mut(exchange.number) else { return false };
        row.end(exchange);
        row.frames = frames;
        said.into_iter().for_each(|name| row.set_said(name));
        true
    }

    /// The name of what a router says; `None` where there are too many. Routers know some twenty
    /// reasons.
    fn name_said(&mut self, said: &[u8]) -> Option<u16> {
        let known = self.said.iter().position(|known| **known == *said);
        let index = match known {
            Some(index) => index,
            None if self.said.len() >= limits::UNREACHABLE_REASONS => return None,
            None => {
                Arc::make_mut(&mut self.said).push(said.into());
                self.said.len() - 1
            }
        };
        u16::try_from(index + 1).ok()
    }

    /// A connection stands; its addresses are remembered until it is over, and as long as any of
    /// its exchanges is.
    pub(in crate::store) fn open(&mut self, connection: ConnectionId, ends: &Endpoints) {
        self.ends.add_user(connection, ends);
    }

    /// A connection that was opened is over.
    pub(in crate::store) fn close(&mut self, connection: ConnectionId) {
        self.ends.drop_user(connection.number);
    }

    /// Bytes of memory.
    pub(in crate::store) fn weight(&self) -> usize {
        self.weight_of_rows() + self.packets.weight() + self.bytes.weight()
    }

    fn weight_of_rows(&self) -> usize {
        self.rows.weight() + self.frames.weight() + self.ends.weight()
    }

    /// Drops what is oldest until no more than `ceiling` bytes are taken: packets, but of rows
    /// what goes beyond three quarters.
    pub(in crate::store) fn make_room(&mut self, ceiling: usize) -> Dropped {
        let mut dropped = Dropped::default();
        while self.weight() > ceiling {
            let gave_way = self.weight_of_rows() > ceiling / 4 * 3 && self.drop_rows(&mut dropped)
                || self.drop_bytes(&mut dropped)
                || self.drop_packets(&mut dropped)
                || self.drop_rows(&mut dropped);
            if !gave_way {
                break;
            }
        }
        dropped
    }

    /// Forgets every exchange and every packet. Numbers go on.
    pub(in crate::store) fn clear(&mut self) {
        while self.drop_rows(&mut Dropped::default()) {}
        self.rows.clear();
        self.packets.clear();
        self.bytes.clear();
        self.frames.drop_before(self.frames.end());
    }

    /// Drops the oldest rows, and the packets in files that lie before the rest.
    fn drop_rows(&mut self, dropped: &mut Dropped) -> bool {
        let Self { rows, ends, .. } = self;
        let each = |row: &Compact| {
            dropped.rows += 1;
            ends.drop_user(row.connection);
        };
        if rows.drop_oldest(each).is_none() {
            return false;
        }
        self.frames.drop_before(self.rows.oldest_frame().unwrap_or(self.frames.end()));
        let oldest = self.rows.oldest();
        let oldest = oldest.and_then(|row| Some(self.frames.get(row.frames, row.time)?.0));
        let before = oldest.map_or(self.packets().end, |frame| frame.span.packets()[0]);
        self.drop_packets_before(before, dropped);
        true
    }

    /// Drops the oldest bytes of packets, with what is remembered of those packets.
    fn drop_bytes(&mut self, dropped: &mut Dropped) -> bool {
        let Some(pieces) = self.bytes.drop_oldest() else { return false };
        dropped.packets += pieces;
        self.drop_packets_before(PacketNumber(0), dropped);
        true
    }

    /// Drops the blocks of packets of which nothing is left but what lies in files, before packet
    /// `before`.
    fn drop_packets_before(&mut self, before: PacketNumber, dropped: &mut Dropped) {
        let kept = self.bytes.start();
        while let Some((first, block)) = self.packets.oldest() {
            let numbers = (first.0..).map(PacketNumber);
            let may_go = numbers.zip(block).all(|(number, packet)| match packet.place.lies() {
                Lies::InFile { .. } => number < before,
                Lies::InMemory { address } => address < kept,
            });
            if !may_go {
                return;
            }
            self.drop_packets(dropped);
        }
    }

    /// Drops what is remembered of the oldest packets.
    fn drop_packets(&mut self, dropped: &mut Dropped) -> bool {
        let Some((_, block)) = self.packets.oldest() else { return false };
        // Those in memory are counted when their bytes go.
        let in_file =
            |packet: &&packets::Compact| matches!(packet.place.lies(), Lies::InFile { .. });
        dropped.packets += block.iter().filter(in_file).count() as u64;
        self.packets.drop_oldest();
        true
    }

    fn name_pattern(&mut self, exchange: &Exchange<'_>) {
        // What shares a name with others has no text of its own.
        if exchange.pattern_id <= crate::exchange::PatternId::OTHERS {
            return;
        }
        let index = exchange.pattern_id.0 as usize;
        if self.patterns.get(index).is_some_and(Option::is_some) {
            return;
        }
        let patterns = Arc::make_mut(&mut self.patterns);
        if patterns.len() <= index {
            patterns.resize(index + 1, None);
        }
        if let Some(place) = patterns.get_mut(index) {
            *place = exchange.pattern.map(Arc::from);
        }
    }
}
