//! Attempts to connect that have no good answer.

use super::Shared;
use super::connection::Connection;
use super::event::{Attempt, AttemptState, CloseReason, Ended, Notice, Noticed, StreamEvent};
use super::waits::What;
use crate::decode::{Flags, Segment, Unreachable, UnreachableCode};
use crate::endpoint::{Endpoints, Side};
use crate::packet::PacketRef;

/// An attempt to open a connection, until the server sent a byte or the attempt failed.
///
/// ```text
///   SYN ──► asked ──── SYN again, a second passed, or ICMP ────► waiting
///             └──────────────────────────┬─────────────────────────┘
///                                        ├── SYN-ACK ──► accepted ── data, FIN ──► over
///                                        │                  └── RST of the server ──► reset
///                                        ├── RST, ICMP of the port ──► refused
///                                        ├── something else of the opener, a challenge ──► none
///                                        └── next attempt, 127 s, end ──► unreachable, no answer
/// ```
///
/// ICMP that names another reason than the port decides only what it ends as: unreachable. Where
/// neither ICMP came nor `waiting` was told, the last way ends in nothing that is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempting {
    first: PacketRef,
    last: PacketRef,
    syns: u32,
    /// Whether it was asked again, a second passed, or ICMP came.
    late: bool,
    /// Whether it was told that it waits.
    waiting: bool,
    /// Whether it was counted as seen from one side only.
    one_sided: bool,
    /// A router said that the last SYN did not get there. The client may ask again (RFC 1122,
    /// section 4.2.3.9).
    unreachable: Option<(UnreachableCode, PacketRef)>,
    /// The SYN-ACK.
    accepted: Option<PacketRef>,
}

impl Connection {
    /// Whether it is an attempt to connect without an answer so far.
    pub fn is_unanswered(&self) -> bool {
        self.attempt.is_some_and(|attempt| attempt.accepted.is_none())
    }

    /// Whether `segment` opens another connection in place of one that was never answered, or that
    /// is over. A SYN that came on another path is of somebody else with the same ends.
    pub fn gives_way_to(&self, segment: &Segment<'_>) -> bool {
        let asks = segment.flags.has(Flags::SYN) && segment.ack.is_none();
        let side = self.sender(segment);
        let again = self.is_unanswered()
            && self.opener() == Some(side)
            && self.halves.of(side).knows(segment.path);
        self.is_over() || asks && again
    }

    /// What a segment of `side` means for the attempt. Called behind `came`, which counts the
    /// packet, and before its bytes are taken in.
    #[inline]
    pub(super) fn follow_attempt(
        &mut self,
        side: Side,
        segment: &Segment<'_>,
        is_copy: bool,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let asks = segment.flags.has(Flags::SYN) && segment.ack.is_none();
        if (self.attempt.is_some() || asks) && !is_copy {
            self.go_on_with_attempt(side, segment, asks, shared, emit);
        }
    }

    #[cold]
    fn go_on_with_attempt(
        &mut self,
        side: Side,
        segment: &Segment<'_>,
        asks: bool,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let packet = segment.packet;
        let is_first = self.halves.of(Side::Client).tally.packets
            + self.halves.of(Side::Server).tally.packets
            == 1;
        let refuses = segment.flags.has(Flags::RST) && self.resets_with(segment);
        let Some(attempt) = &mut self.attempt else {
            if asks && is_first {
                self.attempt = Some(Attempting {
                    first: packet,
                    last: packet,
                    syns: 1,
                    late: false,
                    waiting: false,
                    one_sided: false,
                    unreachable: None,
                    accepted: None,
                });
                shared.wait(self.slot, self.generation, What::Answer);
            }
            return;
        };
        let by_opener = self.opener.is_none_or(|opener| opener == side);
        match attempt.accepted {
            None if by_opener && asks => {
                attempt.syns = attempt.syns.saturating_add(1);
                attempt.late = true;
                if packet.number < attempt.first.number {
                    attempt.first = packet;
                } else {
                    attempt.last = packet;
                    attempt.unreachable = None;
                }
                self.tell_waiting(packet, shared, emit);
            }
            None if by_opener => self.answered(packet, emit),
            None if refuses => {
                let refused = AttemptState::Refused { by_network: false };
                self.attempt_ends(refused, packet, Some(packet), emit);
            }
            None if segment.flags.has(Flags::SYN) => {
                attempt.accepted = Some(packet);
                if std::mem::take(&mut attempt.waiting) {
                    self.tell(AttemptState::Answered, packet, Some(packet), emit);
                }
            }
            // Not an answer to this SYN: a challenge, or of an older connection.
            None => {}
            Some(_) if !by_opener && segment.flags.has(Flags::RST) => {
                self.attempt_ends(AttemptState::Reset, packet, Some(packet), emit);
            }
            Some(_) => {
                let ends = segment.flags.has(Flags::FIN) || segment.flags.has(Flags::RST);
                let serves = !by_opener && !segment.payload.is_empty();
                if ends || serves {
                    self.attempt = None;
                }
            }
        }
    }

