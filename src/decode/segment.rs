//! A TCP piece as the wire carried it.

use std::net::{IpAddr, SocketAddr};

use crate::packet::PacketRef;

/// A TCP sequence number: a position modulo 2³² (RFC 9293, section 3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seq(pub u32);

impl Seq {
    /// The position `bytes` further on.
    pub const fn add(self, bytes: u32) -> Self {
        Self(self.0.wrapping_add(bytes))
    }

    /// The position `bytes` before this one.
    pub const fn back(self, bytes: u32) -> Self {
        Self(self.0.wrapping_sub(bytes))
    }

    /// How far this position lies after `origin`; negative where it lies before. Right for
    /// positions less than 2³¹ apart, which a TCP window guarantees.
    pub const fn distance(self, origin: Self) -> i32 {
        self.0.wrapping_sub(origin.0).cast_signed()
    }
}

/// The control bits of a TCP header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// No more bytes from the sender.
    pub const FIN: Self = Self(0x01);
    /// Opens a connection; the sequence number is the initial one.
    pub const SYN: Self = Self(0x02);
    /// The connection is void.
    pub const RST: Self = Self(0x04);
    /// The sender asks that the bytes be handed on.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement number holds.
    pub const ACK: Self = Self(0x10);

    /// Whether every bit of `flags` is set.
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// These without `flags`.
    pub const fn without(self, flags: Self) -> Self {
        Self(self.0 & !flags.0)
    }
}

/// A TCP segment, or the part of one that an IP fragment carried. Its payload is lent.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The packet that carried it.
    pub packet: PacketRef,
    /// The sender.
    pub from: SocketAddr,
    /// The receiver.
    pub to: SocketAddr,
    /// The position of the first payload byte (of the SYN itself, where that is set).
    pub seq: Seq,
    /// The next position that the sender expects, where the ACK bit is set.
    pub ack: Option<Seq>,
    /// The control bits.
    pub flags: Flags,
    /// The receive window as written, not scaled.
    pub window: u16,
    /// The payload bytes that the capture holds.
    pub payload: &'a [u8],
    /// Payload bytes after those that the snap length cut off.
    pub missing: u32,
    /// The path on which the packet came: tells apart what only has the same addresses.
    pub path: Path,
    /// The identification of the IP packet, which its sender chose; 0 in version 6, which has none.
    pub ip_id: u16,
    /// How many more routers the IP packet may pass.
    pub ttl: u8,
    /// The largest payload that the sender accepts, where it is a SYN that says so (RFC 9293,
    /// section 3.7.1).
    pub mss: Option<u16>,
    /// The checksum as written: that of a copy is the same.
    pub checksum: u16,
    /// The TCP header and the payload as they were captured; empty where the segment was put
    /// together from fragments, whose checksum cannot be told.
    pub raw: &'a [u8],
}

/// A capture point, VLAN tags and tunnels, as one number: equal for packets of the same path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path(pub u32);

impl<'a> Segment<'a> {
    /// A segment without flags or payload, for what is made by hand.
    pub const fn empty(packet: PacketRef, from: SocketAddr, to: SocketAddr) -> Self {
        Self {
            packet,
            from,
            to,
            seq: Seq(0),
            ack: None,
            flags: Flags(0),
            window: 0,
            payload: &[],
            missing: 0,
            path: Path(0),
            ip_id: 0,
            ttl: 0,
            mss: None,
            checksum: 0,
            raw: &[],
        }
    }

    /// Whether its checksum is that of its bytes (RFC 9293, section 3.1); `None` where not all of
    /// them were captured. On a host whose network card computes checksums, those of the packets
    /// that it sends are wrong in every capture.
    pub fn checksum_is_valid(&self) -> Option<bool> {
        super::tcp::checksum_is_valid(self)
    }
}

/// What one packet says to the floor above.
#[derive(Clone, Copy, Debug)]
pub enum Network<'a> {
    /// A TCP segment.
    Segment(Segment<'a>),
    /// A router or a host could not hand on a TCP segment.
    Unreachable(Unreachable),
}

/// An ICMP message "destination unreachable" that quotes a TCP segment (RFC 792, RFC 4443).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// The packet that carried it.
    pub packet: PacketRef,
    /// Who says so.
    pub by: IpAddr,
    /// The sender of the segment that is quoted.
    pub from: SocketAddr,
    /// Where it was to go.
    pub to: SocketAddr,
    /// The sequence number of the segment that is quoted.
    pub seq: Seq,
    /// Why it did not get there.
    pub code: UnreachableCode,
}

/// Why a packet was not handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreachableCode {
    /// No route to the network.
    Network,
    /// The host does not answer.
    Host,
    /// The host has no such protocol.
    Protocol,
    /// Nobody listens on the port.
    Port,
    /// A filter forbids it.
    Prohibited,
    /// Another reason, by its number in the version of ICMP that was spoken.
    Other(u8),
}
