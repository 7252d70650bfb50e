//! Every exchange and every packet that is remembered, and where their bytes lie. Cheap to clone: a
//! clone is a picture of the moment, which another thread may read.
//!
//! ```text
//!  number ──► Rows ──last frame──► Frames ──place──┬──► a capture file   (Again)
//!               │                    │ seq         └──► memory           (Bytes)
//!               └─connection─► Ends  └─ packet number ──► Packets ──place──┘
//! ```
//!
//! A call with one reply takes some 90 bytes and a packet 32, whatever they carry. Everything lies
//! in blocks that clones share; a block is copied when it is written while a clone has it.

mod bodies;
mod bytes;
mod ends;
mod frames;
mod gather;
mod packets;
mod place;
mod rows;
mod write;

use std::ops::Range;
use std::sync::Arc;

pub use bodies::Bodies;

use self::bytes::Bytes;
use self::ends::EndsTable;
use self::frames::{Address, Frames};
use self::packets::Packets;
pub(super) use self::place::Place;
use self::rows::Rows;
use crate::decode::Seq;
use crate::endpoint::{ConnectionNumber, Endpoints, Side};
use crate::exchange::{
    EndedBy, Exchange, ExchangeKind, ExchangeNumber, Held, Latency, PatternId, Span, Status,
};
use crate::packet::{LinkType, PacketNumber, PointId};
use crate::source::{CapturePoints, SourceFiles};
use crate::time::{Nanos, Timestamp};

/// What a list shows of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub number: ExchangeNumber,
    /// When its first byte was seen.
    pub time: Timestamp,
    /// What it is.
    pub kind: ExchangeKind,
    /// How it ended; `Open` while it has not.
    pub status: Status,
    /// What was called.
    pub pattern: PatternId,
    /// The number of its connection.
    pub connection: ConnectionNumber,
    /// What the caller waited, once it ended.
    pub latency: Option<Nanos>,
    /// How long the caller of what has no final reply had waited when its end was known.
    pub waited: Option<Nanos>,
    /// Who ended what has no final reply.
    pub ended_by: Option<EndedBy>,
    /// How long the request or event may have been held back by its sender's kernel.
    pub request_held: Held,
    /// The same of the replies.
    pub reply_held: Held,
    /// Whether more than its own bytes says that it was an exchange.
    pub sure: bool,
    /// How many attempts a row of kind `connect` stands for; else 1.
    pub attempts: u32,
    /// Bytes of the request or event on the wire; 0 for an orphan reply.
    pub request_bytes: u64,
    /// Bytes of the replies so far.
    pub reply_bytes: u64,
    /// Replies so far.
    pub replies: u32,
}

/// One frame of an exchange, and where its bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRecord {
    /// Its sender, in the roles that the messages showed.
    pub from: Side,
    /// Its way over the wire.
    pub span: Span,
    /// The TCP sequence number of its first byte.
    pub seq: Seq,
    /// How long the kernel of its sender may have held it back.
    pub held: Held,
    /// Bytes of its JSON text, which are its last.
    pub body_len: u64,
    /// Whether its `err` is truthy.
    pub failed: bool,
    /// Whether it ended the call.
    pub last: bool,
    /// Where its JSON text lies, if that is one piece.
    pub(in crate::store) place: Option<Place>,
}

/// All that is remembered of one exchange but its payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// What a list shows of it.
    pub row: Row,
    /// The addresses of its client and its server.
    pub ends: Endpoints,
    /// What was waited for.
    pub latency: Latency,
    /// The way of its request or event, or the SYNs of an attempt to connect.
    pub request: Option<Span>,
    /// The way of its replies, or what answered the SYNs.
    pub reply: Option<Span>,
    /// Its request, if the capture has it, then its replies in order; none of an attempt to
    /// connect.
    pub frames: Vec<FrameRecord>,
}

/// All that is remembered of one packet but its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketRecord {
    /// Its place in the capture.
    pub number: PacketNumber,
    /// When it was captured.
    pub at: Timestamp,
    /// What its bytes begin with.
    pub link: LinkType,
    /// Where it was captured.
    pub point: PointId,
    /// Bytes that were captured.
    pub captured_len: u32,
    /// Bytes on the link.
    pub original_len: u32,
    /// The number of the connection that it is a segment of, if of any that is followed.
    pub connection: Option<ConnectionNumber>,
}

