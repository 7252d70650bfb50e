//! One connection: segments of both sides in, events out.

use std::net::SocketAddr;

use super::Shared;
use super::attempt::Attempting;
use super::checksums::{Checksums, Damaged};
use super::event::{
    AttemptState, Chunk, CloseReason, Closed, ConnectionCounts, Ended, Gap, Opened, Standing,
    StreamEvent,
};
use super::half::{HalfStream, Start};
use super::nagle::{Hold, Leaving};
use super::sequence::seq_of;
use super::waits::What;
use crate::decode::{Flags, Segment};
use crate::endpoint::{ConnectionId, ConnectionNumber, Endpoints, PerSide, Roles, Side};
use crate::packet::{PacketNumber, PacketRef};

/// The life of a connection as the capture sees it.
///
/// ```text
///             first segment
///                   ▼
///   ┌──────────── opening ────────────┐  everything is buffered
///   │ first bytes known by both SYNs, │
///   │ window passed, or bound reached │
///   └───────────────┬─────────────────┘
///                   ▼ settle: roles and first bytes are fixed
///                standing                in-order bytes are lent straight from the packet
///                   ▼ FIN of both sides delivered, or RST
///               lingering                the same, for what comes late
///                   ▼ window passed
///                 closed
/// ```
///
/// What ends it may come while it is opening too. In every state it may be replaced by a new
/// connection between the same ends, be evicted, or end with the capture.
#[derive(Debug)]
pub(super) struct Connection {
    pub slot: u32,
    /// Its id. Taken at once, though perhaps never told: its segments are told before.
    id: ConnectionId,
    /// Its place among the connections that were told of, once it was.
    pub announced: Option<u64>,
    /// Tells it from others that had the slot before.
    pub generation: u64,
    /// Second-chance bit: set by every segment, cleared when the hand of the eviction clock passes;
    /// where the hand finds it clear, the connection is evicted.
    pub recent: bool,
    /// Its sides. Until it is settled, the client's may be the server's.
    pub halves: PerSide<HalfStream>,
    /// The side that opened it, where a SYN told.
    pub(super) opener: Option<Side>,
    /// The first packet with a SYN, by time.
    syn: Option<PacketRef>,
    pub(super) settled: bool,
    /// Whether another connection has the same ends.
    pub twin: bool,
    /// Whether the other side acknowledged something that the capture holds, so that the numbers
    /// are believed.
    pub proven: bool,
    /// A twin was proven.
    pub superseded: Option<Superseded>,
    /// What is known of the attempt to open it, until it has an answer.
    pub(super) attempt: Option<Attempting>,
    /// Its other addresses, before or after translation.
    pub also: Option<Endpoints>,
    /// How it ended, while it lingers.
    pub(super) end: Option<Ended>,
    pub(super) roles: Roles,
    /// The first and the last packet, by time.
    first: PacketRef,
    pub(super) last: PacketRef,
}

/// Bytes of one side that a segment brought.
struct Bytes<'a> {
    /// Position of the first of them.
    start: u64,
    data: &'a [u8],
    packet: PacketRef,
    /// Whether that packet may have waited in the kernel of its sender.
    hold: Option<Hold>,
    /// They were sent after the other side was received up to this position.
    after: u64,
    /// Whether the packet is one that the capture holds twice.
    is_copy: bool,
}

/// The moment at which another connection between the same ends was proven.
#[derive(Clone, Copy, Debug)]
pub(super) struct Superseded {
    /// The number of this connection's last packet until then.
    pub last: PacketNumber,
    /// The packet that proved the other one.
    pub by: PacketRef,
    /// Whether the other one was begun without a SYN, so that bytes are missing between the two.
    pub blindly: bool,
}

impl Connection {
    /// A connection of which `segment` is the first. Waits to be settled.
    pub fn new(slot: u32, generation: u64, segment: &Segment<'_>, shared: &mut Shared) -> Self {
        shared.wait(slot, generation, What::Settle);
        let number = ConnectionNumber(u32::try_from(generation).unwrap_or(u32::MAX));
        Self {
            slot,
            id: ConnectionId { number, slot },
            announced: None,
            generation,
            recent: true,
            halves: PerSide {
                client: HalfStream::new(segment.from),
                server: HalfStream::new(segment.to),
            },
            opener: None,
            syn: None,
            settled: false,
            twin: false,
            proven: false,
            superseded: None,
            attempt: None,
            also: None,
            end: None,
            roles: Roles::Guessed,
            first: segment.packet,
            last: segment.packet,
        }
    }

