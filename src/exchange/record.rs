//! An exchange as it is told to whoever shows or stores it.

use std::fmt;
use std::ops::Range;

use crate::decode::Seq;
use crate::endpoint::{ConnectionId, Endpoints};
use crate::limits::HELD_AT_LEAST;
use crate::packet::{PacketNumber, PacketRef};
use crate::protocol::FrameHold;
use crate::time::{Nanos, Timestamp};

/// The number of an exchange, from 1: its place in the order in which the first bytes of exchanges
/// were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeNumber(pub u64);

impl ExchangeNumber {
    /// The number of the exchange behind it.
    #[must_use]
    pub const fn next(self) -> Self {
        self.saturating_add(1)
    }

    /// The number of the exchange so many behind it.
    #[must_use]
    pub const fn saturating_add(self, exchanges: u64) -> Self {
        Self(self.0.saturating_add(exchanges))
    }

    /// The number of the exchange so many before it.
    #[must_use]
    pub const fn saturating_sub(self, exchanges: u64) -> Self {
        Self(self.0.saturating_sub(exchanges))
    }

    /// Each number of `range`, ascending.
    pub fn each(range: Range<Self>) -> impl DoubleEndedIterator<Item = Self> + Clone {
        (range.start.0..range.end.0).map(Self)
    }
}

impl fmt::Display for ExchangeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names a pattern within one engine; small, so that tables can be indexed by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatternId(pub u32);

impl PatternId {
    /// The place of the requests that had no pattern.
    pub const NONE: Self = Self(0);
    /// The place shared by the patterns that came when there were too many.
    pub const OTHERS: Self = Self(1);
}

/// What an exchange is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExchangeKind {
    /// A request with its replies.
    Request,
    /// A one-way message.
    Event,
    /// A reply whose request the capture lacks.
    Reply,
    /// An attempt to connect that failed or has no answer yet.
    Connect,
}

impl ExchangeKind {
    /// Its name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Event => "event",
            Self::Reply => "reply",
            Self::Connect => "connect",
        }
    }
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The final reply came, without error; or the attempt to connect was answered.
    Ok,
    /// The final reply came, with a truthy `err`.
    Error,
    /// No final reply, and the connection still stood when the capture ended.
    Open,
    /// The connection ended before a final reply came.
    Closed,
    /// No final reply, but the capture lacks bytes in which it may have been.
    ///
    /// A frame that is there and no JSON is not lacking: the peer could not read it either.
    Unknown,
    /// An event: nothing answers it.
    Sent,
    /// A reply whose request the capture lacks.
    Orphan,
    /// The server refused the connection.
    Refused,
    /// Nothing answered the SYN.
    NoAnswer,
    /// The server reset the connection after its SYN-ACK, before it sent a byte.
    Reset,
}

impl Status {
    /// Its name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Orphan => "orphan",
            Self::Refused => "refused",
            Self::NoAnswer => "no answer",
            Self::Reset => "reset",
        }
    }
}

/// Who ended an exchange that has no final reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndedBy {
    /// The client said FIN.
    Client,
    /// The server said FIN.
    Server,
    /// The client said RST.
    ResetByClient,
    /// The server said RST.
    ResetByServer,
    /// A router said that the server cannot be reached.
    Network,
    /// Nobody: the capture ended, or lacks the end.
    Capture,
}

impl EndedBy {
    /// Its name in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::ResetByClient => "reset by client",
            Self::ResetByServer => "reset by server",
            Self::Network => "network",
            Self::Capture => "capture",
        }
    }
}

/// How long a frame may have been held back by its sender's kernel: Nagle's algorithm, which waits
/// for the ACK of an earlier small segment, against the delayed ACK of the peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The most that it can have been.
    pub at_most: Nanos,
    /// Whether nothing but this explains the delay.
    pub certain: bool,
}

impl Held {
    /// What the hold of a frame that could not be written before `earliest` amounts to: a reply is
    /// written when its request is whole.
    pub(super) fn of(hold: Option<&FrameHold>, earliest: Option<Timestamp>) -> Self {
        let Some(&FrameHold { since, until, certain }) = hold else { return Self::default() };
        let since = earliest.map_or(since, |earliest| since.max(earliest));
        let at_most = until.saturating_since(since);
        Self { at_most, certain: certain && at_most >= HELD_AT_LEAST }
    }
}

/// [`Held`] where there are many of it: nanoseconds below a second, microseconds up to a quarter of
/// an hour, the most that it tells. The two highest bits say that it is certain, and that it is the
/// latter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CompactHeld(u32);

impl CompactHeld {
    pub(crate) const NONE: Self = Self(0);
    const CERTAIN: u32 = 1 << 31;
    const MICROS: u32 = 1 << 30;

    pub(crate) fn new(held: Held) -> Self {
        let fits = |number: u64| u32::try_from(number).ok().filter(|number| *number < Self::MICROS);
        let nanos = held.at_most.get();
        let most = Self::MICROS - 1;
        let number =
            fits(nanos).unwrap_or_else(|| Self::MICROS | fits(nanos / 1_000).unwrap_or(most));
        Self(number | if held.certain { Self::CERTAIN } else { 0 })
    }

