//! Makes exchanges of what was paired, and tells them.

use super::{Parties, Tracker};
use crate::endpoint::{ConnectionId, Endpoints};
use crate::exchange::clock::Clock;
use crate::exchange::kept::KeptExchange;
use crate::exchange::patterns::Pattern;
use crate::exchange::runs::Run;
use crate::exchange::waiting::CallIndex;
use crate::exchange::waiting_call::Outcome;
use crate::exchange::{
    Exchange, ExchangeKind, ExchangeNumber, Frame, Held, Latency, PatternId, Payloads, Replied,
    Span, Spoiled, Status, TrackerEvent,
};
use crate::protocol::Message;

impl Tracker {
    /// Tells of a call that is open now. Cold, as `replied` is: a report asks for none of it.
    #[cold]
    pub(super) fn began(
        &self,
        parties: &Parties,
        place: CallIndex,
        message: &Message<'_>,
        data: Option<&[u8]>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let Some((call, texts)) = self.calls.call(place) else { return };
        let pattern = self.patterns.text(call.pattern);
        let sure = self.is_sure(parties.connection, self.calls.run(place));
        let outcome = Outcome { status: Status::Open, ended_by: None, waited: None, sure };
        let (call, _) = call.exchange(texts, parties.connection, parties.ends, pattern, outcome);
        let frame = frame(message, call.request_held);
        emit(TrackerEvent::Began(&Exchange { data, ..call }, &frame));
    }

    /// Tells of a reply to an open call.
    #[cold]
    pub(super) fn replied(
        &self,
        parties: &Parties,
        place: CallIndex,
        frame: &Frame<'_>,
        (failed, last): (bool, bool),
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let Some((call, _)) = self.calls.call(place) else { return };
        let (number, connection) = (call.number, parties.connection);
        emit(TrackerEvent::Replied(&Replied { number, connection, frame, failed, last }));
    }

    /// Tells of an event, which is over as soon as it was read; or defers its end.
    pub(super) fn event(
        &mut self,
        parties: &Parties,
        (number, run): (ExchangeNumber, Run),
        message: &Message<'_>,
        (pattern, data): (&[u8], Option<&[u8]>),
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let span = Span::of(message);
        let (latency, spoiled) = Latency::of(&span, None, true);
        let name = self.patterns.name(pattern);
        let (pattern_id, pattern) = match &name {
            Pattern::Named(id) => (*id, self.patterns.text(*id)),
            Pattern::Folded(text) => (PatternId::OTHERS, Some(text.as_str())),
        };
        let &Parties { connection, ends, .. } = parties;
        let mut event = Exchange {
            pattern,
            pattern_id,
            request: Some(span),
            latency,
            request_held: Held::of(message.hold, None),
            sure: run == Run::SURE,
            data,
            ..Exchange::empty(number, connection, ends, ExchangeKind::Event, Status::Sent)
        };
        let spoiled = spoiled.or_else(|| clock_step(&self.clock, &event));
        if let Some(spoiled) = spoiled {
            event.latency = Latency::default();
            self.counts.spoiled(spoiled);
        }
        if self.config.tell_progress {
            emit(TrackerEvent::Began(&event, &frame(message, event.request_held)));
        }
        if run == Run::SURE {
            return Self::tell_end(self.config.keep_payloads, &event, emit);
        }
        let event = KeptExchange::new(&Exchange {
            data: data.filter(|_| self.config.keep_payloads),
            ..event
        });
        self.defer_event(parties, run, event, emit);
    }

    /// Tells that one ended which was deferred.
    pub(super) fn tell_deferred_end(
        &mut self,
        exchange: &Exchange<'_>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        self.counts.unsure += u64::from(!exchange.sure);
        Self::tell_end(self.config.keep_payloads, exchange, emit);
    }

    fn tell_end(
        keep_payloads: bool,
        exchange: &Exchange<'_>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        if keep_payloads {
            return emit(TrackerEvent::Ended(exchange));
        }
        let responses = Payloads::default();
        emit(TrackerEvent::Ended(&Exchange { data: None, responses, error: None, ..*exchange }));
    }

    /// Tells that a call ended, or how it stood when the capture did.
    pub(super) fn tell_call_end(
        &mut self,
        connection: ConnectionId,
        ends: Endpoints,
        place: CallIndex,
        outcome: Outcome,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let Some((call, texts)) = self.calls.call(place) else { return };
        let pattern = self.patterns.text(call.pattern);
        let (exchange, spoiled) = call.exchange(texts, connection, ends, pattern, outcome);
        self.counts.unsure += u64::from(!outcome.sure);
        let spoiled = spoiled.or_else(|| clock_step(&self.clock, &exchange));
        match spoiled {
            None => emit(TrackerEvent::Ended(&exchange)),
            Some(spoiled) => {
                self.counts.spoiled(spoiled);
                tell_without_latency(&exchange, emit);
            }
        }
    }
}

/// Apart, so that the exchange is not copied where nothing spoiled it.
#[cold]
fn tell_without_latency(exchange: &Exchange<'_>, emit: &mut dyn FnMut(TrackerEvent<'_>)) {
    emit(TrackerEvent::Ended(&Exchange { latency: Latency::default(), ..*exchange }));
}

/// Whether the clock was set back within an exchange, though no span of it shows that.
#[inline(always)]
fn clock_step(clock: &Clock, exchange: &Exchange<'_>) -> Option<Spoiled> {
    let request = exchange.request?;
    if !clock.stepped_after(request.first.number) {
        return None;
    }
    let reply = exchange.reply.unwrap_or(request);
    let last = request.last.number.max(reply.last.number);
    clock.stepped_within(request.first.number, last).then_some(Spoiled::ClockStep)
}

impl super::Counts {
    #[cold]
    fn spoiled(&mut self, spoiled: Spoiled) {
        match spoiled {
            Spoiled::ClockStep => self.clock_steps += 1,
            Spoiled::WithoutTime => self.without_time += 1,
            Spoiled::ReplyFirst => self.reply_first += 1,
        }
    }
}

/// The frame that a message was said in.
pub(super) fn frame<'a>(message: &Message<'a>, held: Held) -> Frame<'a> {
    Frame { span: Span::of(message), seq: message.seq, held, body: message.body }
}
