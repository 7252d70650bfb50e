//! Nest's TCP transport, as every Nest from 5 to 12 writes it: `<length>#<json>`, nothing between
//! frames and nothing before the first.
//!
//! Each side of a connection is a lane of its own. A frame that lies in one chunk is read where
//! it lies; only one that straddles chunks is copied, and no further than to its own end.

mod envelope;
mod length;
mod partial;
mod recognise;
mod search;

use envelope::Envelope;
pub use envelope::read_body;
use length::{End, Header, Progress};
use partial::PartialFrame;
use recognise::{Recognised, recognise};
use search::{Found, search};

use crate::decode::Seq;
use crate::endpoint::{PerSide, Roles, Side};
use crate::json::{Scan, scan};
use crate::limits;
use crate::packet::PacketRef;
use crate::protocol::{Decoded, Decoder, Fault, Foreign, FrameHold, Kind, Message, Placed};
use crate::stream::{Chunk, Gap, Opened};

/// Reads the frames of one connection.
#[derive(Debug)]
pub struct NestTcp {
    sides: PerSide<SideDecoder>,
    speakers: Speakers,
}

impl NestTcp {
    /// A decoder for a connection that was just opened.
    pub fn new(opened: &Opened) -> Self {
        let side = |from_start| SideDecoder {
            state: if from_start { State::Opening } else { State::Searching },
            from_start,
            ..SideDecoder::default()
        };
        Self {
            sides: PerSide {
                client: side(opened.from_start.client),
                server: side(opened.from_start.server),
            },
            speakers: Speakers {
                client: (opened.roles == Roles::Known).then_some(Side::Client),
                spoken: Spoken::Unproven { doubts: 0, guess: None },
            },
        }
    }
}

impl Decoder for NestTcp {
    fn push(&mut self, chunk: &Chunk<'_>, budget: usize, emit: &mut dyn FnMut(Decoded<'_>)) {
        if self.speakers.spoken != Spoken::Foreign {
            self.sides.of_mut(chunk.from).push(chunk, budget, &mut self.speakers, emit);
        }
        if self.speakers.spoken == Spoken::Foreign {
            self.sides = PerSide::default();
        }
    }

    fn gap(&mut self, gap: &Gap, emit: &mut dyn FnMut(Decoded<'_>)) {
        if self.speakers.spoken != Spoken::Foreign {
            self.sides.of_mut(gap.from).lose_place(gap.from, Fault::Gap, emit);
        }
    }

    fn finish(&mut self, emit: &mut dyn FnMut(Decoded<'_>)) {
        if let Spoken::Unproven { doubts, guess } = self.speakers.spoken {
            let silent = Side::BOTH.iter().all(|side| !self.sides.of(*side).is_no_length());
            if guess.is_some() || doubts > 0 || !silent {
                return self.speakers.is_foreign(guess.unwrap_or(Foreign::Unknown), emit);
            }
        }
        if self.speakers.spoken != Spoken::Foreign {
            for side in Side::BOTH {
                self.sides.of_mut(side).lose_place(side, Fault::Unfinished, emit);
            }
        }
    }

    fn held(&self) -> usize {
        self.sides.client.held.weight() + self.sides.server.held.weight()
    }
}

/// What the connection has shown of itself.
#[derive(Debug)]
struct Speakers {
    /// The side that is the client; `None` until the handshake, the port or a message told.
    client: Option<Side>,
    spoken: Spoken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    /// `doubts` counts malformed headers before the first valid frame. If a frame follows they are
    /// framing errors; if none does, this is not Nest.
    Unproven { doubts: u32, guess: Option<Foreign> },
    /// At least one frame was read.
    Nest,
    /// Something else: nothing is read any more.
    Foreign,
}

impl Speakers {
    fn is_foreign(&mut self, foreign: Foreign, emit: &mut dyn FnMut(Decoded<'_>)) {
        self.spoken = Spoken::Foreign;
        emit(Decoded::Foreign(foreign));
    }

    /// A fault is told, unless the connection may turn out not to speak Nest at all.
    fn fault(
        &mut self,
        from: Side,
        at: PacketRef,
        fault: Fault,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) {
        match &mut self.spoken {
            Spoken::Unproven { doubts, .. } if fault == Fault::Length => {
                *doubts = doubts.saturating_add(1);
            }
            _ => emit(Decoded::Undecodable { from, at, fault }),
        }
    }

    fn frame(&mut self, from: Side, frame: &Frame<'_>, emit: &mut dyn FnMut(Decoded<'_>)) {
        if let Spoken::Unproven { doubts, .. } = self.spoken {
            self.spoken = Spoken::Nest;
            if doubts > 0 {
                emit(Decoded::Undecodable { from, at: frame.first, fault: Fault::Length });
            }
        }
        let role = frame.envelope.role();
        if self.client.is_none()
            && let Some(role) = role
        {
            let client = if role == Side::Client { from } else { from.other() };
            self.client = Some(client);
            emit(Decoded::Client(client));
        }
        emit(Decoded::Message(Message {
            from,
            first: frame.first,
            last: frame.last,
            seq: frame.seq,
            wire_len: frame.wire_len,
            placed: Placed::Certain,
            hold: frame.hold.as_ref(),
            body: frame.body,
            // Where nothing told who is who, the frame holds nothing that could be paired either.
            kind: self.client.map_or(Kind::Other, |client| {
                let sender = if client == from { Side::Client } else { Side::Server };
                frame.envelope.kind(sender)
            }),
        }));
    }
}

/// A whole frame.
struct Frame<'a> {
    first: PacketRef,
    last: PacketRef,
    seq: Seq,
    wire_len: u64,
    hold: Option<FrameHold>,
    body: &'a [u8],
    envelope: Envelope<'a>,
}