    pub(crate) fn held(self) -> Held {
        let number = u64::from(self.0 & (Self::MICROS - 1));
        let unit = if self.0 & Self::MICROS == 0 { 1 } else { 1_000 };
        Held { at_most: Nanos::new(number * unit), certain: self.0 & Self::CERTAIN != 0 }
    }
}

/// The way of one or several frames of one side over the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The packet of the first byte of the first frame.
    pub first: PacketRef,
    /// The packet with which the last frame was whole.
    pub last: PacketRef,
    /// The lowest number of their packets: that of `first`, but where fragments or segments came
    /// out of order.
    pub lowest: PacketNumber,
    /// Bytes of the frames on the wire, their lengths and `#` included.
    pub bytes: u64,
}

impl Span {
    /// So many bytes that came in order.
    pub const fn in_order(first: PacketRef, last: PacketRef, bytes: u64) -> Self {
        Self { first, last, lowest: first.number, bytes }
    }

    /// The lowest and the highest number of the packets that brought them. Times are no measure of
    /// these: a frame begins with its first byte, whichever of its packets came first.
    pub fn packets(&self) -> [PacketNumber; 2] {
        let [first, last] = [self.first.number, self.last.number];
        [self.lowest.min(first).min(last), first.max(last)]
    }
}

/// One frame of an exchange, and where its bytes lie on the wire. Lent.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its way over the wire.
    pub span: Span,
    /// The TCP sequence number of its first byte, which is a digit of its length.
    pub seq: Seq,
    /// How long the kernel of its sender may have held it back.
    pub held: Held,
    /// Its JSON text: the last bytes of the frame. Lies in the packet that is being pushed, unless
    /// it straddled packets or came out of order.
    pub body: &'a [u8],
}

/// A reply to an open call. Lent.
#[derive(Clone, Copy, Debug)]
pub struct Replied<'a> {
    /// The number of the call.
    pub number: ExchangeNumber,
    /// Its connection.
    pub connection: ConnectionId,
    /// The reply.
    pub frame: &'a Frame<'a>,
    /// Whether its `err` is truthy.
    pub failed: bool,
    /// Whether it ends the call.
    pub last: bool,
}

/// What a tracker tells of the exchanges.
#[derive(Clone, Copy, Debug)]
pub enum TrackerEvent<'a> {
    /// The first frame of one was read whole: of a call, which is open now, or of an event or an
    /// orphan reply, whose end is told next. Only where progress is told.
    Began(&'a Exchange<'a>, &'a Frame<'a>),
    /// A reply to an open call was read whole. If it was the final one, the end is told next. Only
    /// where progress is told.
    Replied(&'a Replied<'a>),
    /// One ended, or stood open when the capture ended.
    Ended(&'a Exchange<'a>),
}

/// What was waited for. `None` where there is nothing to measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Request's first byte → last byte of the final reply.
    pub latency: Option<Nanos>,
    /// Request's first byte → last byte of the first reply.
    pub first_reply: Option<Nanos>,
    /// Request's first byte → request's last byte.
    pub request: Option<Nanos>,
    /// Request's last byte → first byte of the first reply.
    pub wait: Option<Nanos>,
    /// First byte of the first reply → last byte of the final reply.
    pub reply: Option<Nanos>,
}

impl Latency {
    /// The one place where latency is computed: what was waited for in a call or an event with this
    /// request, of whose replies the first ended at that time. Where the clock spoiled it, there is
    /// none, and the cause is told: *Latency without a clock* in `docs/ARCHITECTURE.md`.
    #[inline(always)]
    pub fn of(
        request: &Span,
        replies: Option<(Timestamp, &Span)>,
        ended: bool,
    ) -> (Self, Option<Spoiled>) {
        let since = |from: PacketRef, to: Timestamp| to.since(from.at);
        let mut latency =
            Self { request: since(request.first, request.last.at), ..Self::default() };
        let mut whole = latency.request.is_some();
        if let Some((first_reply_end, reply)) = replies {
            latency.first_reply = since(request.first, first_reply_end);
            latency.wait = since(request.last, reply.first.at);
            whole &= latency.first_reply.is_some() && latency.wait.is_some();
            if ended {
                latency.latency = since(request.first, reply.last.at);
                latency.reply = since(reply.first, reply.last.at);
                // A later reply may be seen whole before one that was sent again.
                let again = reply.last.number < reply.first.number;
                whole &= latency.latency.is_some() && (latency.reply.is_some() || again);
            }
        }
        if whole {
            (latency, None)
        } else {
            (Self::default(), Some(Spoiled::of(request, replies.map(|(_, reply)| reply))))
        }
    }
}

/// Why there is no latency where there should be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoiled {
    /// The clock of the capture stepped back meanwhile.
    ClockStep,
    /// A packet has no time.
    WithoutTime,
    /// The reply was captured before its request.
    ReplyFirst,
}

