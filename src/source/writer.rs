//! Saves packets as pcapng, the format that keeps link types, interfaces and drops apart.
//!
//! One section in the byte order of little-endian machines, an interface for each pair of name and
//! link type as it first comes, times in nanoseconds, statistics at the end. After every
//! [`flush`](CaptureWriter::flush) the file is whole.

use std::io::{self, BufWriter, Write};

use super::pcapng::{
    BYTE_ORDER_MAGIC, ENHANCED, IF_TSRESOL, INTERFACE, ISB_OSDROP, NANOSECONDS, SECTION, STATISTICS,
};
use crate::packet::{LinkType, Packet};
use crate::time::Timestamp;

/// Writes a pcapng file.
pub struct CaptureWriter<W: Write> {
    out: BufWriter<W>,
    interfaces: Vec<(String, LinkType)>,
    /// The snap length that every interface is said to have, in bytes.
    snap_len: u32,
    /// The block that is being put together.
    block: Vec<u8>,
    last: Timestamp,
    /// Bytes that were written.
    written: u64,
}

impl<W: Write> CaptureWriter<W> {
    /// Begins a file whose packets were captured with a snap length of `snap_len` bytes, 0 where
    /// that is unknown.
    ///
    /// # Errors
    ///
    /// Where `out` cannot be written.
    pub fn new(out: W, snap_len: u32) -> io::Result<Self> {
        let mut writer = Self {
            out: BufWriter::with_capacity(BUFFER, out),
            interfaces: Vec::new(),
            snap_len,
            block: Vec::new(),
            last: Timestamp::default(),
            written: 0,
        };
        writer.begin(u32::from_le_bytes(SECTION));
        writer.put(&BYTE_ORDER_MAGIC.to_le_bytes());
        writer.put(&1_u16.to_le_bytes());
        writer.put(&0_u16.to_le_bytes());
        // The length of the section, which nobody knows yet.
        writer.put(&u64::MAX.to_le_bytes());
        writer.option(SHB_USERAPPL, concat!("nestscope ", env!("CARGO_PKG_VERSION")).as_bytes());
        writer.option(END_OF_OPTIONS, &[]);
        writer.end()?;
        Ok(writer)
    }

    /// Writes a packet that was captured on `interface`; the name is empty where nobody knows.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written. Its last block may be cut then.
    pub fn write(&mut self, packet: &Packet<'_>, interface: &str) -> io::Result<()> {
        let known = self
            .interfaces
            .iter()
            .position(|(name, link)| *link == packet.link && name == interface);
        let index = match known {
            Some(index) => index,
            None => self.describe(interface, packet.link)?,
        };
        self.last = packet.at;
        self.begin(ENHANCED);
        self.put(&length(index)?.to_le_bytes());
        self.put_time(packet.at);
        self.put(&length(packet.data.len())?.to_le_bytes());
        self.put(&packet.original_len.to_le_bytes());
        self.put_padded(packet.data);
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
        self.out.flush()
    }

    /// Ends the file with the packets that the kernel dropped on each interface, by its name, and
    /// hands it to the system.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn finish<'a>(mut self, drops: impl IntoIterator<Item = (&'a str, u64)>) -> io::Result<()> {
        for (name, dropped) in drops {
            let Some(index) = self.interfaces.iter().position(|(known, _)| known == name) else {
                continue;
            };
            self.begin(STATISTICS);
            self.put(&length(index)?.to_le_bytes());
            self.put_time(self.last);
            self.option(ISB_OSDROP, &dropped.to_le_bytes());
            self.option(END_OF_OPTIONS, &[]);
            self.end()?;
        }
        self.flush()
    }

    /// Writes the description of a new interface and gives its index.
    fn describe(&mut self, name: &str, link: LinkType) -> io::Result<usize> {
        self.begin(INTERFACE);
        self.put(&link.0.to_le_bytes());
        self.put(&0_u16.to_le_bytes());
        self.put(&self.snap_len.to_le_bytes());
        if !name.is_empty() {
            self.option(IF_NAME, name.as_bytes());
        }
        self.option(IF_TSRESOL, &[NANOSECONDS]);
        self.option(END_OF_OPTIONS, &[]);
        self.end()?;
        self.interfaces.push((name.to_owned(), link));
        Ok(self.interfaces.len() - 1)
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

    /// Adds an option; a value longer than an option can hold is left out.
    fn option(&mut self, code: u16, value: &[u8]) {
        if let Ok(len) = u16::try_from(value.len()) {
            self.put(&code.to_le_bytes());
            self.put(&len.to_le_bytes());
            self.put_padded(value);
        }
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

fn length(value: usize) -> io::Result<u32> {
    u32::try_from(value).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

const END_OF_OPTIONS: u16 = 0;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;

/// Bytes handed to the system at once.
const BUFFER: usize = 256 << 10;
