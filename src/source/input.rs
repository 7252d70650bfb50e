//! The bytes of a file or a pipe, unpacked where they are compressed.
//!
//! Which of the three ways the bytes go (plain, gzip, zstd) is told by the first four of them and
//! chosen once. A pipe is waited for with a time limit, so that the caller gets the word now and
//! then and can be stopped; a read that found nothing in that time is `WouldBlock`.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use flate2::read::MultiGzDecoder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{SourceError, Stop};

/// The bytes of a capture, unpacked.
pub(super) enum Input {
    Plain(Stored),
    // Both unpackers hold their tables inside: boxed, so that the plain case stays small.
    Gzip(Box<MultiGzDecoder<Stored>>),
    Zstd(Box<Zstd>),
}

impl Input {
    /// Opens the file `path`, `-` being standard input, and waits for its first bytes.
    pub(super) fn open(path: &str, stop: Stop) -> Result<Self, SourceError> {
        let mut stored = Stored::open(path, stop)?;
        stored.peek().map_err(|cause| SourceError::Read {
            file: file_name(path).to_owned(),
            offset: stored.read,
            cause,
        })?;
        Ok(match stored.head.as_slice() {
            [0x1F, 0x8B, ..] => Self::Gzip(Box::new(MultiGzDecoder::new(stored))),
            // A frame, or one that is to be skipped: parallel packers begin with such a one.
            [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => {
                Self::Zstd(Box::new(Zstd::new(stored)))
            }
            _ => Self::Plain(stored),
        })
    }

    /// The name of the compression, if there is one.
    pub(super) fn compression(&self) -> Option<&'static str> {
        match self {
            Self::Plain(_) => None,
            Self::Gzip(_) => Some("gzip"),
            Self::Zstd(_) => Some("zstd"),
        }
    }

    /// The file, where it holds the bytes of the capture as they are, from its first byte on, and
    /// can be read at any place.
    pub(super) fn again(&self) -> Option<File> {
        match self {
            Self::Plain(stored) if stored.named && !stored.waits => stored.file.try_clone().ok(),
            _ => None,
        }
    }

    /// The bytes as they are stored.
    pub(super) fn stored(&self) -> &Stored {
        match self {
            Self::Plain(stored) => stored,
            Self::Gzip(gzip) => gzip.get_ref(),
            Self::Zstd(zstd) => zstd.source.get_ref(),
        }
    }
}

impl Read for Input {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stored) => stored.read(to),
            Self::Gzip(gzip) => gzip.read(to),
            Self::Zstd(zstd) => zstd.read(to),
        }
    }
}

/// The bytes as they are stored, compressed or not.
pub(super) struct Stored {
    file: File,
    /// Whether it was opened here: standard input may stand anywhere in its file.
    named: bool,
    /// Bytes that were looked at to tell what they are, and not yet given.
    head: Vec<u8>,
    /// Whether the file is a pipe or the like, which can keep its reader waiting.
    waits: bool,
    /// Whether a read waits until there is something, instead of giving `WouldBlock`.
    patient: bool,
    stop: Stop,
    stopped: bool,
    read: u64,
    size: Option<u64>,
}

