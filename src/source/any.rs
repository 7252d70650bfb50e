//! Files or interfaces, behind one door, so that the loop of the analysis is written once.

use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::path::Path;

use jiff::tz::TimeZone;

use super::file::{Advance, Cut, Progress};
use super::filter::CaptureFilter;
#[cfg(feature = "live")]
use super::live::Live;
use super::merge::Merged;
#[cfg(feature = "live")]
use super::options::Options;
use super::points::CapturePoints;
use super::ring::{Ring, RingLimits, free_name};
use super::source_files::SourceFiles;
use super::writer::CaptureWriter;
use super::{Next, SourceError, Stop};
use crate::packet::PointId;
use crate::time::Timestamp;

/// Where packets come from, and the file they are saved in on the way, if any.
///
/// ```no_run
/// use nestscope::source::{Next, Source, SourceError, Stop};
///
/// # fn main() -> Result<(), SourceError> {
/// let stop = Stop::default();
/// let mut source = Source::files(&["trace.pcapng.gz".to_owned()], &stop)?;
/// source.save_to("copy.pcapng")?;
/// loop {
///     match source.next() {
///         Ok(Next::Packet(packet)) => println!("{} {}", packet.number, packet.data.len()),
///         Ok(Next::Idle(_)) => {}
///         Ok(Next::End) => break,
///         // One of the files ended early; the others go on.
///         Err(error) => eprintln!("{error}"),
///     }
/// }
/// source.finish()?;
/// # Ok(())
/// # }
/// ```
pub struct Source {
    from: Origin,
    save: Option<Save>,
    /// Why packets are no longer saved, until that was told.
    untold: Option<SourceError>,
}

impl Source {
    /// Reads capture files, `-` being standard input, merged by time.
    ///
    /// # Errors
    ///
    /// That of the first file that cannot be opened.
    pub fn files(paths: &[String], stop: &Stop) -> Result<Self, SourceError> {
        Ok(Self { from: Origin::Files(Merged::open(paths, stop)?), save: None, untold: None })
    }

    /// Captures on interfaces until `stop` is set or all of them are gone.
    ///
    /// # Errors
    ///
    /// Where one of them cannot be captured on, and in a build that reads files only.
    #[cfg(feature = "live")]
    pub fn live(options: &CaptureOptions, stop: &Stop) -> Result<Self, SourceError> {
        Ok(Self {
            from: Origin::Live(Box::new(Live::open(options, stop)?)),
            save: None,
            untold: None,
        })
    }

    /// Captures on interfaces: here an error, for this build reads files only.
    ///
    /// # Errors
    ///
    /// Always.
    #[cfg(not(feature = "live"))]
    pub fn live(_: &CaptureOptions, _: &Stop) -> Result<Self, SourceError> {
        Err(SourceError::FilesOnly)
    }

    /// Saves every packet that is given from now on in the pcapng file `path`, `-` being standard
    /// output. The file is whole whenever nothing comes for a moment, and at the end.
    ///
    /// What the format says beside packets is saved too: interfaces and their drops, comments on
    /// packets and on the first section of each file, names of addresses, secrets to decrypt with.
    /// Blocks of another kind, and what is only for private use, are not.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written, or is one of those that are read.
    pub fn save_to(&mut self, path: &str) -> Result<(), SourceError> {
        // Creating the file would empty the capture before a packet of it was read.
        if let Origin::Files(files) = &self.from
            && std::fs::metadata(path).is_ok_and(|there| files.are_read_from(&there))
        {
            return Err(SourceError::SaveOverInput { file: path.to_owned() });
        }
        let out: Output = if path == "-" {
            Box::new(io::stdout())
        } else {
            let cannot = |cause| SourceError::SaveTo { file: path.to_owned(), cause };
            Box::new(File::create(path).map_err(cannot)?)
        };
        if let Some(files) = self.from.files() {
            files.keep();
        }
        let writer = CaptureWriter::new(out);
        self.save = Some(Save::File { file: path.to_owned(), writer });
        Ok(())
    }

    /// As [`save_to`](Self::save_to), but never over a file that is there already. A device or a
    /// FIFO is no file.
    ///
    /// # Errors
    ///
    /// Where it is there, and those of `save_to`.
    pub fn save_to_new(&mut self, path: &str) -> Result<(), SourceError> {
        let is_read = |there: &Metadata| match &self.from {
            Origin::Files(files) => files.are_read_from(there),
            #[cfg(feature = "live")]
            Origin::Live(_) => false,
        };
        match std::fs::metadata(path) {
            Ok(there) if there.is_file() && !is_read(&there) => {
                let free = free_name(Path::new(path)).display().to_string();
                Err(SourceError::SaveExists { file: path.to_owned(), free })
            }
            _ => self.save_to(path),
        }
    }

