//! Pairs requests with their replies, by connection and id.

use std::borrow::Cow;
use std::ops::AddAssign;

use crate::endpoint::{ConnectionId, Endpoints, PerSide, Side};
use crate::exchange::call::{Reply, Request};
use crate::exchange::calls::{CallIndex, Calls, Lookup};
use crate::exchange::patterns::{Pattern, Patterns};
use crate::exchange::{
    Exchange, ExchangeKind, Frame, Held, Latency, PatternId, Payloads, Replied, Span, Status,
    TrackerEvent,
};
use crate::json::{canonical_value, is_plain_string};
use crate::protocol::{Decoded, Fault, Kind, Message};
use crate::stream::{CloseReason, Closed, Gap};

/// What was counted while pairing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Replies whose request the capture lacks.
    pub orphan_replies: u64,
    /// Replies to a call that had its final reply.
    pub late_replies: u64,
    /// Calls given up because too many were open.
    pub calls_evicted: u64,
    /// Exchanges during which the clock of the capture stepped back.
    pub clock_steps: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self { orphan_replies, late_replies, calls_evicted, clock_steps } = other;
        self.orphan_replies += orphan_replies;
        self.late_replies += late_replies;
        self.calls_evicted += calls_evicted;
        self.clock_steps += clock_steps;
    }
}

/// What a tracker is to keep and to tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Config {
    /// Whether exchanges that ended carry `data`, responses and `error`, and not only the times.
    pub keep_payloads: bool,
    /// Whether [`TrackerEvent::Began`] and [`TrackerEvent::Replied`] are told.
    pub tell_progress: bool,
}

/// Follows every exchange from its first message to its end.
#[derive(Debug)]
pub struct Tracker {
    calls: Calls,
    patterns: Patterns,
    /// By slot.
    connections: Vec<Connection>,
    next_number: u64,
    config: Config,
    counts: Counts,
}

/// Who speaks on a connection.
#[derive(Clone, Copy, Debug)]
pub struct Parties {
    /// The connection.
    pub connection: ConnectionId,
    /// Its addresses, in the roles that are known so far.
    pub ends: Endpoints,
    /// The side of the stream that is the client; `None` until something told.
    pub client: Option<Side>,
}

/// What pairing remembers of a connection.
#[derive(Clone, Copy, Debug)]
struct Connection {
    id: ConnectionId,
    /// For calls that give way when nobody speaks.
    ends: Endpoints,
    /// The number taken for the frame of each side that has begun.
    started: PerSide<Option<u64>>,
    /// A request sent before this packet may have been answered in bytes that the capture lacks.
    lacks_replies_until: u64,
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new(config: Config) -> Self {
        Self {
            calls: Calls::default(),
            patterns: Patterns::default(),
            connections: Vec::new(),
            next_number: 1,
            config,
            counts: Counts::default(),
        }
    }

    /// A connection was opened.
    pub fn open(&mut self, id: ConnectionId, ends: Endpoints) {
        let slot = id.slot as usize;
        let connection =
            Connection { id, ends, started: PerSide::default(), lacks_replies_until: 0 };
        if self.connections.len() <= slot {
            self.connections.resize(slot + 1, connection);
        }
        if let Some(place) = self.connections.get_mut(slot) {
            *place = connection;
        }
    }

