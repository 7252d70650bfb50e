//! In which order bytes are handed on, and what happens to those that wait for bytes which the
//! capture lacks.
//!
//! **Cause before effect.** A segment that acknowledges bytes which were not seen yet was captured
//! too early, or the capture lacks those bytes. It is buffered until they appear; when the window
//! of reordering has passed, they are a gap. So no reply comes before its request, unless both
//! sides have a hole.

use super::Shared;
use super::assembler::Piece;
use super::connection::{Connection, later};
use super::event::{Gap, StreamEvent};
use super::waits::What;
use crate::endpoint::{PerSide, Side};
use crate::limits::{BUFFERED_IN_ALL, BUFFERED_PER_SIDE, DAMAGED_BYTES};
use crate::packet::PacketRef;

impl Connection {
    /// Delivers what can be delivered, and begins the waits for what cannot.
    pub(super) fn advance(&mut self, shared: &mut Shared, emit: &mut impl FnMut(StreamEvent<'_>)) {
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
            self.end_by(end, shared);
        }
    }

    /// Delivers buffered bytes that come next and were sent after nothing that is missing.
    pub(super) fn release(&mut self, shared: &mut Shared, emit: &mut impl FnMut(StreamEvent<'_>)) {
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

    /// Delivers the first buffered piece of `side`, if it comes next.
    fn release_one(
        &mut self,
        side: Side,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) -> bool {
        let Some((start, Piece { packet, hold, after, data })) =
            self.halves.of_mut(side).stream.release()
        else {
            return false;
        };
        self.deliver(side, start, &data, (packet, hold, after), shared, emit);
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
            What::Settle => {
                if self.may_settle() {
                    return self.settle(shared, emit);
                }
                // It goes on waiting to be believed.
                return shared.wait(self.slot, self.generation, What::Settle);
            }
            What::Answer => return self.answer_is_late(shared, emit),
            What::GiveUp => return self.nobody_waits_any_more(shared, emit),
            What::Reach { side, upto, by } => {
                let half = self.halves.of_mut(side);
                half.awaits_acked = false;
                half.missed |= half.tally.packets == 0;
                // Perhaps that was taken back.
                let upto = upto.min(half.acked);
                self.skip_gap_to(side, upto, by, shared, emit);
            }
            What::Hole { side, at } => {
                let half = self.halves.of_mut(side);
                half.awaits_hole = false;
                if half.stream.next() == at && !self.is_asked_for(side) {
                    self.skip_first_gap(side, shared, emit);
                }
            }
            What::Close | What::Superseded => return,
        }
        self.advance(shared, emit);
    }

    /// Whether the other side spoke since the first piece of `side` was captured, and does not
    /// acknowledge it: then the hole before it will be filled, or the piece is none of this stream.
    fn is_asked_for(&self, side: Side) -> bool {
        let (half, other) = (self.halves.of(side), self.halves.of(side.other()));
        let piece = half.stream.first().map(|(_, piece)| piece.packet.number);
        piece.is_some_and(|number| other.last > number) && half.acked <= half.stream.next()
    }

    /// Gives up waiting for the bytes of `side` before `upto`, as `by` told that they were sent.
    /// What is buffered of them is delivered, whatever it waits for itself.
    pub(super) fn skip_gap_to(
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
    /// and not behind the first that is buffered.
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
        // What nobody acknowledged, and the capture did not cut, is perhaps none.
        let certain = half.stream.next() <= half.acked.max(half.cut);
        if certain {
            half.tally.gaps += 1;
            half.tally.gap_bytes += bytes;
            shared.counts.gaps += 1;
            shared.counts.gap_bytes += bytes;
        } else {
            shared.counts.unacknowledged_gaps += 1;
        }
        let connection = self.announced(shared, emit);
        emit(StreamEvent::Gap(Gap { connection, from: side, bytes, until, certain }));
    }

    /// Gives up what the first buffered piece of `side` waits for. Always gets on: it fills the
    /// hole in front of the piece, or delivers the piece.
    pub(super) fn skip_first_gap(
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

    /// Keeps the damaged segments of a side within their bounds. A better copy of them is still
    /// taken; where none comes, a gap is told.
    #[cold]
    pub(super) fn bound_damaged(&mut self, side: Side, shared: &mut Shared) {
        let in_all = shared.buffered + self.buffered();
        let damaged = &mut self.halves.of_mut(side).damaged;
        if damaged.buffered() > DAMAGED_BYTES || in_all > BUFFERED_IN_ALL {
            shared.counts.waits_given_up += 1;
            damaged.clear();
        }
    }

    /// Keeps what is buffered within its bounds.
    pub(super) fn bound(&mut self, shared: &mut Shared, emit: &mut impl FnMut(StreamEvent<'_>)) {
        for side in Side::BOTH {
            loop {
                let buffered = self.halves.of(side).stream.buffered();
                let in_all = shared.buffered + self.buffered();
                if buffered == 0 || buffered <= BUFFERED_PER_SIDE && in_all <= BUFFERED_IN_ALL {
                    break;
                }
                shared.counts.waits_given_up += 1;
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
}