impl Stored {
    fn open(path: &str, stop: Stop) -> Result<Self, SourceError> {
        let failed =
            |cause: io::Error| SourceError::Open { file: file_name(path).to_owned(), cause };
        let file = if path == "-" {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                return Err(SourceError::Terminal);
            }
            // The standard library's own handle reads ahead into a buffer that `poll` cannot see.
            File::from(stdin.as_fd().try_clone_to_owned().map_err(failed)?)
        } else {
            // Without NONBLOCK, opening a FIFO waits for its writer, and Ctrl-C is not heard.
            let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
            let opened = rustix::fs::open(path, flags, Mode::empty());
            File::from(opened.map_err(|errno| failed(errno.into()))?)
        };
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(SourceError::NotACapture {
                file: file_name(path).to_owned(),
                found: "it is a directory".to_owned(),
            });
        }
        Ok(Self {
            file,
            named: path != "-",
            head: Vec::new(),
            waits: !metadata.is_file(),
            patient: false,
            stop,
            stopped: false,
            read: 0,
            size: metadata.is_file().then_some(metadata.len()),
        })
    }

    /// Whether they lie in the file of `metadata`; never where that is a pipe or a device.
    pub(super) fn is(&self, metadata: &Metadata) -> bool {
        let own = self.file.metadata().ok().filter(Metadata::is_file);
        own.is_some_and(|own| (own.dev(), own.ino()) == (metadata.dev(), metadata.ino()))
    }

    /// Bytes that were read, as they are stored.
    pub(super) fn position(&self) -> u64 {
        self.read
    }

    /// Bytes that there are, where that is known.
    pub(super) fn size(&self) -> Option<u64> {
        self.size
    }

    /// Whether the bytes ended because the stop flag was set.
    pub(super) fn was_stopped(&self) -> bool {
        self.stopped
    }

    /// Waits for the first four bytes, or for the end.
    fn peek(&mut self) -> io::Result<()> {
        let mut first = [0; 4];
        self.patient = true;
        while self.head.len() < first.len() {
            let missing = first.len() - self.head.len();
            match self.read_file(first.get_mut(..missing).unwrap_or_default()) {
                Ok(0) => break,
                Ok(count) => self.head.extend(first.iter().take(count)),
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        self.patient = false;
        Ok(())
    }

    fn read_file(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.stop.is_set() {
                self.stopped = true;
                return Ok(0);
            }
            if !self.waits || self.has_input()? {
                let count = self.file.read(to)?;
                self.read = self.read.saturating_add(count as u64);
                return Ok(count);
            }
            if !self.patient {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
    }

    /// Waits a moment for a pipe to have bytes or to be closed.
    fn has_input(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
        match poll(&mut fds, Some(&PATIENCE)) {
            Ok(count) => Ok(count > 0),
            // A signal: the stop flag may be set by now.
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl Read for Stored {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.head.is_empty() {
            return self.read_file(to);
        }
        let count = self.head.as_slice().read(to)?;
        self.head.drain(..count);
        Ok(count)
    }
}

/// Unpacks zstd frames, one after the other, as long as there are any.
pub(super) struct Zstd {
    source: BufReader<Stored>,
    decoder: FrameDecoder,
    inside_frame: bool,
    /// Why the current frame ended before its end. Told when what was unpacked has been given.
    fault: Option<io::Error>,
}

impl Zstd {
    fn new(mut stored: Stored) -> Self {
        // The unpacker cannot be interrupted inside a block. It keeps back a window of some
        // megabytes anyway, so a pipe of zstd is never as prompt as a plain one.
        stored.patient = true;
        Self {
            source: BufReader::with_capacity(UNPACK_BUFFER, stored),
            decoder: FrameDecoder::new(),
            inside_frame: false,
            fault: None,
        }
    }

    /// Begins the next frame; false at the end of the file.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.inside_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = (&mut self.source).take(length.into());
                    io::copy(&mut skipped, &mut io::sink())?;
                }
                Err(error) => return Err(self.explain(error)),
            }
        }
        Ok(false)
    }

    fn end_frame(&mut self) -> io::Result<()> {
        self.inside_frame = false;
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        match self.decoder.get_checksum_from_data() {
            Some(sum) if self.decoder.get_calculated_checksum() != Some(sum) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum does not match"))
            }
            _ => Ok(()),
        }
    }

    fn unpack_block(&mut self) -> io::Result<()> {
        let one = || BlockDecodingStrategy::UptoBlocks(1);
        let Err(error) = self.decoder.decode_blocks(&mut self.source, one()) else {
            return Ok(());
        };
        self.fault = Some(self.explain(error));
        // The decoder keeps a window of unpacked bytes until the frame's last block. They are
        // good, so give it one: last, raw, of no bytes, and room for a checksum.
        let last_block = [0x01, 0, 0, 0, 0, 0, 0];
        match self.decoder.decode_blocks(last_block.as_slice(), one()) {
            Ok(_) => Ok(()),
            Err(_) => self.end_frame(),
        }
    }

    fn explain(&mut self, error: FrameDecoderError) -> io::Error {
        match self.source.fill_buf() {
            Ok([]) => io::ErrorKind::UnexpectedEof.into(),
            _ => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
        }
    }
}

impl Read for Zstd {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.inside_frame && !self.begin_frame()? {
                return Ok(0);
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(to);
            }
            if self.decoder.is_finished() {
                self.end_frame()?;
            } else {
                self.unpack_block()?;
            }
        }
    }
}

/// What to call the file `path` in a message.
pub(super) fn file_name(path: &str) -> &str {
    if path == "-" { "standard input" } else { path }
}

/// Whether to try again: nothing has come yet, or a signal came instead.
pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// How long a read waits for a pipe: half of the 100 ms in which a packet must be analysed, since
/// time-outs of the analysis run in between.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// Compressed bytes read at once. As large as a zstd block can be.
const UNPACK_BUFFER: usize = 128 << 10;
