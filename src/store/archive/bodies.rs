//! Payloads, read from where they lie.

use std::ops::Range;

use super::gather::Pieces;
use super::place::{Lies, Place};
use super::{Archive, FrameRecord, PacketRecord, Row, Unavailable, Way, packets};
use crate::decode::{Decoder, Segment};
use crate::endpoint::{ConnectionNumber, Side};
use crate::exchange::{Exchange, ExchangeKind, ExchangeNumber, PatternId, Payloads};
use crate::json::route_text;
use crate::limits;
use crate::packet::{Packet, PacketNumber};
use crate::protocol::{Kind, read_body};
use crate::source::{AgainError, Pages};

/// Reads the payloads of exchanges, and lends each until the next is asked for.
#[derive(Debug)]
pub struct Bodies<'a> {
    archive: &'a Archive,
    pages: Pages,
    /// A frame that was put together.
    gathered: Vec<u8>,
    frames: Vec<FrameRecord>,
    texts: Texts,
    /// Why a payload of the exchange that was lent last was left out.
    gone: Option<Unavailable>,
}

/// Which packets are looked at for the bytes of a frame.
#[derive(Clone, Copy, Debug)]
struct Within {
    first: PacketNumber,
    last: PacketNumber,
    /// Whether those of no connection too: fragments of segments are.
    all: bool,
}

impl From<AgainError> for Unavailable {
    fn from(error: AgainError) -> Self {
        Self::File { file: error.file, reason: error.cause.to_string() }
    }
}

impl<'a> Bodies<'a> {
    /// Reads ahead, for many.
    pub(super) fn many(archive: &'a Archive) -> Self {
        Self::new(archive, Pages::new(archive.files.clone()))
    }

    /// Reads no more than is asked for.
    pub(super) fn single(archive: &'a Archive) -> Self {
        Self::new(archive, Pages::none(archive.files.clone()))
    }

    fn new(archive: &'a Archive, pages: Pages) -> Self {
        Self {
            archive,
            pages,
            gathered: Vec::new(),
            frames: Vec::new(),
            texts: Texts::default(),
            gone: None,
        }
    }

    /// The JSON text of a frame of this connection.
    ///
    /// # Errors
    ///
    /// Where its bytes are gone.
    #[inline]
    pub fn get(
        &mut self,
        connection: ConnectionNumber,
        frame: &FrameRecord,
    ) -> Result<&[u8], Unavailable> {
        let len = usize::try_from(frame.body_len).unwrap_or(usize::MAX);
        match frame.place.map(Place::lies) {
            Some(Lies::InMemory { address }) => {
                self.archive.bytes.get(address, len).ok_or(Unavailable::Dropped)
            }
            Some(Lies::InFile { file, offset }) => {
                // With the `#` that ends the length: a file that was written anew has none there.
                let from = offset.saturating_sub(1);
                if self.pages.get(file, from, len.saturating_add(1))?.first() != Some(&b'#') {
                    let file = self.archive.files.name(file).to_owned();
                    return Err(Unavailable::File { file, reason: "it was changed".to_owned() });
                }
                // Read twice: the borrow checker does not let us inspect a slice and then return it
                // from the same branch. The second read hits the page.
                Ok(self.pages.get(file, offset, len)?)
            }
            None => {
                (self.gathered, _) = self.gather(connection, frame)?;
                Ok(&self.gathered)
            }
        }
    }

    /// The packets of its connection among which are those that carried a frame: from the first to
    /// the last, or farther where they were captured out of order or sent again.
    pub fn carriers(
        &mut self,
        connection: ConnectionNumber,
        frame: &FrameRecord,
    ) -> Range<PacketNumber> {
        let [low, high] = frame.span.packets();
        let around = low..high.next();
        match frame.place {
            Some(_) => around,
            None => self.gather(connection, frame).map_or(around, |(_, carriers)| carriers),
        }
    }

    /// The bytes of packet `number`.
    ///
    /// # Errors
    ///
    /// Where they are gone.
    pub fn packet(&mut self, number: PacketNumber) -> Result<&[u8], Unavailable> {
        let packet = self.archive.packets.get(number).ok_or(Unavailable::Dropped)?;
        data(self.archive, &mut self.pages, packet)
    }