impl Spoiled {
    #[cold]
    fn of(request: &Span, reply: Option<&Span>) -> Self {
        let reply = reply.unwrap_or(request);
        let packets = [request.first, request.last, reply.first, reply.last];
        // What has no time is not even as late as itself.
        if packets.iter().any(|packet| packet.at.since(packet.at).is_none()) {
            return Self::WithoutTime;
        }
        let is_first = |reply: PacketRef, request: PacketRef| {
            reply.at < request.at && reply.number < request.number
        };
        if is_first(reply.first, request.last) || is_first(reply.last, request.first) {
            Self::ReplyFirst
        } else {
            Self::ClockStep
        }
    }
}

/// The payloads of the replies, in order, each one JSON text as it was on the wire.
#[derive(Clone, Copy, Debug, Default)]
pub struct Payloads<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Payloads<'a> {
    /// The texts that lie one after the other in `bytes` and end at `ends` (ascending).
    pub const fn new(bytes: &'a [u8], ends: &'a [usize]) -> Self {
        Self { bytes, ends }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Each payload, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (bytes, ends) = (self.bytes, self.ends);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts
            .zip(ends.iter().copied())
            .map(move |(start, end)| bytes.get(start..end).unwrap_or(&[]))
    }
}

/// An exchange that ended, or that stood open when the capture ended. Lent.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// Its place in the order in which the first bytes of exchanges were seen.
    pub number: ExchangeNumber,
    /// Its connection.
    pub connection: ConnectionId,
    /// The addresses of its client and its server.
    pub ends: Endpoints,
    /// What it is.
    pub kind: ExchangeKind,
    /// Nest's route text; `None` for an orphan reply, and for a request without pattern.
    pub pattern: Option<&'a str>,
    /// The name of that text; [`PatternId::OTHERS`] where there were too many.
    pub pattern_id: PatternId,
    /// The id as it was sent: JSON; `None` for events.
    pub id: Option<&'a [u8]>,
    /// How it ended.
    pub status: Status,
    /// The request, or the event; `None` for an orphan reply.
    pub request: Option<Span>,
    /// The replies so far, first to last.
    pub reply: Option<Span>,
    /// How many frames answered, the final one included.
    pub replies: u32,
    /// What was waited for.
    pub latency: Latency,
    /// How long the caller of a call without a final reply, or of a connection that failed, had
    /// waited when its end was known: from the first byte, or the first SYN.
    pub waited: Option<Nanos>,
    /// Who ended what has no final reply.
    pub ended_by: Option<EndedBy>,
    /// How long the kernel of the caller may have held the request back before its first byte.
    pub request_held: Held,
    /// The same for the kernel of the server and the replies.
    pub reply_held: Held,
    /// Whether something outside the bytes themselves, or their form, confirms that these were
    /// frames.
    pub sure: bool,
    /// How many attempts a row of kind `connect` stands for; else 1.
    pub attempts: u32,
    /// The other pair of ends, where the capture saw the connection before and after address
    /// translation.
    pub also: Option<&'a Endpoints>,
    /// The argument: JSON as it was sent; `None` where there was none.
    pub data: Option<&'a [u8]>,
    /// The values that answered.
    pub responses: Payloads<'a>,
    /// The `err` of the final reply: JSON as it was sent; `None` where there was none.
    pub error: Option<&'a [u8]>,
}

impl<'a> Exchange<'a> {
    /// One of which only this is known: without frames, times and texts, sure, and a single
    /// attempt.
    pub fn empty(
        number: ExchangeNumber,
        connection: ConnectionId,
        ends: Endpoints,
        kind: ExchangeKind,
        status: Status,
    ) -> Self {
        Self {
            number,
            connection,
            ends,
            kind,
            pattern: None,
            pattern_id: PatternId::NONE,
            id: None,
            status,
            request: None,
            reply: None,
            replies: 0,
            latency: Latency::default(),
            waited: None,
            ended_by: None,
            request_held: Held::default(),
            reply_held: Held::default(),
            sure: true,
            attempts: 1,
            also: None,
            data: None,
            responses: Payloads::default(),
            error: None,
        }
    }

    /// When its first byte was seen.
    pub fn time(&self) -> Timestamp {
        self.request.or(self.reply).map_or(Timestamp::default(), |span| span.first.at)
    }

    /// Whether it is an attempt to connect that was answered at last: none that failed, and no row.
    pub fn is_answered_attempt(&self) -> bool {
        self.kind == ExchangeKind::Connect && self.status == Status::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_held_is_as_fine_as_it_is_short() {
        let kept = |nanos, certain| {
            let held = Held { at_most: Nanos::new(nanos), certain };
            let Held { at_most, certain: same } = CompactHeld::new(held).held();
            assert_eq!(certain, same);
            at_most.get()
        };
        for certain in [false, true] {
            for nanos in [0, 1, 41_300_123, (1 << 30) - 1, 5_000_000_000] {
                assert_eq!(kept(nanos, certain), nanos);
            }
            assert_eq!(kept(2_147_483_999, certain), 2_147_483_000);
            assert_eq!(kept(u64::MAX, certain), ((1 << 30) - 1) * 1_000);
        }
    }
}