    /// A decoder said something about a connection.
    pub fn push(
        &mut self,
        parties: &Parties,
        decoded: &Decoded<'_>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        match decoded {
            Decoded::Message(message) => self.message(parties, message, emit),
            Decoded::Started { from, .. } => {
                let next_number = &mut self.next_number;
                if let Some(known) = connection_mut(&mut self.connections, parties.connection)
                    && parties.client == Some(*from)
                {
                    known.started.of_mut(*from).get_or_insert_with(|| take(next_number));
                }
            }
            Decoded::Undecodable { from, at, fault } => {
                let next_number = &mut self.next_number;
                if let Some(known) = connection_mut(&mut self.connections, parties.connection) {
                    release_number(next_number, known.started.of_mut(*from).take());
                    let lacks = matches!(fault, Fault::TooLarge | Fault::Gap);
                    if lacks && parties.client != Some(*from) {
                        known.lacks_replies_until = known.lacks_replies_until.max(at.number);
                    }
                }
            }
            Decoded::Client(_) | Decoded::Foreign(_) => {}
        }
    }

    /// Bytes of one side are missing.
    pub fn gap(&mut self, parties: &Parties, gap: &Gap) {
        if let Some(known) = connection_mut(&mut self.connections, parties.connection)
            && parties.client != Some(gap.from)
        {
            known.lacks_replies_until = known.lacks_replies_until.max(gap.until.number);
        }
    }

    /// A connection is over: its calls get no more replies.
    pub fn close(
        &mut self,
        parties: &Parties,
        closed: &Closed,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let Some(known) = connection_mut(&mut self.connections, parties.connection) else {
            return;
        };
        let known = *known;
        let server = parties.client.unwrap_or(Side::Client).other();
        let silent = *closed.counts.packets.of(server) == 0;
        for place in self.calls.of_connection(parties.connection) {
            let lacks = silent || self.may_lack_reply(&known, place);
            let status = match closed.end.why {
                _ if lacks => Status::Unknown,
                CloseReason::Finished | CloseReason::Reset | CloseReason::Replaced => {
                    Status::Closed
                }
                CloseReason::Evicted => Status::Unknown,
                CloseReason::CaptureEnded => Status::Open,
            };
            self.emit(parties.connection, parties.ends, place, status, emit);
            self.calls.forget(place);
        }
    }

    /// Calls that wait for a reply.
    pub const fn open_calls(&self) -> usize {
        self.calls.open_count()
    }

    /// What was counted.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Messages whose pattern shares a row with others, because there were too many.
    pub const fn patterns_folded(&self) -> u64 {
        self.patterns.folded()
    }

    fn message(
        &mut self,
        parties: &Parties,
        message: &Message<'_>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let Some(known) = connection_mut(&mut self.connections, parties.connection) else {
            return;
        };
        let started = known.started.of_mut(message.from).take();
        known.ends = parties.ends;
        match message.kind {
            Kind::Request { id, pattern, data } => {
                let number = started.unwrap_or_else(|| take(&mut self.next_number));
                self.request(parties, number, message, (id, pattern, data), emit);
                self.make_room(emit);
            }
            Kind::Event { pattern, data } => {
                let number = started.unwrap_or_else(|| take(&mut self.next_number));
                self.event(parties, number, message, (pattern, data), emit);
            }
            Kind::Reply { id, response, error, failed, last } => {
                let reply = Answer { reply: Reply { response, error }, failed, last };
                self.reply(parties, message, id, &reply, emit);
                self.make_room(emit);
            }
            Kind::Other => release_number(&mut self.next_number, started),
        }
    }

    fn request(
        &mut self,
        parties: &Parties,
        number: u64,
        message: &Message<'_>,
        (id, pattern, data): (&[u8], Option<&[u8]>, Option<&[u8]>),
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let key = key(id);
        let name = pattern.map(|pattern| self.patterns.name(pattern));
        let (pattern, text) = match &name {
            None => (PatternId::NONE, None),
            Some(Pattern::Named(id)) => (*id, None),
            Some(Pattern::Folded(text)) => (PatternId::OTHERS, Some(text.as_str())),
        };
        let request = Request {
            number,
            span: Span::of(message),
            held: Held::of(message.hold, None),
            pattern,
            text,
            key: &key,
            id,
            data: data.filter(|_| self.config.keep_payloads),
        };
        let place = self.calls.open(parties.connection, &request);
        if self.config.tell_progress {
            self.began(parties, place, message, data, emit);
        }
    }

    /// Tells of a call that is open now. Apart, as the others below: a report asks for none of it.
    #[cold]
    fn began(
        &self,
        parties: &Parties,
        place: CallIndex,
        message: &Message<'_>,
        data: Option<&[u8]>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let Some((call, texts)) = self.calls.call(place) else { return };
        let pattern = self.patterns.text(call.pattern);
        let (call, _) =
            call.exchange(texts, parties.connection, parties.ends, pattern, Status::Open);
        let frame = frame(message, call.request_held);
        emit(TrackerEvent::Began(&Exchange { data, ..call }, &frame));
    }

    /// Tells of a reply to an open call.
    #[cold]
    fn replied(
        &self,
        parties: &Parties,
        place: CallIndex,
        message: &Message<'_>,
        (failed, last): (bool, bool),
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let Some((call, _)) = self.calls.call(place) else { return };
        let held = Held::of(message.hold, Some(call.request.last.at));
        let (number, frame) = (call.number, &frame(message, held));
        emit(TrackerEvent::Replied(&Replied {
            number,
            connection: parties.connection,
            frame,
            failed,
            last,
        }));
    }

    fn event(
        &mut self,
        parties: &Parties,
        number: u64,
        message: &Message<'_>,
        (pattern, data): (&[u8], Option<&[u8]>),
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let span = Span::of(message);
        let (latency, clock_stepped) = Latency::of(&span, None, true);
        self.counts.clock_steps += u64::from(clock_stepped);
        let name = self.patterns.name(pattern);
        let (pattern_id, pattern) = match &name {
            Pattern::Named(id) => (*id, self.patterns.text(*id)),
            Pattern::Folded(text) => (PatternId::OTHERS, Some(text.as_str())),
        };
        let event = Exchange {
            number,
            connection: parties.connection,
            ends: parties.ends,
            kind: ExchangeKind::Event,
            pattern,
            pattern_id,
            id: None,
            status: Status::Sent,
            request: Some(span),
            reply: None,
            replies: 0,
            latency,
            waited: None,
            ended_by: None,
            request_held: Held::of(message.hold, None),
            reply_held: Default::default(),
            sure: true,
            attempts: 1,
            data,
            responses: Payloads::default(),
            error: None,
        };
        self.at_once(&event, message, emit);
    }

    /// Tells of what is over as soon as its only frame was read.
    fn at_once(
        &self,
        exchange: &Exchange<'_>,
        message: &Message<'_>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        if self.config.tell_progress {
            let held = match exchange.kind {
                ExchangeKind::Reply => exchange.reply_held,
                _ => exchange.request_held,
            };
            emit(TrackerEvent::Began(exchange, &frame(message, held)));
        }
        if self.config.keep_payloads {
            emit(TrackerEvent::Ended(exchange));
        } else {
            let responses = Payloads::default();
            emit(TrackerEvent::Ended(&Exchange {
                data: None,
                responses,
                error: None,
                ..*exchange
            }));
        }
    }

    fn reply(
        &mut self,
        parties: &Parties,
        message: &Message<'_>,
        id: &[u8],
        answer: &Answer<'_>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let place = match self.calls.look_up(parties.connection, &key(id)) {
            Lookup::Open(place) => place,
            // Nest 5 sends its final mark behind an `err` too; some servers answer twice.
            Lookup::Ended => return self.counts.late_replies += 1,
            Lookup::Unknown => return self.orphan(parties, message, id, &answer.reply, emit),
        };
        let &Answer { reply, failed, last } = answer;
        let reply = if self.config.keep_payloads { reply } else { Reply::default() };
        self.calls.answer(place, (Span::of(message), message.hold), &reply);
        if self.config.tell_progress {
            self.replied(parties, place, message, (failed, last), emit);
        }
        if last {
            let status = if failed { Status::Error } else { Status::Ok };
            self.emit(parties.connection, parties.ends, place, status, emit);
            self.calls.end(place);
        }
    }

    fn orphan(
        &mut self,
        parties: &Parties,
        message: &Message<'_>,
        id: &[u8],
        reply: &Reply<'_>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        self.counts.orphan_replies += 1;
        let response = reply.response.unwrap_or(&[]);
        let end = [response.len()];
        let orphan = Exchange {
            number: take(&mut self.next_number),
            connection: parties.connection,
            ends: parties.ends,
            kind: ExchangeKind::Reply,
            pattern: None,
            pattern_id: PatternId::NONE,
            id: Some(id),
            status: Status::Orphan,
            request: None,
            reply: Some(Span::of(message)),
            replies: 1,
            latency: Latency::default(),
            waited: None,
            ended_by: None,
            request_held: Default::default(),
            reply_held: Held::of(message.hold, None),
            sure: true,
            attempts: 1,
            data: None,
            responses: match reply.response {
                Some(response) => Payloads::new(response, &end),
                None => Payloads::default(),
            },
            error: reply.error,
        };
        self.at_once(&orphan, message, emit);
    }

    /// Gives up the oldest calls where too many are open.
    fn make_room(&mut self, emit: &mut dyn FnMut(TrackerEvent<'_>)) {
        while self.calls.is_over_limit() {
            for (place, slot) in self.calls.oldest() {
                if let Some(connection) = self.connections.get(slot as usize).copied() {
                    let Connection { id, ends, .. } = connection;
                    self.emit(id, ends, place, Status::Unknown, emit);
                }
                self.calls.forget(place);
                self.counts.calls_evicted += 1;
            }
        }
    }

    fn emit(
        &mut self,
        connection: ConnectionId,
        ends: Endpoints,
        place: CallIndex,
        status: Status,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let Some((call, texts)) = self.calls.call(place) else { return };
        let pattern = self.patterns.text(call.pattern);
        let (exchange, clock_stepped) = call.exchange(texts, connection, ends, pattern, status);
        self.counts.clock_steps += u64::from(clock_stepped);
        emit(TrackerEvent::Ended(&exchange));
    }

    fn may_lack_reply(&self, connection: &Connection, place: CallIndex) -> bool {
        let call = self.calls.call(place);
        call.is_some_and(|(call, _)| call.request.last.number < connection.lacks_replies_until)
    }
}

