//! Classic pcap: a header of 24 bytes, then records of 16 bytes and a packet.
//!
//! Both byte orders, times in µs or ns, and the "modified" records of Kuznetsov's libpcap.

use std::io;
use std::ops::Range;

use super::pcapng;
use super::points::{FilePoints, Point};
use super::window::{Filled, Window};
use crate::packet::{LinkType, PointId};
use crate::time::Timestamp;

/// The byte order of a file or of a section of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    #[inline]
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    #[inline]
    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    #[inline]
    pub(super) fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }
}

/// What a file says of a packet, and where in the window its bytes are.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) at: Timestamp,
    pub(super) link: LinkType,
    /// The number of its interface within the file.
    pub(super) point: PointId,
    pub(super) data: Range<usize>,
    /// What a pcapng says of it beside: options, to the end of its block.
    pub(super) options: Range<usize>,
    pub(super) original_len: u32,
}

/// What a step through a file came to.
pub(super) enum Step {
    Record(Record),
    /// Another capture file begins here: they were put one behind the other.
    Begins,
    /// The pipe is silent.
    NotYet,
    /// No whole record is left.
    Ended,
}

/// Why there is no next step.
pub(super) enum Fault {
    Read(io::Error),
    /// What stands at the window's offset, and what should.
    Damaged(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// A classic pcap file after its header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Classic {
    order: ByteOrder,
    nanos_per_tick: u32,
    link: LinkType,
    point: PointId,
    modified: bool,
}

impl Classic {
    /// Whether a file with these first bytes is classic pcap: its byte order, the length of a
    /// tick, and whether its records are the modified ones.
    pub(super) fn recognise(magic: [u8; 4]) -> Option<(ByteOrder, u32, bool)> {
        match magic {
            [0xD4, 0xC3, 0xB2, 0xA1] => Some((ByteOrder::Little, 1_000, false)),
            [0xA1, 0xB2, 0xC3, 0xD4] => Some((ByteOrder::Big, 1_000, false)),
            [0x4D, 0x3C, 0xB2, 0xA1] => Some((ByteOrder::Little, 1, false)),
            [0xA1, 0xB2, 0x3C, 0x4D] => Some((ByteOrder::Big, 1, false)),
            [0x34, 0xCD, 0xB2, 0xA1] => Some((ByteOrder::Little, 1_000, true)),
            [0xA1, 0xB2, 0xCD, 0x34] => Some((ByteOrder::Big, 1_000, true)),
            _ => None,
        }
    }

    /// Whether this is surely the header of a file, though something else was expected: nobody
    /// writes another version than 2.4 (2.2 and 2.3 were before 1998), an accuracy that is not 0, a
    /// time zone that is not within a day, or uses the bits that are reserved in the link type.
    pub(super) fn is_sure(header: &[u8; HEADER]) -> bool {
        let (words, _) = header.as_chunks::<4>();
        let &[magic, [v0, v1, w0, w1], zone, accuracy, _, link] = words else {
            return false;
        };
        let Some((order, ..)) = Self::recognise(magic) else {
            return false;
        };
        order.u16([v0, v1]) == 2
            && (2..=4).contains(&order.u16([w0, w1]))
            && order.u32(zone).cast_signed().unsigned_abs() <= 86_400
            && order.u32(accuracy) == 0
            && order.u32(link) & 0x0FFF_0000 == 0
    }

    /// Reads the header of a file, and names its interface.
    pub(super) fn new(
        header: &[u8; HEADER],
        points: &mut FilePoints,
    ) -> Result<Option<Self>, Fault> {
        let &[m0, m1, m2, m3, v0, v1, .., s0, s1, s2, s3, l0, l1, l2, l3] = header;
        let Some((order, nanos_per_tick, modified)) = Self::recognise([m0, m1, m2, m3]) else {
            return Ok(None);
        };
        let version = order.u16([v0, v1]);
        if version != 2 {
            return Err(Fault::Damaged(format!(
                "its pcap header says version {version}, where 2 is the only one"
            )));
        }
        // The upper half tells of a checksum at the end of each packet, which TCP over IP never
        // looks at: IP says where it ends.
        let [link0, link1] = match order {
            ByteOrder::Little => [l0, l1],
            ByteOrder::Big => [l2, l3],
        };
        let link = LinkType(order.u16([link0, link1]));
        let point = points.add(Point::classic(link, order.u32([s0, s1, s2, s3])));
        Ok(Some(Self { order, nanos_per_tick, link, point, modified }))
    }

