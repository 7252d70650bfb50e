//! Bytes of plain capture files, read again by their place. What was read once need not be kept in
//! memory: it is where it was, unless somebody changed the file, and that is told.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::points::CapturePoints;

/// Capture files that stay open, and the interfaces that packets came from. Clones share them;
/// several threads may read at once.
#[derive(Clone, Debug, Default)]
pub struct SourceFiles {
    files: Arc<[Plain]>,
    points: CapturePoints,
}

#[derive(Debug)]
struct Plain {
    name: String,
    /// `None` where it is compressed or a pipe.
    file: Option<File>,
}

/// A place of a file cannot be read again.
#[derive(Debug, thiserror::Error)]
#[error("cannot be read again from {file}: {cause}")]
pub struct AgainError {
    /// The name of the file.
    pub file: String,
    /// What the system says.
    pub cause: io::Error,
}

impl SourceFiles {
    pub(super) fn new(
        files: impl Iterator<Item = (String, Option<File>)>,
        points: CapturePoints,
    ) -> Self {
        Self { files: files.map(|(name, file)| Plain { name, file }).collect(), points }
    }

    /// The interfaces that packets came from, by [`Packet::point`](crate::packet::Packet::point),
    /// as far as they came.
    pub fn points(&self) -> &CapturePoints {
        &self.points
    }

    /// Whether the file of this index can be read again.
    #[inline]
    pub fn has(&self, file: u16) -> bool {
        self.files.get(usize::from(file)).is_some_and(|plain| plain.file.is_some())
    }

    /// The name of the file of this index, for messages.
    pub fn name(&self, file: u16) -> &str {
        self.files.get(usize::from(file)).map_or("", |plain| &plain.name)
    }

    /// Fills `to` with the bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or has become shorter.
    pub fn read(&self, file: u16, offset: u64, to: &mut [u8]) -> Result<(), AgainError> {
        self.plain(file)
            .and_then(|plain| plain.read_exact_at(to, offset))
            .map_err(|cause| self.error(file, cause))
    }

    /// That `cause` keeps the file of this index from being read again.
    pub fn error(&self, file: u16, cause: io::Error) -> AgainError {
        let cause = match cause.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other("it became shorter"),
            _ => cause,
        };
        AgainError { file: self.name(file).to_owned(), cause }
    }

    fn plain(&self, file: u16) -> io::Result<&File> {
        let plain = self.files.get(usize::from(file)).and_then(|plain| plain.file.as_ref());
        plain.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Reads from `offset` until `to` is full or the file ends, and says how much that was.
    fn read_some(&self, file: u16, offset: u64, to: &mut [u8]) -> io::Result<usize> {
        let plain = self.plain(file)?;
        let mut count = 0;
        while let Some(room) = to.get_mut(count..).filter(|room| !room.is_empty()) {
            match plain.read_at(room, offset.saturating_add(count as u64)) {
                Ok(0) => break,
                Ok(read) => count += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }
}

/// Pages of the files that were read last: for many small reads that go through a file roughly in
/// order, each of which would be a system call.
#[derive(Debug)]
pub struct Pages {
    again: SourceFiles,
    /// By page number, modulo their count.
    pages: Vec<Page>,
    /// A piece that was read by itself.
    alone: Vec<u8>,
    /// Whether whole pages are read.
    ahead: bool,
}

#[derive(Debug, Default)]
struct Page {
    /// The file and the number of the page in it; `None` before the first use.
    of: Option<(u16, u64)>,
    bytes: Vec<u8>,
}

impl Pages {
    /// Reads from these files.
    pub fn new(again: SourceFiles) -> Self {
        Self { again, pages: Vec::new(), alone: Vec::new(), ahead: true }
    }

    /// Reads from these files no more than is asked for: for a few pieces.
    pub fn none(again: SourceFiles) -> Self {
        Self { ahead: false, ..Self::new(again) }
    }

    /// Lends `len` bytes from `offset` on. The caller bounds `len`.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or has become shorter.
    pub fn get(&mut self, file: u16, offset: u64, len: usize) -> Result<&[u8], AgainError> {
        let (number, within) = (offset / PAGE, usize::try_from(offset % PAGE).unwrap_or(0));
        if !self.ahead || within + len > PAGE_LEN {
            self.alone.resize(len, 0);
            self.again.read(file, offset, &mut self.alone)?;
            return Ok(&self.alone);
        }
        let Self { again, pages, .. } = self;
        if pages.is_empty() {
            pages.resize_with(PAGES, Page::default);
        }
        let index = usize::try_from(number % PAGES as u64).unwrap_or(0);
        let missing = || again.error(file, io::ErrorKind::UnexpectedEof.into());
        let page = pages.get_mut(index).ok_or_else(missing)?;
        if page.of != Some((file, number)) || page.bytes.len() < within + len {
            page.of = None;
            page.bytes.resize(PAGE_LEN, 0);
            let read = again.read_some(file, number * PAGE, &mut page.bytes);
            page.bytes.truncate(read.map_err(|cause| again.error(file, cause))?);
            page.of = Some((file, number));
        }
        page.bytes.get(within..within + len).ok_or_else(missing)
    }
}

/// Bytes of a page. Large enough that system calls are not felt, small enough that a few of them
/// stay in the processor's cache.
const PAGE: u64 = 256 << 10;
const PAGE_LEN: usize = 256 << 10;

/// Pages kept. Replies lie behind their requests: as many pages as the slow ones may lag.
const PAGES: usize = 16;
