//! A captured frame of the link, lent by its source.

use crate::time::Timestamp;

/// How the bytes of a packet begin: the LINKTYPE value of tcpdump.org's registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: four bytes of address family in the byte order of the capturing host.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Raw IP as written by some systems that use their own DLT number.
    pub const RAW_DLT: Self = Self(12);
    /// Raw IP, version told by the first four bits.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1 (16 bytes).
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2 (20 bytes).
    pub const LINUX_SLL2: Self = Self(276);
}

/// Where packets were captured: an interface of one source. Two packets of one connection that were
/// captured at different points may be the same packet, seen twice on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointId(pub u16);

/// A captured packet. Its bytes are lent until the source is asked for the next one.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Its place in the capture, from 1, as Wireshark counts.
    pub number: u64,
    /// When it was captured; unknown where the file does not say.
    pub at: Timestamp,
    /// What the bytes begin with.
    pub link: LinkType,
    /// Where it was captured.
    pub point: PointId,
    /// The bytes that were captured.
    pub data: &'a [u8],
    /// How many bytes the packet had on the link; more than `data` where the snap length cut it.
    pub original_len: u32,
}

impl Packet<'_> {
    /// What remains of the packet when its bytes are gone.
    pub fn place(&self) -> PacketRef {
        PacketRef { number: self.number, at: self.at }
    }
}

/// The number and time of a packet whose bytes may be gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketRef {
    /// Its place in the capture, from 1.
    pub number: u64,
    /// When it was captured.
    pub at: Timestamp,
}