    /// The side that sent `segment`.
    pub fn sender(&self, segment: &Segment<'_>) -> Side {
        if self.halves.client.address == segment.from { Side::Client } else { Side::Server }
    }

    /// Its id.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The side that opened it, where a SYN told.
    pub fn opener(&self) -> Option<Side> {
        self.opener
    }

    /// Its addresses, as far as it is known who is the client.
    pub fn endpoints(&self) -> Endpoints {
        Endpoints { client: self.halves.client.address, server: self.halves.server.address }
    }

    /// Whether these are its ends, in whichever order.
    pub fn is_between(&self, one: &SocketAddr, other: &SocketAddr) -> bool {
        let (client, server) = (&self.halves.client.address, &self.halves.server.address);
        client == one && server == other || client == other && server == one
    }

    /// Whether its end was seen.
    pub fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// The number of its last packet.
    pub fn last_number(&self) -> PacketNumber {
        self.halves.client.last.max(self.halves.server.last)
    }

    /// Whether another connection between the same ends was proven, and this one was silent since.
    pub fn was_superseded(&self) -> bool {
        self.superseded.is_some_and(|superseded| superseded.last == self.last_number())
    }

    /// The packet that proved another connection between the same ends, if this one was silent
    /// since.
    pub fn replaced_by(&self) -> Option<PacketRef> {
        self.superseded.filter(|_| self.was_superseded()).map(|superseded| superseded.by)
    }

    /// Whether its first bytes may be told. Beside another one that is believed it must be believed
    /// itself.
    pub(super) fn may_settle(&self) -> bool {
        self.proven || !self.twin
    }

    /// What its buffered bytes weigh.
    pub fn buffered(&self) -> usize {
        self.halves.client.buffered() + self.halves.server.buffered()
    }

