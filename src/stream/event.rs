//! What the stream floor tells the floor above.

use super::nagle::Hold;
use crate::decode::{Seq, UnreachableCode};
use crate::endpoint::{ConnectionId, Endpoints, PerSide, Roles, Side};
use crate::packet::{PacketNumber, PacketRef};
use crate::time::Nanos;

/// Something happened on a connection.
#[derive(Clone, Copy, Debug)]
pub enum StreamEvent<'a> {
    /// The segment that was pushed is one of this connection. Comes before what the segment brings,
    /// and perhaps before the connection is told of.
    Segment(ConnectionId),
    /// It was seen for the first time. Comes once, before all of this connection but its segments;
    /// never for what is no more than the remnant of an older one.
    Opened(Opened),
    /// The next bytes of one side.
    Data(Chunk<'a>),
    /// Bytes of one side that the capture lacks. What follows lies behind them.
    Gap(Gap),
    /// An earlier packet turned out to be a segment of this connection. It was kept until it was
    /// known to be one of it.
    Late {
        /// The connection.
        connection: ConnectionId,
        /// The number of the packet.
        packet: PacketNumber,
    },
    /// Something else was noticed.
    Notice(Notice),
    /// It is over. Nothing more comes of this connection, and its slot may be used again.
    Closed(Closed),
}

/// A connection that was not known before.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// Its id.
    pub connection: ConnectionId,
    /// Its addresses.
    pub ends: Endpoints,
    /// How sure it is which end is the server.
    pub roles: Roles,
    /// The packet that showed it.
    pub at: PacketRef,
    /// Whether the first byte of each side is the first that was sent: its SYN was seen, or the
    /// SYN-ACK that answered it.
    pub from_start: PerSide<bool>,
    /// Its other addresses, where the capture saw it before and after address translation.
    pub also: Option<Endpoints>,
}

/// Something about a connection that is neither its beginning, its bytes nor its end.
#[derive(Clone, Copy, Debug)]
pub struct Notice {
    /// The connection. Perhaps not told of yet, or never.
    pub connection: ConnectionId,
    /// The packet that showed it. Where only time showed that an attempt waits, the last packet of
    /// the connection; where nothing but time ended one, the highest packet number and the time
    /// then.
    pub at: PacketRef,
    /// What it is.
    pub what: Noticed,
}

/// What was noticed.
#[derive(Clone, Copy, Debug)]
pub enum Noticed {
    /// Of an attempt to connect that has no good answer.
    Attempt(Attempt, AttemptState),
    /// The capture saw it under other addresses too, before or after translation.
    Translated(Endpoints),
}

/// The SYNs of one attempt to connect.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Who asked whom.
    pub ends: Endpoints,
    /// The first SYN.
    pub first: PacketRef,
    /// The last one.
    pub last: PacketRef,
    /// How many.
    pub syns: u32,
    /// The packet that answered.
    pub answer: Option<PacketRef>,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// The SYN was repeated, or a second passed.
    Waiting,
    /// It was answered after all, or is none: other packets of its sender were seen.
    Answered,
    /// A RST answered, or ICMP said that nobody listens.
    Refused {
        /// Whether it was ICMP.
        by_network: bool,
    },
    /// ICMP said why the SYN did not get there.
    Unreachable(UnreachableCode),
    /// Nothing answered until the client tried again from the same ports.
    GivenUp,
    /// Nothing answered until the capture ended, or for as long as any client waits.
    NoAnswer,
    /// The server accepted, and reset before it sent a byte.
    Reset,
}

