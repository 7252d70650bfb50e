//! pcapng: a chain of blocks, each with its type and its length before and after it.
//!
//! A section begins with its byte order; its interfaces each have their link type and clock.
//! Read are packets (enhanced, simple and obsolete), interfaces and their statistics. Where packets
//! are saved, what must stand before them is kept for it: names of addresses and secrets to decrypt
//! with. Every other block is passed over by its length. (Wireshark numbers custom blocks and
//! journal entries as if they were packets; here only packets are numbered.)

use super::classic::{ByteOrder, Classic, Fault, HEADER, PACKET_BYTES, Record, Step};
use super::kept::Blocks;
use super::options::Options;
use super::points::{FilePoints, Point, sum};
use super::window::{Filled, Window};
use crate::packet::{LinkType, PointId};
use crate::time::Timestamp;

/// The section of a pcapng file that is being read.
#[derive(Debug)]
pub(super) struct Pcapng {
    order: ByteOrder,
    interfaces: Vec<Interface>,
}

#[derive(Debug)]
struct Interface {
    point: PointId,
    link: LinkType,
    /// The most bytes it captured of a packet; 0: no bound.
    snap_len: u32,
    resolution: Resolution,
    /// Drops that its statistics tell of.
    counted: Option<u64>,
    /// Drops that its packets tell of.
    between_packets: Option<u64>,
}

impl Interface {
    /// Statistics and packets count the same drops, each from the start of the capture. A file that
    /// breaks off lacks the statistics of its end, and drops after the last packet are in these
    /// only: so the larger of the two is nearer to the truth.
    fn dropped(&self) -> Option<u64> {
        self.counted.max(self.between_packets)
    }
}

impl Pcapng {
    /// A file before its first block.
    pub(super) fn new() -> Self {
        Self { order: ByteOrder::Little, interfaces: Vec::new() }
    }

    /// The byte order of the section.
    pub(super) fn order(&self) -> ByteOrder {
        self.order
    }

    /// Packets that were lost at each interface of this section, as far as it tells.
    pub(super) fn dropped(&self) -> impl Iterator<Item = (PointId, u64)> {
        self.interfaces.iter().filter_map(|each| Some((each.point, each.dropped()?)))
    }