    /// Lends exchange `number` as [`Archive::exchange`] does.
    pub fn exchange<R>(
        &mut self,
        number: ExchangeNumber,
        take: impl FnOnce(&Exchange<'_>) -> R,
    ) -> Option<R> {
        let mut frames = std::mem::take(&mut self.frames);
        let mut texts = std::mem::take(&mut self.texts);
        texts.clear();
        self.gone = None;
        let row = self.archive.passages(number, &mut frames);
        let taken = row.and_then(|row| {
            let of_messages = if row.kind == ExchangeKind::Connect { &[][..] } else { &*frames };
            for frame in of_messages {
                match self.get(row.connection, frame) {
                    Ok(body) => texts.read(body, frame.from, row.pattern),
                    Err(why) => self.gone = Some(why),
                }
            }
            self.lend(&row, &frames, &texts, take)
        });
        (self.frames, self.texts) = (frames, texts);
        taken
    }

    /// Why a payload of the exchange that was lent last was left out, if one was.
    pub const fn gone(&self) -> Option<&Unavailable> {
        self.gone.as_ref()
    }

    fn lend<R>(
        &self,
        row: &Row,
        frames: &[FrameRecord],
        texts: &Texts,
        take: impl FnOnce(&Exchange<'_>) -> R,
    ) -> Option<R> {
        let (connection, ends) = self.archive.ends.get(row.connection)?;
        let Way { request, reply, latency } = Way::of(row, frames);
        let has_id = row.kind != ExchangeKind::Event;
        let said = self.archive.said(row.number);
        Some(take(&Exchange {
            number: row.number,
            connection,
            ends,
            kind: row.kind,
            pattern: texts.pattern.as_deref().or_else(|| self.archive.pattern(row.pattern)),
            pattern_id: row.pattern,
            id: texts.id.get().filter(|_| has_id),
            status: row.status,
            request,
            reply,
            replies: row.replies,
            latency,
            waited: row.waited,
            ended_by: row.ended_by,
            request_held: row.request_held,
            reply_held: row.reply_held,
            sure: row.sure,
            attempts: row.attempts,
            also: None,
            data: texts.data.get(),
            responses: Payloads::new(&texts.responses, &texts.response_ends),
            error: texts.error.get().or(said),
        }))
    }

    /// Finds the bytes of a frame in the packets that carried them. First where they must be if
    /// nothing was out of order; then some packets before, which the stream may have held back;
    /// then far around, and among packets of no connection: fragments within a tunnel's fragments.
    /// Tells too which packets carried them, with all fragments of a segment: without one of them
    /// nobody can put it together.
    fn gather(
        &mut self,
        connection: ConnectionNumber,
        frame: &FrameRecord,
    ) -> Result<(Vec<u8>, Range<PacketNumber>), Unavailable> {
        let (first, last) = (frame.span.first.number, frame.span.last.number);
        let [low, high] = frame.span.packets();
        let around = |before: u64, behind: u64, all| Within {
            first: low.saturating_sub(before),
            last: high.saturating_add(behind),
            all,
        };
        if first <= last
            && let Ok((bytes, carriers)) = self.walk(connection, frame, around(0, 0, false))
            && carriers.end == last.next()
        {
            return Ok((bytes, low..carriers.end));
        }
        let mut walk = |within: Within| {
            let (bytes, carriers) = self.walk(connection, frame, within)?;
            Ok((bytes, carriers.start.min(low)..carriers.end.max(high.next())))
        };
        walk(around(limits::REORDER_PACKETS, 0, false)).or_else(|_: Unavailable| {
            walk(around(limits::GATHER_PACKETS, limits::GATHER_PACKETS, true))
        })
    }

    /// Gathers the body of a frame from the packets within. Tells the first that brought some of
    /// it, and which one made it whole.
    fn walk(
        &mut self,
        connection: ConnectionNumber,
        frame: &FrameRecord,
        within: Within,
    ) -> Result<(Vec<u8>, Range<PacketNumber>), Unavailable> {
        let Self { archive, pages, .. } = self;
        let from = *archive.ends(connection).ok_or(Unavailable::Dropped)?.of(frame.from);
        let to = *archive.ends(connection).ok_or(Unavailable::Dropped)?.of(frame.from.other());
        let bounded =
            usize::try_from(frame.body_len).ok().filter(|len| *len <= limits::FRAME_BYTES);
        let len = bounded.ok_or(Unavailable::Incomplete)?;
        let mut pieces = Pieces::new(len);
        let header = frame.span.bytes.saturating_sub(frame.body_len);
        let header = u32::try_from(header).map_err(|_| Unavailable::Incomplete)?;
        let origin = frame.seq.add(header);
        // Both are below 2^32.
        let (header, len) = (i64::from(header), i64::try_from(len).unwrap_or(i64::MAX));
        let mut first = within.last;
        let mut decoder = Decoder::new();
        let mut gone = Unavailable::Incomplete;
        let start = archive.packets.numbers().start;
        if within.first < start && start > PacketNumber(1) {
            gone = Unavailable::Dropped;
        }
        for (number, packet) in archive.packets.range(within.first..within.last.next()) {
            match packet.connection() {
                Some(of) if of == connection => {}
                None if within.all => {}
                _ => continue,
            }
            let data = match data(archive, pages, packet) {
                Ok(data) => data,
                Err(why) => {
                    gone = why;
                    continue;
                }
            };
            let packet = lent(&packet.record(number), data);
            let mut carries = false;
            decoder.segments(&packet, &mut |segment: Segment<'_>| {
                if segment.from == from && segment.to == to {
                    let at = i64::from(segment.seq.distance(origin));
                    let end = at.saturating_add_unsigned(segment.payload.len() as u64);
                    carries |= end > -header && at < len;
                    pieces.add(at, segment.payload);
                }
            });
            if carries {
                let joined = decoder.joined().iter().copied();
                first = joined.chain([number]).fold(first, PacketNumber::min);
            }
            if pieces.is_whole() {
                return Ok((pieces.into_bytes(), first..number.next()));
            }
        }
        Err(gone)
    }
}

/// A packet to be decoded on its own.
fn lent<'p>(record: &PacketRecord, data: &'p [u8]) -> Packet<'p> {
    Packet {
        number: record.number,
        at: record.at,
        link: record.link,
        point: Default::default(),
        data,
        original_len: record.original_len,
    }
}

