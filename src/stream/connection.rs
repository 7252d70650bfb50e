//! One connection: segments of both sides in, events out.

use super::Shared;
use super::assembler::Piece;
use super::event::{
    Chunk, CloseReason, Closed, ConnectionCounts, Ended, Gap, Opened, Standing, StreamEvent,
};
use super::half::{HalfStream, Start};
use super::nagle::{Hold, Leaving};
use super::sequence::seq_of;
use super::waits::What;
use crate::decode::{Flags, Segment};
use crate::endpoint::{ConnectionId, Endpoints, PerSide, Roles, Side};
use crate::limits::{HELD_IN_ALL, HELD_PER_SIDE};
use crate::packet::PacketRef;

/// The life of a connection as the capture sees it.
///
/// ```text
///             first segment
///                   ▼
///   ┌──────────── opening ────────────┐  everything is held
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
///
/// **Order of cause and effect.** A segment that acknowledges bytes which were not seen yet was
/// captured too early, or the capture lacks those bytes. It is held until they appear; when the
/// window of reordering has passed, they are a gap. So no reply comes before its request.
#[derive(Debug)]
pub(super) struct Connection {
    pub slot: u32,
    /// Its name. Taken at once, though perhaps never told: its segments are told before.
    id: ConnectionId,
    /// Its place among the connections that were told of, once it was.
    pub announced: Option<u64>,
    /// Tells it from others that had the slot before.
    pub generation: u64,
    /// Second-chance bit: set by every segment, cleared when the eviction clock passes; clear twice
    /// means evict.
    pub recent: bool,
    /// Its sides. Until it is settled, the client's may be the server's.
    pub halves: PerSide<HalfStream>,
    /// The side that opened it, where a SYN told.
    opener: Option<Side>,
    /// The first packet with a SYN, by time.
    syn: Option<PacketRef>,
    settled: bool,
    /// How it ended, while it lingers.
    end: Option<Ended>,
    roles: Roles,
    /// The first and the last packet, by time.
    first: PacketRef,
    last: PacketRef,
}