    pub(super) fn step(
        &mut self,
        window: &mut Window,
        points: &mut FilePoints,
        kept: &mut Option<Blocks>,
    ) -> Result<Step, Fault> {
        loop {
            match window.require(BLOCK_FRAME)? {
                Filled::Enough => {}
                Filled::NotYet => return Ok(Step::NotYet),
                Filled::Ended => return Ok(Step::Ended),
            }
            let Some(&[t0, t1, t2, t3, l0, l1, l2, l3, b0, b1, b2, b3]) =
                window.bytes().first_chunk::<BLOCK_FRAME>()
            else {
                return Ok(Step::Ended);
            };
            // Its type reads the same in both orders, since the order is only told after it.
            let new_section = [t0, t1, t2, t3] == SECTION;
            let order = if new_section { byte_order([b0, b1, b2, b3])? } else { self.order };
            let kind = order.u32([t0, t1, t2, t3]);
            let len = order.u32([l0, l1, l2, l3]);
            if !new_section
                && Classic::recognise([t0, t1, t2, t3]).is_some()
                && let Some(step) = follows_classic(window, [l0, l1, l2, l3], len)?
            {
                return Ok(step);
            }
            if (len as usize) < BLOCK_FRAME {
                return Err(Fault::Damaged(format!(
                    "a block of {len} bytes, where {BLOCK_FRAME} are the least"
                )));
            }
            let is_kept = kept.is_some() && matches!(kind, NAMES | SECRETS);
            let is_read = matches!(kind, INTERFACE..=SIMPLE | STATISTICS | ENHANCED);
            if !new_section && !is_read && !is_kept {
                window.skip(len.into());
                continue;
            }
            if len > BLOCK_BYTES {
                return Err(Fault::Damaged(format!(
                    "a block of {len} bytes, more than any capture holds"
                )));
            }
            match window.require(len as usize)? {
                Filled::Enough => {}
                Filled::NotYet => return Ok(Step::NotYet),
                Filled::Ended => return Ok(Step::Ended),
            }
            let block = window.bytes().get(..len as usize).unwrap_or_default();
            if block.last_chunk() != Some(&[l0, l1, l2, l3]) {
                return Err(Fault::Damaged(format!(
                    "a block of {len} bytes that does not repeat its length at its end"
                )));
            }
            let block = Block { order, bytes: block.get(..block.len() - 4).unwrap_or_default() };
            let found = match kind {
                ENHANCED => Some(self.enhanced(&block)?),
                SIMPLE => Some(self.simple(&block)?),
                OBSOLETE => Some(self.obsolete(&block)?),
                _ => {
                    match kind {
                        INTERFACE => self.interface(&block, points)?,
                        STATISTICS => self.statistics(&block)?,
                        _ if new_section => self.section(&block, points, kept),
                        _ => kept.iter_mut().for_each(|kept| kept.block(order, kind, block.body())),
                    }
                    None
                }
            };
            let place = window.consume(len as usize);
            if let Some(found) = found {
                let from = place.start + found.from;
                let options = from + found.len.next_multiple_of(4);
                return Ok(Step::Record(Record {
                    at: found.at,
                    link: found.link,
                    point: found.point,
                    data: from..from + found.len,
                    options: options..(place.end - 4).max(options),
                    original_len: found.original_len,
                }));
            }
        }
    }

    /// Leaves the section that was read, so that its drops are added to those of its points.
    pub(super) fn close(&mut self, points: &mut FilePoints) {
        for interface in self.interfaces.drain(..) {
            points.add_dropped(interface.point, interface.dropped());
        }
    }

    fn section(&mut self, block: &Block<'_>, points: &mut FilePoints, kept: &mut Option<Blocks>) {
        self.close(points);
        self.order = block.order;
        if let Some(kept) = kept {
            kept.section(block.options(SECTION_BODY));
        }
    }

    fn interface(&mut self, block: &Block<'_>, points: &mut FilePoints) -> Result<(), Fault> {
        if self.interfaces.len() >= INTERFACES {
            return Err(Fault::Damaged(format!(
                "a section with more than {INTERFACES} interfaces"
            )));
        }
        let link = LinkType(block.u16(8)?);
        let snap_len = block.u32(12)?;
        let mut resolution = MICROSECONDS;
        let mut offset = 0;
        let options = block.options(16);
        for (code, value) in options {
            match (code, value) {
                (IF_TSRESOL, &[value]) => resolution = value,
                (IF_TSOFFSET, value) => {
                    if let Ok(value) = value.try_into() {
                        offset = block.order.u64(value).cast_signed();
                    }
                }
                _ => {}
            }
        }
        let index = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        self.interfaces.push(Interface {
            point: points.add(Point::pcapng(index, link, snap_len, options)),
            link,
            snap_len,
            resolution: Resolution::new(resolution, offset),
            counted: None,
            between_packets: None,
        });
        Ok(())
    }

    #[inline]
    fn enhanced(&mut self, block: &Block<'_>) -> Result<Found, Fault> {
        let interface = self.known(block.u32(8)?)?;
        let ticks = ticks(block.u32(12)?, block.u32(16)?);
        let (from, captured) = (28, block.u32(20)?);
        let len = block.packet_len(from, captured)?;
        if block.bytes.len() > from + len.next_multiple_of(4) {
            interface.packet_options(block.options(from + len.next_multiple_of(4)), block.order);
        }
        Ok(Found {
            at: interface.resolution.time(ticks),
            link: interface.link,
            point: interface.point,
            from,
            len,
            original_len: block.u32(24)?,
        })
    }

