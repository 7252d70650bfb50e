//! The floors below joined: packets in, exchanges out. Still without root, file, thread or clock;
//! tests enter here. Offline and live, each shard of the connections has an engine of its own.

mod attempts;
mod connections;
mod shard;

pub use connections::{Beginning, ConnectionFacts};
pub use shard::Shard;

use attempts::{Attempts, RowState};
use connections::{Connections, Live};

use crate::decode::{self, Network};
use crate::endpoint::{ConnectionId, Endpoints};
use crate::exchange::{self, Exchange, Frame, Replied, Status, Tracker, TrackerEvent};
use crate::limits;
use crate::packet::{Packet, PacketNumber};
use crate::protocol::{self, Decoded, Decoder};
use crate::stream::{self, Closed, Notice, Noticed, Opened, StreamEvent, Streams};
use crate::time::Timestamp;

/// What an engine is told before it starts.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What is followed, and how patiently.
    pub stream: stream::Config,
    /// Whether exchanges carry their payloads. Without them a call costs little memory.
    pub keep_payloads: bool,
    /// Whether what happens on the way is told too, and not only what ended.
    pub tell_progress: bool,
    /// The connections that this engine takes.
    pub shard: Shard,
}

/// What an engine tells.
#[derive(Debug)]
pub enum EngineEvent<'a> {
    /// An exchange ended, or stood open when the capture ended.
    Exchange(&'a Exchange<'a>),
    /// A connection is over; its exchanges were told before.
    Closed(&'a ConnectionFacts),
    /// The packet just pushed belongs to this connection. Emitted before everything else the packet
    /// causes; events of timers, and the close of a connection that this one replaces, may come
    /// earlier. Only with `tell_progress`, like all that follow.
    Segment(ConnectionId),
    /// An earlier packet turned out to be a segment of this connection, or a fragment of one.
    Late {
        /// The connection.
        connection: ConnectionId,
        /// The number of the packet.
        packet: PacketNumber,
    },
    /// A connection was seen for the first time. Its first segments were told before; those of
    /// a remnant that is never told of, too.
    Opened(&'a Opened),
    /// The first frame of an exchange was read whole: of a call, which is open now, or of an event
    /// or an orphan reply, whose end is told next.
    Began(&'a Exchange<'a>, &'a Frame<'a>),
    /// An attempt to connect has no answer so far. Its end is told as an exchange, also where it
    /// was answered at last.
    Attempted(&'a Exchange<'a>),
    /// A reply to an open call was read whole. If it was the final one, the end is told next.
    Replied(&'a Replied<'a>),
}

impl<'a> From<TrackerEvent<'a>> for EngineEvent<'a> {
    fn from(told: TrackerEvent<'a>) -> Self {
        match told {
            TrackerEvent::Began(exchange, frame) => Self::Began(exchange, frame),
            TrackerEvent::Replied(replied) => Self::Replied(replied),
            TrackerEvent::Ended(exchange) => Self::Exchange(exchange),
        }
    }
}

/// What was counted on each floor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets.
    pub decode: decode::Counts,
    /// Segments and gaps.
    pub stream: stream::Counts,
    /// Frames.
    pub protocol: protocol::Counts,
    /// Replies and calls.
    pub exchange: exchange::Counts,
    /// Calls that wait for a reply now.
    pub open_calls: u64,
    /// Messages whose pattern shares a row with others.
    pub patterns_folded: u64,
    /// The most different ends that one client has waiting, or given up, within ten seconds. Of
    /// several shards it is the sum, which is never less than what one engine would count.
    pub attempts_of_a_client: u64,
    /// The earliest and the latest time of a packet.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Counts {
    /// Whether something was counted that depends on more than one connection: what was given up or
    /// folded because there was too much of it, and attempts to connect, which are a scan where one
    /// client makes many, and say nothing where a capture shows one direction only. Then one engine
    /// must see all.
    pub const fn needs_one_engine(&self) -> bool {
        self.patterns_folded > 0
            || self.attempts_of_a_client > limits::ATTEMPTS_OF_A_CLIENT as u64
            || self.stream.unanswered > limits::ATTEMPTING_CLIENTS as u64
            || self.stream.one_sided_syns > 0
            || self.exchange.calls_evicted > 0
            || self.exchange.waits_given_up > 0
            || self.stream.waits_given_up > 0
            || self.stream.evicted_connections > 0
    }

    /// Adds what another shard of the same capture counted. Packets were counted by each.
    pub fn add_shard(&mut self, other: Self) {
        self.stream += other.stream;
        self.protocol += other.protocol;
        self.exchange += other.exchange;
        self.open_calls += other.open_calls;
        self.patterns_folded += other.patterns_folded;
        self.attempts_of_a_client += other.attempts_of_a_client;
    }
}

