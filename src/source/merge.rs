//! Several files as one capture, by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::Metadata;

use super::file::{Advance, CaptureFile, Cut, Progress};
use super::source_files::SourceFiles;
use super::{Next, SourceError, Stop};
use crate::packet::Packet;
use crate::time::Timestamp;

/// Files merged by the time of their packets. Of packets with the same time, those of the file
/// that was named first come first; a file that is not in order keeps its own order. Numbers count
/// from 1 over all of them.
pub struct Merged {
    files: Vec<CaptureFile>,
    /// Those of them that can be read again, by index.
    again: SourceFiles,
    /// The files that stand at a packet, the earliest on top; without the one that is being read.
    waiting: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// Files that must go to their next packet before the earliest is known.
    to_advance: Vec<usize>,
    /// The file whose packet is lent.
    current: usize,
    number: u64,
}

impl Merged {
    /// Opens every file, `-` being standard input.
    ///
    /// # Errors
    ///
    /// That of the first file that cannot be opened.
    pub fn open(paths: &[String], stop: &Stop) -> Result<Self, SourceError> {
        let files = paths
            .iter()
            .map(|path| CaptureFile::open(path, stop.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            again: SourceFiles::new(
                files.iter().map(|file| (file.name().to_owned(), file.again())),
            ),
            to_advance: (0..files.len()).rev().collect(),
            waiting: BinaryHeap::new(),
            files,
            current: 0,
            number: 0,
        })
    }

    /// The next packet in time.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read on. It has ended; asked again, the others go on.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Next<'_>, SourceError> {
        Ok(match self.advance()? {
            Advance::Packet => Next::Packet(self.packet()),
            Advance::Idle => Next::Idle(None),
            Advance::End => Next::End,
        })
    }

    /// How much was read of all files. The total is unknown when it is for one of them.
    pub fn progress(&self) -> Progress {
        self.files
            .iter()
            .map(CaptureFile::progress)
            .reduce(|sum, file| Progress {
                read: sum.read + file.read,
                total: sum.total.zip(file.total).map(|(sum, file)| sum + file),
            })
            .unwrap_or_default()
    }

    /// What the files lack at their ends, as far as those were reached.
    pub fn cuts(&self) -> impl Iterator<Item = &Cut> {
        self.files.iter().filter_map(CaptureFile::cut)
    }

    /// Packets that were lost when the files were captured; `None` where none of them tells.
    pub fn kernel_drops(&self) -> Option<u64> {
        self.files.iter().filter_map(CaptureFile::kernel_drops).reduce(u64::saturating_add)
    }

    /// The files, to be read again by place.
    pub fn again(&self) -> &SourceFiles {
        &self.again
    }

    /// The index of the file of the packet that is lent, and where its captured bytes begin there;
    /// `None` where the file cannot be read again.
    #[inline]
    pub(super) fn place(&self) -> Option<(u16, u64)> {
        let file = u16::try_from(self.current).ok()?;
        let offset = self.files.get(self.current)?.place();
        self.again.has(file).then_some((file, offset))
    }

    /// Whether the file of `metadata` is one of them.
    pub(super) fn are_read_from(&self, metadata: &Metadata) -> bool {
        self.files.iter().any(|file| file.is_read_from(metadata))
    }

    #[inline]
    pub(super) fn advance(&mut self) -> Result<Advance, SourceError> {
        if let [file] = self.files.as_mut_slice() {
            let advance = file.advance()?;
            self.number += u64::from(advance == Advance::Packet);
            return Ok(advance);
        }
        self.advance_many()
    }

    fn advance_many(&mut self) -> Result<Advance, SourceError> {
        while let Some(&index) = self.to_advance.last() {
            let Some(file) = self.files.get_mut(index) else {
                return Ok(Advance::End);
            };
            match file.advance() {
                Ok(Advance::Idle) => return Ok(Advance::Idle),
                Ok(Advance::Packet) => self.waiting.push(Reverse((file.packet().at, index))),
                Ok(Advance::End) => {}
                Err(error) => {
                    self.to_advance.pop();
                    return Err(error);
                }
            }
            self.to_advance.pop();
        }
        let Some(Reverse((_, index))) = self.waiting.pop() else {
            return Ok(Advance::End);
        };
        self.current = index;
        self.to_advance.push(index);
        self.number += 1;
        Ok(Advance::Packet)
    }

    #[inline]
    pub(super) fn packet(&self) -> Packet<'_> {
        let packet = self.files.get(self.current).map(CaptureFile::packet);
        Packet { number: self.number, ..packet.unwrap_or(NOTHING) }
    }
}

/// Stands for the packet before the first.
const NOTHING: Packet<'static> = Packet {
    number: 0,
    at: Timestamp::from_nanos(0),
    link: crate::packet::LinkType::NULL,
    point: crate::packet::PointId(0),
    data: &[],
    original_len: 0,
};
