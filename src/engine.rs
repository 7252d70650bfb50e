//! The floors below joined: packets in, exchanges out. Still without root, file, thread or clock;
//! tests enter here. Offline and live, each shard of the connections has an engine of its own.

use std::net::{IpAddr, SocketAddr};

use crate::decode::{self, Segment};
use crate::endpoint::{ConnectionId, Endpoints, PerSide};
use crate::exchange::{self, Exchange, Frame, Replied, Status, Tracker, TrackerEvent};
use crate::limits;
use crate::packet::{Packet, PacketRef};
use crate::protocol::{self, Decoded, Decoder, Foreign};
use crate::stream::{self, Closed, ConnectionEnd, Opened, StreamEvent, Streams};
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

/// A part of all connections. Each engine of a capture gets every packet and takes what is its
/// own; the rest only lets its time pass, so that what it finds does not depend on their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 0.
    pub index: u32,
    /// Of how many; at least 1.
    pub count: u32,
}

impl Default for Shard {
    /// All connections.
    fn default() -> Self {
        Self { index: 0, count: 1 }
    }
}

impl Shard {
    /// Whether the connection of this segment is of this part: the same for both directions.
    fn takes(self, segment: &Segment<'_>) -> bool {
        if self.count <= 1 {
            return true;
        }
        let end = |end: &SocketAddr| {
            let address = match end.ip() {
                IpAddr::V4(ip) => u64::from(ip.to_bits()),
                IpAddr::V6(ip) => {
                    let add = |sum: u64, part| sum.rotate_left(13) ^ u64::from(part);
                    ip.segments().into_iter().fold(0, add)
                }
            };
            mix(address ^ u64::from(end.port()) << 32)
        };
        let hash = mix(end(&segment.from).wrapping_add(end(&segment.to)));
        hash % u64::from(self.count) == u64::from(self.index)
    }
}