    /// Saves every packet that is given from now on in a ring of files that are named after `path`
    /// and, in `zone`, the times of their first packets. No file that is there is written over.
    ///
    /// # Errors
    ///
    /// Where its folder cannot be written to.
    pub fn save_in_ring(
        &mut self,
        path: &str,
        limits: RingLimits,
        zone: TimeZone,
    ) -> Result<(), SourceError> {
        if let Some(files) = self.from.files() {
            files.keep();
        }
        self.save = Some(Save::Ring(Box::new(Ring::new(path, limits, zone)?)));
        Ok(())
    }

    /// The next packet, its number counted from 1 over all files and interfaces.
    ///
    /// # Errors
    ///
    /// Where one of the files or interfaces ended before its end, or the packets can no longer be
    /// saved. The rest goes on when it is asked for.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    #[inline]
    pub fn next(&mut self) -> Result<Next<'_>, SourceError> {
        self.next_placed().map(|(next, _)| next)
    }

    /// As [`next`](Self::next); and where the packet can be read again: the index of its file and
    /// the place of its captured bytes there. `None` where they lie nowhere but here.
    ///
    /// # Errors
    ///
    /// Those of `next`.
    #[inline]
    pub fn next_placed(&mut self) -> Result<(Next<'_>, Option<(u16, u64)>), SourceError> {
        if let Some(error) = self.untold.take() {
            return Err(error);
        }
        let advance = match &mut self.from {
            Origin::Files(files) => files.advance()?,
            #[cfg(feature = "live")]
            Origin::Live(live) => live.advance()?,
        };
        if self.save.is_some() {
            self.save(advance)?;
        }
        Ok(match (advance, &self.from) {
            (Advance::Packet, Origin::Files(files)) => {
                (Next::Packet(files.packet()), files.place())
            }
            (Advance::Idle, Origin::Files(_)) => (Next::Idle(None), None),
            #[cfg(feature = "live")]
            (Advance::Packet, Origin::Live(live)) => (Next::Packet(live.packet()), None),
            #[cfg(feature = "live")]
            (Advance::Idle, Origin::Live(live)) => (Next::Idle(live.settled()), None),
            (Advance::End, _) => (Next::End, None),
        })
    }

    /// Whether the next packet is at hand, so that asking for it waits for nobody.
    pub fn has_next_at_hand(&self) -> bool {
        match &self.from {
            // A pipe is asked too: where it has none it says so.
            Origin::Files(_) => true,
            #[cfg(feature = "live")]
            Origin::Live(live) => live.has_next_at_hand(),
        }
    }

    /// Ends the capture, if it has not ended, and the file that packets are saved in.
    ///
    /// # Errors
    ///
    /// Where that file cannot be written.
    pub fn finish(&mut self) -> Result<(), SourceError> {
        // First, so that the last drops are known.
        #[cfg(feature = "live")]
        if let Origin::Live(live) = &mut self.from {
            live.close();
        }
        let Some(mut save) = self.save.take() else {
            return self.untold.take().map_or(Ok(()), Err);
        };
        let file = save.file();
        if let Some(files) = self.from.files()
            && let Some(writer) = save.current()
        {
            files.number_all_points();
            files.keep_sections(writer.section());
            files.take_all_blocks(writer.blocks());
        }
        let finished = match &self.from {
            Origin::Files(files) => save.finish(files.points(), files.drops()),
            #[cfg(feature = "live")]
            Origin::Live(live) => save.finish(live.points(), live.drops()),
        };
        finished.map_err(|cause| SourceError::Save { file, cause })
    }

    /// Packets that were captured by nobody, because the kernel had no room for them: counted now
    /// on interfaces, told by files of their capture. `None` where nobody knows.
    pub fn kernel_drops(&self) -> Option<u64> {
        match &self.from {
            Origin::Files(files) => files.kernel_drops(),
            #[cfg(feature = "live")]
            Origin::Live(live) => Some(live.drops().map(|(_, dropped)| dropped).sum()),
        }
    }

    /// How much was read of the files; nothing for interfaces.
    pub fn progress(&self) -> Progress {
        match &self.from {
            Origin::Files(files) => files.progress(),
            #[cfg(feature = "live")]
            Origin::Live(_) => Progress::default(),
        }
    }

    /// The files, to be read again by place: those that are neither compressed nor pipes. And the
    /// interfaces.
    pub fn again(&self) -> SourceFiles {
        match &self.from {
            Origin::Files(files) => files.again().clone(),
            #[cfg(feature = "live")]
            Origin::Live(live) => SourceFiles::new([].into_iter(), live.points().clone()),
        }
    }

    /// The interfaces that packets came from, by [`Packet::point`](crate::packet::Packet::point),
    /// as far as they came.
    pub fn points(&self) -> CapturePoints {
        match &self.from {
            Origin::Files(files) => files.points().clone(),
            #[cfg(feature = "live")]
            Origin::Live(live) => live.points().clone(),
        }
    }

    /// What files lack at their ends, as far as those were reached.
    pub fn cuts(&self) -> impl Iterator<Item = &Cut> {
        let files = match &self.from {
            Origin::Files(files) => Some(files),
            #[cfg(feature = "live")]
            Origin::Live(_) => None,
        };
        files.into_iter().flat_map(Merged::cuts)
    }

    /// Saves the packet that was gone to; when nothing came, what was saved is handed on.
    fn save(&mut self, advance: Advance) -> Result<(), SourceError> {
        let Some(save) = &mut self.save else {
            return Ok(());
        };
        let saved = match (advance, &mut self.from) {
            (Advance::Packet, Origin::Files(files)) => save_of_file(save, files),
            #[cfg(feature = "live")]
            (Advance::Packet, Origin::Live(live)) => {
                let (packet, points) = (live.packet(), live.points());
                let writer = save.writer(packet.at, points, live.drops());
                writer.and_then(|writer| writer.write(&packet, Options::NONE, points))
            }
            (Advance::Idle, _) => save.flush(),
            (Advance::End, _) => return self.finish(),
        };
        if let Err(cause) = saved {
            let file = self.save.take().map(|save| save.file()).unwrap_or_default();
            // Told when the next packet is asked for: this one is good, and the analysis would
            // miss it.
            self.untold = Some(match cause.kind() {
                // Only a ring makes files on the way.
                io::ErrorKind::AlreadyExists => SourceError::RingExists { file },
                _ => SourceError::Save { file, cause },
            });
        }
        Ok(())
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // Whoever wants to hear of an error calls `finish`.
        let _ = self.finish();
    }
}

