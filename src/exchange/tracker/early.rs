//! Replies that could be read before their request: its side waits behind a gap.

use super::{Answer, Parties, Tracker, connection_mut, release_number, take_next};
use crate::decode::Seq;
use crate::endpoint::ConnectionId;
use crate::exchange::deferred::{Deferred, Ticket};
use crate::exchange::kept::KeptExchange;
use crate::exchange::runs::Run;
use crate::exchange::waiting::{CallIndex, Lookup};
use crate::exchange::waiting_call::Reply;
use crate::exchange::{
    Exchange, ExchangeKind, ExchangeNumber, Frame, Held, Payloads, Span, Status, TrackerEvent,
};
use crate::limits;
use crate::protocol::{FrameHold, Message};
use crate::time::Nanos;

/// A reply that waits for its request. Until that appears it has a number of its own: of the two,
/// it is its first byte that was seen.
#[derive(Debug)]
pub(super) struct EarlyReply {
    /// As it is told if the request does not come: an orphan.
    orphan: KeptExchange,
    run: Run,
    failed: bool,
    last: bool,
    seq: Seq,
    /// See [`Message::after`].
    after: Option<Seq>,
    /// What it amounts to is known with the request.
    hold: Option<FrameHold>,
    /// The JSON text of its frame, where progress is told.
    body: Box<[u8]>,
    /// The call had its final reply meanwhile; this one is another, unless a later call has the id.
    after_final: bool,
}

/// A request that early replies may answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    span: Span,
    /// The sequence number behind it.
    end: Seq,
}

impl Asked {
    pub(super) fn of(message: &Message<'_>) -> Self {
        Self { span: Span::of(message), end: message.end() }
    }
}

/// The queue of early replies. They wait as long as `stream` may: the longest that it waits for
/// bytes before it hands on what lies behind them.
pub(super) fn queue(reorder_at_most: Nanos) -> Deferred<EarlyReply> {
    let wait = limits::RETRANSMISSION_WAIT.get().saturating_add(reorder_at_most.get());
    Deferred::new(Nanos::new(wait), limits::EARLY_REPLIES, limits::EARLY_REPLY_BYTES)
}

impl EarlyReply {
    /// Whether this can be an answer to that request: its sender had received the request, or it
    /// was captured behind it, in the order of the packets or by their times.
    fn may_answer(&self, &Asked { span: request, end }: &Asked) -> bool {
        if self.after.is_some_and(|after| after.distance(end) >= 0) {
            return true;
        }
        let Some(reply) = self.orphan.lend().reply else { return false };
        let later = reply.last.number > request.last.number;
        later || !self.after_final && reply.last.at > request.last.at
    }
}

impl Tracker {
    /// A reply came that no call waits for.
    pub(super) fn defer_early(
        &mut self,
        parties: &Parties,
        (hash, run): (u64, Run),
        message: &Message<'_>,
        id: &[u8],
        &Answer { reply: Reply { response, error }, failed, last }: &Answer<'_>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let keep = self.config.keep_payloads || self.config.tell_progress;
        let end = [response.map_or(0, <[u8]>::len)];
        let &Parties { connection, ends, .. } = parties;
        let number = take_next(&mut self.next_number);
        let orphan = KeptExchange::new(&Exchange {
            id: Some(id),
            reply: Some(Span::of(message)),
            replies: 1,
            reply_held: Held::of(message.hold, None),
            responses: match response.filter(|_| keep) {
                Some(response) => Payloads::new(response, &end),
                None => Payloads::default(),
            },
            error: error.filter(|_| keep),
            ..Exchange::empty(number, connection, ends, ExchangeKind::Reply, Status::Orphan)
        });
        let body = if self.config.tell_progress { message.body } else { &[] };
        let bytes = orphan.weight() + body.len();
        let reply = EarlyReply {
            orphan,
            run,
            failed,
            last,
            seq: message.seq,
            after: message.after,
            hold: message.hold.copied(),
            body: body.into(),
            after_final: false,
        };
        let ticket = self.early.push(self.clock.elapsed(), bytes, reply);
        let Some(known) = connection_mut(&mut self.connections, parties.connection) else { return };
        let early = &mut known.doubts().early;
        early.push_back((hash, ticket));
        let oldest = early.front().filter(|_| early.len() > limits::EARLY_REPLIES_OF_CONNECTION);
        let mut over = oldest.map(|(_, ticket)| *ticket);
        while let Some(ticket) = over.take().or_else(|| self.early.over_limit()) {
            self.counts.waits_given_up += 1;
            self.orphaned(ticket, emit);
        }
    }