/// Lets every bit of `value` change every bit: neighbouring addresses and ports, which the
/// connections of one client have, go to different parts. The multiplier is that of Fibonacci
/// hashing, whose product mixes upwards only.
const fn mix(value: u64) -> u64 {
    let product = (value ^ value >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 32
}

/// What an engine tells.
#[derive(Debug)]
pub enum EngineEvent<'a> {
    /// An exchange ended, or stood open when the capture ended.
    Exchange(&'a Exchange<'a>),
    /// A connection is over; its exchanges were told before.
    Closed(&'a ClosedConnection),
    /// The packet just pushed belongs to this connection. Emitted before everything else the packet
    /// causes; events of timers, and the close of a connection that this one replaces, may come
    /// earlier. Only with `tell_progress`, like all that follow.
    Segment(ConnectionId),
    /// A connection was seen for the first time. Its first segments were told before; those of
    /// a remnant that is never told of, too.
    Opened(&'a Opened),
    /// The first frame of an exchange was read whole: of a call, which is open now, or of an event
    /// or an orphan reply, whose end is told next.
    Began(&'a Exchange<'a>, &'a Frame<'a>),
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

/// A connection that was told of and is not over.
#[derive(Clone, Copy, Debug)]
pub struct LiveConnection {
    /// The connection.
    pub connection: ConnectionId,
    /// Its addresses, in the roles that its messages showed so far.
    pub ends: Endpoints,
    /// The packet that first showed it.
    pub first: PacketRef,
    /// The last packet of it, by time.
    pub last: PacketRef,
    /// What was counted so far; of the sides in the roles that its messages showed.
    pub end: ConnectionEnd,
    /// Whether it was seen from the first byte of each side.
    pub from_start: PerSide<bool>,
    /// Whether a frame of Nest TCP was read on it.
    pub spoke_nest: bool,
    /// What else it spoke.
    pub foreign: Option<Foreign>,
    /// Whether it ended, and only what was captured too late may still come.
    pub lingering: bool,
}

/// A connection that is over.
#[derive(Clone, Copy, Debug)]
pub struct ClosedConnection {
    /// How it ended, and what was counted; of the sides in the roles that its messages showed.
    pub closed: Closed,
    /// Its addresses, in the roles that its messages showed.
    pub ends: Endpoints,
    /// The packet that first showed it.
    pub first: PacketRef,
    /// Whether it was seen from the first byte of each side.
    pub from_start: PerSide<bool>,
    /// Whether a frame of Nest TCP was read on it.
    pub spoke_nest: bool,
    /// What else it spoke.
    pub foreign: Option<Foreign>,
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
    /// The earliest and the latest time of a packet.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Counts {
    /// Whether anything was given up or folded because there was too much of it.
    pub const fn met_a_bound(&self) -> bool {
        self.patterns_folded > 0
            || self.exchange.calls_evicted > 0
            || self.stream.forced_skips > 0
            || self.stream.evicted_connections > 0
    }

    /// Adds what another shard of the same capture counted. Packets were counted by each.
    pub fn add_shard(&mut self, other: Self) {
        self.stream += other.stream;
        self.protocol += other.protocol;
        self.exchange += other.exchange;
        self.open_calls += other.open_calls;
        self.patterns_folded += other.patterns_folded;
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
        let Config { stream, keep_payloads, tell_progress, shard } = config;
        Self {
            shard,
            decoder: decode::Decoder::new(),
            streams: Streams::new(stream),
            conversations: Conversations {
                live: Vec::new(),
                tracker: Tracker::new(exchange::Config { keep_payloads, tell_progress }),
                tell_progress,
                counts: protocol::Counts::default(),
                held: 0,
                open_at_end: 0,
            },
            span: None,
        }
    }

    /// The next packet of the capture.
    pub fn push(&mut self, packet: &Packet<'_>, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        self.span = Some(match self.span {
            None => (packet.at, packet.at),
            Some((first, last)) => (first.min(packet.at), last.max(packet.at)),
        });
        let Self { decoder, streams, conversations, shard, .. } = self;
        // The fragments of a segment are pushed together, with the last of them.
        let mut tell_segment = conversations.tell_progress;
        decoder.push(packet, &mut |segment: Segment<'_>| {
            let mut take = |event: StreamEvent<'_>| match event {
                StreamEvent::Segment(connection) => {
                    if std::mem::take(&mut tell_segment) {
                        emit(EngineEvent::Segment(connection));
                    }
                }
                event => conversations.take(&event, emit),
            };
            if shard.takes(&segment) {
                streams.push(&segment, &mut take);
            } else {
                streams.pass(segment.packet, &mut take);
            }
        });
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
        streams.expire(now, &mut |event| conversations.take(&event, emit));
    }

    /// The capture is over: everything that is open is told as it stands.
    pub fn finish(&mut self, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        let Self { decoder, streams, conversations, .. } = self;
        decoder.finish();
        streams.finish(&mut |event| conversations.take(&event, emit));
    }

    /// Tells of each connection that stands, in no particular order.
    pub fn standing(&self, tell: &mut dyn FnMut(&LiveConnection)) {
        let Self { streams, conversations, .. } = self;
        let Conversations { live, tracker, .. } = conversations;
        for (slot, conversation) in (0..).zip(live) {
            if let Some(conversation) = conversation
                && let Some(stream) = streams.standing(slot)
                && let Some(ends) = tracker.ends(stream.connection)
            {
                let stream::LiveConnection { connection, last, end, lingering } = stream;
                let Conversation { first, from_start, spoke_nest, foreign, .. } = *conversation;
                let mut standing = LiveConnection {
                    connection,
                    ends,
                    first,
                    last,
                    end,
                    from_start,
                    spoke_nest,
                    foreign,
                    lingering,
                };
                if tracker.roles_swapped(connection) {
                    standing.end = end.swapped();
                    standing.from_start = from_start.swapped();
                }
                tell(&standing);
            }
        }
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        let tracker = &self.conversations.tracker;
        Counts {
            decode: *self.decoder.counts(),
            stream: *self.streams.counts(),
            protocol: self.conversations.counts.clone(),
            exchange: *tracker.counts(),
            open_calls: tracker.open_calls() as u64 + self.conversations.open_at_end,
            patterns_folded: tracker.patterns_folded(),
            span: self.span,
        }
    }
}

/// What is said on the connections.
struct Conversations {
    /// By slot.
    live: Vec<Option<Conversation>>,
    tracker: Tracker,
    tell_progress: bool,
    counts: protocol::Counts,
    /// Bytes that the decoders hold of frames that are not whole.
    held: usize,
    /// Calls that were open when the capture ended.
    open_at_end: u64,
}

struct Conversation {
    decoder: Box<dyn Decoder>,
    first: PacketRef,
    from_start: PerSide<bool>,
    spoke_nest: bool,
    foreign: Option<Foreign>,
}

