//! What stands at the place where a frame is expected.

use super::envelope::Envelope;
use super::length::{End, Fit, Header, Progress};
use super::passing::Passing;
use super::search::behind_header;
use crate::json::{Scan, scan};
use crate::limits;
use crate::protocol::Fault;

/// Reads one frame after the other. What was found out of the bytes before is not looked at again
/// when more of them have come.
#[derive(Debug, Default)]
pub(super) struct FrameReader {
    expected: Expected,
    progress: Progress,
}

/// What the bytes are expected to begin with. There are two of these per connection, so they are
/// kept small: no place in a chunk or in what is buffered comes near 2^32 bytes.
#[derive(Debug)]
enum Expected {
    /// A header. `doubtful` is whether it was found by searching, and no more of the frame is known
    /// than its first key.
    Header { doubtful: bool },
    /// A header of so many bytes, and a body of the declared length; of one beyond `u32::MAX` it is
    /// only known that it is too large.
    Body { declared: u32, header: u32, doubtful: bool },
    /// The rest of a body that is too large to be buffered.
    Rest(Passing),
    /// What could not be read. The next frame begins at the first of `ends` where one fits; where
    /// none does, its length was wrong, and the next one is somewhere behind its header, or at its
    /// end.
    Faulty { ends: [Option<u32>; 2], header: u32 },
}

impl Default for Expected {
    fn default() -> Self {
        Self::Header { doubtful: false }
    }
}

/// What stands at the beginning of some bytes.
pub(super) enum Step<'a> {
    Frame {
        envelope: Envelope<'a>,
        body: &'a [u8],
        bytes: usize,
    },
    /// The header needs more bytes.
    HeaderCut,
    /// The body needs at least so many more bytes.
    BodyCut(u64),
    /// No frame. The next step says how to go on.
    Fault(Fault),
    /// All bytes belong to a frame that is passed over, and so do those that come.
    PassAll,
    /// The next frame begins behind so many bytes, or will be seen not to.
    PassOver {
        bytes: usize,
        /// Whether a header was seen there.
        fits: bool,
    },
    /// A frame may be somewhere behind so many bytes.
    Search(usize),
}

impl FrameReader {
    /// Expects a frame; `doubtful` where it was found by searching.
    pub(super) fn expect(&mut self, doubtful: bool) {
        (self.expected, self.progress) = (Expected::Header { doubtful }, Progress::default());
    }

    /// Expects a frame behind one that was passed over: if none begins there, what was passed over
    /// was no frame.
    pub(super) fn expect_fitting(&mut self) {
        self.expected = Expected::Faulty { ends: [Some(0), None], header: 0 };
    }

    /// Whether the bytes begin with what may still be a frame.
    pub(super) fn is_in_frame(&self) -> bool {
        !matches!(self.expected, Expected::Faulty { .. })
    }

    /// Whether no header was read yet.
    pub(super) fn is_before_header(&self) -> bool {
        matches!(self.expected, Expected::Header { .. })
    }

    /// Whether the bytes are those of a frame that is passed over.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.expected, Expected::Rest(_))
    }

    /// Reads the frame at the beginning of `bytes`; at most `budget` may be buffered of one that is
    /// not whole.
    pub(super) fn step<'a>(&mut self, bytes: &'a [u8], budget: usize) -> Step<'a> {
        match &mut self.expected {
            &mut Expected::Header { doubtful } => {
                match Header::read(bytes, limits::FRAME_HEADER_BYTES) {
                    Header::Length { declared, bytes: header } => {
                        let declared = u32::try_from(declared).unwrap_or(u32::MAX);
                        self.expected =
                            Expected::Body { declared, header: small(header), doubtful };
                        self.body(bytes, declared, header, doubtful, budget)
                    }
                    Header::Cut if bytes.len() > budget => {
                        self.fault(Fault::TooLarge, [None; 2], bytes.len())
                    }
                    Header::Cut => Step::HeaderCut,
                    Header::Invalid { bytes } => self.fault(Fault::Length, [None; 2], bytes),
                }
            }
            &mut Expected::Body { declared, header, doubtful } => {
                self.body(bytes, declared, header as usize, doubtful, budget)
            }
            Expected::Rest(passing) => match passing.pass(bytes) {
                Some(end) => Step::PassOver { bytes: end, fits: false },
                None => Step::PassAll,
            },
            &mut Expected::Faulty { ends, header } => {
                behind_fault(bytes, ends, header as usize, budget)
            }
        }
    }

    /// Reads a body behind a header of so many bytes.
    fn body<'a>(
        &mut self,
        bytes: &'a [u8],
        declared: u32,
        header: usize,
        mut doubtful: bool,
        budget: usize,
    ) -> Step<'a> {
        let body = bytes.get(header..).unwrap_or(&[]);
        // To look for the end costs time in proportion to the length, which anybody can declare
        // anew at every step. What is no JSON is known long before.
        if doubtful
            && let Some(head) = usize::try_from(declared).ok().and_then(|len| body.get(..len))
        {
            if scan(head, &mut ()) == Scan::Invalid {
                return self.fault(Fault::Json, [None; 2], header);
            }
            doubtful = false;
            self.expected = Expected::Body { declared, header: small(header), doubtful };
        }
        let in_bytes = usize::try_from(declared).ok().and_then(|len| header.checked_add(len));
        match self.progress.end_of(body, u64::from(declared)) {
            End::At(end) => {
                let body = body.get(..end).unwrap_or(&[]);
                match Envelope::read(body) {
                    Some(envelope) => Step::Frame { envelope, body, bytes: header + end },
                    None => self.fault(Fault::Json, [Some(header + end), in_bytes], header),
                }
            }
            End::Needs(missing) => {
                let whole = missing.saturating_add(body.len() as u64);
                if whole <= limits::FRAME_BYTES.min(budget) as u64 {
                    return Step::BodyCut(missing);
                }
                // A length that nothing confirms is not trusted for so many bytes.
                if doubtful || u64::from(declared) > limits::FRAME_PASSED_OVER {
                    return self.fault(Fault::TooLarge, [None; 2], header);
                }
                self.expected = Expected::Rest(Passing::new(declared, header));
                Step::Fault(Fault::TooLarge)
            }
            End::SplitsCharacter => self.fault(Fault::Boundary, [in_bytes, None], header),
        }
    }

    fn fault(&mut self, fault: Fault, ends: [Option<usize>; 2], header: usize) -> Step<'static> {
        let ends = ends.map(|end| end.and_then(|end| u32::try_from(end).ok()));
        self.expected = Expected::Faulty { ends, header: small(header) };
        Step::Fault(fault)
    }
}

/// Looks where to go on behind what could not be read.
fn behind_fault(
    bytes: &[u8],
    ends: [Option<u32>; 2],
    header: usize,
    budget: usize,
) -> Step<'static> {
    for end in ends.into_iter().flatten() {
        let end = end as usize;
        match Fit::of(bytes.get(end..).unwrap_or(&[])) {
            Fit::Yes => return Step::PassOver { bytes: end, fits: true },
            Fit::Cut if bytes.len() <= budget => return Step::HeaderCut,
            Fit::Cut if end > 0 => return Step::PassOver { bytes: end, fits: false },
            Fit::Cut | Fit::No => {}
        }
    }
    Step::Search(behind_header(bytes.get(..header).unwrap_or(bytes)))
}

/// A place in a chunk or in what is buffered.
fn small(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

// 65,536 connections are followed at once, and each has two of them.
const _: () = assert!(size_of::<Expected>() <= 24);
