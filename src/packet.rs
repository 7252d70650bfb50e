//! A captured frame of the link, lent by its source.

mod link_type;

pub use link_type::LinkType;

use std::fmt;
use std::ops::Range;

use crate::time::Timestamp;

/// The place of a packet in the capture, from 1, as Wireshark counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketNumber(pub u64);

impl PacketNumber {
    /// The number of the packet behind it.
    #[must_use]
    pub const fn next(self) -> Self {
        self.saturating_add(1)
    }

    /// The number of the packet so many behind it.
    #[must_use]
    pub const fn saturating_add(self, packets: u64) -> Self {
        Self(self.0.saturating_add(packets))
    }

    /// The number of the packet so many before it.
    #[must_use]
    pub const fn saturating_sub(self, packets: u64) -> Self {
        Self(self.0.saturating_sub(packets))
    }

    /// Each number of `range`, ascending.
    pub fn each(range: Range<Self>) -> impl DoubleEndedIterator<Item = Self> + Clone {
        (range.start.0..range.end.0).map(Self)
    }
}

impl fmt::Display for PacketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where packets were captured: an interface of one source. Two packets of one connection that were
/// captured at different points may be the same packet, seen twice on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointId(pub u16);

/// A captured packet. Its bytes are lent until the source is asked for the next one.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Its place in the capture.
    pub number: PacketNumber,
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
    /// Its place in the capture.
    pub number: PacketNumber,
    /// When it was captured.
    pub at: Timestamp,
}

impl PacketRef {
    /// The later of two packets: by time, and of two at the same time by number.
    pub fn later(self, other: Self) -> Self {
        if (other.at, other.number) > (self.at, self.number) { other } else { self }
    }

    /// The earlier of two packets: by time, and of two at the same time by number.
    pub fn earlier(self, other: Self) -> Self {
        if (other.at, other.number) < (self.at, self.number) { other } else { self }
    }
}