impl Conversations {
    fn take(&mut self, event: &StreamEvent<'_>, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        match event {
            StreamEvent::Opened(opened) => {
                self.tracker.open(opened);
                let slot = opened.connection.slot as usize;
                if self.live.len() <= slot {
                    self.live.resize_with(slot + 1, || None);
                }
                if let Some(place) = self.live.get_mut(slot) {
                    *place = Some(Conversation {
                        decoder: protocol::decoder(opened),
                        first: opened.at,
                        from_start: opened.from_start,
                        spoke_nest: false,
                        foreign: None,
                    });
                }
                if self.tell_progress {
                    emit(EngineEvent::Opened(opened));
                }
            }
            StreamEvent::Segment(_) => {}
            StreamEvent::Data(chunk) => {
                self.decode(chunk.connection, emit, |decoder, budget, emit| {
                    decoder.push(chunk, budget, emit);
                });
            }
            StreamEvent::Gap(gap) => {
                self.decode(gap.connection, emit, |decoder, _, emit| decoder.gap(gap, emit));
                self.tracker.gap(gap);
            }
            StreamEvent::Closed(closed) => self.close(closed, emit),
        }
    }

    fn decode(
        &mut self,
        connection: ConnectionId,
        emit: &mut dyn FnMut(EngineEvent<'_>),
        say: impl FnOnce(&mut dyn Decoder, usize, &mut dyn FnMut(Decoded<'_>)),
    ) {
        let Some(Some(conversation)) = self.live.get_mut(connection.slot as usize) else { return };
        let Conversation { decoder, spoke_nest, foreign, .. } = conversation;
        let before = decoder.held();
        let budget = limits::FRAME_BYTES_IN_ALL.saturating_sub(self.held - before);
        let (tracker, counts) = (&mut self.tracker, &mut self.counts);
        say(decoder.as_mut(), budget, &mut |decoded| {
            counts.add(&decoded);
            match decoded {
                Decoded::Message(_) => *spoke_nest = true,
                Decoded::Foreign(what) => *foreign = Some(what),
                Decoded::Started { .. } | Decoded::Undecodable { .. } => {}
            }
            tracker.push(connection, &decoded, &mut |told| emit(told.into()));
        });
        self.held = self.held - before + decoder.held();
    }

    fn close(&mut self, closed: &Closed, emit: &mut dyn FnMut(EngineEvent<'_>)) {
        let connection = closed.connection;
        self.decode(connection, emit, |decoder, _, emit| decoder.finish(emit));
        let ends = self.tracker.ends(connection);
        let open_at_end = &mut self.open_at_end;
        self.tracker.close(closed, &mut |told| {
            if let TrackerEvent::Ended(exchange) = told {
                *open_at_end += u64::from(exchange.status == Status::Open);
            }
            emit(told.into());
        });
        let live = self.live.get_mut(connection.slot as usize).and_then(Option::take);
        if let (Some(conversation), Some(ends)) = (live, ends) {
            let Conversation { decoder, first, from_start, spoke_nest, foreign } = conversation;
            self.held -= decoder.held();
            let mut over =
                ClosedConnection { closed: *closed, ends, first, from_start, spoke_nest, foreign };
            if self.tracker.roles_swapped(connection) {
                over.closed.end = over.closed.end.swapped();
                over.from_start = over.from_start.swapped();
            }
            emit(EngineEvent::Closed(&over));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Flags, Seq};

    #[test]
    fn neighbouring_ports_are_spread_over_the_parts() {
        let takes = |count, index, port| {
            let (client, server) = (([10, 0, 0, 1], port).into(), ([10, 0, 0, 2], 3_000).into());
            let segment = |from, to| Segment {
                packet: PacketRef::default(),
                from,
                to,
                seq: Seq(0),
                ack: None,
                flags: Flags(0),
                window: 0,
                payload: &[],
                missing: 0,
            };
            let shard = Shard { index, count };
            let taken = shard.takes(&segment(client, server));
            assert_eq!(taken, shard.takes(&segment(server, client)), "both directions");
            taken
        };
        for count in [2, 3, 4] {
            // Linux chooses every other port.
            for step in [1, 2] {
                let ports = || (40_000..).step_by(step).take(80);
                let taken = |index| ports().filter(|&port| takes(count, index, port)).count();
                let parts: Vec<_> = (0..count).map(taken).collect();
                assert_eq!(parts.iter().sum::<usize>(), 80, "each to one");
                let fair = 80 / count as usize;
                assert!(parts.iter().all(|part| (fair / 2..=2 * fair).contains(part)), "{parts:?}");
            }
        }
    }
}
