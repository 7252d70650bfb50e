//! Whether a segment is one of a connection, by its numbers and the path on which it came.
//!
//! Sequence numbers go round and ports are used again, so the ends alone name no connection. What
//! lies far from all that is known of a connection is not one of its segments, however it looks: it
//! becomes one, or the first of another, when the other side acknowledges it (`strays`).

use std::net::SocketAddr;

use super::Shared;
use super::connection::Connection;
use super::event::{CloseReason, Notice, Noticed, StreamEvent};
use super::half::Start;
use super::sequence::position_from;
use super::strays::{Direction, Group};
use crate::decode::{Flags, Segment, Seq};
use crate::endpoint::{Endpoints, Side};
use crate::limits::WINDOW;
use crate::packet::PacketRef;

/// Added to the distance of a segment on a path that none of the connection came on.
const PATH_PENALTY: u64 = WINDOW / 2;

/// A connection goes on behind a hole: the side with this address at the sequence number `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jump {
    address: SocketAddr,
    to: Seq,
}

impl Connection {
    /// Whether a segment is one of this connection.
    pub fn fits(&self, segment: &Segment<'_>) -> bool {
        let side = self.sender(segment);
        let (mine, theirs) = (self.halves.of(side), self.halves.of(side.other()));
        let syn = segment.flags.has(Flags::SYN);
        let start = mine.position(segment.seq).wrapping_add(u64::from(syn));
        mine.expects(start)
            && segment.ack.is_none_or(|ack| theirs.expects(theirs.position(ack)))
            && (!syn || self.opened_by(segment))
            && (mine.knows(segment.path) || mine.adopts(start, segment))
    }

    /// How far a segment lies from what is expected of this connection; `None` where it is not one
    /// of it.
    pub fn distance(&self, segment: &Segment<'_>) -> Option<u64> {
        if !self.fits(segment) {
            return None;
        }
        let side = self.sender(segment);
        let (mine, theirs) = (self.halves.of(side), self.halves.of(side.other()));
        let syn = u64::from(segment.flags.has(Flags::SYN));
        let sent = mine.distance(mine.position(segment.seq).wrapping_add(syn))?;
        let received = match segment.ack {
            Some(ack) => theirs.distance(theirs.position(ack))?,
            None => 0,
        };
        let path = if mine.knows(segment.path) { 0 } else { PATH_PENALTY };
        Some(sent + received + path)
    }

    /// Whether a SYN is the one that opened this connection. It may come after the data that it
    /// opens, if packets were captured out of order.
    fn opened_by(&self, segment: &Segment<'_>) -> bool {
        if self.is_over() && segment.ack.is_none() {
            return self.is_same_syn(segment);
        }
        let side = self.sender(segment);
        let (half, other) = (self.halves.of(side), self.halves.of(side.other()));
        let first = half.position(segment.seq).wrapping_add(1);
        let fits_before = |origin: u64, position: u64| {
            origin.checked_sub(position).is_some_and(|before| before <= WINDOW)
        };
        match (half.start, segment.ack.map(|ack| other.position(ack))) {
            (Start::Exact, _) => first == half.origin,
            (Start::Seen | Start::Acknowledged, _) => fits_before(half.origin, first),
            // A SYN-ACK acknowledges the SYN, and the data that it may have carried (RFC 7413).
            (Start::Unknown, Some(ack)) => match other.start {
                Start::Exact => (other.origin..=other.sent).contains(&ack),
                Start::Seen | Start::Acknowledged => fits_before(other.origin, ack),
                Start::Unknown => true,
            },
            (Start::Unknown, None) => true,
        }
    }

    fn is_same_syn(&self, segment: &Segment<'_>) -> bool {
        let half = self.halves.of(self.sender(segment));
        half.start == Start::Exact && half.position(segment.seq).wrapping_add(1) == half.origin
    }

    /// Whether `segment` brings bytes that this connection lacks and that the other side
    /// acknowledged: it is one of it, whatever it acknowledges itself.
    pub fn needs(&self, segment: &Segment<'_>) -> bool {
        if !self.is_between(&segment.from, &segment.to) || segment.flags.has(Flags::SYN) {
            return false;
        }
        let mine = self.halves.of(self.sender(segment));
        let start = mine.position(segment.seq);
        let end = start.saturating_add(segment.payload.len() as u64);
        let next = mine.stream.next();
        let fills = start <= end && mine.expects(start) && next < end && end <= mine.acked;
        mine.start != Start::Unknown && mine.knows(segment.path) && fills
    }