    /// The number of the first reply that waits for this request, if any does.
    #[cold]
    pub(super) fn early_number(
        &mut self,
        parties: &Parties,
        key: &[u8],
        request: &Asked,
    ) -> Option<ExchangeNumber> {
        let hash = self.calls.hash(parties.connection.number, key);
        // Another call of this id waits already, for the same replies.
        if let Lookup::Open(_) = self.calls.look_up(parties.connection, key) {
            return None;
        }
        let ticket = self.next_early(parties.connection, hash, request)?;
        self.early.get(ticket).map(|reply| reply.orphan.lend().number)
    }

    fn next_early(
        &mut self,
        connection: ConnectionId,
        hash: u64,
        request: &Asked,
    ) -> Option<Ticket> {
        let known = connection_mut(&mut self.connections, connection)?;
        let tickets = known.doubts.as_ref()?.early.iter();
        let mut tickets = tickets.filter(|(known, _)| *known == hash).map(|(_, ticket)| *ticket);
        tickets
            .find(|ticket| self.early.get(*ticket).is_some_and(|reply| reply.may_answer(request)))
    }

    /// The request came that replies with this key wait for.
    #[cold]
    pub(super) fn answer_early(
        &mut self,
        parties: &Parties,
        place: CallIndex,
        (key, asked): (&[u8], &Asked),
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let hash = self.calls.hash(parties.connection.number, key);
        let Some(number) = self.calls.call(place).map(|(call, _)| call.number) else { return };
        while let Some(ticket) = self.next_early(parties.connection, hash, asked) {
            let Some(early) = self.take_early(ticket) else { return };
            let orphan = early.orphan.lend();
            let Some(span) = orphan.reply else { return };
            if orphan.number != number {
                release_number(&mut self.next_number, Some(orphan.number));
            }
            let (response, error) = (orphan.responses.iter().next(), orphan.error);
            let EarlyReply { failed, last, .. } = early;
            let answer = Answer { reply: Reply { response, error }, failed, last };
            let held = Held::of(early.hold.as_ref(), Some(asked.span.last.at));
            let frame = Frame { span, seq: early.seq, held, body: &early.body };
            self.answer(parties, place, (&frame, early.run), &answer, emit);
            if last {
                return self.after_final(parties.connection, hash);
            }
        }
    }

    /// Whoever waits with this hash comes after a final reply.
    fn after_final(&mut self, connection: ConnectionId, hash: u64) {
        let known = connection_mut(&mut self.connections, connection);
        let Some(doubts) = known.and_then(|known| known.doubts.as_ref()) else { return };
        for (_, ticket) in doubts.early.iter().filter(|(known, _)| *known == hash) {
            if let Some(reply) = self.early.get_mut(*ticket) {
                reply.after_final = true;
            }
        }
    }

    /// Takes a reply out of those that wait.
    fn take_early(&mut self, ticket: Ticket) -> Option<EarlyReply> {
        let reply = self.early.take(ticket)?;
        let connection = reply.orphan.lend().connection;
        if let Some(known) = connection_mut(&mut self.connections, connection)
            && let Some(doubts) = &mut known.doubts
            && let Ok(place) = doubts.early.binary_search_by_key(&ticket, |(_, ticket)| *ticket)
        {
            doubts.early.remove(place);
        }
        Some(reply)
    }

    /// The request of a reply can no longer appear.
    fn orphaned(&mut self, ticket: Ticket, emit: &mut dyn FnMut(TrackerEvent<'_>)) {
        let Some(early) = self.take_early(ticket) else { return };
        let orphan = early.orphan.lend();
        if early.after_final {
            release_number(&mut self.next_number, Some(orphan.number));
            self.counts.late_replies += 1;
            return;
        }
        self.counts.orphan_replies += 1;
        let sure = self.is_sure(orphan.connection, early.run);
        let orphan = Exchange { sure, ..orphan };
        if self.config.tell_progress {
            let span = orphan.reply.unwrap_or_default();
            let held = orphan.reply_held;
            let frame = Frame { span, seq: early.seq, held, body: &early.body };
            emit(TrackerEvent::Began(&orphan, &frame));
        }
        self.tell_deferred_end(&orphan, emit);
    }

    pub(super) fn expire_early(&mut self, emit: &mut dyn FnMut(TrackerEvent<'_>)) {
        while let Some(ticket) = self.early.due(self.clock.elapsed()) {
            self.orphaned(ticket, emit);
        }
    }

    /// No request of this connection can appear any more.
    pub(super) fn close_early(
        &mut self,
        connection: ConnectionId,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let first = |tracker: &mut Self| {
            let known = connection_mut(&mut tracker.connections, connection)?;
            known.doubts.as_ref()?.early.front().map(|(_, ticket)| *ticket)
        };
        while let Some(ticket) = first(self) {
            self.orphaned(ticket, emit);
        }
    }
}
