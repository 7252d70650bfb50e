//! What a connection has shown of itself: whether it speaks Nest, and who is the client.

use super::envelope::Envelope;
use super::recognise::{Recognised, recognise};
use crate::endpoint::Side;
use crate::limits::{UNDECIDED_BYTES, UNDECIDED_FRAMES};
use crate::packet::PacketRef;
use crate::protocol::{Decoded, Fault, Foreign, FrameHold, Kind, Message};

/// What the connection has shown of itself.
#[derive(Debug)]
pub(super) struct Speakers {
    /// The side that is the client; `None` until the handshake, the port or a message told.
    client: Option<Side>,
    spoken: Spoken,
    /// Frames of which nobody knows yet whether a client or a server sent them, in the order in
    /// which they were read.
    undecided: Vec<Undecided>,
}

/// A frame with an id and nothing that only one of the sides sends: the `{"id":…}` of a stream that
/// emits `undefined`, or a request without pattern.
#[derive(Debug)]
struct Undecided {
    message: Message<'static>,
    hold: Option<FrameHold>,
    body: Box<[u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    /// `bad_lengths` counts malformed headers before the first valid frame. If a frame follows, one
    /// framing error is told for all of them; if none does, this is not Nest.
    Unproven { bad_lengths: u32, guess: Option<Foreign> },
    /// At least one frame was read.
    Nest,
    /// Something else: nothing is read any more.
    Foreign,
}

impl Speakers {
    /// A connection of which nothing was read, with its client where that is known.
    pub(super) const fn new(client: Option<Side>) -> Self {
        let spoken = Spoken::Unproven { bad_lengths: 0, guess: None };
        Self { client, spoken, undecided: Vec::new() }
    }

    /// Whether they speak something else, and nothing is to be read any more.
    pub(super) fn are_foreign(&self) -> bool {
        self.spoken == Spoken::Foreign
    }

    /// The first bytes of a side that was not seen from its beginning: nothing is certain of them,
    /// but if no frame follows they say what is spoken.
    pub(super) fn guess(&mut self, bytes: &[u8]) {
        if let Spoken::Unproven { guess, .. } = &mut self.spoken
            && guess.is_none()
            && let Recognised::As(foreign) = recognise(bytes)
        {
            *guess = Some(foreign);
        }
    }

    /// Nothing more comes. Where no frame was read, what was said instead is told;
    /// `said_no_length` is whether a side began with what is none.
    pub(super) fn finish(&mut self, said_no_length: bool, emit: &mut dyn FnMut(Decoded<'_>)) {
        if let Spoken::Unproven { bad_lengths, guess } = self.spoken
            && (guess.is_some() || bad_lengths > 0 || said_no_length)
        {
            self.foreign(guess.unwrap_or(Foreign::Unknown), emit);
        }
        self.tell_undecided(emit);
    }

    /// Bytes of memory that the frames take which are not told yet.
    pub(super) fn buffered(&self) -> usize {
        self.undecided.iter().map(Undecided::weight).sum()
    }

    fn has_room(&self) -> bool {
        self.undecided.len() < UNDECIDED_FRAMES && self.buffered() < UNDECIDED_BYTES
    }

    /// Tells the frames that waited until it was known who speaks.
    fn tell_undecided(&mut self, emit: &mut dyn FnMut(Decoded<'_>)) {
        for Undecided { message, hold, body } in std::mem::take(&mut self.undecided) {
            let Some(envelope) = Envelope::read(&body) else { continue };
            let kind = self.kind(message.from, &envelope);
            emit(Decoded::Message(Message { hold: hold.as_ref(), body: &body, kind, ..message }));
        }
    }

    /// What a frame of `from` says. Where nothing told who is who, it holds nothing that could be
    /// paired.
    fn kind<'a>(&self, from: Side, envelope: &Envelope<'a>) -> Kind<'a> {
        self.client.map_or(Kind::Other, |client| {
            envelope.kind(if client == from { Side::Client } else { Side::Server })
        })
    }

    /// Something else is spoken.
    pub(super) fn foreign(&mut self, foreign: Foreign, emit: &mut dyn FnMut(Decoded<'_>)) {
        self.spoken = Spoken::Foreign;
        emit(Decoded::Foreign(foreign));
    }

    /// A fault is told, unless the connection may turn out not to speak Nest at all.
    pub(super) fn fault(
        &mut self,
        from: Side,
        at: PacketRef,
        fault: Fault,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) {
        match &mut self.spoken {
            Spoken::Unproven { bad_lengths, .. } if fault == Fault::Length => {
                *bad_lengths = bad_lengths.saturating_add(1);
            }
            _ => emit(Decoded::Undecodable { from, at, fault }),
        }
    }

    /// A frame was read: tells its message, once what it says is known by who speaks.
    pub(super) fn frame<'a>(
        &mut self,
        mut message: Message<'a>,
        envelope: &Envelope<'a>,
        emit: &mut dyn FnMut(Decoded<'_>),
    ) {
        let Message { from, first, .. } = message;
        if let Spoken::Unproven { bad_lengths, .. } = self.spoken {
            self.spoken = Spoken::Nest;
            if bad_lengths > 0 {
                emit(Decoded::Undecodable { from, at: first, fault: Fault::Length });
            }
        }
        if self.client.is_none()
            && let Some(role) = envelope.role()
        {
            let client = if role == Side::Client { from } else { from.other() };
            self.client = Some(client);
            emit(Decoded::Client(client));
            self.tell_undecided(emit);
        }
        if self.client.is_none() && envelope.has_id() && self.has_room() {
            return self.undecided.push(Undecided::new(&message));
        }
        message.kind = self.kind(from, envelope);
        emit(Decoded::Message(message));
    }
}

impl Undecided {
    fn new(message: &Message<'_>) -> Self {
        let &Message { from, first, earliest, last, begins_segment, .. } = message;
        let &Message { seq, after, wire_len, placed, .. } = message;
        let (hold, body, kind) = (None, &[][..], Kind::Other);
        Self {
            message: Message {
                from,
                first,
                earliest,
                last,
                begins_segment,
                seq,
                after,
                wire_len,
                placed,
                hold,
                body,
                kind,
            },
            hold: message.hold.copied(),
            body: message.body.into(),
        }
    }

    fn weight(&self) -> usize {
        size_of::<Self>() + self.body.len()
    }
}
