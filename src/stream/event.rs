//! What the stream floor tells the floor above.

use super::nagle::Hold;
use crate::decode::Seq;
use crate::endpoint::{ConnectionId, Endpoints, PerSide, Roles, Side};
use crate::packet::PacketRef;
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
    /// It is over. Nothing more comes of this connection, and its slot may be used again.
    Closed(Closed),
}

/// A connection that was not known before.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// Its name.
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
}

/// In-order bytes of one side, lent from the packet or from where they were held.
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
}

/// The end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub why: CloseReason,
    /// The packet that ended it, or the last that was seen of it.
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
    /// It gave way to newer ones: the table was full.
    Evicted,
    /// The capture ended while it stood.
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
    /// Gaps in the bytes of each side.
    pub gaps: PerSide<u64>,
    /// Bytes missing in those gaps.
    pub gap_bytes: PerSide<u64>,
    /// From the client's SYN to the ACK that completed the handshake, at the capture point; `None`
    /// where the capture lacks a part of the handshake. Of a SYN that was sent again, the last counts.
    pub round_trip: Option<Nanos>,
}

impl ConnectionCounts {
    /// What was counted of the client as counted of the server, and the other way round.
    pub fn swapped(self) -> Self {
        let Self { packets, bytes, retransmissions, gaps, gap_bytes, round_trip } = self;
        Self {
            packets: packets.swapped(),
            bytes: bytes.swapped(),
            retransmissions: retransmissions.swapped(),
            gaps: gaps.swapped(),
            gap_bytes: gap_bytes.swapped(),
            round_trip,
        }
    }
}