/// A reply, and what it says of the call.
struct Answer<'a> {
    reply: Reply<'a>,
    /// Whether its `err` is truthy.
    failed: bool,
    /// Whether it ends the call.
    last: bool,
}

/// The frame that a message was said in.
fn frame<'a>(message: &Message<'a>, held: Held) -> Frame<'a> {
    Frame { span: Span::of(message), seq: message.seq, held, body: message.body }
}

/// The state of a live connection.
fn connection_mut(connections: &mut [Connection], id: ConnectionId) -> Option<&mut Connection> {
    connections.get_mut(id.slot as usize).filter(|known| known.id == id)
}

fn take(next_number: &mut u64) -> u64 {
    let number = *next_number;
    *next_number += 1;
    number
}

/// A frame that had a number is no exchange. Where others have taken numbers since, its own stays
/// with it, and none has it.
fn release_number(next_number: &mut u64, number: Option<u64>) {
    if let Some(number) = number
        && number + 1 == *next_number
    {
        *next_number = number;
    }
}

/// The text by which an id is found: replies may spell the same value in another way.
fn key(id: &[u8]) -> Cow<'_, [u8]> {
    // Below 2^53 a whole number has one spelling that JavaScript writes.
    let is_small_integer = id.len() < 16 && id.iter().all(u8::is_ascii_digit);
    if is_plain_string(id) || is_small_integer {
        return Cow::Borrowed(id);
    }
    Cow::Owned(canonical_value(id).into_bytes())
}