    /// Whether a RST ends this connection, though one of its numbers may not fit. What an outsider
    /// guessed does not fit (RFC 5961, section 3), nor what is left of an older connection.
    pub fn resets_with(&self, segment: &Segment<'_>) -> bool {
        let side = self.sender(segment);
        let (mine, theirs) = (self.halves.of(side), self.halves.of(side.other()));
        let start = mine.position(segment.seq);
        let ack = segment.ack.map(|ack| theirs.position(ack));
        if self.is_unanswered() && self.opener() == Some(side.other()) {
            // RFC 9293, section 3.5.3: a RST that answers a SYN acknowledges it.
            return ack.is_some_and(|ack| (theirs.origin..=theirs.sent).contains(&ack));
        }
        // The receiver drops what lies before the bytes that it expects.
        let is_old = mine.start != Start::Unknown && start < mine.acked;
        !is_old && (mine.expects(start) || ack.is_some_and(|ack| theirs.expects(ack)))
    }

    /// Whether both sides went on, and acknowledged each other, after a RST that was taken for the
    /// end: then it was none.
    pub fn outlives_its_reset(&self) -> bool {
        self.end.is_some_and(|end| {
            let went_on = |side| self.halves.of(side).acked_by.number > end.at.number;
            end.why == CloseReason::Reset && Side::BOTH.into_iter().all(went_on)
        })
    }

    /// Whether `segment` continues what was seen of its sender.
    pub fn is_continued_by(&self, segment: &Segment<'_>) -> bool {
        let mine = self.halves.of(self.sender(segment));
        let continues = mine.start != Start::Unknown && mine.position(segment.seq) == mine.sent;
        continues && !segment.payload.is_empty()
    }

    /// Where this connection goes on, if the segments of `group` are its own, behind a hole: one of
    /// its sides goes on as expected, the other was not seen since.
    pub fn jump_to(&self, group: &Group) -> Option<Jump> {
        let [one, other] = group.directions();
        let jumped = |still: &Direction, moved: &Direction| {
            let side = if self.halves.client.address == moved.address {
                Side::Client
            } else {
                Side::Server
            };
            let (half, steady) = (self.halves.of(side), self.halves.of(side.other()));
            let (still, to) = (still.first?, moved.first?);
            let goes_on = steady.start != Start::Unknown && steady.expects(steady.position(still));
            let waits = half.last < group.first().number && !half.expects(half.position(to));
            (goes_on && waits && !self.is_over()).then_some(Jump { address: moved.address, to })
        };
        jumped(one, other).or_else(|| jumped(other, one))
    }

    /// Goes on behind a hole, as `by` showed.
    pub fn jump(
        &mut self,
        jump: Jump,
        by: PacketRef,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        self.settle(shared, emit);
        let Jump { address, to } = jump;
        let is_client = self.halves.client.address == address;
        let side = if is_client { Side::Client } else { Side::Server };
        let end = self.halves.of(side).stream.end();
        self.skip_gap_to(side, end, by, shared, emit);
        let half = self.halves.of_mut(side);
        let target = position_from(to, half.stream.next());
        half.acked = half.acked.max(target);
        half.sent = half.sent.max(target);
        half.acked_by = by;
        self.skip_gap_to(side, target, by, shared, emit);
    }

    /// Whether no packet of `address` was seen.
    pub fn is_silent(&self, address: &SocketAddr) -> bool {
        Side::BOTH.into_iter().any(|side| {
            let half = self.halves.of(side);
            half.address == *address && half.tally.packets == 0
        })
    }

    /// The capture saw it under other addresses too.
    pub fn tell_also(
        &mut self,
        also: Endpoints,
        at: PacketRef,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        self.also = Some(also);
        if self.announced.is_some() {
            let what = Noticed::Translated(also);
            emit(StreamEvent::Notice(Notice { connection: self.id(), at, what }));
        }
    }
}