    /// A packet without time and interface: of the first interface, at an unknown time.
    fn simple(&mut self, block: &Block<'_>) -> Result<Found, Fault> {
        let interface = self.known(0)?;
        let original_len = block.u32(8)?;
        let from = 12;
        // How much was captured is only told by the snap length and the block's padded end.
        let captured = match interface.snap_len {
            0 => original_len,
            snap_len => original_len.min(snap_len),
        };
        let room = block.bytes.len() - from;
        Ok(Found {
            at: Timestamp::UNKNOWN,
            link: interface.link,
            point: interface.point,
            from,
            len: room.min(captured as usize),
            original_len,
        })
    }

    fn obsolete(&mut self, block: &Block<'_>) -> Result<Found, Fault> {
        let interface = self.known(block.u16(8)?.into())?;
        // All ones: unknown. Most writers leave 0 for that.
        let dropped = block.u16(10)?;
        if !matches!(dropped, 0 | u16::MAX) {
            interface.between_packets = sum(interface.between_packets, Some(dropped.into()));
        }
        let ticks = ticks(block.u32(12)?, block.u32(16)?);
        let (from, captured) = (28, block.u32(20)?);
        Ok(Found {
            at: interface.resolution.time(ticks),
            link: interface.link,
            point: interface.point,
            from,
            len: block.packet_len(from, captured)?,
            original_len: block.u32(24)?,
        })
    }

    /// Counts since the start of the capture, so the last block of an interface holds.
    fn statistics(&mut self, block: &Block<'_>) -> Result<(), Fault> {
        let index = block.u32(8)?;
        let mut dropped = None;
        for (code, value) in block.options(20) {
            // Drops by the interface and by the system. dumpcap tells those of the kernel by the
            // former, others by the latter.
            if let (ISB_IFDROP | ISB_OSDROP, Ok(value)) = (code, value.try_into()) {
                dropped = sum(dropped, Some(block.order.u64(value)));
            }
        }
        let interface =
            usize::try_from(index).ok().and_then(|index| self.interfaces.get_mut(index));
        if let (Some(interface), Some(_)) = (interface, dropped) {
            interface.counted = dropped;
        }
        Ok(())
    }

    #[inline]
    fn known(&mut self, index: u32) -> Result<&mut Interface, Fault> {
        let described = self.interfaces.len();
        self.interfaces.get_mut(index as usize).ok_or_else(|| {
            Fault::Damaged(format!(
                "a packet of interface {index}, where {described} are described"
            ))
        })
    }
}

impl Interface {
    /// What a packet says beside its bytes.
    #[cold]
    fn packet_options(&mut self, options: Options<'_>, order: ByteOrder) {
        for (code, value) in options {
            if let (EPB_DROPCOUNT, Ok(value)) = (code, value.try_into()) {
                self.between_packets = sum(self.between_packets, Some(order.u64(value)));
            }
        }
    }
}

/// Whether the header of a classic pcap stands where a block should, behind whose type `length`
/// reads as `len`: then `Begins`, or what has to be waited for.
///
/// The magic number of a pcap is the type of a block for private use, and the version behind it a
/// length. So it is a block if it is one to its end.
#[cold]
fn follows_classic(window: &mut Window, length: [u8; 4], len: u32) -> Result<Option<Step>, Fault> {
    match window.require(HEADER)? {
        Filled::Enough => {}
        Filled::NotYet => return Ok(Some(Step::NotYet)),
        Filled::Ended => return Ok(None),
    }
    if !window.bytes().first_chunk().is_some_and(Classic::is_sure) {
        return Ok(None);
    }
    if len as usize >= BLOCK_FRAME && len <= BLOCK_BYTES && len.is_multiple_of(4) {
        match window.require(len as usize)? {
            Filled::Enough => {}
            Filled::NotYet => return Ok(Some(Step::NotYet)),
            Filled::Ended => return Ok(Some(Step::Begins)),
        }
        if window.bytes().get(..len as usize).and_then(<[u8]>::last_chunk) == Some(&length) {
            return Ok(None);
        }
    }
    Ok(Some(Step::Begins))
}