    /// Takes in a segment that fits.
    pub fn push(
        &mut self,
        segment: &Segment<'_>,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let side = self.sender(segment);
        let packet = segment.packet;
        let syn = segment.flags.has(Flags::SYN);
        self.recent = true;
        self.last = later(self.last, packet);
        if self.announced.is_none() {
            self.first = earlier(self.first, packet);
        }
        let is_copy = self.is_copy(side, segment);
        self.halves.of_mut(side).came(segment);
        shared.both_ways |= self.halves.of(side.other()).tally.packets > 0;
        self.follow_attempt(side, segment, is_copy, shared, emit);

        let (mine, theirs) = self.halves.pair_mut(side);
        // The SYN takes a sequence number itself (RFC 9293, section 3.4).
        let start = mine.position(segment.seq).wrapping_add(u64::from(syn));
        let length = segment.payload.len() as u64 + u64::from(segment.missing);
        let end = start.wrapping_add(length);
        let ack = segment.ack.map(|ack| theirs.position(ack));

        if segment.flags.has(Flags::RST) {
            if self.resets_with(segment) {
                self.end_by(Ended { why: CloseReason::Reset, at: packet, by: Some(side) }, shared);
            } else {
                shared.counts.discarded.forged_reset += 1;
            }
            return;
        }
        if (length > 0 || mine.checksums.wants_to_know()) && mine.checksums.damaged(segment) {
            shared.counts.damaged += 1;
            let after = ack.unwrap_or_default();
            let data = segment.payload.into();
            let fin = segment.flags.has(Flags::FIN);
            mine.damaged.add(Damaged { start, packet, after, data, fin });
            return self.bound_damaged(side, shared);
        }
        mine.handshake.see(segment);
        if syn {
            theirs.send_buffer.saw_syn(packet.at);
            if let Some(mss) = segment.mss {
                mine.send_buffer.limit_mss(mss);
                theirs.send_buffer.limit_mss(mss);
            }
            if mine.start == Start::Unknown || !self.settled {
                mine.starts_at(start);
            }
            // Who opens sends a SYN without ACK.
            let opener = if ack.is_some() { side.other() } else { side };
            self.opener.get_or_insert(opener);
            self.syn = Some(self.syn.map_or(packet, |syn| earlier(syn, packet)));
        }

        // What the segment acknowledges, it was sent after.
        let mut after = 0;
        if let Some(ack) = ack
            && theirs.expects(ack)
        {
            if syn && theirs.start != Start::Exact && !self.settled {
                theirs.starts_at(ack);
            }
            theirs.acknowledged_at(ack, self.settled);
            mine.send_buffer.sends_ack(packet.at);
            theirs.send_buffer.acknowledged(packet.at, ack, length > 0);
            self.proven |= theirs.tally.packets > 0 && theirs.acknowledges_something(ack);
            if ack > theirs.acked {
                theirs.acked = ack;
                (theirs.acked_by, theirs.acked_from) = (packet, start);
            } else if ack < theirs.acked
                && packet.at > theirs.acked_by.at
                && (start > theirs.acked_from || start == theirs.acked_from && length > 0)
            {
                // Who sends later acknowledges no less: that number was absurd, and its segment
                // thrown away by whoever received it.
                theirs.acked = ack.max(theirs.stream.next());
                (theirs.acked_by, theirs.acked_from) = (packet, start);
                mine.stream.wait_for_no_more_than(theirs.acked);
            }
            after = ack;
            if !theirs.damaged.is_empty() {
                self.believe_damaged(side.other(), ack, shared, emit);
            }
        }

        let (mine, _) = self.halves.pair_mut(side);
        // A keep-alive repeats the last position, with or without a byte that means nothing
        // (RFC 9293, section 3.8.4).
        let next = mine.stream.next();
        let probe = length <= 1
            && !syn
            && !segment.flags.has(Flags::FIN)
            && start.wrapping_add(1) == next
            && match mine.start {
                Start::Unknown => false,
                // What lies before the first bytes seen so far may be the first.
                Start::Seen => self.settled,
                Start::Acknowledged | Start::Exact => true,
            };
        if !probe {
            if length > 0 || segment.flags.has(Flags::FIN) {
                mine.seen_at(start, self.settled);
            } else {
                mine.acknowledged_at(start, self.settled);
            }
            mine.sent = mine.sent.max(end);
            let hold = (length > 0 && !is_copy)
                .then(|| Leaving::of(segment, start))
                .and_then(|leaving| mine.send_buffer.leaves(&leaving));
            if segment.missing > 0 {
                mine.cut = mine.cut.max(end);
            }
            if segment.flags.has(Flags::FIN) {
                mine.ends_at(end, packet);
            }
            // Nothing lies behind a FIN.
            let until = mine.fin.map_or(u64::MAX, |(fin, _)| fin);
            let room = usize::try_from(until.saturating_sub(start)).unwrap_or(usize::MAX);
            let data = segment.payload.get(..room).unwrap_or(segment.payload);
            if !data.is_empty() {
                let bytes = Bytes { start, data, packet, hold, after, is_copy };
                self.data(side, &bytes, shared, emit);
            }
        }
        if self.settled {
            self.advance(shared, emit);
        } else if self.may_settle()
            && Side::BOTH.into_iter().all(|side| {
                let half = self.halves.of(side);
                half.start == Start::Exact && half.tally.packets > 0
            })
        {
            self.settle(shared, emit);
        }
        self.bound(shared, emit);
    }

    /// Whether the capture holds this packet twice. Remembers it.
    fn is_copy(&mut self, side: Side, segment: &Segment<'_>) -> bool {
        let counts = !segment.payload.is_empty() || segment.flags.has(Flags::SYN);
        if !counts {
            return false;
        }
        let mine = self.halves.of_mut(side);
        let start = mine.position(segment.seq);
        // Only what lies before the bytes that come next can have been seen before.
        let is_old = mine.start != Start::Unknown && start < mine.sent;
        let is_copy = is_old && mine.recent.contains_copy_of(segment);
        if !is_copy {
            mine.recent.add(segment);
        }
        is_copy
    }

    /// Damaged segments of `side` that were acknowledged up to `position` were none: the receiver
    /// took them as they are.
    #[cold]
    fn believe_damaged(
        &mut self,
        side: Side,
        position: u64,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        while let Some(damaged) = self.halves.of_mut(side).damaged.take_before(position) {
            shared.counts.damaged_believed += 1;
            let Damaged { start, packet, after, data, fin } = &damaged;
            let half = self.halves.of_mut(side);
            half.checksums = Checksums::Unusable;
            half.seen_at(*start, self.settled);
            half.sent = half.sent.max(damaged.end());
            if *fin {
                half.ends_at(damaged.end(), *packet);
            }
            let (start, packet, after) = (*start, *packet, *after);
            let bytes = Bytes { start, data, packet, hold: None, after, is_copy: false };
            self.data(side, &bytes, shared, emit);
        }
    }

