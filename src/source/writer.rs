//! Saves packets as pcapng, the format that keeps link types, interfaces and drops apart.
//!
//! One section in the byte order of little-endian machines, an interface for each point as it first
//! comes, times in nanoseconds, statistics at the end. After every [`flush`](CaptureWriter::flush)
//! the file is whole.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use super::kept::OF_PACKET;
use super::options::{self, Options};
use super::pcapng::{
    BYTE_ORDER_MAGIC, ENHANCED, IF_TSRESOL, INTERFACE, ISB_OSDROP, NANOSECONDS, SECTION, SIMPLE,
    STATISTICS,
};
use super::points::{CapturePoints, Point};
use crate::packet::{LinkType, Packet, PointId};
use crate::time::Timestamp;

/// Writes a pcapng file.
pub struct CaptureWriter<W: Write> {
    out: BufWriter<W>,
    has_begun: bool,
    /// What the section is to say, as options.
    section: Vec<u8>,
    /// Whole blocks to be written before the next packet.
    blocks: Vec<u8>,
    /// The interfaces as they were described, by point and link type: points that are too many
    /// share a number.
    interfaces: BTreeMap<(PointId, u16), Interface>,
    /// That of the packet before, which most packets share.
    last_interface: Option<(PointId, LinkType, Interface)>,
    /// The block that is being put together.
    block: Vec<u8>,
    last: Timestamp,
    /// Bytes that were written.
    written: u64,
}

#[derive(Clone, Copy)]
struct Interface {
    index: u32,
    /// In bytes; 0: no bound.
    snap_len: u32,
}

impl Interface {
    /// Whether a simple packet block would say the same: these are of the first interface, and cut
    /// only by its snap length.
    fn is_simple(self, packet: &Packet<'_>) -> bool {
        let bound = if self.snap_len == 0 { u32::MAX } else { self.snap_len };
        let len = packet.original_len.min(bound);
        self.index == 0 && packet.data.len() as u64 == u64::from(len)
    }
}

impl<W: Write> CaptureWriter<W> {
    /// Begins a file with the first packet.
    pub fn new(out: W) -> Self {
        Self {
            out: BufWriter::with_capacity(BUFFER, out),
            has_begun: false,
            section: Vec::new(),
            blocks: Vec::new(),
            interfaces: BTreeMap::new(),
            last_interface: None,
            block: Vec::new(),
            last: Timestamp::UNKNOWN,
            written: 0,
        }
    }

    /// Writes a packet, with what is to be kept of `options`; `points` knows where it came from.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written. Its last block may be cut then.
    pub fn write(
        &mut self,
        packet: &Packet<'_>,
        options: Options<'_>,
        points: &CapturePoints,
    ) -> io::Result<()> {
        self.begin_file()?;
        let interface = match self.last_interface {
            Some((point, link, known)) if (point, link) == (packet.point, packet.link) => known,
            _ => self.interface(packet.point, packet.link, || {
                let known = points.get(packet.point);
                let unknown = || Point::live("", packet.link, 0);
                known.filter(|point| point.link == packet.link).unwrap_or_else(unknown)
            })?,
        };
        self.last_interface = Some((packet.point, packet.link, interface));
        if !self.blocks.is_empty() {
            self.written += self.blocks.len() as u64;
            self.out.write_all(&self.blocks)?;
            self.blocks.clear();
        }
        if !packet.at.is_known() && interface.is_simple(packet) {
            self.begin(SIMPLE);
            self.put(&packet.original_len.to_le_bytes());
            self.put_padded(packet.data);
            return self.end();
        }
        if packet.at.is_known() {
            self.last = packet.at;
        }
        self.begin(ENHANCED);
        self.put(&interface.index.to_le_bytes());
        // A packet without a time that cannot be written so takes that of the packet before it.
        self.put_time(self.last);
        self.put(&length(packet.data.len())?.to_le_bytes());
        self.put(&packet.original_len.to_le_bytes());
        self.put_padded(packet.data);
        let begin = self.block.len();
        options.copy(OF_PACKET, &mut self.block, usize::MAX);
        if self.block.len() > begin {
            self.option(options::END, &[]);
        }
        self.end()
    }