/// Where a lane stands in its stream.
///
/// ```text
///  Opening ──► InFrames ◄── a frame is found ── Searching ◄── capture begun late
///     │            │                                ▲
///     │            └── gap, or what is no frame ────┘
///     └──► not Nest: nothing is read any more
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first byte of a side that is seen from its first byte.
    Opening,
    /// At the beginning of a frame, or inside one that `held` begins with.
    InFrames,
    /// Somewhere; `held` is what may be the beginning of a frame.
    #[default]
    Searching,
}

/// One side's stream of frames.
#[derive(Debug, Default)]
struct SideDecoder {
    state: State,
    from_start: bool,
    /// Bytes carried over from earlier chunks; they directly precede the unread part of the current
    /// chunk.
    held: PartialFrame,
    /// The header of the frame that `held` begins with: declared length, bytes.
    header: Option<(u64, usize)>,
    progress: Progress,
    /// The longest hold of the segments that brought it so far.
    hold: Option<FrameHold>,
    /// Whether the beginning of that frame was told.
    started: bool,
    /// Whether that frame was found by searching, and no more of it is known than its first key.
    doubtful: bool,
}

/// What stands at the beginning of some bytes.
enum Step<'a> {
    Frame {
        envelope: Envelope<'a>,
        body: &'a [u8],
        bytes: usize,
    },
    /// Its header needs more bytes.
    HeaderCut,
    /// Its body needs at least so many more bytes.
    BodyCut(u64),
    /// No frame. What lies behind `skip` bytes may hold one.
    Fault {
        fault: Fault,
        skip: usize,
    },
}

impl SideDecoder {
    fn push(
        &mut self,
        chunk: &Chunk<'_>,
        budget: usize,
        speakers: &mut Speakers,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) {
        let mut data = chunk.data;
        loop {
            let go_on = match self.state {
                State::Opening => self.open(&mut data, chunk, speakers, emit),
                State::InFrames if self.held.is_empty() => {
                    self.read_lent(&mut data, chunk, budget, speakers, emit)
                }
                State::InFrames => self.read_held(&mut data, chunk, budget, speakers, emit),
                State::Searching => self.search(&mut data, chunk, budget, speakers, emit),
            };
            if !go_on {
                break;
            }
        }
        if self.state == State::InFrames && !self.held.is_empty() && !self.started {
            self.started = true;
            emit(Decoded::Started { from: chunk.from, at: self.held.packet_at(0) });
        }
    }

    /// The first bytes: are they a frame's?
    fn open(
        &mut self,
        data: &mut &[u8],
        chunk: &Chunk<'_>,
        speakers: &mut Speakers,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) -> bool {
        let digit_first = self.held.is_empty() && data.first().is_some_and(u8::is_ascii_digit);
        if digit_first {
            self.state = State::InFrames;
            return true;
        }
        self.held.push(data, chunk.packet);
        *data = &[];
        match recognise(self.held.bytes()) {
            Recognised::As(foreign) => {
                speakers.is_foreign(foreign, emit);
                false
            }
            Recognised::Undecided => false,
            Recognised::No => {
                self.state = State::InFrames;
                true
            }
        }
    }