    /// Takes in bytes of `side`.
    fn data(
        &mut self,
        side: Side,
        bytes: &Bytes<'_>,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let &Bytes { start, data, packet, hold, after, is_copy } = bytes;
        let mut later_start = start;
        let mut later = data;
        let mut fresh = 0;
        let damaged = &mut self.halves.of_mut(side).damaged;
        if !damaged.is_empty() {
            shared.counts.conflicting += damaged.replaced_by(start, start + data.len() as u64);
        }
        if self.settled {
            let theirs = self.halves.of(side.other());
            if theirs.is_absent() {
                // As in `advance`, so that these bytes need not be buffered.
                self.skip_gap_to(side.other(), after, packet, shared, emit);
            }
            let (mine, theirs) = self.halves.pair_mut(side);
            if theirs.has_reached(after) {
                let (now, rest) = mine.stream.lend(start, data);
                later_start = start + (data.len() - rest.len()) as u64;
                later = rest;
                fresh = now.len();
                if !now.is_empty() {
                    let position = mine.stream.next() - now.len() as u64;
                    self.deliver(side, position, now, (packet, hold, after), shared, emit);
                }
            }
        }
        if !later.is_empty() {
            let mine = self.halves.of_mut(side);
            let buffered = mine.stream.buffer(later_start, later, (packet, hold), after);
            // Bytes follow, so what was acknowledged before them was a byte.
            mine.fin_unseen = false;
            fresh += buffered.fresh;
            shared.counts.conflicting += u64::from(buffered.conflict);
            if self.settled && buffered.fresh > 0 {
                shared.counts.out_of_order += 1;
            }
        }
        if fresh == 0 {
            let tally = &mut self.halves.of_mut(side).tally;
            if is_copy {
                tally.copies += 1;
                shared.counts.copies += 1;
            } else {
                tally.retransmissions += 1;
                shared.counts.retransmissions += 1;
            }
        }
    }

    /// The end by both FINs, if everything before both was delivered.
    pub(super) fn finished(&self) -> Option<Ended> {
        let PerSide { client, server } = &self.halves;
        let (Some((_, by_client)), Some((_, by_server))) = (client.fin, server.fin) else {
            return None;
        };
        let by = if by_server.number < by_client.number { Side::Server } else { Side::Client };
        (client.is_finished() && server.is_finished()).then(|| Ended {
            why: CloseReason::Finished,
            at: later(by_client, by_server),
            by: Some(by),
        })
    }

    /// It ended. It lingers for what was captured too late.
    pub(super) fn end_by(&mut self, end: Ended, shared: &mut Shared) {
        if self.end.is_none() {
            self.end = Some(end);
            shared.wait(self.slot, self.generation, What::Close);
        }
    }

    /// Delivers everything that is buffered, and says how it ended: as it did, where it lingers,
    /// and else for the reason given, by the packet `by`.
    pub fn close(
        mut self,
        why: CloseReason,
        by: PacketRef,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        match why {
            CloseReason::Replaced => {
                self.no_answer(AttemptState::GivenUp, by, shared, emit);
            }
            _ => self.no_answer(AttemptState::NoAnswer, by, shared, emit),
        }
        if self.twin && !self.proven && self.announced.is_none() && !self.has_opening_syn() {
            // Beside one that was believed: of an older connection, or forged.
            let PerSide { client, server } = &self.halves;
            let packets = client.tally.packets + server.tally.packets;
            shared.counts.discarded.unacknowledged += packets;
            return;
        }
        for side in Side::BOTH {
            // Nobody could have acknowledged a better copy.
            if self.halves.of(side.other()).tally.packets == 0 {
                self.believe_damaged(side, u64::MAX, shared, emit);
            }
        }
        self.settle(shared, emit);
        loop {
            let first = |side: Side| self.halves.of(side).stream.first();
            let side = match (first(Side::Client), first(Side::Server)) {
                (None, None) => break,
                (Some(_), None) => Side::Client,
                (None, Some(_)) => Side::Server,
                (Some((_, client)), Some((_, server))) => {
                    if server.packet.at < client.packet.at {
                        Side::Server
                    } else {
                        Side::Client
                    }
                }
            };
            self.skip_first_gap(side, shared, emit);
            self.release(shared, emit);
        }
        for side in Side::BOTH {
            let half = self.halves.of(side);
            let (acked, by) = (half.acked, half.acked_by);
            let sent = half.sent;
            self.skip_gap_to(side, acked, by, shared, emit);
            self.skip_gap_to(side, sent, self.last, shared, emit);
        }
        if self.announced.is_none() && self.syn.is_none() {
            // Not more than what lingers on the wire after a connection is over.
            return;
        }
        if self.was_superseded() && self.superseded.is_some_and(|superseded| superseded.blindly) {
            self.lose_its_end(shared, emit);
        }
        let connection = self.announced(shared, emit);
        let end = self.end.or_else(|| self.finished());
        let at = if why == CloseReason::Replaced { by } else { self.last };
        let end = end.unwrap_or(Ended { why, at, by: self.first_fin() });
        let PerSide { client, server } = &self.halves;
        let fin = |half: &HalfStream| half.fin.map(|(_, packet)| packet);
        emit(StreamEvent::Closed(Closed {
            connection,
            end,
            counts: self.tally(),
            fins: PerSide { client: fin(client), server: fin(server) },
            last_data: PerSide { client: client.latest, server: server.latest },
        }));
    }

