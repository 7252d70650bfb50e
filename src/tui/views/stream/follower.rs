//! Reads the packets of one connection, some at a time, and puts its streams together again.

use super::index::Index;
use crate::decode::Decoder;
use crate::endpoint::{ConnectionNumber, Endpoints};
use crate::limits;
use crate::packet::{Packet, PacketNumber};
use crate::protocol;
use crate::store::{Archive, PacketRecord};
use crate::stream::{Config, StreamEvent, Streams};
use crate::time::{Nanos, Timestamp};

/// Packets of the capture that are passed over in one step.
const PASSED: u64 = 500_000;

/// Reads the packets of one connection.
///
/// ```text
///  archive ──► Decoder ──► Streams ──► protocol::Decoder ──► Index
///  packets_of             as the engine's, for this connection alone
/// ```
pub struct Follower {
    connection: ConnectionNumber,
    decoder: Decoder,
    streams: Streams,
    reader: Reader,
    /// The packet of the capture that is looked at next.
    next: PacketNumber,
    is_finished: bool,
    /// Why packets could not be read, if any could not.
    gone: Option<String>,
}

/// Takes what the streams tell.
#[derive(Default)]
struct Reader {
    ends: Option<Endpoints>,
    protocol: Option<Box<dyn protocol::Decoder>>,
    index: Index,
}

impl Follower {
    /// Begins at packet `first`. `patience`: how long a packet out of order is expected.
    pub fn new(connection: ConnectionNumber, first: PacketNumber, patience: Nanos) -> Self {
        Self {
            connection,
            decoder: Decoder::new(),
            streams: Streams::new(Config { reorder_at_most: patience, ..Config::default() }),
            reader: Reader::default(),
            next: first,
            is_finished: false,
            gone: None,
        }
    }

    /// Where everything lies that was read so far.
    pub const fn index(&self) -> &Index {
        &self.reader.index
    }

    /// The ends as the stream has them; the roles that the messages showed may be others.
    pub const fn ends(&self) -> Option<Endpoints> {
        self.reader.ends
    }

    /// Why packets could not be read, if any could not.
    pub fn gone(&self) -> Option<&str> {
        self.gone.as_deref()
    }

    /// The packet of the capture that is looked at next.
    pub const fn next(&self) -> PacketNumber {
        self.next
    }

    /// Reads up to `segments` packets of the connection. Whether there are more.
    pub fn step(&mut self, archive: &Archive, segments: usize) -> bool {
        if self.is_finished {
            return false;
        }
        let known = archive.packets();
        self.next = self.next.max(known.start);
        let end = self.next.saturating_add(PASSED).min(known.end);
        let mut bodies = archive.bodies();
        let packets = archive.packets_of(self.connection, self.next..end);
        for (read, record) in packets.enumerate() {
            if read == segments {
                self.next = record.number;
                return true;
            }
            match bodies.packet(record.number) {
                Ok(data) => self.push(&record, data),
                Err(why) => _ = self.gone.get_or_insert_with(|| why.to_string()),
            }
        }
        self.next = end;
        end < known.end
    }

    fn push(&mut self, record: &PacketRecord, data: &[u8]) {
        let Self { decoder, streams, reader, .. } = self;
        decoder.segments(&of(record, data), &mut |segment| {
            streams.push(&segment, &mut |event| reader.take(&event));
        });
    }

    /// Time passed, though no packet came.
    pub fn expire(&mut self, now: Timestamp) {
        if !self.is_finished {
            let reader = &mut self.reader;
            self.streams.expire(now, &mut |event| reader.take(&event));
        }
    }

    /// There are no more packets: what was held is told.
    pub fn finish(&mut self) {
        if !self.is_finished {
            self.is_finished = true;
            let reader = &mut self.reader;
            self.streams.finish(&mut |event| reader.take(&event));
            reader.index.finish();
        }
    }
}

const fn of<'a>(record: &PacketRecord, data: &'a [u8]) -> Packet<'a> {
    Packet {
        number: record.number,
        at: record.at,
        link: record.link,
        point: crate::packet::PointId(0),
        data,
        original_len: record.original_len,
    }
}

impl Reader {
    fn take(&mut self, event: &StreamEvent<'_>) {
        let Self { ends, protocol, index } = self;
        match event {
            StreamEvent::Opened(opened) => {
                ends.get_or_insert(opened.ends);
                protocol.get_or_insert_with(|| protocol::decoder(opened));
            }
            StreamEvent::Data(chunk) => {
                index.push(chunk);
                if let Some(protocol) = protocol {
                    protocol.push(chunk, limits::FRAME_BYTES, &mut |decoded| {
                        index.say(chunk, &decoded);
                    });
                }
            }
            StreamEvent::Gap(gap) => {
                index.gap(gap);
                if let Some(protocol) = protocol {
                    protocol.gap(gap, &mut |_| {});
                }
            }
            StreamEvent::Segment(_)
            | StreamEvent::Late { .. }
            | StreamEvent::Notice(_)
            | StreamEvent::Closed(_) => {}
        }
    }
}
