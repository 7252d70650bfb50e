//! Pairs requests with their replies, by connection and id.
//!
//! - here is what is said on a connection, in the order in which it can be read;
//! - `early` has the replies that could be read before their request;
//! - `sure` has what nothing confirms yet;
//! - `ending` says how calls without a final reply ended;
//! - `telling` makes exchanges of all that, and tells them.

mod early;
mod ending;
mod sure;
mod telling;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::AddAssign;

use self::early::{Asked, EarlyReply};
use self::sure::DeferredEvent;
use crate::endpoint::{ConnectionId, Endpoints, PerSide, Side};
use crate::exchange::clock::Clock;
use crate::exchange::deferred::{Deferred, Ticket};
use crate::exchange::patterns::{Pattern, Patterns};
use crate::exchange::runs::{Run, Runs};
use crate::exchange::waiting::{CallIndex, Lookup, WaitingCalls};
use crate::exchange::waiting_call::{Outcome, Reply, Request};
use crate::exchange::{ExchangeNumber, Frame, Held, PatternId, Span, Status, TrackerEvent};
use crate::json::{canonical_value, is_plain_string};
use crate::packet::{PacketNumber, PacketRef};
use crate::protocol::{Decoded, Fault, FrameHold, Kind, Message, Placed};
use crate::stream::{CloseReason, Closed, Gap};
use crate::time::{Nanos, Timestamp};

/// What was counted while pairing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Replies whose request the capture lacks.
    pub orphan_replies: u64,
    /// Replies to a call that had its final reply.
    pub late_replies: u64,
    /// Calls given up because too many were open.
    pub calls_evicted: u64,
    /// Exchanges without latency because the clock of the capture stepped back meanwhile.
    pub clock_steps: u64,
    /// The same because a packet has no time.
    pub without_time: u64,
    /// The same because the reply was captured before its request.
    pub reply_first: u64,
    /// Exchanges of which nothing but their own bytes says that they are any.
    pub unsure: u64,
    /// Times that waiting for a request or a confirmation was given up early because a bound was
    /// reached.
    pub waits_given_up: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self {
            orphan_replies,
            late_replies,
            calls_evicted,
            clock_steps,
            without_time,
            reply_first,
            unsure,
            waits_given_up,
        } = other;
        self.orphan_replies += orphan_replies;
        self.late_replies += late_replies;
        self.calls_evicted += calls_evicted;
        self.clock_steps += clock_steps;
        self.without_time += without_time;
        self.reply_first += reply_first;
        self.unsure += unsure;
        self.waits_given_up += waits_given_up;
    }
}

/// What a tracker is to keep and to tell.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Whether exchanges that ended carry `data`, responses and `error`, and not only the times.
    pub keep_payloads: bool,
    /// Whether [`TrackerEvent::Began`] and [`TrackerEvent::Replied`] are told.
    pub tell_progress: bool,
    /// How long a packet that was captured out of order is waited for.
    pub reorder_at_most: Nanos,
}

/// Follows every exchange from its first message to its end.
#[derive(Debug)]
pub struct Tracker {
    calls: WaitingCalls,
    patterns: Patterns,
    /// By slot.
    connections: Vec<Connection>,
    next_number: ExchangeNumber,
    clock: Clock,
    /// The latest time of a packet, once the capture is over.
    capture_end: Option<Timestamp>,
    /// Replies that could be read before their request.
    early: Deferred<EarlyReply>,
    /// Events that nothing confirms yet.
    events: Deferred<DeferredEvent>,
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
#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    /// For calls that give way when nobody speaks.
    ends: Endpoints,
    /// The number taken for the frame of each side that has begun.
    started: PerSide<Option<ExchangeNumber>>,
    /// A request sent before this packet may have been answered in bytes that the capture lacks.
    lacks_replies_until: PacketNumber,
    /// Made by the first frame of uncertain place, unreadable frame or reply without a call.
    doubts: Option<Box<Doubts>>,
}

/// What is not known for sure of a connection.
#[derive(Debug, Default)]
struct Doubts {
    /// Replies that wait for their request: the hash of their id.
    early: VecDeque<(u64, Ticket)>,
    /// Events that wait until their run is confirmed.
    events: VecDeque<(Run, Ticket)>,
    runs: Runs,
}

impl Connection {
    fn doubts(&mut self) -> &mut Doubts {
        self.doubts.get_or_insert_default()
    }
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new(config: Config) -> Self {
        Self {
            calls: WaitingCalls::default(),
            patterns: Patterns::default(),
            connections: Vec::new(),
            next_number: ExchangeNumber(1),
            clock: Clock::default(),
            capture_end: None,
            early: early::queue(config.reorder_at_most),
            events: sure::queue(config.reorder_at_most),
            config,
            counts: Counts::default(),
        }
    }