    /// Another connection between the same ends began without a SYN, so bytes are missing that may
    /// have been this one's: nobody knows how many.
    fn lose_its_end(&mut self, shared: &mut Shared, emit: &mut impl FnMut(StreamEvent<'_>)) {
        for side in Side::BOTH {
            let connection = self.announced(shared, emit);
            self.halves.of_mut(side).tally.gaps += 1;
            shared.counts.gaps += 1;
            let until = self.last;
            let gap = Gap { connection, from: side, bytes: 0, until, certain: true };
            emit(StreamEvent::Gap(gap));
        }
    }

    /// Whether it was opened by a SYN that the capture holds.
    fn has_opening_syn(&self) -> bool {
        let opened = |half: &HalfStream| half.handshake.asked();
        Side::BOTH.into_iter().any(|side| opened(self.halves.of(side)))
    }

    /// Who said FIN first, if anybody did.
    fn first_fin(&self) -> Option<Side> {
        let fin = |side: Side| self.halves.of(side).fin.map(|(_, packet)| (packet.number, side));
        let fins = Side::BOTH.into_iter().filter_map(fin);
        fins.min_by_key(|(number, _)| *number).map(|(_, side)| side)
    }

    /// How it stands, if it was told of.
    pub fn standing(&self) -> Option<Standing> {
        self.announced?;
        let lingering = self.end.is_some();
        Some(Standing { connection: self.id, last: self.last, counts: self.tally(), lingering })
    }

    fn tally(&self) -> ConnectionCounts {
        let PerSide { client, server } = &self.halves;
        let round_trip = client.round_trip(server).or_else(|| server.round_trip(client));
        let (client, server) = (&client.tally, &server.tally);
        let pair = |client, server| PerSide { client, server };
        ConnectionCounts {
            packets: pair(client.packets, server.packets),
            bytes: pair(client.bytes, server.bytes),
            retransmissions: pair(client.retransmissions, server.retransmissions),
            gaps: pair(client.gaps, server.gaps),
            copies: pair(client.copies, server.copies),
            gap_bytes: pair(client.gap_bytes, server.gap_bytes),
            round_trip,
        }
    }

    /// Hands on bytes of `side` that come next. `start` is their position.
    pub(super) fn deliver(
        &mut self,
        side: Side,
        start: u64,
        data: &[u8],
        (packet, hold, after): (PacketRef, Option<Hold>, u64),
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let connection = self.announced(shared, emit);
        let half = self.halves.of_mut(side);
        half.latest = Some(half.latest.map_or(packet, |latest| later(latest, packet)));
        half.fin_unseen = false;
        half.tally.bytes += data.len() as u64;
        emit(StreamEvent::Data(Chunk {
            connection,
            from: side,
            packet,
            hold,
            offset: start - half.origin,
            seq: seq_of(start),
            after: (after > 0).then(|| seq_of(after)),
            data,
        }));
    }

    /// Its id. Tells of it first, if that was not done yet.
    pub(super) fn announced(
        &mut self,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) -> ConnectionId {
        let connection = self.id;
        if self.announced.is_some() {
            return connection;
        }
        self.announced = Some(shared.next_announced());
        let PerSide { client, server } = &self.halves;
        emit(StreamEvent::Opened(Opened {
            connection,
            ends: self.endpoints(),
            roles: self.roles,
            at: self.first,
            from_start: PerSide {
                client: client.start == Start::Exact,
                server: server.start == Start::Exact,
            },
            also: self.also,
        }));
        connection
    }
}

/// The later of two packets, by time.
pub(super) fn later(one: PacketRef, other: PacketRef) -> PacketRef {
    if other.at >= one.at { other } else { one }
}

/// The earlier of two packets, by time.
fn earlier(one: PacketRef, other: PacketRef) -> PacketRef {
    if other.at < one.at { other } else { one }
}
