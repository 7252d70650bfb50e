//! One capture file or pipe, read packet by packet.

use std::fmt;
use std::fs::{File, Metadata};

use super::classic::{self, Classic, Fault, Record, Step};
use super::input::{Input, file_name};
use super::kept::Blocks;
use super::options::Options;
use super::pcapng::{self, Pcapng};
use super::points::{FilePoints, Point};
use super::window::{Filled, Window};
use super::{Next, SourceError, Stop, sniff};
use crate::packet::{LinkType, Packet, PacketNumber, PointId};
use crate::time::Timestamp;

/// A capture file, or a pipe with what would be in one: pcap or pcapng, plain, gzip or zstd.
///
/// Packets are handed on as they arrive, and lent from one buffer. Several files that were put one
/// behind the other are read as one.
pub struct CaptureFile {
    name: String,
    window: Window,
    /// `None` when there is nothing more to read.
    format: Option<Format>,
    record: Record,
    number: PacketNumber,
    /// The time of the packet, or of the one before it that has any.
    time: Timestamp,
    points: FilePoints,
    /// What is kept of it beside its packets, where these are saved.
    kept: Option<Blocks>,
    cut: Option<Cut>,
}

impl CaptureFile {
    /// Opens the file `path`, or standard input where it is `-`. Of a pipe the first bytes are
    /// waited for, until `stop` is set.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened, is no capture, or breaks off inside its first header.
    pub fn open(path: &str, stop: Stop) -> Result<Self, SourceError> {
        let mut file = Self {
            name: file_name(path).to_owned(),
            window: Window::new(Input::open(path, stop)?),
            format: None,
            record: Record {
                at: Timestamp::default(),
                link: LinkType::NULL,
                point: PointId(0),
                data: 0..0,
                options: 0..0,
                original_len: 0,
            },
            number: PacketNumber(0),
            time: Timestamp::UNKNOWN,
            points: FilePoints::default(),
            kept: None,
            cut: None,
        };
        file.format = match file.recognise() {
            Ok(format) => format,
            Err(Fault::Damaged(found)) => {
                return Err(SourceError::NotACapture { file: file.name, found });
            }
            Err(fault) => return Err(file.explain(fault)),
        };
        if file.format.is_none() && !file.window.input().stored().was_stopped() {
            return Err(SourceError::NotACapture {
                found: sniff::describe(file.window.bytes()),
                file: file.name,
            });
        }
        Ok(file)
    }