/// Takes packets in the order of the capture.
pub struct Engine {
    shard: Shard,
    decoder: decode::Decoder,
    streams: Streams,
    conversations: Conversations,
    span: Option<(Timestamp, Timestamp)>,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(config: Config) -> Self {
        let Config { mut stream, keep_payloads, tell_progress, shard } = config;
        // All shards together follow as many as one engine would, in the memory of one.
        stream.connections = (stream.connections / shard.count.max(1) as usize).max(1);
        let reorder_at_most = stream.reorder_at_most;
        let exchange = exchange::Config { keep_payloads, tell_progress, reorder_at_most };
        Self {
            shard,
            decoder: decode::Decoder::new(),
            streams: Streams::new(stream),
            conversations: Conversations {
                connections: Connections::default(),
                attempts: Attempts::default(),
                tracker: Tracker::new(exchange),
                tell_progress,
                counts: protocol::Counts::default(),
                buffered: 0,
                open_at_end: 0,
            },
            span: None,
        }
    }

    /// The next packet of the capture.
    pub fn push(&mut self, packet: &Packet<'_>, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        if packet.at.is_known() {
            self.span = Some(match self.span {
                None => (packet.at, packet.at),
                Some((first, last)) => (first.min(packet.at), last.max(packet.at)),
            });
        }
        let Self { decoder, streams, conversations, shard, .. } = self;
        conversations.tracker.packet(packet.place());
        // The fragments of a segment are pushed together, with the last of them.
        let mut of = None;
        decoder.push(packet, &mut |network: Network<'_>| {
            let mut take = |event: StreamEvent<'_>| match event {
                StreamEvent::Segment(connection) => {
                    if conversations.tell_progress && of.is_none() {
                        of = Some(connection);
                        emit(EngineEvent::Segment(connection));
                    }
                }
                event => conversations.take(&event, emit),
            };
            match network {
                Network::Segment(segment) if shard.takes(&segment.from, &segment.to) => {
                    streams.push(&segment, &mut take);
                }
                Network::Unreachable(message) if shard.takes(&message.from, &message.to) => {
                    streams.unreachable(&message, &mut take);
                }
                Network::Segment(segment) => streams.pass(&segment, &mut take),
                Network::Unreachable(message) => streams.time(message.packet, &mut take),
            }
        });
        if let Some(connection) = of {
            for number in decoder.joined().iter().copied().filter(|it| *it != packet.number) {
                emit(EngineEvent::Late { connection, packet: number });
            }
        }
        conversations.expire(emit);
    }

    /// Nothing more is under way from whoever hands over packets: no packet out of order is to be
    /// expected.
    pub fn pause(&mut self, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        let Self { streams, conversations, .. } = self;
        streams.pause(&mut |event| conversations.take(&event, emit));
    }

    /// The time is `now`, though no packet came: what has waited long enough is told.
    pub fn expire(&mut self, now: Timestamp, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        let Self { streams, conversations, .. } = self;
        conversations.tracker.time(now);
        streams.expire(now, &mut |event| conversations.take(&event, emit));
        conversations.expire(emit);
    }

    /// The capture is over: everything that is open is told as it stands.
    pub fn finish(&mut self, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        let Self { decoder, streams, conversations, span, .. } = self;
        if let Some((_, last)) = *span {
            conversations.tracker.capture_ended(last);
        }
        decoder.finish();
        streams.finish(&mut |event| conversations.take(&event, emit));
    }

    /// Tells of each connection that stands, in no particular order.
    pub fn standing(&self, tell: &mut dyn FnMut(&ConnectionFacts)) {
        for (slot, live) in self.conversations.connections.iter() {
            if let Some(stream) = self.streams.standing(slot) {
                tell(&live.known.standing(&stream));
            }
        }
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        let tracker = &self.conversations.tracker;
        Counts {
            decode: self.decoder.counts().clone(),
            stream: *self.streams.counts(),
            protocol: self.conversations.counts.clone(),
            exchange: *tracker.counts(),
            open_calls: tracker.open_calls() as u64 + self.conversations.open_at_end,
            patterns_folded: tracker.patterns_folded(),
            attempts_of_a_client: self.conversations.attempts.most_of_a_client(),
            span: self.span,
        }
    }
}

/// What is said on the connections.
struct Conversations {
    connections: Connections,
    attempts: Attempts,
    tracker: Tracker,
    tell_progress: bool,
    counts: protocol::Counts,
    /// Bytes that the decoders buffer of frames that are not whole.
    buffered: usize,
    /// Calls that were open when the capture ended.
    open_at_end: u64,
}

