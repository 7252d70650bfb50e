//! A ring of capture files, as dumpcap's `-b` makes it: one file after the other, the oldest of
//! which give way.
//!
//! A file is named after the time of its first packet and begins with that packet: so no file is
//! empty, and the same packets make the same files whether they come from an interface or a file.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::tz::TimeZone;
use rustix::fs::{Access, access};

use super::SourceError;
use super::any::Output;
use super::points::CapturePoints;
use super::writer::{CaptureWriter, added};
use crate::packet::PointId;
use crate::time::{Nanos, Timestamp};

/// When a ring goes on to its next file, and how many it keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingLimits {
    /// Bytes that a file has at least when the next one begins.
    file_size: Option<u64>,
    /// Time that a file covers at most, by the times of its packets.
    duration: Option<Nanos>,
    /// Files that are kept; `None` for all of them.
    files: Option<usize>,
}

/// One limit of a ring, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingLimit {
    /// `filesize:KB`, in bytes.
    FileSize(u64),
    /// `duration:SECONDS`.
    Duration(Nanos),
    /// `files:NUMBER`.
    Files(usize),
}

impl FromStr for RingLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = "filesize:KB, duration:SECONDS and files:NUMBER are known, each of 1 and more";
        let (name, value) = text.split_once(':').ok_or(known)?;
        let value: u64 = value.parse().ok().filter(|&value| value > 0).ok_or(known)?;
        let limit = match name {
            "filesize" => value.checked_mul(1_000).map(Self::FileSize),
            "duration" => value.checked_mul(1_000_000_000).map(Nanos::new).map(Self::Duration),
            "files" => usize::try_from(value).ok().map(Self::Files),
            _ => None,
        };
        limit.ok_or_else(|| known.to_owned())
    }
}

impl FromIterator<RingLimit> for RingLimits {
    /// Of equal limits the last one counts.
    fn from_iter<I: IntoIterator<Item = RingLimit>>(limits: I) -> Self {
        let mut all = Self::default();
        for limit in limits {
            match limit {
                RingLimit::FileSize(bytes) => all.file_size = Some(bytes),
                RingLimit::Duration(time) => all.duration = Some(time),
                RingLimit::Files(number) => all.files = Some(number),
            }
        }
        all
    }
}

impl RingLimits {
    /// Whether something makes a file end.
    pub const fn ends_files(&self) -> bool {
        self.file_size.is_some() || self.duration.is_some()
    }
}

/// Writes the files of a ring.
pub struct Ring {
    /// What the files are named after: `trace.pcapng`.
    path: PathBuf,
    /// The file that was begun last, or tried to; before that what they are named after.
    newest: PathBuf,
    limits: RingLimits,
    zone: TimeZone,
    current: Option<Current>,
    /// Files that were begun.
    begun: u64,
    /// Those that are still there, the oldest first. Grows only where nothing says how many to
    /// keep.
    kept: VecDeque<PathBuf>,
    /// The drops that files before the present one tell of.
    told: BTreeMap<PointId, u64>,
}

struct Current {
    writer: CaptureWriter<Output>,
    first: Timestamp,
}

impl Ring {
    /// A ring of files named after `path` and, in `zone`, the times of their first packets.
    ///
    /// # Errors
    ///
    /// Where no file can be made in its folder.
    pub fn new(path: &str, limits: RingLimits, zone: TimeZone) -> Result<Self, SourceError> {
        let path = PathBuf::from(path);
        // Told now, not when the first packet comes.
        access(folder(&path), Access::WRITE_OK | Access::EXEC_OK).map_err(|errno| {
            SourceError::SaveTo { file: path.display().to_string(), cause: errno.into() }
        })?;
        Ok(Self {
            newest: path.clone(),
            path,
            limits,
            zone,
            current: None,
            begun: 0,
            kept: VecDeque::new(),
            told: BTreeMap::new(),
        })
    }

    /// The file that is being written or could not be made, or what they are named after.
    pub fn file(&self) -> &Path {
        &self.newest
    }