/// What a packet block says, and where in it the packet lies.
struct Found {
    at: Timestamp,
    link: LinkType,
    point: PointId,
    from: usize,
    len: usize,
    original_len: u32,
}

/// A block without the length at its end.
struct Block<'a> {
    order: ByteOrder,
    bytes: &'a [u8],
}

impl Block<'_> {
    #[inline]
    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Fault> {
        self.bytes
            .get(at..)
            .and_then(|bytes| bytes.first_chunk())
            .copied()
            .ok_or_else(|| Fault::Damaged("a block that is too short for its type".to_owned()))
    }

    #[inline]
    fn u16(&self, at: usize) -> Result<u16, Fault> {
        Ok(self.order.u16(self.array(at)?))
    }

    #[inline]
    fn u32(&self, at: usize) -> Result<u32, Fault> {
        Ok(self.order.u32(self.array(at)?))
    }

    #[inline]
    fn packet_len(&self, from: usize, captured: u32) -> Result<usize, Fault> {
        let room = self.bytes.len().saturating_sub(from);
        if captured > PACKET_BYTES || captured as usize > room {
            return Err(Fault::Damaged(format!(
                "a packet of {captured} bytes in a block with room for {room}"
            )));
        }
        Ok(captured as usize)
    }

    /// The options from `at` on.
    fn options(&self, at: usize) -> Options<'_> {
        Options::new(self.order, self.bytes.get(at..).unwrap_or_default())
    }

    /// What stands behind its type and length.
    fn body(&self) -> &[u8] {
        self.bytes.get(8..).unwrap_or_default()
    }
}

/// How an interface counts time.
#[derive(Clone, Copy, Debug)]
struct Resolution {
    tick: Tick,
    /// Nanoseconds to add.
    offset: i128,
}

#[derive(Clone, Copy, Debug)]
enum Tick {
    /// A tick is so many nanoseconds.
    Nanos(i128),
    /// So many ticks are a nanosecond.
    PerNano(i128),
    /// A second is two to the power of so many ticks.
    Binary(u32),
}

impl Resolution {
    /// `resolution` is `if_tsresol`: a negative power of ten, or of two where its top bit is set.
    /// `offset` is `if_tsoffset`, in seconds.
    fn new(resolution: u8, offset: i64) -> Self {
        let power = u32::from(resolution & 0x7F);
        let tick = if resolution & 0x80 != 0 {
            Tick::Binary(power)
        } else if power <= 9 {
            Tick::Nanos(10_i128.pow(9 - power))
        } else {
            // Beyond what an i128 holds, every time is 0 ns as well.
            Tick::PerNano(10_i128.checked_pow(power - 9).unwrap_or(i128::MAX))
        };
        Self { tick, offset: i128::from(offset) * 1_000_000_000 }
    }

    /// Fractions of a nanosecond are cut off. What an `i64` does not hold is unknown: brought to
    /// its end, two packets would have the same time, and a call a latency of 0.
    #[inline]
    fn time(&self, ticks: u64) -> Timestamp {
        let ticks = i128::from(ticks);
        let nanos = match self.tick {
            Tick::Nanos(nanos) => ticks * nanos,
            Tick::PerNano(ticks_per_nano) => ticks / ticks_per_nano,
            // At most 2^64 * 10^9 < 2^94.
            Tick::Binary(power) => (ticks * 1_000_000_000) >> power,
        };
        i64::try_from(nanos + self.offset).map_or(Timestamp::UNKNOWN, Timestamp::from_nanos)
    }
}