    /// A number for an exchange that is no message.
    pub fn take_number(&mut self) -> ExchangeNumber {
        take_next(&mut self.next_number)
    }

    /// A connection was opened.
    pub fn open(&mut self, id: ConnectionId, ends: Endpoints) {
        let slot = id.slot as usize;
        let connection = || Connection {
            id,
            ends,
            started: PerSide::default(),
            lacks_replies_until: PacketNumber(0),
            doubts: None,
        };
        if self.connections.len() <= slot {
            self.connections.resize_with(slot + 1, connection);
        }
        if let Some(place) = self.connections.get_mut(slot) {
            *place = connection();
        }
    }

    /// The next packet of the capture comes, of whatever connection.
    pub fn packet(&mut self, packet: PacketRef) {
        self.clock.packet(packet);
    }

    /// The time is at least `now`, though no packet came.
    pub fn time(&mut self, now: Timestamp) {
        self.clock.time(now);
    }

    /// Tells what has waited long enough. Comes after all that the time brought forth below: what a
    /// reply waits for may be handed on at the last moment.
    #[inline]
    pub fn expire(&mut self, emit: &mut dyn FnMut(TrackerEvent<'_>)) {
        if !self.early.is_empty() || !self.events.is_empty() {
            self.expire_early(emit);
            self.expire_events(emit);
        }
    }

    /// The capture is over, its latest packet came at `last`, and the connections that stand are
    /// closed next.
    pub fn capture_ended(&mut self, last: Timestamp) {
        self.capture_end = Some(last);
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
                    known.started.of_mut(*from).get_or_insert_with(|| take_next(next_number));
                }
            }
            Decoded::Undecodable { from, at, fault } => {
                let next_number = &mut self.next_number;
                if let Some(known) = connection_mut(&mut self.connections, parties.connection) {
                    release_number(next_number, known.started.of_mut(*from).take());
                    match fault {
                        Fault::Length | Fault::Json | Fault::Boundary => {
                            known.doubts().runs.noise(*from);
                        }
                        Fault::Gap | Fault::TooLarge | Fault::Unfinished => {}
                    }
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
        let Some(known) = connection_mut(&mut self.connections, parties.connection) else { return };
        if let Some(doubts) = &mut known.doubts {
            doubts.runs.cut(gap.from);
        }
        if parties.client != Some(gap.from) {
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
        let lacks_until = known.lacks_replies_until;
        self.close_early(parties.connection, emit);
        self.close_events(parties.connection, emit);
        let server = parties.client.unwrap_or(Side::Client).other();
        let silent = *closed.counts.packets.of(server) == 0;
        let ending = self.ending(parties, closed);
        for place in self.calls.of_connection(parties.connection) {
            let request = self.calls.call(place).map_or(Span::default(), |(call, _)| call.request);
            let status = match closed.end.why {
                _ if silent || request.last.number < lacks_until => Status::Unknown,
                CloseReason::Finished
                | CloseReason::Reset
                | CloseReason::Replaced
                | CloseReason::Unreachable => Status::Closed,
                CloseReason::Evicted => Status::Unknown,
                CloseReason::CaptureEnded => Status::Open,
            };
            let sure = self.is_sure(parties.connection, self.calls.run(place));
            let outcome = Outcome { sure, ..self.outcome(&ending, &request, status) };
            self.tell_call_end(parties.connection, parties.ends, place, outcome, emit);
            self.calls.forget(place);
        }
        if let Some(known) = connection_mut(&mut self.connections, parties.connection) {
            known.doubts = None;
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
        let run = match message.placed {
            Placed::Certain => Run::SURE,
            Placed::Found | Placed::Joined => self.run_of(parties.connection, message, emit),
        };
        match message.kind {
            Kind::Request { id, pattern, data } => {
                self.request(parties, (started, run), message, (id, pattern, data), emit);
                self.make_room(emit);
            }
            Kind::Event { pattern, data } => {
                let number = started.unwrap_or_else(|| take_next(&mut self.next_number));
                self.event(parties, (number, run), message, (pattern, data), emit);
            }
            Kind::Reply { id, response, error, failed, last } => {
                let answer = Answer { reply: Reply { response, error }, failed, last };
                self.reply(parties, run, message, id, &answer, emit);
                self.make_room(emit);
            }
            Kind::Other => release_number(&mut self.next_number, started),
        }
    }

    fn request(
        &mut self,
        parties: &Parties,
        (started, run): (Option<ExchangeNumber>, Run),
        message: &Message<'_>,
        (id, pattern, data): (&[u8], Option<&[u8]>, Option<&[u8]>),
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let key = key(id);
        let span = Span::of(message);
        let early = match self.early.is_empty() {
            true => None,
            false => self.early_number(parties, &key, &Asked::of(message)),
        };
        let number = self.number_of_request(started, early);
        let name = pattern.map(|pattern| self.patterns.name(pattern));
        let (pattern, text) = match &name {
            None => (PatternId::NONE, None),
            Some(Pattern::Named(id)) => (*id, None),
            Some(Pattern::Folded(text)) => (PatternId::OTHERS, Some(text.as_str())),
        };
        let request = Request {
            number,
            span,
            held: Held::of(message.hold, None),
            run,
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
        if early.is_some() {
            self.answer_early(parties, place, (&key, &Asked::of(message)), emit);
        }
    }

    /// The lower of the two numbers that a request may have already: from its first byte
    /// (`started`), from its first early reply (`early`). Where it has neither, the next one.
    fn number_of_request(
        &mut self,
        started: Option<ExchangeNumber>,
        early: Option<ExchangeNumber>,
    ) -> ExchangeNumber {
        match (started, early) {
            (None, None) => take_next(&mut self.next_number),
            (Some(number), None) | (None, Some(number)) => number,
            (Some(started), Some(early)) => {
                release_number(&mut self.next_number, Some(started.max(early)));
                started.min(early)
            }
        }
    }

    fn reply(
        &mut self,
        parties: &Parties,
        run: Run,
        message: &Message<'_>,
        id: &[u8],
        answer: &Answer<'_>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        match self.calls.look_up(parties.connection, &key(id)) {
            Lookup::Open(place) => {
                let frame = telling::frame(message, self.reply_held(place, message.hold));
                self.answer(parties, place, (&frame, run), answer, emit);
            }
            // Nest 5 sends its final mark behind an `err` too; some servers answer twice.
            Lookup::Ended => self.counts.late_replies += 1,
            Lookup::Unknown(hash) => {
                self.defer_early(parties, (hash, run), message, id, answer, emit)
            }
        }
    }

    /// How long a reply to an open call may have been held back.
    fn reply_held(&self, place: CallIndex, hold: Option<&FrameHold>) -> Held {
        // Of hardly any: the call need not be looked at.
        if hold.is_none() {
            return Held::default();
        }
        let request = self.calls.call(place).map(|(call, _)| call.request);
        Held::of(hold, request.map(|request| request.last.at))
    }

    /// A reply to an open call was read.
    // Inline, as some others here: there are millions of replies, and early ones are few.
    #[inline(always)]
    fn answer(
        &mut self,
        parties: &Parties,
        place: CallIndex,
        (frame, run): (&Frame<'_>, Run),
        answer: &Answer<'_>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let &Answer { reply, failed, last } = answer;
        let is_known = run == Run::SURE && self.calls.run(place) == Run::SURE;
        let sure =
            is_known || self.confirm_pair(parties.connection, place, (&frame.span, run), emit);
        let reply = if self.config.keep_payloads { reply } else { Reply::default() };
        self.calls.answer(place, frame, &reply);
        if self.config.tell_progress {
            self.replied(parties, place, frame, (failed, last), emit);
        }
        if last {
            let status = if failed { Status::Error } else { Status::Ok };
            let outcome = Outcome { status, ended_by: None, waited: None, sure };
            self.tell_call_end(parties.connection, parties.ends, place, outcome, emit);
            self.calls.end(place);
        }
    }

    /// Gives up the oldest calls where too many are open.
    fn make_room(&mut self, emit: &mut dyn FnMut(TrackerEvent<'_>)) {
        while self.calls.is_over_limit() {
            for (place, slot) in self.calls.oldest() {
                if let Some(connection) = self.connections.get(slot as usize) {
                    let &Connection { id, ends, .. } = connection;
                    let sure = self.is_sure(id, self.calls.run(place));
                    self.tell_call_end(id, ends, place, Outcome { sure, ..Outcome::UNKNOWN }, emit);
                }
                self.calls.forget(place);
                self.counts.calls_evicted += 1;
            }
        }
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

/// The state of a live connection.
fn connection_mut(connections: &mut [Connection], id: ConnectionId) -> Option<&mut Connection> {
    connections.get_mut(id.slot as usize).filter(|known| known.id == id)
}

fn take_next(next_number: &mut ExchangeNumber) -> ExchangeNumber {
    let number = *next_number;
    *next_number = number.next();
    number
}

/// A frame that had a number is no exchange. Where others have taken numbers since, its own stays
/// with it, and none has it.
fn release_number(next_number: &mut ExchangeNumber, number: Option<ExchangeNumber>) {
    if let Some(number) = number
        && number.next() == *next_number
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

#[cfg(test)]
mod tests;