fn data<'p>(
    archive: &'p Archive,
    pages: &'p mut Pages,
    packet: &packets::Compact,
) -> Result<&'p [u8], Unavailable> {
    match packet.place.lies() {
        Lies::InMemory { address } => {
            archive.bytes.get(address, packet.captured_len()).ok_or(Unavailable::Dropped)
        }
        Lies::InFile { file, offset } => Ok(pages.get(file, offset, packet.captured_len())?),
    }
}

/// What the frames of one exchange say. The memory is used again.
#[derive(Debug, Default)]
struct Texts {
    id: Text,
    data: Text,
    error: Text,
    /// One behind the other.
    responses: Vec<u8>,
    response_ends: Vec<usize>,
    /// The route text, where its name is shared.
    pattern: Option<String>,
}

#[derive(Debug, Default)]
struct Text {
    is_there: bool,
    bytes: Vec<u8>,
}

impl Text {
    fn set(&mut self, bytes: Option<&[u8]>) {
        self.is_there = bytes.is_some();
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes.unwrap_or(&[]));
    }

    fn get(&self) -> Option<&[u8]> {
        self.is_there.then_some(&self.bytes)
    }
}

impl Texts {
    fn clear(&mut self) {
        for text in [&mut self.id, &mut self.data, &mut self.error] {
            text.set(None);
        }
        self.responses.clear();
        self.response_ends.clear();
        self.pattern = None;
    }

    /// Takes the next frame of the exchange.
    fn read(&mut self, body: &[u8], from: Side, pattern_id: PatternId) {
        let is_folded = pattern_id == PatternId::OTHERS;
        match read_body(body, from) {
            Some(Kind::Request { id, pattern, data }) => {
                self.id.set(Some(id));
                self.data.set(data);
                self.pattern = pattern.filter(|_| is_folded).map(route_text);
            }
            Some(Kind::Event { pattern, data }) => {
                self.data.set(data);
                self.pattern = is_folded.then(|| route_text(pattern));
            }
            Some(Kind::Reply { id, response, error, .. }) => {
                if !self.id.is_there {
                    self.id.set(Some(id));
                }
                if let Some(response) = response {
                    self.responses.extend_from_slice(response);
                    self.response_ends.push(self.responses.len());
                }
                // That of a later reply replaces that of an earlier one.
                self.error.set(error);
            }
            Some(Kind::Other) | None => {}
        }
    }
}