    /// The writer for a packet of the time `at`. Where the present file is full, finishes it with
    /// its share of `drops` (all so far) and begins the next.
    ///
    /// # Errors
    ///
    /// Where a file cannot be made or written, is there already, or the oldest not be removed.
    pub fn writer(
        &mut self,
        at: Timestamp,
        points: &CapturePoints,
        drops: impl IntoIterator<Item = (PointId, u64)>,
    ) -> io::Result<&mut CaptureWriter<Output>> {
        let full = self.current.take_if(|current| is_full(&self.limits, current, at));
        if let Some(full) = full {
            full.writer.finish(points, self.share(drops))?;
        }
        let current = match self.current.take() {
            Some(current) => current,
            None => self.begin(at)?,
        };
        Ok(&mut self.current.insert(current).writer)
    }

    /// The writer of the present file, if there is one.
    pub fn current(&mut self) -> Option<&mut CaptureWriter<Output>> {
        self.current.as_mut().map(|current| &mut current.writer)
    }

    /// Hands what was written to the system.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.current.as_mut().map_or(Ok(()), |current| current.writer.flush())
    }

    /// Of all `drops` so far those that no file tells of yet, which from now on one does.
    fn share(&mut self, drops: impl IntoIterator<Item = (PointId, u64)>) -> BTreeMap<PointId, u64> {
        let all = added(drops);
        let before = std::mem::replace(&mut self.told, all.clone());
        let share = |(point, all): (PointId, u64)| {
            (point, all.saturating_sub(before.get(&point).copied().unwrap_or(0)))
        };
        all.into_iter().map(share).collect()
    }

    /// Ends the last file, as [`CaptureWriter::finish`] does, with its share of all `drops`.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn finish(
        mut self,
        points: &CapturePoints,
        drops: impl IntoIterator<Item = (PointId, u64)>,
    ) -> io::Result<()> {
        let Some(current) = self.current.take() else { return Ok(()) };
        current.writer.finish(points, self.share(drops))
    }

    fn begin(&mut self, first: Timestamp) -> io::Result<Current> {
        self.begun += 1;
        let path = self.path.with_file_name(self.name(first));
        self.newest.clone_from(&path);
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        self.kept.push_back(path);
        while self.limits.files.is_some_and(|most| self.kept.len() > most) {
            if let Some(oldest) = self.kept.pop_front() {
                remove(&oldest)?;
            }
        }
        Ok(Current { writer: CaptureWriter::new(Box::new(file)), first })
    }

    /// `trace_00001_20261125160000.pcapng`.
    fn name(&self, first: Timestamp) -> String {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let extension = self.path.extension().map(|extension| extension.to_string_lossy());
        let extension = extension.map_or(String::new(), |extension| format!(".{extension}"));
        let second = first.as_nanos().div_euclid(1_000_000_000);
        // Every second of an i64 of nanoseconds lies within the years that jiff knows.
        let civil = jiff::Timestamp::from_second(second).unwrap_or_default();
        let civil = civil.to_zoned(self.zone.clone()).strftime("%Y%m%d%H%M%S");
        format!("{stem}_{:05}_{civil}{extension}", self.begun)
    }
}

/// Whether the packet of the time `at` belongs into the next file.
fn is_full(limits: &RingLimits, current: &Current, at: Timestamp) -> bool {
    limits.file_size.is_some_and(|most| current.writer.written() >= most)
        || limits.duration.is_some_and(|most| at.saturating_since(current.first) >= most)
}