    /// Reads a frame where it lies in the chunk.
    fn read_lent(
        &mut self,
        data: &mut &[u8],
        chunk: &Chunk<'_>,
        budget: usize,
        speakers: &mut Speakers,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) -> bool {
        *data = without_blanks(data);
        if data.is_empty() {
            return false;
        }
        match self.step(data, budget) {
            Step::Frame { envelope, body, bytes } => {
                let frame = Frame {
                    first: chunk.packet,
                    last: chunk.packet,
                    seq: seq_before(chunk, data.len()),
                    wire_len: bytes as u64,
                    hold: hold(chunk, bytes),
                    body,
                    envelope,
                };
                speakers.frame(chunk.from, &frame, emit);
                self.begin_frame();
                *data = data.get(bytes..).unwrap_or(&[]);
                true
            }
            Step::HeaderCut | Step::BodyCut(_) => {
                if let Some((declared, _)) = self.header {
                    self.held.reserve(usize::try_from(declared).unwrap_or(usize::MAX));
                }
                self.hold = hold(chunk, data.len());
                self.held.push(data, chunk.packet);
                false
            }
            Step::Fault { fault, skip } => {
                speakers.fault(chunk.from, chunk.packet, fault, emit);
                self.state = State::Searching;
                *data = data.get(skip..).unwrap_or(&[]);
                true
            }
        }
    }

    /// Reads the frame that the held bytes begin with, and takes from the chunk what it needs.
    fn read_held(
        &mut self,
        data: &mut &[u8],
        chunk: &Chunk<'_>,
        budget: usize,
        speakers: &mut Speakers,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) -> bool {
        let blanks = self.held.len() - without_blanks(self.held.bytes()).len();
        if blanks > 0 {
            self.held.drop_front(blanks);
            return true;
        }
        let held = std::mem::take(&mut self.held);
        let step = self.step(held.bytes(), budget);
        let take = match step {
            Step::Frame { envelope, body, bytes } => {
                let frame = Frame {
                    first: held.packet_at(0),
                    last: held.packet_at(bytes - 1),
                    seq: seq_before(chunk, data.len() + held.len()),
                    wire_len: bytes as u64,
                    hold: self.hold,
                    body,
                    envelope,
                };
                speakers.frame(chunk.from, &frame, emit);
                self.held = held;
                self.held.drop_front(bytes);
                self.begin_frame();
                return true;
            }
            Step::Fault { fault, skip } => {
                speakers.fault(chunk.from, held.packet_at(0), fault, emit);
                self.held = held;
                self.held.drop_front(skip);
                self.begin_frame();
                self.state = State::Searching;
                return true;
            }
            Step::HeaderCut => memchr::memchr(b'#', data).map_or(data.len(), |mark| mark + 1),
            Step::BodyCut(missing) => usize::try_from(missing).unwrap_or(usize::MAX),
        };
        self.held = held;
        let (taken, rest) = data.split_at(take.min(data.len()));
        self.held.reserve(take);
        self.held.push(taken, chunk.packet);
        self.hold = FrameHold::longer(self.hold, hold(chunk, taken.len()));
        *data = rest;
        !taken.is_empty()
    }

    /// Looks for a frame in what is held and in the chunk.
    fn search(
        &mut self,
        data: &mut &[u8],
        chunk: &Chunk<'_>,
        budget: usize,
        speakers: &mut Speakers,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) -> bool {
        if self.held.is_empty() {
            if let Spoken::Unproven { guess, .. } = &mut speakers.spoken
                && !self.from_start
                && guess.is_none()
                && chunk.offset == 0
                && let Recognised::As(foreign) = recognise(data)
            {
                *guess = Some(foreign);
            }
            match search(data) {
                Found::Frame(start) => *data = data.get(start..).unwrap_or(&[]),
                Found::Undecided(start) => {
                    self.held.push(data.get(start..).unwrap_or(&[]), chunk.packet);
                    self.bound(budget, chunk.from, speakers, emit);
                    return false;
                }
                Found::Nothing => return false,
            }
        } else {
            let before = self.held.len();
            let mut found = search(self.held.bytes());
            if !matches!(found, Found::Frame(_)) {
                self.held.push(data, chunk.packet);
                found = search(self.held.bytes());
            }
            match found {
                Found::Frame(start) if start >= before => {
                    *data = data.get(start - before..).unwrap_or(&[]);
                    self.held.clear();
                }
                Found::Frame(start) => {
                    self.held.truncate(before);
                    self.held.drop_front(start);
                }
                Found::Undecided(start) => {
                    self.held.drop_front(start);
                    self.bound(budget, chunk.from, speakers, emit);
                    return false;
                }
                Found::Nothing => {
                    self.held.clear();
                    return false;
                }
            }
        }
        self.state = State::InFrames;
        self.begin_frame();
        self.doubtful = true;
        true
    }