    #[inline]
    pub(super) fn step(&self, window: &mut Window) -> Result<Step, Fault> {
        let header_len = if self.modified { RECORD_HEADER + MODIFIED_EXTRA } else { RECORD_HEADER };
        match window.require(header_len)? {
            Filled::Enough => {}
            Filled::NotYet => return Ok(Step::NotYet),
            Filled::Ended => return Ok(Step::Ended),
        }
        let Some(header) = window.bytes().first_chunk::<RECORD_HEADER>() else {
            return Ok(Step::Ended);
        };
        let &[s0, s1, s2, s3, t0, t1, t2, t3, c0, c1, c2, c3, o0, o1, o2, o3] = header;
        let seconds = self.order.u32([s0, s1, s2, s3]);
        let ticks = self.order.u32([t0, t1, t2, t3]);
        let captured = self.order.u32([c0, c1, c2, c3]);
        let original_len = self.order.u32([o0, o1, o2, o3]);
        // Where the header of another file stands, these lengths are its time zone and accuracy, or
        // the byte-order magic of a pcapng: a packet without a byte, or longer than any.
        if (original_len == 0 || captured > PACKET_BYTES)
            && let Some(step) = follows_file(window)?
        {
            return Ok(step);
        }
        if captured > PACKET_BYTES {
            return Err(Fault::Damaged(format!(
                "a packet of {captured} bytes, more than any capture holds"
            )));
        }
        let whole = header_len + captured as usize;
        match window.require(whole)? {
            Filled::Enough => {}
            Filled::NotYet => return Ok(Step::NotYet),
            Filled::Ended => return Ok(Step::Ended),
        }
        let record = window.consume(whole);
        // Fits: 2^32 seconds are less than half of what an i64 of nanoseconds holds.
        let at =
            i64::from(seconds) * 1_000_000_000 + i64::from(ticks) * i64::from(self.nanos_per_tick);
        Ok(Step::Record(Record {
            at: Timestamp::from_nanos(at),
            link: self.link,
            point: self.point,
            data: record.start + header_len..record.end,
            options: record.end..record.end,
            original_len,
        }))
    }
}

/// Whether the header of another capture file stands where a packet should: then `Begins`, or what
/// has to be waited for.
#[cold]
fn follows_file(window: &mut Window) -> Result<Option<Step>, Fault> {
    if window.bytes().starts_with(&pcapng::SECTION) {
        return Ok(pcapng::is_section(window.bytes()).then_some(Step::Begins));
    }
    let Some(&magic) = window.bytes().first_chunk() else {
        return Ok(None);
    };
    if Classic::recognise(magic).is_none() {
        return Ok(None);
    }
    match window.require(HEADER)? {
        Filled::Enough => {}
        Filled::NotYet => return Ok(Some(Step::NotYet)),
        Filled::Ended => return Ok(Some(Step::Ended)),
    }
    let is_sure = window.bytes().first_chunk().is_some_and(Classic::is_sure);
    Ok(is_sure.then_some(Step::Begins))
}

/// Bytes of a file's header.
pub(super) const HEADER: usize = 24;

/// Bytes before each packet.
const RECORD_HEADER: usize = 16;

/// Bytes more before each packet of a modified file: interface, protocol, direction.
const MODIFIED_EXTRA: usize = 8;

/// The most bytes of a packet. tcpdump and Wireshark capture at most 262,144; loopback and
/// offload make none longer than 64 KiB. 64 times the former can only be damage.
pub(super) const PACKET_BYTES: u32 = 16 << 20;