/// In-order bytes of one side, lent from the packet or from where they were buffered.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The connection.
    pub connection: ConnectionId,
    /// The sender.
    pub from: Side,
    /// The packet in which the capture first saw these bytes.
    pub packet: PacketRef,
    /// Whether that packet may have waited in the kernel of its sender.
    pub hold: Option<Hold>,
    /// Position of the first of them in this side's stream, from 0 at its first known byte.
    pub offset: u64,
    /// The sequence number of the first of them.
    pub seq: Seq,
    /// Their sender had received the other side up to this sequence number; `None` where that is
    /// not known.
    pub after: Option<Seq>,
    /// The bytes; never empty.
    pub data: &'a [u8],
}

/// Bytes of one side that the capture lacks.
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    /// The connection.
    pub connection: ConnectionId,
    /// The side that sent what is missing.
    pub from: Side,
    /// How many bytes are missing; 0 where only that something is missing is known.
    pub bytes: u64,
    /// The packet by which the missing bytes must have been sent: what a later packet asked for
    /// was not answered in them.
    pub until: PacketRef,
    /// Whether the other side acknowledged bytes behind it, or the snap length cut it. Else it is
    /// only that something lies behind it.
    pub certain: bool,
}

/// A connection that was told of and is not over.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// The connection.
    pub connection: ConnectionId,
    /// The last packet of it, by time.
    pub last: PacketRef,
    /// What was counted so far.
    pub counts: ConnectionCounts,
    /// Whether it ended, and is only kept for what was captured too late.
    pub lingering: bool,
}

/// A connection that is over.
#[derive(Clone, Copy, Debug)]
pub struct Closed {
    /// The connection.
    pub connection: ConnectionId,
    /// How it ended.
    pub end: Ended,
    /// What was counted while it lived.
    pub counts: ConnectionCounts,
    /// The packet with the FIN of each side.
    pub fins: PerSide<Option<PacketRef>>,
    /// The latest packet that brought bytes of each side.
    pub last_data: PerSide<Option<PacketRef>>,
}

/// The end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub why: CloseReason,
    /// The packet that ended it, or showed the connection that replaced it; else the last that was
    /// seen of it.
    pub at: PacketRef,
    /// Who said RST, or the first FIN; `None` where nobody did.
    pub by: Option<Side>,
}

impl Ended {
    /// With the client as the server, and the other way round.
    pub fn swapped(self) -> Self {
        Self { by: self.by.map(Side::other), ..self }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Both sides said FIN.
    Finished,
    /// One side said RST.
    Reset,
    /// A new connection began between the same ends.
    Replaced,
    /// ICMP said that its SYN did not get there.
    Unreachable,
    /// It gave way to newer ones: the table was full, or too many connections had its ends.
    Evicted,
    /// The capture ended while it stood, or nothing answered its SYN for 127 s.
    CaptureEnded,
}

/// What was counted of a connection while it lived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// Segments of each side.
    pub packets: PerSide<u64>,
    /// Payload bytes that each side sent, once each, those lost in gaps left out.
    pub bytes: PerSide<u64>,
    /// Segments of each side whose bytes had all been seen before.
    pub retransmissions: PerSide<u64>,
    /// Segments with bytes of each side that the capture holds twice.
    pub copies: PerSide<u64>,
    /// Gaps in the bytes of each side.
    pub gaps: PerSide<u64>,
    /// Bytes missing in those gaps.
    pub gap_bytes: PerSide<u64>,
    /// From the client's SYN to the ACK that completed the handshake, at the capture point; `None`
    /// where the capture lacks a part of the handshake. Of a SYN that was sent again, the last
    /// counts.
    pub round_trip: Option<Nanos>,
}

impl ConnectionCounts {
    /// What was counted of the client as counted of the server, and the other way round.
    pub fn swapped(self) -> Self {
        let Self { packets, bytes, retransmissions, copies, gaps, gap_bytes, round_trip } = self;
        Self {
            packets: packets.swapped(),
            bytes: bytes.swapped(),
            retransmissions: retransmissions.swapped(),
            copies: copies.swapped(),
            gaps: gaps.swapped(),
            gap_bytes: gap_bytes.swapped(),
            round_trip,
        }
    }
}
