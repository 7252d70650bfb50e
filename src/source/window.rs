//! One buffer through which a capture passes. Records are lent from it, never copied, and stay
//! where they are until more bytes are needed than it holds.

use std::io::{self, Read};
use std::ops::Range;

use super::input::{Input, is_passing};

/// What came of asking for bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// They are there.
    Enough,
    /// Not yet, for the pipe is silent. Ask again.
    NotYet,
    /// They will not come.
    Ended,
}

/// The bytes of a capture from the place that was reached on.
pub(super) struct Window {
    input: Input,
    buffer: Vec<u8>,
    /// What was read and not yet consumed: `start <= end <= buffer.len()`.
    start: usize,
    end: usize,
    /// The place of `start` in the capture.
    offset: u64,
    /// Bytes after `end` to pass over before anything else: the rest of a skipped block.
    to_skip: u64,
    /// Bytes of that block that were passed over already.
    skipped: u64,
    ended: bool,
}

impl Window {
    pub(super) fn new(input: Input) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            offset: 0,
            to_skip: 0,
            skipped: 0,
            ended: false,
        }
    }

    pub(super) fn input(&self) -> &Input {
        &self.input
    }

    /// The place in the capture that was reached, in bytes.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The place in the capture of a range that [`consume`](Self::consume) gave, until the next
    /// `require`.
    #[inline]
    pub(super) fn place(&self, range: &Range<usize>) -> u64 {
        self.offset - self.start.saturating_sub(range.start) as u64
    }

    /// The bytes that are there.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The bytes of a range that [`consume`](Self::consume) gave, until the next `require`.
    #[inline]
    pub(super) fn consumed(&self, range: &Range<usize>) -> &[u8] {
        self.buffer.get(range.clone()).unwrap_or_default()
    }

    /// After the end: how many bytes of a record were there.
    pub(super) fn left_over(&self) -> u64 {
        self.bytes().len() as u64 + self.skipped
    }

    /// Makes at least `count` bytes be there. The caller bounds `count`.
    #[inline]
    pub(super) fn require(&mut self, count: usize) -> io::Result<Filled> {
        if self.end - self.start >= count {
            return Ok(Filled::Enough);
        }
        self.refill(count)
    }

    /// Passes over `count` bytes that are there, and says where they lie.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) -> Range<usize> {
        let from = self.start;
        self.start = self.end.min(from.saturating_add(count));
        self.offset += (self.start - from) as u64;
        from..self.start
    }

    /// Passes over `count` bytes, whether they are there yet or not.
    pub(super) fn skip(&mut self, count: u64) {
        let here = self.bytes().len();
        let within = usize::try_from(count).unwrap_or(usize::MAX).min(here);
        self.consume(within);
        self.to_skip = count - within as u64;
        self.skipped = if self.to_skip > 0 { within as u64 } else { 0 };
    }

    #[cold]
    fn refill(&mut self, count: usize) -> io::Result<Filled> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < count {
            self.buffer.resize(count, 0);
        }
        while self.end < count {
            if self.ended {
                return Ok(Filled::Ended);
            }
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.input.read(room) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_passing(&error) => return Ok(Filled::NotYet),
                Err(error) => return Err(error),
            }
            self.pass_over();
        }
        Ok(Filled::Enough)
    }

    /// Drops what belongs to a block that is skipped.
    fn pass_over(&mut self) {
        if self.to_skip > 0 {
            let before = self.start;
            let rest = self.to_skip;
            let already = self.skipped;
            self.skip(rest);
            let passed = (self.start - before) as u64;
            self.skipped = if self.to_skip > 0 { already + passed } else { 0 };
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
    }
}

/// Bytes read at once. Much smaller, and the system calls are felt; much larger, and the bytes
/// have left the processor's cache before they are looked at.
const BUFFER: usize = 256 << 10;