/// Bytes that cannot be shown, and why. As text it is the sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// They gave way to newer ones.
    #[error("no longer in memory: older payloads gave way (--memory gives them more room)")]
    Dropped,
    /// The file cannot be read any more.
    #[error("cannot be read again from {file}: {reason}")]
    File {
        /// Its name.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// The capture lacks some of them.
    #[error("the capture does not hold all of its bytes")]
    Incomplete,
}

/// Every exchange and every packet that is remembered.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    rows: Rows,
    frames: Frames,
    ends: EndsTable,
    packets: Packets,
    bytes: Bytes,
    /// Route texts by name.
    patterns: Arc<Vec<Option<Arc<str>>>>,
    /// What routers said of attempts to connect: JSON, by name from 1.
    said: Arc<Vec<Box<[u8]>>>,
    files: SourceFiles,
}

impl Archive {
    /// The numbers of the exchanges that are remembered. A few of them may be of none.
    pub fn numbers(&self) -> Range<ExchangeNumber> {
        self.rows.numbers()
    }

    /// What a list shows of exchange `number`.
    pub fn row(&self, number: ExchangeNumber) -> Option<Row> {
        self.rows.get(number)?.row(number)
    }

    /// The rows from `number` on, ascending.
    pub fn rows(&self, number: ExchangeNumber) -> impl Iterator<Item = Row> + '_ {
        let numbers = self.numbers();
        let numbers = number.max(numbers.start)..numbers.end;
        ExchangeNumber::each(numbers).filter_map(|number| self.row(number))
    }

    /// All that is remembered of exchange `number` but its payloads.
    pub fn detail(&self, number: ExchangeNumber) -> Option<Detail> {
        let mut frames = Vec::new();
        let row = self.passages(number, &mut frames)?;
        let ends = self.ends(row.connection)?;
        let Way { request, reply, latency } = Way::of(&row, &frames);
        if row.kind == ExchangeKind::Connect {
            frames.clear();
        }
        Some(Detail { row, ends, latency, request, reply, frames })
    }

    /// What a list shows of exchange `number`, and its frames, the request first, in the place of
    /// what `frames` held. For whoever looks at many: the vector is used again.
    pub fn frames(&self, number: ExchangeNumber, frames: &mut Vec<FrameRecord>) -> Option<Row> {
        let row = self.passages(number, frames)?;
        if row.kind == ExchangeKind::Connect {
            frames.clear();
        }
        Some(row)
    }

    /// The same, and of an attempt to connect the ways of its SYNs and of what answered them.
    fn passages(&self, number: ExchangeNumber, frames: &mut Vec<FrameRecord>) -> Option<Row> {
        frames.clear();
        let kept = self.rows.get(number)?;
        let mut next = kept.frames;
        while next != Address::NONE
            && let Some((frame, before)) = self.frames.get(next, kept.time)
        {
            frames.push(frame);
            next = before;
        }
        frames.reverse();
        kept.row(number)
    }

    /// What a router said of the attempt to connect with this number: JSON.
    fn said(&self, number: ExchangeNumber) -> Option<&[u8]> {
        let name = self.rows.get(number)?.said()?;
        self.said.get(usize::from(name).checked_sub(1)?).map(|said| &**said)
    }

    /// The way of exchange `number` over the wire.
    pub(super) fn way(&self, number: ExchangeNumber) -> Way {
        let mut frames = Vec::new();
        self.passages(number, &mut frames).map(|row| Way::of(&row, &frames)).unwrap_or_default()
    }

    /// Lends exchange `number` as the engine told it, payloads and all; those that are gone are
    /// left out.
    pub fn exchange<R>(
        &self,
        number: ExchangeNumber,
        take: impl FnOnce(&Exchange<'_>) -> R,
    ) -> Option<R> {
        Bodies::single(self).exchange(number, take)
    }

    /// The route text of a pattern; `None` for requests that have none.
    pub fn pattern(&self, id: PatternId) -> Option<&str> {
        self.patterns.get(id.0 as usize)?.as_deref()
    }

    /// How many patterns have a name.
    pub fn patterns(&self) -> impl Iterator<Item = (PatternId, &str)> + '_ {
        let named = (0..).map(PatternId).zip(self.patterns.iter());
        named.filter_map(|(id, text)| Some((id, text.as_deref()?)))
    }

    /// The addresses of a connection.
    pub fn ends(&self, connection: ConnectionNumber) -> Option<Endpoints> {
        self.ends.get(connection).map(|(_, ends)| ends)
    }

    /// The JSON text of a frame.
    ///
    /// # Errors
    ///
    /// Where its bytes are gone.
    pub fn body(&self, detail: &Detail, frame: &FrameRecord) -> Result<Vec<u8>, Unavailable> {
        Bodies::single(self).get(detail.row.connection, frame).map(<[u8]>::to_vec)
    }

    /// Reads the payloads of many exchanges with few reads of the files, best in their order.
    pub fn bodies(&self) -> Bodies<'_> {
        Bodies::many(self)
    }

    /// The numbers of the packets that are remembered.
    pub fn packets(&self) -> Range<PacketNumber> {
        self.packets.numbers()
    }

    /// What is remembered of packet `number`.
    pub fn packet(&self, number: PacketNumber) -> Option<PacketRecord> {
        Some(self.packets.get(number)?.record(number))
    }

    /// The bytes of packet `number`.
    ///
    /// # Errors
    ///
    /// Where they are gone.
    pub fn packet_data(&self, number: PacketNumber) -> Result<Vec<u8>, Unavailable> {
        Bodies::single(self).packet(number).map(<[u8]>::to_vec)
    }

    /// The interfaces that packets came from.
    pub fn points(&self) -> &CapturePoints {
        self.files.points()
    }

    /// The packets of `within` that are segments of `connection`, ascending.
    pub fn packets_of(
        &self,
        connection: ConnectionNumber,
        within: Range<PacketNumber>,
    ) -> impl DoubleEndedIterator<Item = PacketRecord> + '_ {
        let of_it = move |packet: &(PacketNumber, &packets::Compact)| {
            packet.1.connection() == Some(connection)
        };
        self.packets.range(within).filter(of_it).map(|(number, packet)| packet.record(number))
    }

    /// The packets of an attempt to connect: its SYNs and what answered them, which is of no
    /// connection where a router did.
    pub fn packets_of_attempt(&self, attempt: &Detail) -> impl Iterator<Item = PacketRecord> + '_ {
        let answers = attempt.reply.map_or([PacketNumber(0); 2], |way| way.packets());
        let ways = [attempt.request, attempt.reply].into_iter().flatten();
        let none = (PacketNumber(u64::MAX), PacketNumber(0));
        let (first, end) = ways
            .flat_map(|way| way.packets())
            .fold(none, |(first, end), number| (first.min(number), end.max(number.next())));
        let connection = attempt.row.connection;
        let of_it = move |packet: &(PacketNumber, &packets::Compact)| {
            packet.1.connection() == Some(connection) || answers.contains(&packet.0)
        };
        let within = self.packets.range(first.min(end)..end);
        within.filter(of_it).map(|(number, packet)| packet.record(number))
    }
}

