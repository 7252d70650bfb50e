//! One direction of a connection: where its frames lie, and how their places are known.

use super::length::without_blanks;
use super::partial::PartialFrame;
use super::reader::{FrameReader, Step};
use super::recognise::{Recognised, recognise};
use super::search::{Found, search};
use super::speakers::Speakers;
use crate::decode::Seq;
use crate::endpoint::Side;
use crate::protocol::{Decoded, Fault, FrameHold, Kind, Message, Placed};
use crate::stream::Chunk;

/// Where a side stands in its stream.
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
    /// At the beginning of a frame, or inside one that `partial` begins with or that is passed
    /// over.
    InFrames,
    /// Somewhere; `partial` is what may be the beginning of a frame.
    #[default]
    Searching,
}

/// One side's stream of frames.
#[derive(Debug, Default)]
pub(super) struct SideDecoder {
    state: State,
    from_start: bool,
    /// How the place of the next frame is known.
    placed: Placed,
    /// Bytes carried over from earlier chunks; they directly precede the unread part of the current
    /// chunk.
    partial: PartialFrame,
    reader: FrameReader,
    /// The longest hold of the segments that brought the frame that `partial` begins with.
    hold: Option<FrameHold>,
    /// Whether the beginning of the frame that `partial` begins with was told.
    started: bool,
}

/// A chunk, and what of it was not read yet.
struct Input<'a> {
    chunk: &'a Chunk<'a>,
    rest: &'a [u8],
    /// Bytes that may be buffered of a frame that is not whole yet.
    budget: usize,
}

impl<'a> Input<'a> {
    /// Passes over so many bytes, and gives them.
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Whether nothing was read of it yet.
    fn is_unread(&self) -> bool {
        self.rest.len() == self.chunk.data.len()
    }

    /// The hold of the chunk, for a frame of which it brought so many bytes.
    fn hold(&self, bytes: usize) -> Option<FrameHold> {
        let hold = self.chunk.hold?;
        FrameHold::of(hold, bytes == self.chunk.data.len())
    }

    /// The sequence number of what lies `buffered` bytes before the unread part.
    fn seq(&self, buffered: usize) -> Seq {
        // Neither a chunk nor what is buffered comes near 2^32 bytes.
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        self.chunk.seq.add(length(self.chunk.data.len())).back(length(self.rest.len() + buffered))
    }
}

impl SideDecoder {
    /// A side, and whether it is seen from its first byte.
    pub(super) fn new(from_start: bool) -> Self {
        let (state, placed) = if from_start {
            (State::Opening, Placed::Certain)
        } else {
            (State::Searching, Placed::Found)
        };
        Self { state, from_start, placed, ..Self::default() }
    }

    /// Reads the next bytes; at most `budget` may be buffered of a frame that is not whole.
    pub(super) fn push(
        &mut self,
        chunk: &Chunk<'_>,
        budget: usize,
        speakers: &mut Speakers,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) {
        let mut input = Input { chunk, rest: chunk.data, budget };
        loop {
            let go_on = match self.state {
                State::Opening => self.open(&mut input, speakers, emit),
                State::InFrames => self.read(&mut input, speakers, emit),
                State::Searching => self.search(&mut input, speakers, emit),
            };
            if !go_on {
                break;
            }
        }
        let begun = self.state == State::InFrames && !self.partial.is_empty();
        if begun && !self.started && self.reader.is_in_frame() {
            self.started = true;
            emit(Decoded::Started { from: chunk.from, at: self.partial.first_packet() });
        }
    }

    /// The place in the stream is lost; so is the frame that was not whole.
    pub(super) fn lose_place(
        &mut self,
        from: Side,
        fault: Fault,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) {
        let begun = self.state == State::InFrames && !self.partial.is_empty();
        if begun && self.reader.is_in_frame() {
            emit(Decoded::Undecodable { from, at: self.partial.first_packet(), fault });
        }
        self.partial.clear();
        self.lose();
    }

    /// Whether what is buffered is the beginning of no length.
    pub(super) fn is_no_length(&self) -> bool {
        let buffered = self.partial.bytes();
        self.from_start
            && self.reader.is_before_header()
            && buffered.iter().any(|byte| !byte.is_ascii_digit() && !byte.is_ascii_whitespace())
    }

    /// Bytes of memory that are buffered.
    pub(super) fn buffered(&self) -> usize {
        self.partial.weight()
    }

    /// The first bytes: are they a frame's? Says whether to go on with what is left.
    fn open(
        &mut self,
        input: &mut Input<'_>,
        speakers: &mut Speakers,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) -> bool {
        let digit_first =
            self.partial.is_empty() && input.rest.first().is_some_and(u8::is_ascii_digit);
        if digit_first {
            self.state = State::InFrames;
            return true;
        }
        self.buffer(input, input.rest.len());
        match recognise(self.partial.bytes()) {
            Recognised::As(foreign) => {
                speakers.foreign(foreign, emit);
                false
            }
            Recognised::Undecided => false,
            Recognised::No => {
                self.state = State::InFrames;
                true
            }
        }
    }

