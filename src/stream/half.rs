//! What is known of one side of a connection.

use std::net::SocketAddr;

use super::assembler::Assembler;
use super::checksums::{Checksums, DamagedSegments};
use super::copies::RecentSegments;
use super::nagle::SendBuffer;
use super::sequence::{first_position, position, seq_of};
use crate::decode::{Flags, Path, Segment, Seq};
use crate::limits::{WINDOW, WINDOW_OF_NEW_PATH};
use crate::packet::{PacketNumber, PacketRef};
use crate::time::{Nanos, Timestamp};

/// How surely the first byte of a side is known.
///
/// ```text
///  Unknown ──ACK of the other side──► Acknowledged ──data──► Seen
///     └───────────────┴──────────SYN, or its SYN-ACK──────────┴────► Exact
/// ```
///
/// Until the connection is settled, an earlier packet moves the first byte of `Acknowledged` and
/// `Seen` back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Start {
    /// Nothing was seen of it.
    #[default]
    Unknown,
    /// The lowest position that was acknowledged, or at which a segment without bytes was seen.
    Acknowledged,
    /// The lowest position at which bytes of it were seen.
    Seen,
    /// The initial sequence number told it.
    Exact,
}

/// One side of a connection: what it sent. All positions are of its own stream.
#[derive(Debug)]
pub(super) struct HalfStream {
    pub address: SocketAddr,
    pub start: Start,
    /// Position of the first byte. `origin <= stream.next()`.
    pub origin: u64,
    pub stream: Assembler,
    /// It is known to have sent everything before this position.
    pub sent: u64,
    /// The other side acknowledged everything before this position.
    pub acked: u64,
    /// The packet that did, and its own position in the other side's stream.
    pub acked_by: PacketRef,
    pub acked_from: u64,
    /// The position at which its FIN ends the stream, and the packet with the FIN.
    pub fin: Option<(u64, PacketRef)>,
    /// One position was acknowledged behind the last byte seen: a byte, or a FIN that the capture
    /// lacks. Taken for the latter until more is known.
    pub fin_unseen: bool,
    /// The peer acknowledged data of this side, the reordering window passed, and no packet of this
    /// side was captured: the capture is probably one-way.
    pub missed: bool,
    /// The latest packet of which bytes were delivered, by time.
    pub latest: Option<PacketRef>,
    /// A wait for what was acknowledged is queued.
    pub awaits_acked: bool,
    /// A wait for a hole to be filled is queued.
    pub awaits_hole: bool,
    pub handshake: Handshake,
    pub send_buffer: SendBuffer,
    pub tally: Counters,
    /// The paths on which its packets came: one, or two where the capture saw them twice.
    paths: [Option<Path>; 2],
    /// The last segments with bytes or a SYN.
    pub recent: RecentSegments,
    pub checksums: Checksums,
    pub damaged: DamagedSegments,
    /// The snap length cut bytes before this position: they were sent.
    pub cut: u64,
    /// Its last packet.
    pub last: PacketNumber,
}

/// What was seen of a side's part in the handshake, in whatever order it was captured.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Handshake {
    /// The last SYN that acknowledges nothing.
    syn: Option<Timestamp>,
    /// Whether it answered a SYN.
    accepted: bool,
    /// The earliest other segment that acknowledges something: its time, its own sequence number
    /// and the one that it acknowledges.
    acknowledged: Option<(Timestamp, Seq, Seq)>,
}

impl Handshake {
    /// Whether this side sent a SYN that acknowledges nothing.
    pub fn asked(&self) -> bool {
        self.syn.is_some()
    }

    /// Takes in a segment that this side sent.
    pub fn see(&mut self, segment: &Segment<'_>) {
        let at = segment.packet.at;
        match (segment.flags.has(Flags::SYN), segment.ack) {
            (true, None) => self.syn = self.syn.max(Some(at)),
            (true, Some(_)) => self.accepted = true,
            (false, Some(ack)) if self.acknowledged.is_none_or(|(first, ..)| at < first) => {
                self.acknowledged = Some((at, segment.seq, ack));
            }
            (false, _) => {}
        }
    }
}

/// What is counted of a side while the connection lives.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub packets: u64,
    pub bytes: u64,
    pub retransmissions: u64,
    pub copies: u64,
    pub gaps: u64,
    pub gap_bytes: u64,
}