    /// Gives up what may be the beginning of a frame where there is no room for it.
    fn bound(
        &mut self,
        budget: usize,
        from: Side,
        speakers: &mut Speakers,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) {
        if self.held.weight() > budget {
            speakers.fault(from, self.held.packet_at(0), Fault::TooLarge, emit);
            self.held.clear();
        }
    }

    /// The place in the stream is lost; so is the frame that was not whole.
    fn lose_place(&mut self, from: Side, fault: Fault, emit: &mut dyn FnMut(Decoded<'_>)) {
        if self.state == State::InFrames && !self.held.is_empty() {
            emit(Decoded::Undecodable { from, at: self.held.packet_at(0), fault });
        }
        self.held.clear();
        self.begin_frame();
        self.state = State::Searching;
    }

    /// Whether what is held is the beginning of no length.
    fn is_no_length(&self) -> bool {
        let held = self.held.bytes();
        self.from_start
            && self.header.is_none()
            && held.iter().any(|byte| !byte.is_ascii_digit() && !byte.is_ascii_whitespace())
    }

    fn begin_frame(&mut self) {
        self.header = None;
        self.hold = None;
        self.progress = Progress::default();
        (self.started, self.doubtful) = (false, false);
    }

    /// Reads the frame at the beginning of `bytes`; what was found out of it before is not looked
    /// at again.
    fn step<'a>(&mut self, bytes: &'a [u8], budget: usize) -> Step<'a> {
        let (declared, header) = match self.header {
            Some(header) => header,
            None => match Header::read(bytes, limits::FRAME_HEADER_BYTES) {
                Header::Length { declared, bytes } => *self.header.insert((declared, bytes)),
                Header::Cut if bytes.len() > budget => {
                    return Step::Fault { fault: Fault::TooLarge, skip: bytes.len() };
                }
                Header::Cut => return Step::HeaderCut,
                Header::Invalid { bytes } => {
                    return Step::Fault { fault: Fault::Length, skip: bytes };
                }
            },
        };
        let body = bytes.get(header..).unwrap_or(&[]);
        // To look for the end costs time in proportion to the length, which anybody can declare
        // anew at every step. What is no JSON is known long before.
        if self.doubtful
            && let Some(head) = usize::try_from(declared).ok().and_then(|len| body.get(..len))
        {
            if scan(head, &mut ()) == Scan::Invalid {
                return Step::Fault { fault: Fault::Json, skip: header };
            }
            self.doubtful = false;
        }
        match self.progress.end_of(body, declared) {
            End::At(end) => {
                let body = body.get(..end).unwrap_or(&[]);
                match Envelope::read(body) {
                    Some(envelope) => Step::Frame { envelope, body, bytes: header + end },
                    None => Step::Fault { fault: Fault::Json, skip: header },
                }
            }
            End::Needs(missing) => {
                let whole = missing.saturating_add(body.len() as u64);
                if whole > limits::FRAME_BYTES.min(budget) as u64 {
                    return Step::Fault { fault: Fault::TooLarge, skip: header };
                }
                Step::BodyCut(missing)
            }
            End::SplitsCharacter => Step::Fault { fault: Fault::Boundary, skip: header },
        }
    }
}

/// The hold of a chunk, for a frame of which it brought so many bytes.
fn hold(chunk: &Chunk<'_>, bytes: usize) -> Option<FrameHold> {
    chunk.hold.and_then(|hold| FrameHold::of(hold, bytes == chunk.data.len()))
}

/// The sequence number of what lies `bytes` before the end of a chunk.
fn seq_before(chunk: &Chunk<'_>, bytes: usize) -> Seq {
    // Neither a chunk nor what is held comes near 2^32 bytes.
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    chunk.seq.add(length(chunk.data.len())).back(length(bytes))
}

/// White space and byte order marks before a length belong to no frame: `parseInt` skips them, and
/// hand-made clients send line breaks between frames.
fn without_blanks(mut bytes: &[u8]) -> &[u8] {
    loop {
        bytes = match bytes {
            [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, rest @ ..] => rest,
            [0xef, 0xbb, 0xbf, rest @ ..] => rest,
            _ => return bytes,
        };
    }
}

#[cfg(test)]
mod tests;