fn ticks(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// Whether a section header stands here: its type, a length, and the byte-order magic.
pub(super) fn is_section(bytes: &[u8]) -> bool {
    let header = bytes.first_chunk::<BLOCK_FRAME>();
    header.is_some_and(|&[t0, t1, t2, t3, _, _, _, _, b0, b1, b2, b3]| {
        [t0, t1, t2, t3] == SECTION && byte_order([b0, b1, b2, b3]).is_ok()
    })
}

fn byte_order(magic: [u8; 4]) -> Result<ByteOrder, Fault> {
    match u32::from_le_bytes(magic) {
        BYTE_ORDER_MAGIC => Ok(ByteOrder::Little),
        other if other.swap_bytes() == BYTE_ORDER_MAGIC => Ok(ByteOrder::Big),
        _ => Err(Fault::Damaged("a section header without its byte-order magic".to_owned())),
    }
}

/// The type of a section header, with which every pcapng file begins.
pub(super) const SECTION: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];

pub(super) const INTERFACE: u32 = 1;
const OBSOLETE: u32 = 2;
pub(super) const SIMPLE: u32 = 3;
pub(super) const STATISTICS: u32 = 5;
pub(super) const ENHANCED: u32 = 6;

pub(super) const NAMES: u32 = 4;
pub(super) const SECRETS: u32 = 10;

pub(super) const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
const EPB_DROPCOUNT: u16 = 4;
const ISB_IFDROP: u16 = 5;
pub(super) const ISB_OSDROP: u16 = 7;

/// The byte order is told by how a section writes this number.
pub(super) const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;

/// `if_tsresol` of a clock that counts nanoseconds.
pub(super) const NANOSECONDS: u8 = 9;

/// The clock of an interface that says nothing of it.
const MICROSECONDS: u8 = 6;

/// A block's type and its length, before and after its body.
const BLOCK_FRAME: usize = 12;

/// Bytes of a section header before its options.
const SECTION_BODY: usize = 24;

/// The most bytes of a block that is looked into: the largest packet, and 1 MiB for its options
/// (each is at most 64 KiB; comments of that length are not written by anything known).
const BLOCK_BYTES: u32 = PACKET_BYTES + (1 << 20);

/// The most interfaces of a section. A host has a few hundred at most; the obsolete packet block
/// counts them in 16 bits.
const INTERFACES: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_of_every_kind() {
        let nanos =
            |resolution, offset, ticks| Resolution::new(resolution, offset).time(ticks).as_nanos();
        assert_eq!(nanos(6, 0, 1_700_000_000_123_456), 1_700_000_000_123_456_000);
        assert_eq!(nanos(9, 0, 1_700_000_000_123_456_789), 1_700_000_000_123_456_789);
        assert_eq!(nanos(0, 0, 1_700_000_000), 1_700_000_000_000_000_000);
        assert_eq!(nanos(12, 0, 5_678_999), 5_678);
        assert_eq!(nanos(127, 0, u64::MAX), 0);
        // Half a second in binary ticks of 2^-20.
        assert_eq!(nanos(0x80 | 20, 0, 3 << 19), 1_500_000_000);
        assert_eq!(nanos(0x80 | 127, 0, u64::MAX), 0);
        assert_eq!(nanos(6, 100, 1_000_000), 101_000_000_000);
        assert_eq!(nanos(6, -100, 1_000_000), -99_000_000_000);
    }

    #[test]
    fn a_time_beyond_what_can_be_told_is_unknown() {
        let is_known =
            |resolution, offset, ticks| Resolution::new(resolution, offset).time(ticks).is_known();
        assert!(is_known(9, 0, i64::MAX.cast_unsigned()));
        assert!(!is_known(9, 0, i64::MAX.cast_unsigned() + 1));
        assert!(!is_known(0, i64::MAX, u64::MAX));
        assert!(!is_known(0, i64::MIN, 0));
        assert!(is_known(9, -9_000_000_000, 0));
    }
}