impl Connection {
    /// A connection of which `segment` is the first. Waits to be settled.
    pub fn new(slot: u32, generation: u64, segment: &Segment<'_>, shared: &mut Shared) -> Self {
        shared.wait(slot, generation, What::Settle);
        let serial = u32::try_from(generation).unwrap_or(u32::MAX);
        Self {
            slot,
            id: ConnectionId { serial, slot },
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

    /// What its held bytes weigh.
    pub fn held(&self) -> usize {
        self.halves.client.stream.held() + self.halves.server.stream.held()
    }

    /// Whether `segment` opens another connection between the same ends: its SYN does not fit.
    /// A SYN may come after the data that it opens, if packets were captured out of order.
    pub fn is_replaced_by(&self, segment: &Segment<'_>) -> bool {
        if !segment.flags.has(Flags::SYN) {
            return false;
        }
        let side = self.sender(segment);
        let (half, other) = (self.halves.of(side), self.halves.of(side.other()));
        let fits_before = |half: &HalfStream, position: u64| {
            let before = half.origin.checked_sub(position);
            before.is_some_and(|before| before <= HELD_PER_SIDE as u64)
        };
        let first = half.position(segment.seq).wrapping_add(1);
        match (half.start, segment.ack.map(|ack| other.position(ack))) {
            (Start::Exact, _) => first != half.origin,
            (Start::Seen | Start::Acknowledged, _) => !fits_before(half, first),
            // A SYN-ACK acknowledges the SYN, and the data that it may have carried (RFC 7413).
            (Start::Unknown, Some(ack)) => match other.start {
                Start::Exact => !(other.origin..=other.sent).contains(&ack),
                Start::Seen | Start::Acknowledged => !fits_before(other, ack),
                Start::Unknown => false,
            },
            (Start::Unknown, None) => false,
        }
    }

    /// Takes in a segment.
    pub fn push(
        &mut self,
        segment: &Segment<'_>,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let side = self.sender(segment);
        let packet = segment.packet;
        let syn = segment.flags.has(Flags::SYN);
        let (mine, theirs) = self.halves.pair_mut(side);

        // The SYN takes a sequence number itself (RFC 9293, section 3.4).
        let start = mine.position(segment.seq).wrapping_add(u64::from(syn));
        let length = segment.payload.len() as u64 + u64::from(segment.missing);
        let end = start.wrapping_add(length);
        let ack = segment.ack.map(|ack| theirs.position(ack));
        let stray = self.syn.is_some_and(|syn| packet.at < syn.at)
            && !(mine.expects(start) && ack.is_none_or(|ack| theirs.expects(ack)));
        if !mine.can_reach(end) || stray {
            // Of an older connection between the same ends, or forged.
            shared.counts.out_of_window += 1;
            return;
        }
        emit(StreamEvent::Segment(self.id));
        self.recent = true;
        self.last = later(self.last, packet);
        if self.announced.is_none() {
            self.first = earlier(self.first, packet);
        }
        mine.tally.packets += 1;

        if segment.flags.has(Flags::RST) {
            // One that was guessed by an outsider does not fit (RFC 5961, section 3).
            if mine.expects(start) || ack.is_some_and(|ack| theirs.expects(ack)) {
                self.ends(Ended { why: CloseReason::Reset, at: packet, by: Some(side) }, shared);
            }
            return;
        }
        mine.handshake.see(segment);
        if syn {
            theirs.buffer.asked(packet.at);
            if let Some(mss) = segment.mss {
                mine.buffer.limit(mss);
                theirs.buffer.limit(mss);
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
            && theirs.can_reach(ack)
        {
            if syn && theirs.start != Start::Exact && !self.settled {
                theirs.starts_at(ack);
            }
            theirs.acknowledged_at(ack, self.settled);
            mine.buffer.answers(packet.at);
            theirs.buffer.acknowledged(packet.at, ack, length > 0);
            if ack > theirs.acked {
                theirs.acked = ack;
                theirs.acked_by = packet;
            }
            after = ack;
        }

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
            let hold = (length > 0)
                .then(|| Leaving::of(segment, start))
                .and_then(|leaving| mine.buffer.leaves(&leaving));
            // One that lies before bytes that were seen is not theirs.
            if segment.flags.has(Flags::FIN) && mine.fin.is_none() && end >= mine.stream.end() {
                mine.fin = Some((end, packet));
                mine.fin_unseen = false;
            }
            // Nothing lies behind a FIN.
            let until = mine.fin.map_or(u64::MAX, |(fin, _)| fin);
            let room = usize::try_from(until.saturating_sub(start)).unwrap_or(usize::MAX);
            let data = segment.payload.get(..room).unwrap_or(segment.payload);
            if !data.is_empty() {
                self.data(side, start, data, (packet, hold), after, shared, emit);
            }
        }
        if self.settled {
            self.advance(shared, emit);
        } else if Side::BOTH.into_iter().all(|side| {
            let half = self.halves.of(side);
            half.start == Start::Exact && half.tally.packets > 0
        }) {
            self.settle(shared, emit);
        }
        self.bound(shared, emit);
    }

    /// Bytes of `side` at `start`, sent after the other side was received up to `after`.
    #[expect(clippy::too_many_arguments)]
    fn data(
        &mut self,
        side: Side,
        start: u64,
        data: &[u8],
        (packet, hold): (PacketRef, Option<Hold>),
        after: u64,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let mut later_start = start;
        let mut later = data;
        let mut fresh = 0;
        if self.settled {
            let theirs = self.halves.of(side.other());
            if theirs.is_absent() {
                // As in `advance`, so that these bytes need not be held.
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
                    self.deliver(side, position, now, (packet, hold), shared, emit);
                }
            }
        }
        if !later.is_empty() {
            let mine = self.halves.of_mut(side);
            let held = mine.stream.hold(later_start, later, (packet, hold), after);
            // Bytes follow, so what was acknowledged before them was a byte.
            mine.fin_unseen = false;
            fresh += held.fresh;
            shared.counts.conflicting += u64::from(held.conflict);
            if self.settled && held.fresh > 0 {
                shared.counts.out_of_order += 1;
            }
        }
        if fresh == 0 {
            self.halves.of_mut(side).tally.retransmissions += 1;
            shared.counts.retransmissions += 1;
        }
    }

    /// Nothing earlier is expected any more: fixes who is who and where the streams begin.
    pub fn settle(&mut self, shared: &mut Shared, emit: &mut impl FnMut(StreamEvent<'_>)) {
        if self.settled {
            return;
        }
        self.settled = true;
        self.fix_roles(shared);
        self.advance(shared, emit);
    }

    /// The SYN tells who is the server; else the ports that the user named; else the lower port.
    fn fix_roles(&mut self, shared: &Shared) {
        let (client, server) = (&self.halves.client, &self.halves.server);
        let named = |half: &HalfStream| shared.ports.contains(half.address.port());
        let (roles, swapped) = if let Some(opener) = self.opener {
            (Roles::Known, opener == Side::Server)
        } else if named(client) != named(server) {
            (Roles::Known, named(client))
        } else {
            let swapped = client.address.port() < server.address.port();
            (Roles::Guessed, swapped)
        };
        self.roles = roles;
        if swapped {
            let (client, server) = self.halves.pair_mut(Side::Client);
            std::mem::swap(client, server);
            self.end = self.end.map(Ended::swapped);
        }
    }

    /// Delivers what can be delivered, and begins the waits for what cannot.
    fn advance(&mut self, shared: &mut Shared, emit: &mut impl FnMut(StreamEvent<'_>)) {
        for side in Side::BOTH {
            // The capture shows one direction only: no use in waiting for the other.
            let half = self.halves.of(side);
            if half.is_absent() {
                self.skip_gap_to(side, half.acked, half.acked_by, shared, emit);
            }
        }
        let PerSide { client, server } = &self.halves;
        if !(client.stream.is_empty() && server.stream.is_empty()) {
            self.release(shared, emit);
        }
        for side in Side::BOTH {
            self.watch(side, shared);
        }
        if let Some(end) = self.finished() {
            self.ends(end, shared);
        }
    }

    /// The end by both FINs, if everything before both was delivered.
    fn finished(&self) -> Option<Ended> {
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

    /// Delivers held bytes that come next and were sent after nothing that is missing.
    fn release(&mut self, shared: &mut Shared, emit: &mut impl FnMut(StreamEvent<'_>)) {
        loop {
            let mut blocked = PerSide::<Option<PacketRef>>::default();
            let mut released = false;
            for side in Side::BOTH {
                while let Some(piece) = self.halves.of(side).stream.ready() {
                    if !self.halves.of(side.other()).has_reached(piece.after) {
                        *blocked.of_mut(side) = Some(piece.packet);
                        break;
                    }
                    self.release_one(side, shared, emit);
                    released = true;
                }
            }
            if released {
                continue;
            }
            // Each waits for the other: one is a retransmission, which carries the latest
            // acknowledgement though its bytes were sent earlier. That is the one seen later.
            let (Some(client), Some(server)) = (blocked.client, blocked.server) else {
                return;
            };
            let side = if client.number > server.number { Side::Client } else { Side::Server };
            self.release_one(side, shared, emit);
        }
    }

    /// Delivers the first held piece of `side`, if it comes next.
    fn release_one(
        &mut self,
        side: Side,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) -> bool {
        let Some((start, Piece { packet, waited, data, .. })) =
            self.halves.of_mut(side).stream.release()
        else {
            return false;
        };
        self.deliver(side, start, &data, (packet, waited), shared, emit);
        true
    }

    /// Begins the waits that the state of `side` asks for, unless they are queued.
    fn watch(&mut self, side: Side, shared: &mut Shared) {
        let (slot, generation) = (self.slot, self.generation);
        let half = self.halves.of_mut(side);
        if !half.awaits_acked && !half.has_reached(half.acked) {
            half.awaits_acked = true;
            let (upto, by) = (half.acked, half.acked_by);
            shared.wait(slot, generation, What::Reach { side, upto, by });
        }
        if !half.awaits_hole && !half.stream.is_empty() && half.stream.ready().is_none() {
            half.awaits_hole = true;
            let at = half.stream.next();
            shared.wait(slot, generation, What::Hole { side, at });
        }
    }

    /// A wait is over. `Close` is not for the connection, but for who owns it.
    pub fn passed(
        &mut self,
        what: What,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        match what {
            What::Settle => return self.settle(shared, emit),
            What::Reach { side, upto, by } => {
                let half = self.halves.of_mut(side);
                half.awaits_acked = false;
                half.missed |= half.tally.packets == 0;
                self.skip_gap_to(side, upto, by, shared, emit);
            }
            What::Hole { side, at } => {
                let half = self.halves.of_mut(side);
                half.awaits_hole = false;
                if half.stream.next() == at {
                    self.skip_first_gap(side, shared, emit);
                }
            }
            What::Close => return,
        }
        self.advance(shared, emit);
    }

    /// Gives up waiting for the bytes of `side` before `upto`, as `by` told that they were sent.
    /// What is held of them is delivered, whatever it waits for itself.
    fn skip_gap_to(
        &mut self,
        side: Side,
        upto: u64,
        by: PacketRef,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        while !self.halves.of(side).has_reached(upto) {
            if self.release_one(side, shared, emit) {
                continue;
            }
            let half = self.halves.of_mut(side);
            let next = half.stream.next();
            let (mut end, mut until) = (upto, by);
            if let Some((start, piece)) = half.stream.first()
                && start <= upto
            {
                (end, until) = (start, piece.packet);
            } else if let Some((fin, _)) = half.fin {
                end = end.min(fin);
            } else if upto == next + 1 {
                half.fin_unseen = true;
                return;
            }
            self.gap(side, end, until, shared, emit);
        }
    }

    /// Tells that the capture lacks the bytes of `side` up to `end`, which is behind the next one
    /// and not behind the first that is held.
    fn gap(
        &mut self,
        side: Side,
        end: u64,
        until: PacketRef,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let half = self.halves.of_mut(side);
        let until = half.latest.map_or(until, |latest| later(until, latest));
        let bytes = half.stream.skip_to(end);
        half.fin_unseen = false;
        half.tally.gaps += 1;
        half.tally.gap_bytes += bytes;
        shared.counts.gaps += 1;
        shared.counts.gap_bytes += bytes;
        let connection = self.announced(shared, emit);
        emit(StreamEvent::Gap(Gap { connection, from: side, bytes, until }));
    }

    /// Gives up what the first held piece of `side` waits for. Always gets on: it fills the hole
    /// in front of the piece, or delivers the piece.
    fn skip_first_gap(
        &mut self,
        side: Side,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let half = self.halves.of(side);
        let Some((start, piece)) = half.stream.first() else {
            return;
        };
        let (packet, after) = (piece.packet, piece.after);
        if start > half.stream.next() {
            self.gap(side, start, packet, shared, emit);
        } else {
            self.skip_gap_to(side.other(), after, packet, shared, emit);
            self.release_one(side, shared, emit);
        }
    }

    /// Keeps what is held within its bounds.
    fn bound(&mut self, shared: &mut Shared, emit: &mut impl FnMut(StreamEvent<'_>)) {
        for side in Side::BOTH {
            loop {
                let held = self.halves.of(side).stream.held();
                let in_all = shared.held + self.held();
                if held == 0 || held <= HELD_PER_SIDE && in_all <= HELD_IN_ALL {
                    break;
                }
                shared.counts.forced_skips += 1;
                if self.settled {
                    self.skip_first_gap(side, shared, emit);
                    self.advance(shared, emit);
                } else {
                    // The sides may be exchanged by this.
                    self.settle(shared, emit);
                }
            }
        }
    }

    /// It ended. It lingers for what was captured too late.
    fn ends(&mut self, end: Ended, shared: &mut Shared) {
        if self.end.is_none() {
            self.end = Some(end);
            shared.wait(self.slot, self.generation, What::Close);
        }
    }

    /// Delivers everything that is held, and says how it ended: as it did, where it lingers, and
    /// else for the reason given.
    pub fn close(
        mut self,
        why: CloseReason,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
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
        let connection = self.announced(shared, emit);
        let end = self.end.or_else(|| self.finished());
        let end = end.unwrap_or(Ended { why, at: self.last, by: self.first_fin() });
        emit(StreamEvent::Closed(Closed { connection, end, counts: self.tally() }));
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
            gap_bytes: pair(client.gap_bytes, server.gap_bytes),
            round_trip,
        }
    }

    /// Hands on bytes of `side` that come next. `start` is their position.
    fn deliver(
        &mut self,
        side: Side,
        start: u64,
        data: &[u8],
        (packet, hold): (PacketRef, Option<Hold>),
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
            data,
        }));
    }

    /// Its name. Tells of it first, if that was not done yet.
    fn announced(
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
            ends: Endpoints { client: client.address, server: server.address },
            roles: self.roles,
            at: self.first,
            from_start: PerSide {
                client: client.start == Start::Exact,
                server: server.start == Start::Exact,
            },
        }));
        connection
    }
}

/// The later of two packets, by time.
fn later(one: PacketRef, other: PacketRef) -> PacketRef {
    if other.at >= one.at { other } else { one }
}

/// The earlier of two packets, by time.
fn earlier(one: PacketRef, other: PacketRef) -> PacketRef {
    if other.at < one.at { other } else { one }
}