impl HalfStream {
    /// A side of which nothing was seen.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            start: Start::Unknown,
            origin: 0,
            stream: Assembler::default(),
            sent: 0,
            acked: 0,
            acked_by: PacketRef::default(),
            acked_from: 0,
            fin: None,
            fin_unseen: false,
            missed: false,
            latest: None,
            awaits_acked: false,
            awaits_hole: false,
            handshake: Handshake::default(),
            send_buffer: SendBuffer::default(),
            tally: Counters::default(),
            paths: [None; 2],
            recent: RecentSegments::default(),
            checksums: Checksums::default(),
            damaged: DamagedSegments::default(),
            cut: 0,
            last: PacketNumber(0),
        }
    }

    /// What its buffered bytes weigh.
    pub fn buffered(&self) -> usize {
        self.stream.buffered() + self.damaged.buffered()
    }

    /// Whether the capture shows the other direction only, as far as can be told.
    pub fn is_absent(&self) -> bool {
        self.missed && self.tally.packets == 0
    }

    /// The position of a sequence number of this side.
    pub fn position(&self, seq: Seq) -> u64 {
        match self.start {
            Start::Unknown => first_position(seq),
            _ => position(seq, self.stream.next()),
        }
    }

    /// The SYN, or what answered it, told the position of the first byte.
    pub fn starts_at(&mut self, position: u64) {
        self.start = Start::Exact;
        self.begin(position);
    }

    /// Bytes or the FIN were seen at `position`.
    pub fn seen_at(&mut self, position: u64, settled: bool) {
        let untouched = self.stream.next() == self.origin && self.stream.is_empty();
        let begins_here = match self.start {
            Start::Unknown => true,
            // One position off: a keep-alive was the first that was seen of this side. Further
            // off: what lies between was sent, for the other side had received what is before it.
            Start::Acknowledged => {
                !settled && position < self.origin || untouched && position == self.origin + 1
            }
            Start::Seen => !settled && position < self.origin,
            Start::Exact => return,
        };
        self.start = Start::Seen;
        if begins_here {
            self.begin(position);
        }
    }

    /// What lies before `position` was sent: the other side acknowledged it, or a segment without
    /// bytes stands there.
    pub fn acknowledged_at(&mut self, position: u64, settled: bool) {
        let earlier = match self.start {
            Start::Unknown => true,
            Start::Acknowledged => !settled && position < self.origin,
            Start::Seen | Start::Exact => false,
        };
        if earlier {
            self.start = Start::Acknowledged;
            self.begin(position);
        }
    }

    /// `packet` says that the stream ends at `position`. One that lies before bytes that were seen
    /// is not its FIN.
    pub fn ends_at(&mut self, position: u64, packet: PacketRef) {
        if self.fin.is_none() && position >= self.stream.end() {
            self.fin = Some((position, packet));
            self.fin_unseen = false;
        }
    }

    fn begin(&mut self, position: u64) {
        self.origin = position;
        self.stream.begin(position);
        self.sent = self.sent.max(position);
    }

    /// The first position of which nothing was delivered, the FIN counted as one.
    pub fn reach(&self) -> u64 {
        let next = self.stream.next();
        next + u64::from(self.fin_unseen || self.fin.is_some_and(|(fin, _)| fin == next))
    }

    /// Whether nothing is missing of what lies before `position`. Nothing lies behind the FIN.
    pub fn has_reached(&self, position: u64) -> bool {
        self.reach() >= position || self.is_finished()
    }

    /// Whether an acknowledgement of `position` acknowledges what the capture holds: its SYN,
    /// bytes.
    pub fn acknowledges_something(&self, position: u64) -> bool {
        let has_syn = self.start == Start::Exact && position == self.origin;
        has_syn || self.origin < position && position <= self.sent + 1
    }

    /// Whether everything before its FIN was delivered.
    pub fn is_finished(&self) -> bool {
        self.fin.is_some_and(|(fin, _)| self.stream.next() >= fin)
    }

    /// Whether `position` lies where the next packets of this stream are expected.
    pub fn expects(&self, position: u64) -> bool {
        self.start == Start::Unknown
            || (self.lowest(WINDOW)..=self.top().saturating_add(WINDOW)).contains(&position)
    }

    /// How far `position` lies from the bytes that come next; `None` where they are not expected so
    /// far away. Nothing is known of a side that was not seen: anything may be of it.
    pub fn distance(&self, position: u64) -> Option<u64> {
        if self.start == Start::Unknown {
            return Some(WINDOW);
        }
        let (next, top) = (self.stream.next(), self.top());
        let distance = next.saturating_sub(position).max(position.saturating_sub(top));
        (distance <= WINDOW).then_some(distance)
    }

    /// Whether packets of this side came on this path before, or none came so far.
    pub fn knows(&self, path: Path) -> bool {
        let [first, second] = self.paths;
        first == Some(path) || first.is_none() || second == Some(path)
    }

    /// Whether a segment that comes on another path than those before is one of this side: a copy
    /// of one of them, or one that lies right where the next bytes are expected.
    pub fn adopts(&self, position: u64, segment: &Segment<'_>) -> bool {
        self.recent.contains_copy_of(segment)
            || self.distance(position).is_some_and(|distance| distance <= WINDOW_OF_NEW_PATH)
    }

    /// A packet of this side came.
    pub fn came(&mut self, segment: &Segment<'_>) {
        self.tally.packets += 1;
        self.last = segment.packet.number;
        let [first, second] = &mut self.paths;
        let path = *first.get_or_insert(segment.path);
        if path != segment.path {
            *second = Some(segment.path);
        }
    }

    /// The lowest position at which a packet may still be of this stream.
    fn lowest(&self, window: u64) -> u64 {
        self.stream.next().saturating_sub(window)
    }

    /// From the SYN with which this side opened the connection to the ACK with which it answered
    /// the SYN-ACK of `other`, if all three were seen.
    pub fn round_trip(&self, other: &Self) -> Option<Nanos> {
        let (at, seq, ack) = self.handshake.acknowledged.filter(|_| other.handshake.accepted)?;
        let first = |half: &Self| (half.start == Start::Exact).then(|| seq_of(half.origin));
        let completes = Some(seq) == first(self) && Some(ack) == first(other);
        at.since(self.handshake.syn.filter(|_| completes)?)
    }

    /// The highest position that is known of.
    fn top(&self) -> u64 {
        self.sent.max(self.acked).max(self.stream.next())
    }
}