/// Somebody else may have removed it already.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A name beside `path` that no file has: `trace-2.pcapng` for `trace.pcapng`.
pub fn free_name(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|extension| extension.to_string_lossy());
    let extension = extension.map_or(String::new(), |extension| format!(".{extension}"));
    let named = |number: u32| path.with_file_name(format!("{stem}-{number}{extension}"));
    (2..10_000).map(named).find(|path| !path.exists()).unwrap_or_else(|| named(10_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{LinkType, Packet, PacketNumber};
    use crate::source::options::Options;
    use crate::source::points::Point;
    use crate::source::{Next, Source, Stop};

    fn packet(number: u64, data: &[u8]) -> Packet<'_> {
        let at =
            Timestamp::from_nanos(1_795_319_520_000_000_000 + number.cast_signed() * 1_000_000_000);
        Packet {
            number: PacketNumber(number),
            at,
            link: LinkType(1),
            point: Default::default(),
            data,
            original_len: 1_000,
        }
    }

    fn ring(limits: &[&str], packets: u64) -> Vec<(String, u64)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.pcapng");
        let limits = limits.iter().map(|limit| limit.parse::<RingLimit>().unwrap()).collect();
        let mut ring = Ring::new(path.to_str().unwrap(), limits, TimeZone::UTC).unwrap();
        let points = CapturePoints::default();
        for number in 0..packets {
            let packet = packet(number, &[0; 1_000]);
            let writer = ring.writer(packet.at, &points, []).unwrap();
            writer.write(&packet, Options::NONE, &points).unwrap();
        }
        ring.finish(&points, []).unwrap();
        let mut files: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len())
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn a_file_ends_by_size_and_the_oldest_give_way() {
        let files = ring(&["filesize:3", "files:2"], 10);
        // Of 1032 bytes a packet, three and the description of the interface reach 3000 bytes.
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["trace_00003_20261122035206.pcapng", "trace_00004_20261122035209.pcapng"]
        );
        assert!((3_000..4_000).contains(&files[0].1), "{files:?}");
    }

    #[test]
    fn a_file_ends_by_time_and_all_are_kept_where_nothing_else_is_said() {
        let names: Vec<_> = ring(&["duration:4"], 10).into_iter().map(|(name, _)| name).collect();
        let expected = ["00001_20261122035200", "00002_20261122035204", "00003_20261122035208"];
        assert_eq!(names, expected.map(|name| format!("trace_{name}.pcapng")));
    }

    /// The drops that each file of the folder tells of, by the name of the file.
    fn told_drops(folder: &Path) -> Vec<Option<u64>> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        let drops = |name: &PathBuf| {
            let names = [name.to_str().unwrap().to_owned()];
            let mut source = Source::files(&names, &Stop::default()).unwrap();
            while !matches!(source.next().unwrap(), Next::End) {}
            source.kernel_drops()
        };
        names.iter().map(drops).collect()
    }

    #[test]
    fn each_file_tells_the_drops_of_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.pcapng");
        let limits = ["duration:2".parse::<RingLimit>().unwrap()].into_iter().collect();
        let mut ring = Ring::new(path.to_str().unwrap(), limits, TimeZone::UTC).unwrap();
        let points = CapturePoints::default();
        let point = points.add(Point::live("eth0", LinkType(1), 0));
        // All that were dropped when each packet came.
        for (number, dropped) in [0, 4, 10, 10, 10, 11].into_iter().enumerate() {
            let packet = Packet { point, ..packet(number as u64, &[0; 60]) };
            let writer = ring.writer(packet.at, &points, [(point, dropped)]).unwrap();
            writer.write(&packet, Options::NONE, &points).unwrap();
        }
        // The kernel counts once more as the capture ends; the loopback may come twice.
        ring.finish(&points, [(point, 10), (point, 2)]).unwrap();
        assert_eq!(told_drops(folder.path()), [Some(10), Some(0), Some(2)]);
    }

    #[test]
    fn a_file_that_is_there_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("trace_00001_20261122035200.pcapng");
        fs::write(&taken, "being read").unwrap();
        let path = folder.path().join("trace.pcapng");
        let limits = ["duration:2".parse::<RingLimit>().unwrap()].into_iter().collect();
        let mut ring = Ring::new(path.to_str().unwrap(), limits, TimeZone::UTC).unwrap();
        let at = packet(0, &[]).at;
        let error = ring.writer(at, &CapturePoints::default(), []).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(ring.file(), taken);
        assert_eq!(fs::read(&taken).unwrap(), b"being read");
    }

    #[test]
    fn limits_are_read() {
        assert_eq!("filesize:2".parse(), Ok(RingLimit::FileSize(2_000)));
        assert_eq!("files:3".parse(), Ok(RingLimit::Files(3)));
        for text in
            ["", "3", "filesize", "files:0", "filesize:-1", "filesize:99999999999999999999", "x:1"]
        {
            assert!(text.parse::<RingLimit>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_free_name_is_found_beside_the_taken_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.pcapng");
        assert_eq!(free_name(&path), folder.path().join("trace-2.pcapng"));
        fs::write(folder.path().join("trace-2.pcapng"), "").unwrap();
        assert_eq!(free_name(&path), folder.path().join("trace-3.pcapng"));
    }
}