impl Conversations {
    fn take(&mut self, event: &StreamEvent<'_>, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        match event {
            StreamEvent::Opened(opened) => {
                self.connections.open(opened);
                self.tracker.open(opened.connection, opened.ends);
                if self.tell_progress {
                    emit(EngineEvent::Opened(opened));
                }
            }
            StreamEvent::Segment(_) => {}
            StreamEvent::Late { connection, packet } => {
                if self.tell_progress {
                    emit(EngineEvent::Late { connection: *connection, packet: *packet });
                }
            }
            StreamEvent::Notice(notice) => self.notice(notice, emit),
            StreamEvent::Data(chunk) => {
                if let Some(live) = self.connections.get_mut(chunk.connection) {
                    live.known.begin_with(chunk.data);
                }
                self.decode(chunk.connection, emit, |decoder, budget, emit| {
                    decoder.push(chunk, budget, emit);
                });
            }
            StreamEvent::Gap(gap) => {
                self.decode(gap.connection, emit, |decoder, _, emit| decoder.gap(gap, emit));
                if let Some(live) = self.connections.get_mut(gap.connection) {
                    self.tracker.gap(&live.known.parties(), gap);
                }
            }
            StreamEvent::Closed(closed) => self.close(closed, emit),
        }
    }

    fn notice(&mut self, notice: &Notice, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        match &notice.what {
            Noticed::Attempt(attempt, state) => {
                let Self { attempts, tracker, tell_progress, .. } = self;
                let tell =
                    &mut |told, row: &Exchange<'_>| tell_attempt(told, row, *tell_progress, emit);
                attempts.take(notice, attempt, *state, &mut || tracker.take_number(), tell);
            }
            Noticed::Translated(also) => {
                if let Some(live) = self.connections.get_mut(notice.connection) {
                    live.known.also = Some(*also);
                }
            }
        }
    }

    fn decode(
        &mut self,
        connection: ConnectionId,
        emit: &mut dyn FnMut(EngineEvent<'_>),
        say: impl FnOnce(&mut dyn Decoder, usize, &mut dyn FnMut(Decoded<'_>)),
    ) {
        let Some(Live { decoder, known }) = self.connections.get_mut(connection) else { return };
        let before = decoder.buffered();
        let budget = limits::FRAME_BYTES_IN_ALL.saturating_sub(self.buffered - before);
        let (tracker, counts) = (&mut self.tracker, &mut self.counts);
        say(decoder.as_mut(), budget, &mut |decoded| {
            counts.add(&decoded);
            match decoded {
                Decoded::Client(side) => known.learn_client(side),
                Decoded::Message(_) => known.spoke_nest = true,
                Decoded::Foreign(what) => known.foreign = Some(what),
                Decoded::Started { .. } | Decoded::Undecodable { .. } => {}
            }
            let also = known.also();
            tracker.push(&known.parties(), &decoded, &mut |event| tell(event, also.as_ref(), emit));
        });
        self.buffered = self.buffered - before + decoder.buffered();
    }

    fn expire(&mut self, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        let Self { tracker, connections, .. } = self;
        tracker.expire(&mut |event| {
            let also = match event {
                TrackerEvent::Ended(exchange) => {
                    connections.get_mut(exchange.connection).and_then(|live| live.known.also())
                }
                _ => None,
            };
            tell(event, also.as_ref(), emit);
        });
    }

    fn close(&mut self, closed: &Closed, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        self.decode(closed.connection, emit, |decoder, _, emit| decoder.finish(emit));
        let Some(live) = self.connections.take(closed.connection) else { return };
        let open_at_end = &mut self.open_at_end;
        let also = live.known.also();
        self.tracker.close(&live.known.parties(), closed, &mut |event| {
            if let TrackerEvent::Ended(exchange) = event {
                *open_at_end += u64::from(exchange.status == Status::Open);
            }
            tell(event, also.as_ref(), emit);
        });
        self.buffered -= live.decoder.buffered();
        emit(EngineEvent::Closed(&live.known.closed(closed)));
    }
}

/// Tells of an exchange, with its other pair of ends, if its connection has one.
fn tell(event: TrackerEvent<'_>, also: Option<&Endpoints>, emit: &mut dyn FnMut(EngineEvent<'_>)) {
    match (event, also) {
        (TrackerEvent::Ended(exchange), Some(_)) => {
            emit(EngineEvent::Exchange(&Exchange { also, ..*exchange }));
        }
        (event, _) => emit(event.into()),
    }
}

/// Tells of an attempt. That it waits, and that it was answered at last, is progress.
fn tell_attempt(
    told: RowState,
    row: &Exchange<'_>,
    tell_progress: bool,
    emit: &mut dyn FnMut(EngineEvent<'_>),
) {
    match told {
        RowState::Waiting if tell_progress => emit(EngineEvent::Attempted(row)),
        RowState::Ended if tell_progress || row.status != Status::Ok => {
            emit(EngineEvent::Exchange(row));
        }
        RowState::Waiting | RowState::Ended => {}
    }
}