    /// The next packet, its number counted from 1.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read on; every packet before was given, and asked again, the file
    /// is at its end.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Next<'_>, SourceError> {
        Ok(match self.advance()? {
            Advance::Packet => Next::Packet(self.packet()),
            Advance::Idle => Next::Idle(None),
            Advance::End => Next::End,
        })
    }

    /// The name of the file, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much of the file was read.
    pub fn progress(&self) -> Progress {
        let stored = self.window.input().stored();
        Progress { read: stored.position(), total: stored.size() }
    }

    /// What the file lacks at its end, once that was reached.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// Packets that were lost when the file was captured, as far as was read; `None` where the
    /// file does not tell.
    pub fn kernel_drops(&self) -> Option<u64> {
        self.drops().map(|(_, dropped)| dropped).reduce(u64::saturating_add)
    }

    /// The same at each interface that tells of it, by its number within the file; several counts
    /// of one are to be added.
    pub(super) fn drops(&self) -> impl Iterator<Item = (PointId, u64)> {
        let open = match &self.format {
            Some(Format::Pcapng(pcapng)) => Some(pcapng.dropped()),
            _ => None,
        };
        self.points.dropped().chain(open.into_iter().flatten())
    }

    /// What is known of an interface, by its number within the file.
    pub(super) fn point(&self, id: PointId) -> Option<&Point> {
        self.points.get(id)
    }

    /// The number of the interface that came last.
    pub(super) fn last_point(&self) -> Option<PointId> {
        self.points.last()
    }

    /// From now on, keeps what must be saved beside packets.
    pub(super) fn keep(&mut self) {
        self.kept = Some(Blocks::default());
    }

    /// What was kept, where anything is.
    pub(super) fn kept(&mut self) -> Option<&mut Blocks> {
        self.kept.as_mut()
    }

    /// What the file says of the packet that was gone to.
    pub(super) fn options(&self) -> Options<'_> {
        match &self.format {
            Some(Format::Pcapng(pcapng)) => {
                Options::new(pcapng.order(), self.window.consumed(&self.record.options))
            }
            _ => Options::NONE,
        }
    }

    /// The time of the packet that was gone to, or where that is unknown of the one before it.
    pub(super) fn time(&self) -> Timestamp {
        self.time
    }

    /// The file, where its packets can be read again by their places.
    pub(super) fn again(&self) -> Option<File> {
        self.window.input().again()
    }

    /// Where the captured bytes of the packet that was gone to begin in the capture.
    #[inline]
    pub(super) fn place(&self) -> u64 {
        self.window.place(&self.record.data)
    }

    /// Whether this is the file of `metadata`.
    pub(super) fn is_read_from(&self, metadata: &Metadata) -> bool {
        self.window.input().stored().is(metadata)
    }

    /// Goes to the next packet, which [`packet`](Self::packet) then lends.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<Advance, SourceError> {
        loop {
            let step = match &mut self.format {
                Some(Format::Classic(classic)) => classic.step(&mut self.window),
                Some(Format::Pcapng(pcapng)) => {
                    pcapng.step(&mut self.window, &mut self.points, &mut self.kept)
                }
                None => return Ok(Advance::End),
            };
            match step {
                Ok(Step::Record(record)) => {
                    if record.at.is_known() {
                        self.time = record.at;
                    }
                    self.record = record;
                    self.number = self.number.next();
                    return Ok(Advance::Packet);
                }
                Ok(Step::Begins) => {
                    if let Err(fault) = self.begin_next() {
                        return self.fail(fault);
                    }
                }
                Ok(Step::NotYet) => return Ok(Advance::Idle),
                Ok(Step::Ended) => {
                    self.end(false);
                    return Ok(Advance::End);
                }
                Err(fault) => return self.fail(fault),
            }
        }
    }

    /// Goes on with the file that was put behind the one that was read.
    #[cold]
    fn begin_next(&mut self) -> Result<(), Fault> {
        self.close();
        self.format = self.recognise()?;
        Ok(())
    }

    /// Leaves the format, so that its drops are added to those of the file.
    fn close(&mut self) {
        if let Some(Format::Pcapng(mut pcapng)) = self.format.take() {
            pcapng.close(&mut self.points);
        }
    }

    /// The packet that was gone to.
    #[inline]
    pub(super) fn packet(&self) -> Packet<'_> {
        Packet {
            number: self.number,
            at: self.record.at,
            link: self.record.link,
            point: self.record.point,
            data: self.window.consumed(&self.record.data),
            original_len: self.record.original_len,
        }
    }

    /// What the first bytes say the file is; `None` where they say nothing known.
    fn recognise(&mut self) -> Result<Option<Format>, Fault> {
        // Bytes for a description, should it be something else; a short file has fewer.
        if self.fill(classic::HEADER)? == Filled::Ended && self.window.bytes().len() < 4 {
            return Ok(None);
        }
        let bytes = self.window.bytes();
        if bytes.starts_with(&pcapng::SECTION) {
            return Ok(Some(Format::Pcapng(Pcapng::new())));
        }
        let Some(header) = bytes.first_chunk() else {
            return match bytes.first_chunk() {
                Some(&magic) if Classic::recognise(magic).is_some() => Err(Fault::Damaged(
                    format!("it ends inside its pcap header, after {} bytes", bytes.len()),
                )),
                _ => Ok(None),
            };
        };
        let classic = Classic::new(header, &mut self.points)?;
        if classic.is_some() {
            self.window.consume(classic::HEADER);
        }
        Ok(classic.map(Format::Classic))
    }

    /// Waits for bytes, or for the end.
    fn fill(&mut self, count: usize) -> Result<Filled, Fault> {
        loop {
            match self.window.require(count)? {
                Filled::NotYet => {}
                filled => return Ok(filled),
            }
        }
    }

    #[cold]
    fn end(&mut self, inside_compression: bool) {
        let bytes = self.window.left_over();
        let stopped = self.window.input().stored().was_stopped();
        if !stopped && (bytes > 0 || inside_compression) {
            self.cut = Some(Cut {
                file: self.name.clone(),
                bytes,
                compression: self.window.input().compression().filter(|_| inside_compression),
            });
        }
        self.close();
    }

    #[cold]
    fn fail(&mut self, fault: Fault) -> Result<Advance, SourceError> {
        if let Fault::Read(cause) = &fault
            && cause.kind() == std::io::ErrorKind::UnexpectedEof
        {
            self.end(true);
            return Ok(Advance::End);
        }
        self.close();
        Err(self.explain(fault))
    }

    fn explain(&self, fault: Fault) -> SourceError {
        let file = self.name.clone();
        let input = self.window.input();
        match (fault, input.compression()) {
            (Fault::Damaged(what), _) => {
                SourceError::Damaged { file, offset: self.window.offset(), what }
            }
            (Fault::Read(cause), Some(compression)) => {
                SourceError::Unpack { file, offset: input.stored().position(), compression, cause }
            }
            (Fault::Read(cause), None) => {
                SourceError::Read { file, offset: input.stored().position(), cause }
            }
        }
    }
}

/// What a step of a source came to, without the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advance {
    Packet,
    Idle,
    End,
}

enum Format {
    Classic(Classic),
    Pcapng(Pcapng),
}

/// How much of a file was read, in bytes as they are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were read.
    pub read: u64,
    /// Bytes that there are; `None` for a pipe.
    pub total: Option<u64>,
}

/// What the end of a file lacks. As text it is the sentence to tell the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The name of the file.
    pub file: String,
    /// Bytes after the last whole packet, unpacked where the file is compressed.
    pub bytes: u64,
    /// `gzip` or `zstd` where the compressed data broke off: what followed is unknown.
    pub compression: Option<&'static str>,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, bytes, .. } = self;
        match self.compression {
            None => write!(f, "{file} ends inside a packet: its last {bytes} bytes were not read"),
            Some(compression) => write!(
                f,
                "{file} ends inside its {compression} data: what follows the last whole packet \
                 is missing ({bytes} bytes of it are there)"
            ),
        }
    }
}