/// What to capture, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureOptions {
    /// The names of the interfaces; `any` stands for all of them.
    pub interfaces: Vec<String>,
    /// Which packets.
    pub filter: CaptureFilter,
    /// The most bytes of each packet.
    pub snap_len: u32,
    /// Bytes of the kernel's buffer, for each interface.
    pub buffer: u32,
    /// Whether packets for other hosts are wanted too. Means nothing on the loopback and `any`.
    pub promiscuous: bool,
}

impl Default for CaptureOptions {
    /// Every TCP packet, whole, those for other hosts too (a mirror port carries such); no
    /// interface.
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            filter: CaptureFilter::default(),
            snap_len: SNAP_LEN,
            buffer: BUFFER,
            promiscuous: true,
        }
    }
}

enum Origin {
    Files(Merged),
    #[cfg(feature = "live")]
    Live(Box<Live>),
}

impl Origin {
    /// The files, if packets come from such.
    const fn files(&mut self) -> Option<&mut Merged> {
        match self {
            Self::Files(files) => Some(files),
            #[cfg(feature = "live")]
            Self::Live(_) => None,
        }
    }
}

/// A file or standard output.
pub(super) type Output = Box<dyn Write + Send>;

/// Where packets are saved.
enum Save {
    File { file: String, writer: CaptureWriter<Output> },
    Ring(Box<Ring>),
}

impl Save {
    /// The file that is being written.
    fn file(&self) -> String {
        match self {
            Self::File { file, .. } => file.clone(),
            Self::Ring(ring) => ring.file().display().to_string(),
        }
    }

    /// The writer of the file that a packet of the time `at` belongs into.
    fn writer(
        &mut self,
        at: Timestamp,
        points: &CapturePoints,
        drops: impl IntoIterator<Item = (PointId, u64)>,
    ) -> io::Result<&mut CaptureWriter<Output>> {
        match self {
            Self::File { writer, .. } => Ok(writer),
            Self::Ring(ring) => ring.writer(at, points, drops),
        }
    }

    /// The writer of the file that is being written, if there is one.
    fn current(&mut self) -> Option<&mut CaptureWriter<Output>> {
        match self {
            Self::File { writer, .. } => Some(writer),
            Self::Ring(ring) => ring.current(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File { writer, .. } => writer.flush(),
            Self::Ring(ring) => ring.flush(),
        }
    }

    fn finish(
        self,
        points: &CapturePoints,
        drops: impl IntoIterator<Item = (PointId, u64)>,
    ) -> io::Result<()> {
        match self {
            Self::File { writer, .. } => writer.finish(points, drops),
            Self::Ring(ring) => ring.finish(points, drops),
        }
    }
}

/// Saves the packet that the files went to, and what lies before it in them.
fn save_of_file(save: &mut Save, files: &mut Merged) -> io::Result<()> {
    let writer = save.writer(files.packet().at, files.points(), files.drops())?;
    if !writer.has_begun() {
        files.keep_sections(writer.section());
    }
    files.take_blocks(writer.blocks());
    writer.write(&files.packet(), files.options(), files.points())
}

/// What tcpdump and Wireshark take too. Loopback and offload make packets of 65,550 bytes, which
/// the 65,535 that look like enough would cut.
const SNAP_LEN: u32 = 262_144;

/// At 1 Gbit/s a quarter of a second. tcpdump's 2 MiB are full in a sixtieth.
const BUFFER: u32 = 32 << 20;
