//! What stands at the place where a frame is expected.

use super::envelope::Envelope;
use super::length::{End, Fit, Header, Progress};
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
    /// Whether the frame was found by searching, and no more of it is known than its first key.
    doubtful: bool,
    /// Bytes that may be held of a frame that is not whole yet.
    pub(super) budget: usize,
}

/// What the bytes are expected to begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expected {
    /// A header.
    #[default]
    Header,
    /// A header of so many bytes, and a body of the declared length.
    Body { declared: u64, header: usize },
    /// What could not be read. The next frame begins at the first of `ends` where one fits; where
    /// none does, its length was wrong, and the next one is somewhere behind its header, or at its
    /// end.
    Faulty { ends: [Option<usize>; 2], header: usize },
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
    /// A frame that is larger than what may be held: a header, and a body of `declared` units or
    /// bytes that are not all there yet.
    TooLarge {
        declared: u64,
        header: usize,
    },
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
    /// Expects a frame.
    pub(super) fn expect(&mut self) {
        (self.expected, self.progress) = (Expected::Header, Progress::default());
        self.doubtful = false;
    }

    /// Expects a frame that was found by searching.
    pub(super) fn expect_found(&mut self) {
        self.expect();
        self.doubtful = true;
    }

    /// Expects a frame behind one that was passed over: if none begins there, what was passed over
    /// was no frame.
    pub(super) fn expect_fitting(&mut self) {
        self.expect();
        self.expected = Expected::Faulty { ends: [Some(0), None], header: 0 };
    }

    /// Whether the bytes begin with what may still be a frame.
    pub(super) fn is_in_frame(&self) -> bool {
        !matches!(self.expected, Expected::Faulty { .. })
    }

    /// Whether no header was read yet.
    pub(super) fn is_before_header(&self) -> bool {
        self.expected == Expected::Header
    }

    /// Reads the frame at the beginning of `bytes`.
    pub(super) fn step<'a>(&mut self, bytes: &'a [u8]) -> Step<'a> {
        let (declared, header) = match self.expected {
            Expected::Body { declared, header } => (declared, header),
            Expected::Faulty { ends, header } => return self.behind_fault(bytes, ends, header),
            Expected::Header => match Header::read(bytes, limits::FRAME_HEADER_BYTES) {
                Header::Length { declared, bytes } => {
                    self.expected = Expected::Body { declared, header: bytes };
                    (declared, bytes)
                }
                Header::Cut if bytes.len() > self.budget => {
                    return self.fault(Fault::TooLarge, [None; 2], bytes.len());
                }
                Header::Cut => return Step::HeaderCut,
                Header::Invalid { bytes } => return self.fault(Fault::Length, [None; 2], bytes),
            },
        };
        let body = bytes.get(header..).unwrap_or(&[]);
        // To look for the end costs time in proportion to the length, which anybody can declare
        // anew at every step. What is no JSON is known long before.
        if self.doubtful
            && let Some(head) = usize::try_from(declared).ok().and_then(|len| body.get(..len))
        {
            if scan(head, &mut ()) == Scan::Invalid {
                return self.fault(Fault::Json, [None; 2], header);
            }
            self.doubtful = false;
        }
        let in_bytes = usize::try_from(declared).ok().and_then(|len| header.checked_add(len));
        match self.progress.end_of(body, declared) {
            End::At(end) => {
                let body = body.get(..end).unwrap_or(&[]);
                match Envelope::read(body) {
                    Some(envelope) => Step::Frame { envelope, body, bytes: header + end },
                    None => self.fault(Fault::Json, [Some(header + end), in_bytes], header),
                }
            }
            End::Needs(missing) => {
                let whole = missing.saturating_add(body.len() as u64);
                if whole <= limits::FRAME_BYTES.min(self.budget) as u64 {
                    return Step::BodyCut(missing);
                }
                // A length that nothing confirms is not trusted for so many bytes.
                if self.doubtful || declared > limits::FRAME_PASSED_OVER {
                    return self.fault(Fault::TooLarge, [None; 2], header);
                }
                Step::TooLarge { declared, header }
            }
            End::SplitsCharacter => self.fault(Fault::Boundary, [in_bytes, None], header),
        }
    }

    fn fault(&mut self, fault: Fault, ends: [Option<usize>; 2], header: usize) -> Step<'static> {
        self.expected = Expected::Faulty { ends, header };
        Step::Fault(fault)
    }

    /// Looks where to go on behind what could not be read.
    fn behind_fault(&self, bytes: &[u8], ends: [Option<usize>; 2], header: usize) -> Step<'static> {
        for end in ends.into_iter().flatten() {
            match Fit::of(bytes.get(end..).unwrap_or(&[])) {
                Fit::Yes => return Step::PassOver { bytes: end, fits: true },
                Fit::Cut if bytes.len() <= self.budget => return Step::HeaderCut,
                Fit::Cut if end > 0 => return Step::PassOver { bytes: end, fits: false },
                Fit::Cut | Fit::No => {}
            }
        }
        Step::Search(behind_header(bytes.get(..header).unwrap_or(bytes)))
    }
}
