//! A TCP piece as the wire carried it.

use std::net::SocketAddr;

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
}