    /// Bytes of the file so far, those that wait to be handed on too.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Hands what was written to the system.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.begin_file()?;
        self.out.flush()
    }

    /// Ends the file with the interfaces that no packet came from, and the packets that were lost
    /// at each, where several counts of one are added; and hands it to the system.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn finish(
        mut self,
        points: &CapturePoints,
        drops: impl IntoIterator<Item = (PointId, u64)>,
    ) -> io::Result<()> {
        self.begin_file()?;
        for id in (0..=u16::MAX).map(PointId) {
            let Some(point) = points.get(id) else {
                break;
            };
            self.interface(id, point.link, || point)?;
        }
        self.out.write_all(&self.blocks)?;
        for (point, dropped) in added(drops) {
            let mut described = self.interfaces.range((point, 0)..);
            let Some((_, interface)) = described.next().filter(|((id, _), _)| *id == point) else {
                continue;
            };
            let index = interface.index;
            self.begin(STATISTICS);
            self.put(&index.to_le_bytes());
            self.put_time(self.last);
            self.option(ISB_OSDROP, &dropped.to_le_bytes());
            self.option(options::END, &[]);
            self.end()?;
        }
        self.out.flush()
    }

    /// Whether the section was begun, so that no more can be said of it.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// What the section is to say, as options without an end.
    pub(super) fn section(&mut self) -> &mut Vec<u8> {
        &mut self.section
    }

    /// Whole blocks to be written before the next packet.
    pub(super) fn blocks(&mut self) -> &mut Vec<u8> {
        &mut self.blocks
    }

    fn begin_file(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        self.begin(u32::from_le_bytes(SECTION));
        self.put(&BYTE_ORDER_MAGIC.to_le_bytes());
        self.put(&1_u16.to_le_bytes());
        self.put(&0_u16.to_le_bytes());
        // The length of the section, which nobody knows yet.
        self.put(&u64::MAX.to_le_bytes());
        let section = std::mem::take(&mut self.section);
        self.put(&section);
        self.option(SHB_USERAPPL, concat!("nestscope ", env!("CARGO_PKG_VERSION")).as_bytes());
        self.option(options::END, &[]);
        self.end()
    }

    /// An interface, which is described when it first comes.
    fn interface(
        &mut self,
        id: PointId,
        link: LinkType,
        point: impl FnOnce() -> Point,
    ) -> io::Result<Interface> {
        if let Some(&known) = self.interfaces.get(&(id, link.0)) {
            return Ok(known);
        }
        let point = point();
        self.begin(INTERFACE);
        self.put(&point.link.0.to_le_bytes());
        self.put(&0_u16.to_le_bytes());
        self.put(&point.snap_len.to_le_bytes());
        self.put(&point.options);
        self.option(IF_TSRESOL, &[NANOSECONDS]);
        self.option(options::END, &[]);
        self.end()?;
        let known = Interface { index: length(self.interfaces.len())?, snap_len: point.snap_len };
        self.interfaces.insert((id, link.0), known);
        Ok(known)
    }

    fn begin(&mut self, kind: u32) {
        self.block.clear();
        self.block.extend(kind.to_le_bytes());
        // Room for the length.
        self.block.extend([0; 4]);
    }

    fn put(&mut self, bytes: &[u8]) {
        self.block.extend_from_slice(bytes);
    }

    fn put_padded(&mut self, bytes: &[u8]) {
        self.put(bytes);
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    /// The format counts from the epoch on; what lies before it is brought there.
    fn put_time(&mut self, at: Timestamp) {
        let nanos = at.as_nanos().max(0).cast_unsigned().to_le_bytes();
        let [l0, l1, l2, l3, h0, h1, h2, h3] = nanos;
        self.put(&[h0, h1, h2, h3]);
        self.put(&[l0, l1, l2, l3]);
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        options::push(&mut self.block, code, value);
    }

    fn end(&mut self) -> io::Result<()> {
        let len = length(self.block.len() + 4)?.to_le_bytes();
        self.put(&len);
        if let Some(room) = self.block.get_mut(4..8) {
            room.copy_from_slice(&len);
        }
        self.written += u64::from(u32::from_le_bytes(len));
        self.out.write_all(&self.block)
    }
}

/// Packets that were lost at each point, where several counts of one are added.
pub(super) fn added(drops: impl IntoIterator<Item = (PointId, u64)>) -> BTreeMap<PointId, u64> {
    let mut added = BTreeMap::<PointId, u64>::new();
    for (point, more) in drops {
        let sum = added.entry(point).or_default();
        *sum = sum.saturating_add(more);
    }
    added
}

fn length(value: usize) -> io::Result<u32> {
    u32::try_from(value).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

const SHB_USERAPPL: u16 = 4;

/// Bytes handed to the system at once.
const BUFFER: usize = 256 << 10;
