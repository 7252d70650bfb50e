//! Several files as one capture, by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::Metadata;

use super::file::{Advance, CaptureFile, Cut, Progress};
use super::options::Options;
use super::points::CapturePoints;
use super::source_files::SourceFiles;
use super::{Next, SourceError, Stop};
use crate::packet::{Packet, PacketNumber, PointId};
use crate::time::Timestamp;

/// Files merged by the time of their packets. Of packets with the same time, those of the file
/// that was named first come first; a file that is not in order keeps its own order, and a packet
/// without a time comes behind the one before it. Numbers count from 1 over all of them.
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
    number: PacketNumber,
    points: CapturePoints,
    /// The numbers in `points` of each file's points, by their numbers within it.
    numbers: Vec<Vec<PointId>>,
    /// The point of the packet that is lent.
    point: PointId,
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
        let points = CapturePoints::default();
        Ok(Self {
            again: SourceFiles::new(
                files.iter().map(|file| (file.name().to_owned(), file.again())),
                points.clone(),
            ),
            to_advance: (0..files.len()).rev().collect(),
            waiting: BinaryHeap::new(),
            numbers: vec![Vec::new(); files.len()],
            points,
            point: PointId(0),
            files,
            current: 0,
            number: PacketNumber(0),
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

    /// The interfaces of the files, as far as they came.
    pub fn points(&self) -> &CapturePoints {
        &self.points
    }

    /// The same as [`kernel_drops`](Self::kernel_drops) at each of these that a packet came from;
    /// several counts of one are to be added.
    pub(super) fn drops(&self) -> impl Iterator<Item = (PointId, u64)> {
        self.files.iter().zip(&self.numbers).flat_map(|(file, numbers)| {
            file.drops()
                .filter_map(|(point, dropped)| Some((*numbers.get(usize::from(point.0))?, dropped)))
        })
    }

    /// From now on, keeps what must be saved beside packets.
    pub(super) fn keep(&mut self) {
        self.files.iter_mut().for_each(CaptureFile::keep);
    }

    /// Appends what the sections of the files say, as options, to `to`, that of the file that is
    /// to be written.
    pub(super) fn keep_sections(&mut self, to: &mut Vec<u8>) {
        for (index, file) in self.files.iter_mut().enumerate() {
            if let Some(kept) = file.kept() {
                kept.of_section(index == 0, to);
            }
        }
    }

    /// Appends the blocks that must be saved before the packet that is lent.
    pub(super) fn take_blocks(&mut self, to: &mut Vec<u8>) {
        if let Some(kept) = self.files.get_mut(self.current).and_then(CaptureFile::kept) {
            kept.take_blocks(to);
        }
    }

    /// Appends the blocks that stand behind the last packets.
    pub(super) fn take_all_blocks(&mut self, to: &mut Vec<u8>) {
        self.files.iter_mut().filter_map(CaptureFile::kept).for_each(|kept| kept.take_blocks(to));
    }

    /// Numbers the points that no packet came from, too.
    pub(super) fn number_all_points(&mut self) {
        for index in 0..self.files.len() {
            if let Some(last) = self.files.get(index).and_then(CaptureFile::last_point) {
                self.add_points(index, last);
            }
        }
    }

    /// What the file says of the packet that is lent.
    pub(super) fn options(&self) -> Options<'_> {
        self.files.get(self.current).map_or(Options::NONE, CaptureFile::options)
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
            if advance == Advance::Packet {
                self.number = self.number.next();
                self.number_point();
            }
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
                Ok(Advance::Packet) => self.waiting.push(Reverse((file.time(), index))),
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
        self.number = self.number.next();
        self.number_point();
        Ok(Advance::Packet)
    }

    /// Looks up the point of the packet that was gone to.
    #[inline]
    fn number_point(&mut self) {
        let Some(file) = self.files.get(self.current) else {
            return;
        };
        let point = file.packet().point;
        let known = self.numbers.get(self.current);
        match known.and_then(|known| known.get(usize::from(point.0))) {
            Some(&number) => self.point = number,
            None => self.point = self.add_points(self.current, point).unwrap_or_default(),
        }
    }

    /// Numbers the points of a file up to `upto`, and gives the number of the last.
    #[cold]
    fn add_points(&mut self, file: usize, upto: PointId) -> Option<PointId> {
        let numbers = self.numbers.get_mut(file)?;
        let file = self.files.get(file)?;
        for point in (0..=upto.0).skip(numbers.len()).map(PointId) {
            let mut known = file.point(point)?.clone();
            file.name().clone_into(&mut known.file);
            numbers.push(self.points.add(known));
        }
        numbers.last().copied()
    }

    #[inline]
    pub(super) fn packet(&self) -> Packet<'_> {
        let packet = self.files.get(self.current).map(CaptureFile::packet);
        Packet { number: self.number, point: self.point, ..packet.unwrap_or(NOTHING) }
    }
}

/// Stands for the packet before the first.
const NOTHING: Packet<'static> = Packet {
    number: PacketNumber(0),
    at: Timestamp::from_nanos(0),
    link: crate::packet::LinkType::NULL,
    point: PointId(0),
    data: &[],
    original_len: 0,
};