/// The way of an exchange over the wire, by its frames.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way {
    pub(super) request: Option<Span>,
    pub(super) reply: Option<Span>,
    pub(super) latency: Latency,
}

impl Way {
    fn of(row: &Row, frames: &[FrameRecord]) -> Self {
        let (request, replies) = match frames.split_first() {
            Some((first, rest)) if row.kind != ExchangeKind::Reply => (Some(first.span), rest),
            _ => (None, frames),
        };
        let reply = replies.first().zip(replies.last()).map(|(first, last)| Span {
            first: first.span.first,
            last: last.span.last,
            lowest: replies.iter().map(|reply| reply.span.lowest).min().unwrap_or_default(),
            bytes: row.reply_bytes,
        });
        let ended = matches!(row.status, Status::Ok | Status::Error);
        let messages = request.filter(|_| row.kind != ExchangeKind::Connect);
        let latency = messages.map_or(Latency::default(), |request| {
            let first_end = replies.first().map(|first| first.span.last.at);
            Latency::of(&request, first_end.zip(reply.as_ref()), ended).0
        });
        // Where the clock was set back, frames alone do not tell.
        let spoiled = ended && row.latency.is_none();
        let latency = if spoiled { Latency::default() } else { latency };
        Self { request, reply, latency }
    }
}