    /// A second passed since the SYN.
    pub(super) fn answer_is_late(
        &mut self,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        if let Some(attempt) = &mut self.attempt
            && attempt.accepted.is_none()
        {
            attempt.late = true;
            shared.wait(self.slot, self.generation, What::GiveUp);
            self.tell_waiting(self.last, shared, emit);
        }
    }

    /// The capture shows the other direction too: an attempt that nothing answered for long is one.
    pub(super) fn other_direction_is_seen(
        &mut self,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        if let Some(attempt) = &mut self.attempt {
            let was_one_sided = std::mem::take(&mut attempt.one_sided);
            shared.counts.one_sided_syns -= u64::from(was_one_sided);
            if attempt.late && attempt.accepted.is_none() {
                self.tell_waiting(self.last, shared, emit);
            }
        }
    }

    /// As long passed as any client waits.
    pub(super) fn nobody_waits_any_more(
        &mut self,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        if self.is_unanswered() {
            self.no_answer(AttemptState::GivenUp, shared.clock.last(), shared, emit);
            self.end_by(Ended { why: CloseReason::CaptureEnded, at: self.last, by: None }, shared);
        }
    }

    /// A router or the host said that the segment which `message` quotes did not get there.
    pub(super) fn unreachable(
        &mut self,
        message: &Unreachable,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let quotes_syn = self.opener.is_some_and(|opener| {
            let half = self.halves.of(opener);
            half.address == message.from
                && half.position(message.seq).wrapping_add(1) == half.origin
        });
        if !self.is_unanswered() || !quotes_syn {
            return;
        }
        let at = message.packet;
        if message.code == UnreachableCode::Port {
            let refused = AttemptState::Refused { by_network: true };
            self.attempt_ends(refused, at, Some(at), emit);
            self.end_by(Ended { why: CloseReason::Unreachable, at, by: None }, shared);
        } else if let Some(attempt) = &mut self.attempt {
            attempt.unreachable = Some((message.code, at));
            attempt.late = true;
            shared.both_ways = true;
            self.tell_waiting(at, shared, emit);
        }
    }

    /// Ends an attempt without an answer, because its connection closes or its client has given up:
    /// `state` says which, unless ICMP said why.
    pub(super) fn no_answer(
        &mut self,
        state: AttemptState,
        at: PacketRef,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        if !self.is_unanswered() {
            return;
        }
        // It may have been late before the capture showed the other direction.
        if self.attempt.is_some_and(|attempt| attempt.late) {
            self.tell_waiting(self.last, shared, emit);
        }
        match self.attempt {
            Some(Attempting { unreachable: Some((code, at)), .. }) => {
                self.attempt_ends(AttemptState::Unreachable(code), at, Some(at), emit);
                self.end.get_or_insert(Ended { why: CloseReason::Unreachable, at, by: None });
            }
            Some(Attempting { waiting: true, .. }) => self.attempt_ends(state, at, None, emit),
            _ => self.attempt = None,
        }
    }

    /// The server spoke in an older connection between the same ends after the SYN: it challenges
    /// the SYN (RFC 5961, section 4), which is an answer.
    pub(super) fn challenged(&mut self, at: PacketRef, emit: &mut impl FnMut(StreamEvent<'_>)) {
        if self.is_unanswered() {
            self.answered(at, emit);
        }
    }

    /// Tells that it waits. Without a packet of the other direction anywhere the capture shows one
    /// only, and says nothing of answers.
    fn tell_waiting(
        &mut self,
        at: PacketRef,
        shared: &mut Shared,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let Some(attempt) = &mut self.attempt else { return };
        if !shared.both_ways {
            let is_counted = std::mem::replace(&mut attempt.one_sided, true);
            shared.counts.one_sided_syns += u64::from(!is_counted);
        } else if !std::mem::replace(&mut attempt.waiting, true) {
            shared.counts.unanswered += 1;
            self.tell(AttemptState::Waiting, at, None, emit);
        }
    }

    /// It is none, or was answered in bytes that the capture lacks.
    fn answered(&mut self, at: PacketRef, emit: &mut impl FnMut(StreamEvent<'_>)) {
        if self.attempt.is_some_and(|attempt| attempt.waiting) {
            self.tell(AttemptState::Answered, at, None, emit);
        }
        self.attempt = None;
    }

    fn attempt_ends(
        &mut self,
        state: AttemptState,
        at: PacketRef,
        answer: Option<PacketRef>,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        self.tell(state, at, answer, emit);
        self.attempt = None;
    }

    fn tell(
        &self,
        state: AttemptState,
        at: PacketRef,
        answer: Option<PacketRef>,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let Some(Attempting { first, last, syns, .. }) = self.attempt else { return };
        let opener = self.opener.unwrap_or(Side::Client);
        let ends = Endpoints {
            client: self.halves.of(opener).address,
            server: self.halves.of(opener.other()).address,
        };
        let attempt = Attempt { ends, first, last, syns, answer };
        let what = Noticed::Attempt(attempt, state);
        emit(StreamEvent::Notice(Notice { connection: self.id(), at, what }));
    }
}