    /// Reads what stands where a frame is expected: where it lies in the chunk, or, if earlier
    /// chunks brought its beginning, in `partial`, which takes from the chunk what the frame needs.
    /// Says whether to go on with what is left.
    fn read(
        &mut self,
        input: &mut Input<'_>,
        speakers: &mut Speakers,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) -> bool {
        let is_lent = self.partial.is_empty();
        if is_lent {
            if !self.reader.is_passing() {
                input.rest = without_blanks(input.rest);
            }
            if input.rest.is_empty() {
                return false;
            }
        } else {
            let blanks = self.partial.len() - without_blanks(self.partial.bytes()).len();
            if blanks > 0 {
                self.partial.drop_front(blanks);
                return true;
            }
        }
        let bytes = if is_lent { input.rest } else { self.partial.bytes() };
        let from = input.chunk.from;
        match self.reader.step(bytes, input.budget) {
            Step::Frame { envelope, body, bytes } => {
                let packet = input.chunk.packet;
                let hold = if is_lent { input.hold(bytes) } else { self.hold };
                let mut message = Message {
                    from,
                    first: packet,
                    earliest: packet,
                    last: packet,
                    begins_segment: input.is_unread(),
                    seq: input.seq(self.partial.len()),
                    // Of the segments of a frame the last one tells most.
                    after: input.chunk.after,
                    wire_len: bytes as u64,
                    placed: self.placed,
                    hold: hold.as_ref(),
                    body,
                    kind: Kind::Other,
                };
                if !is_lent {
                    message.first = self.partial.first_packet();
                    (message.earliest, message.last) = self.partial.packets_of(bytes);
                    message.begins_segment = self.partial.begins_segment();
                }
                speakers.frame(message, &envelope, emit);
                if self.placed == Placed::Found {
                    self.placed = Placed::Joined;
                }
                self.drop_front(input, bytes);
                self.expect_frame();
                true
            }
            Step::HeaderCut => {
                let to_mark = memchr::memchr(b'#', input.rest).map(|mark| mark + 1);
                let take = to_mark.filter(|_| !is_lent).unwrap_or(input.rest.len());
                self.buffer(input, take) && !is_lent
            }
            Step::BodyCut(missing) => {
                let missing = usize::try_from(missing).unwrap_or(usize::MAX);
                let lent = if is_lent { input.rest.len() } else { 0 };
                self.partial.reserve(lent.saturating_add(missing));
                self.buffer(input, lent.max(missing).min(input.rest.len())) && !is_lent
            }
            Step::Fault(fault) => {
                let at = if is_lent { input.chunk.packet } else { self.partial.first_packet() };
                speakers.fault(from, at, fault, emit);
                true
            }
            Step::PassAll => {
                if is_lent {
                    return false;
                }
                self.partial.clear();
                true
            }
            Step::PassOver { bytes, fits } => {
                self.drop_front(input, bytes);
                // Something lies between the frames: a new run begins.
                if self.placed != Placed::Certain {
                    self.placed = Placed::Found;
                }
                self.expect_frame();
                if !fits {
                    self.reader.expect_fitting();
                }
                true
            }
            Step::Search(bytes) => {
                self.drop_front(input, bytes);
                self.lose();
                true
            }
        }
    }

    /// Looks for a frame in what is buffered and in the chunk. Says whether to go on with what is
    /// left.
    fn search(
        &mut self,
        input: &mut Input<'_>,
        speakers: &mut Speakers,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) -> bool {
        if self.partial.is_empty() {
            if !self.from_start && input.chunk.offset == 0 {
                speakers.guess(input.rest);
            }
            match search(input.rest) {
                Found::Frame(start) => {
                    input.take(start);
                }
                Found::Undecided(start) => {
                    input.take(start);
                    self.buffer(input, input.rest.len());
                    self.bound(input, speakers, emit);
                    return false;
                }
                Found::Nothing => return false,
            }
        } else {
            let before = self.partial.len();
            let mut found = search(self.partial.bytes());
            let rest = input.rest;
            if !matches!(found, Found::Frame(_)) {
                self.buffer(input, rest.len());
                found = search(self.partial.bytes());
            }
            match found {
                Found::Frame(start) if start >= before => {
                    input.rest = rest.get(start - before..).unwrap_or(&[]);
                    self.partial.clear();
                }
                Found::Frame(start) => {
                    input.rest = rest;
                    self.partial.truncate(before);
                    self.partial.drop_front(start);
                }
                Found::Undecided(start) => {
                    self.partial.drop_front(start);
                    self.bound(input, speakers, emit);
                    return false;
                }
                Found::Nothing => {
                    self.partial.clear();
                    return false;
                }
            }
        }
        self.state = State::InFrames;
        self.expect_frame();
        self.reader.expect(true);
        true
    }

    /// Gives up what may be the beginning of a frame where there is no room for it.
    fn bound(
        &mut self,
        input: &Input<'_>,
        speakers: &mut Speakers,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) {
        if self.partial.weight() > input.budget {
            let at = self.partial.first_packet();
            speakers.fault(input.chunk.from, at, Fault::TooLarge, emit);
            self.partial.clear();
        }
    }

    /// Buffers the next bytes of the chunk, and says whether there were any.
    fn buffer(&mut self, input: &mut Input<'_>, count: usize) -> bool {
        let begins_segment = input.is_unread();
        let taken = input.take(count);
        self.partial.push(taken, input.chunk.packet, begins_segment);
        if !taken.is_empty() {
            self.hold = FrameHold::longer(self.hold, input.hold(taken.len()));
        }
        !taken.is_empty()
    }

    /// Drops bytes from the beginning of what is read: of what is buffered, or else of the chunk.
    fn drop_front(&mut self, input: &mut Input<'_>, count: usize) {
        if self.partial.is_empty() {
            input.take(count);
        } else {
            self.partial.drop_front(count);
        }
    }

    fn expect_frame(&mut self) {
        self.reader.expect(false);
        (self.started, self.hold) = (false, None);
    }

    fn lose(&mut self) {
        self.expect_frame();
        self.state = State::Searching;
        self.placed = Placed::Found;
    }
}
