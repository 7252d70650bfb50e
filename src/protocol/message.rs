//! What a decoder tells the floor above.

use crate::decode::Seq;
use crate::endpoint::Side;
use crate::packet::PacketRef;
use crate::stream::{Hold, Release};
use crate::time::Timestamp;

/// An output of a decoder.
#[derive(Clone, Copy, Debug)]
pub enum Decoded<'a> {
    /// A whole frame that says something.
    Message(Message<'a>),
    /// The first bytes of a frame came, its last did not: its place in the order of frames is
    /// taken now. Comes at most once a frame, and only for frames that straddle chunks.
    Started {
        /// The sender.
        from: Side,
        /// The packet of its first byte.
        at: PacketRef,
    },
    /// The messages show that this side of the stream is the client. Comes at most once, before the
    /// message that showed it.
    Client(Side),
    /// A frame, or what should have been one, that could not be read.
    Undecodable {
        /// The sender.
        from: Side,
        /// The packet of its first byte.
        at: PacketRef,
        /// What was wrong with it.
        fault: Fault,
    },
    /// The connection does not speak this protocol. Comes at most once; nothing comes after it.
    Foreign(Foreign),
}

/// Why a frame could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What stands before the `#` is no length.
    Length,
    /// The text of the declared length is not JSON.
    Json,
    /// The declared length ends inside a character.
    Boundary,
    /// A gap cut it.
    Gap,
    /// It is larger than [`crate::limits::FRAME_BYTES`], or than there was room for.
    TooLarge,
    /// The connection or the capture ended inside it.
    Unfinished,
}

/// What is spoken on a connection that does not speak Nest TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Foreign {
    /// HTTP/1.
    Http1,
    /// HTTP/2 with prior knowledge, as gRPC speaks it.
    Http2,
    /// TLS.
    Tls,
    /// SSH.
    Ssh,
    /// A Redis command or answer (RESP).
    Redis,
    /// NATS.
    Nats,
    /// AMQP, as RabbitMQ speaks it.
    Amqp,
    /// MQTT.
    Mqtt,
    /// Something else: perhaps a custom `socketClass`.
    Unknown,
}

impl Foreign {
    /// Its name as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1",
            Self::Http2 => "HTTP/2",
            Self::Tls => "TLS",
            Self::Ssh => "SSH",
            Self::Redis => "Redis",
            Self::Nats => "NATS",
            Self::Amqp => "AMQP",
            Self::Mqtt => "MQTT",
            Self::Unknown => "unknown",
        }
    }
}

/// A message as one frame said it. All its texts are JSON, lent as they were on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The sender, by the stream's idea of the sides.
    pub from: Side,
    /// The packet of its first byte.
    pub first: PacketRef,
    /// The earliest of the packets that brought its bytes: not the first one where segments were
    /// captured out of order.
    pub earliest: PacketRef,
    /// The latest of them, with which it was whole: not that of its last byte where segments were
    /// captured out of order.
    pub last: PacketRef,
    /// Whether its first byte is the first of a segment.
    pub begins_segment: bool,
    /// The sequence number of its first byte, which is a digit of its length.
    pub seq: Seq,
    /// Its sender had received the other side up to this sequence number; `None` where that is not
    /// known.
    pub after: Option<Seq>,
    /// Bytes of the frame on the wire, its length and `#` included.
    pub wire_len: u64,
    /// How its place in the stream is known.
    pub placed: Placed,
    /// Whether it may have waited in the kernel of its sender: the longest hold of its segments.
    pub hold: Option<&'a FrameHold>,
    /// The JSON text of the frame.
    pub body: &'a [u8],
    /// What it says.
    pub kind: Kind<'a>,
}

/// The time that a frame may have spent in the kernel of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHold {
    /// The earliest moment at which it can have been written, to have waited.
    pub since: Timestamp,
    /// The moment at which it could leave.
    pub until: Timestamp,
    /// Whether nothing but waiting explains that it left then.
    pub certain: bool,
}

impl Message<'_> {
    /// The sequence number behind its last byte.
    pub fn end(&self) -> Seq {
        // No frame comes near 2^32 bytes, and sequence numbers go round.
        self.seq.add(u32::try_from(self.wire_len).unwrap_or(u32::MAX))
    }
}

impl FrameHold {
    /// What the hold of a segment means for a frame in it, `alone` there or with others.
    ///
    /// Several frames in one segment were written one by one: those before the last waited. One
    /// alone that fills a segment was simply long.
    pub(super) fn of(hold: Hold, alone: bool) -> Option<Self> {
        let certain = match hold.by {
            Release::Full if alone => return None,
            Release::Full => true,
            Release::Ack => hold.quick || !alone,
            Release::Data => !alone,
        };
        Some(Self { since: hold.since, until: hold.until, certain })
    }

    /// The longer one of two.
    pub(super) fn longer(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let span = |hold: &Self| hold.until.saturating_since(hold.since);
        one.into_iter().chain(other).max_by_key(span)
    }
}

/// How the place of a frame in its stream is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placed {
    /// The stream was seen from its first byte, and since then nothing is missing and every frame
    /// followed on the one before. A frame that could not be read, but ended where it said, changes
    /// nothing.
    #[default]
    Certain,
    /// It was found by searching: behind a gap, in a capture that began late, behind a fault.
    /// Nothing but its own bytes says that it is one.
    Found,
    /// It follows one that was found, or one that follows it, without a byte between but blanks.
    Joined,
}

/// What a message says.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    /// Asks for replies. Its sender is the client.
    Request {
        /// Echoed by every reply; a JSON value of any type.
        id: &'a [u8],
        /// What is called; `None` where the key is missing.
        pattern: Option<&'a [u8]>,
        /// The argument; `None` where the key is missing.
        data: Option<&'a [u8]>,
    },
    /// Tells, and asks for nothing. Its sender is the client.
    Event {
        /// What happened.
        pattern: &'a [u8],
        /// The argument; `None` where the key is missing.
        data: Option<&'a [u8]>,
    },
    /// Answers a request. Its sender is the server.
    Reply {
        /// The id of the request.
        id: &'a [u8],
        /// The value; `None` where the key is missing, which differs from `null`.
        response: Option<&'a [u8]>,
        /// The `err`; `None` where the key is missing. A falsy one is no error.
        error: Option<&'a [u8]>,
        /// Whether `err` is truthy.
        failed: bool,
        /// Whether the call ends here: truthy `isDisposed`, or truthy `err`.
        last: bool,
    },
    /// A frame that is neither, such as the error frames of Nest 5's sockets.
    Other,
}
